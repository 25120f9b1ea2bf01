#!/bin/sh
# Heals what setup-database-issues.sh broke: builds all indexes by sql/restore_indexes.sql, while the shop runs, and
# gives the pools their size back. Can be run again.
#
# usage: restore-database.sh [--dry-run] [--no-restart]
#
#   --no-restart   leaves the run that is under way alone: the indexes heal it at once, the pools' size counts from the
#                  next start
#
# By the environment: NAMESPACE, KUBECTL, TIMEOUT; MAX_CONNECTIONS (100).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

MAX_CONNECTIONS=${MAX_CONNECTIONS:-100}
wanted="'idx_products_category', 'idx_products_stock_quantity', 'idx_products_category_active', 'idx_products_recommendations'"

may_restart=yes
for option in "$@"; do
    if [ "$option" = --no-restart ]; then
        may_restart=no
    else
        common_option "$option" || usage_error "what is '$option'?"
    fi
done
case $MAX_CONNECTIONS in '' | *[!0-9]* | 0) usage_error "MAX_CONNECTIONS is '$MAX_CONNECTIONS', not a number above 0" ;; esac
begin "$KUBECTL"
cluster_there
need_shop

psql_file "$sql/restore_indexes.sql"
if ! dry; then
    there=$(psql_value "SELECT count(*) FROM pg_indexes WHERE tablename = 'products' AND indexname IN ($wanted);")
    [ "$there" = 4 ] || fail "only $there of 4 indexes are there"
fi

if dry || [ "$(config_value DB_MAX_CONNECTIONS)" != "$MAX_CONNECTIONS" ]; then
    set_config "DB_MAX_CONNECTIONS=$MAX_CONNECTIONS"
    [ "$may_restart" = no ] || restart
else
    say "DB_MAX_CONNECTIONS is $MAX_CONNECTIONS already"
fi
dry || say "healed: the indexes are there, the pools have $MAX_CONNECTIONS connections"
