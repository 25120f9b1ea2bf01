/* What is broken, and breaking or mending something now. */
#include "edges/admin_parts.h"
#include "edges/fault_read.h"
#include "edges/scenario_load.h"

#include <stdlib.h>

void admin_list_faults(struct admin *admin, struct http_request *request)
{
    const struct run_stats *stats = world_stats(admin->options.world);
    json_t *kinds = json_array(), *set = json_array();
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        json_array_append_new(kinds, json_string(fault_kind_name((enum fault_kind)kind)));
    for (size_t i = 0; i < stats->fault_count; i++) {
        const struct fault_spec *spec = &stats->faults[i].spec;
        json_array_append_new(set, json_pack("{s:s,s:s?,s:f,s:f,s:b}", "name", fault_kind_name(spec->kind),
                                             "target", spec->target, "value", spec->value, "at_s",
                                             (double)spec->at_ns / 1e9, "applied", stats->faults[i].applied));
    }
    admin_respond(request, 200, json_pack("{s:o,s:o}", "kinds", kinds, "faults", set));
}

static bool known_kind(struct slice name, enum fault_kind *found)
{
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        if (slice_is(name, fault_kind_name((enum fault_kind)kind))) {
            *found = (enum fault_kind)kind;
            return true;
        }
    return false;
}

/* What the scenario file would have behind the kind; NULL: no JSON. To be freed. */
static char *fault_value(struct slice body)
{
    json_error_t error;
    json_t *value = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    char *words = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    json_decref(value);
    return words;
}

static void apply_fault(struct admin *admin, struct http_request *request, const struct fault_spec *fault)
{
    if (admin_fault(admin, fault) == STATUS_OK)
        admin_respond(request, 200,
                      json_pack("{s:s,s:s,s:s?}", "status", "fault_set", "name", fault_kind_name(fault->kind),
                                "target", fault->target));
    else
        http_request_respond_error(request, 503, "too many faults in one run");
}

void admin_set_fault(struct admin *admin, struct http_request *request)
{
    static const char prefix[] = "/admin/faults/";
    const struct admin_options *options = &admin->options;
    struct slice path = http_request_path(request);
    struct text error = {0};
    enum fault_kind kind;
    size_t head = MIN(path.len, sizeof prefix - 1);
    if (!known_kind((struct slice){path.at + head, path.len - (uint32_t)head}, &kind)) {
        http_request_respond_error(request, 404, "no such kind of fault; GET /admin/faults lists them");
        return;
    }
    char *value = fault_value(http_request_body(request));
    if (!value) {
        http_request_respond_error(request, 400, "the body is not JSON");
        return;
    }
    const struct fault_context context = {options->registry, options->file, options->settings,
                                          options->setting_count};
    struct scenario *read = fault_read(&context, kind, value, &error);
    if (read)
        apply_fault(admin, request, &read->faults[read->fault_count - 1]);
    else
        http_request_respond_error(request, 400, text_c(&error));
    scenario_free(read);
    free(value);
    text_fini(&error);
}
