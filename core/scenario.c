#include "core/scenario.h"

uint8_t scenario_phase(const struct scenario *scenario, int64_t at_ns)
{
    uint8_t phase = 0;
    while ((size_t)phase + 1 < scenario->phase_count && scenario->phases[phase + 1].at_ns <= at_ns)
        phase++;
    return phase;
}

int scenario_stream(const struct scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->stream_count; i++)
        if (!strcmp(scenario->streams[i].name, name))
            return (int)i;
    return -1;
}

double stream_rate_per_min(const struct stream_spec *stream, int64_t at_ns)
{
    const struct burst_spec *burst = &stream->burst;
    if (!burst->count)
        return curve_at(&stream->rate_per_min, at_ns);
    /* One that comes once has its minute. */
    int64_t every_ns = burst->every_ns ? burst->every_ns : NS_PER_MIN;
    bool runs = at_ns >= burst->at_ns && at_ns < burst->at_ns + burst->rounds * every_ns;
    return runs ? (double)burst->count * (double)NS_PER_MIN / (double)every_ns : 0;
}

const struct service_spec *scenario_service(const struct scenario *scenario, const char *service)
{
    for (size_t i = 0; i < scenario->service_count; i++)
        if (!strcmp(scenario->services[i].service, service))
            return &scenario->services[i];
    return NULL;
}

const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[] = {
        [FAULT_DROP_INDEX] = "drop_index",
        [FAULT_CREATE_INDEX] = "create_index",
        [FAULT_POOL_MAX] = "pool_max",
        [FAULT_ACQUIRE_TIMEOUT] = "acquire_timeout",
        [FAULT_HOLD_CONNECTIONS] = "hold_connections",
        [FAULT_READ_REPLICAS] = "read_replicas",
        [FAULT_SERVICE_DOWN] = "service_down",
        [FAULT_SERVICE_UP] = "service_up",
        [FAULT_SERVICE_SLOW] = "service_slow",
        [FAULT_QUERY_DELAY] = "query_delay",
        [FAULT_TABLE_GROWTH] = "table_growth",
        [FAULT_ROUTE_DELAY] = "route_delay",
        [FAULT_ROUTE_FAILURES] = "route_failures",
        [FAULT_MESSAGE_LOSS] = "message_loss",
    };
    ASSERT(kind < FAULT_KIND_COUNT);
    return names[kind];
}
