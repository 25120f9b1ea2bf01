#include "edges/pg_status.h"

#include "core/base.h"

/* The first line that the code begins with. */
static const struct {
    const char *begins;
    enum status status;
} table[] = {
    {"08", STATUS_CONNECTION_LOST}, /* connection exception */
    {"22", STATUS_BAD_INPUT}, /* data exception: out of range, not in this encoding */
    {"23502", STATUS_BAD_INPUT}, /* not null */
    {"23503", STATUS_BAD_INPUT}, /* foreign key */
    {"23514", STATUS_BAD_INPUT}, /* check */
    {"53300", STATUS_CONNECTIONS_EXHAUSTED},
    {"55P03", STATUS_LOCK_TIMEOUT},
    {"57014", STATUS_DEADLINE}, /* cancelled, for its asker has given up */
    {"57P01", STATUS_CONNECTION_LOST}, /* the server or an administrator ends the session */
    {"57P02", STATUS_CONNECTION_LOST}, /* another session's crash ends all */
    {"57P03", STATUS_CONNECTION_LOST}, /* it starts up or shuts down */
    {"57P05", STATUS_CONNECTION_LOST}, /* idle for too long */
};

enum status pg_status(const char *sqlstate)
{
    if (!sqlstate)
        return STATUS_CONNECTION_LOST;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strncmp(sqlstate, table[i].begins, strlen(table[i].begins)) == 0)
            return table[i].status;
    return STATUS_FAILED;
}
