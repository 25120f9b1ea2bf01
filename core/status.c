#include "core/status.h"

#include "core/base.h"

static const struct status_info table[] = {
    [STATUS_OK] = {"ok", NULL, NULL, 200, false},
    [STATUS_CREATED] = {"created", NULL, NULL, 201, false},
    [STATUS_BAD_INPUT] = {"bad input", "400", NULL, 400, false},
    [STATUS_NOT_FOUND] = {"not found", "404", NULL, 404, false},
    [STATUS_SOLD_OUT] = {"sold out", NULL, NULL, 409, false},
    [STATUS_FAILED] = {"failed", "500", NULL, 500, true},
    [STATUS_UNAVAILABLE] = {"unavailable", "503", NULL, 503, true},
    [STATUS_POOL_EXHAUSTED] = {"connection pool exhausted", "ConnectionPoolExhausted", "08006", 503, true},
    [STATUS_CONNECTIONS_EXHAUSTED] = {"too many connections", "53300", "53300", 503, true},
    [STATUS_LOCK_TIMEOUT] = {"lock timeout", "55P03", "55P03", 503, true},
    [STATUS_OVERLOADED] = {"overloaded", "503", NULL, 503, true},
    [STATUS_DEADLINE] = {"deadline exceeded", "timeout", NULL, 0, true},
    [STATUS_NO_PEER] = {"no peer", "no_peer", NULL, 0, true},
    [STATUS_CONNECTION_LOST] = {"connection lost", "08006", "08006", 503, true},
};
_Static_assert(ARRAY_LEN(table) == STATUS_COUNT, "every status has a line");

const struct status_info *status_info(enum status status)
{
    ASSERT((unsigned)status < STATUS_COUNT);
    return &table[status];
}
