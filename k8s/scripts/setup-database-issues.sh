#!/bin/sh
# Breaks the database as the incident does: takes indexes away by sql/missing_index_config.sql, and cuts the pools to 20
# connections. Can be run again. restore-database.sh undoes it.
#
# usage: setup-database-issues.sh [--dry-run]
#
# By the environment: NAMESPACE, KUBECTL, TIMEOUT; MAX_CONNECTIONS (20).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

MAX_CONNECTIONS=${MAX_CONNECTIONS:-20}
gone="'idx_products_category', 'idx_products_stock_quantity', 'idx_products_recommendations', 'idx_products_name_prefix'"

only_common_options "$@"
case $MAX_CONNECTIONS in '' | *[!0-9]* | 0) usage_error "MAX_CONNECTIONS is '$MAX_CONNECTIONS', not a number above 0" ;; esac
begin "$KUBECTL"
cluster_there
need_shop
save_state

# The program makes its indexes when it starts: first the restart, then the drops.
if dry || [ "$(config_value DB_MAX_CONNECTIONS)" != "$MAX_CONNECTIONS" ]; then
    set_config "DB_MAX_CONNECTIONS=$MAX_CONNECTIONS"
    restart
else
    say "DB_MAX_CONNECTIONS is $MAX_CONNECTIONS already"
    wait_for_rollouts
fi
psql_file "$sql/missing_index_config.sql"

if ! dry; then
    left=$(psql_value "SELECT count(*) FROM pg_indexes WHERE tablename = 'products' AND indexname IN ($gone);")
    [ "$left" = 0 ] || fail "$left of the indexes are still there"
    [ "$(config_value DB_MAX_CONNECTIONS)" = "$MAX_CONNECTIONS" ] || fail "the ConfigMap does not have the new pool size"
    say "broken: the indexes are gone, the pools have $MAX_CONNECTIONS connections"
fi
