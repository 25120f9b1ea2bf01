#include "edges/otlp_outlet.h"

#include "edges/figures.h"
#include "edges/version.h"

#include <stdio.h>

static const char *service_name(void *owner, uint16_t service)
{
    const struct otlp_outlet *outlet = owner;
    return world_service(outlet->session->world, service)->service;
}

static void say(void *owner, const char *line)
{
    (void)owner;
    fprintf(stderr, "doorbuster: %s\n", line);
}

/* The exporter is the process's, as traffic is: the load generator stands for it, else the first service that is here. */
static uint16_t process_service(void *owner)
{
    const struct world *world = ((const struct otlp_outlet *)owner)->session->world;
    size_t first = world_service_count(world);
    for (size_t i = world_service_count(world); i--;) {
        if (!world_hosts(world, i))
            continue;
        if (world_service(world, i)->drives_load)
            return (uint16_t)i;
        first = i;
    }
    ASSERT(first < world_service_count(world));
    return (uint16_t)first;
}

bool otlp_outlet_open(struct otlp_outlet *outlet, struct session *session,
                      const struct otlp_outlet_options *options)
{
    struct text warnings = {0};
    *outlet = (struct otlp_outlet){.session = session, .virtual = options->virtual};
    bool good = otlp_env_read(
        &outlet->env, &(struct otlp_env_options){.endpoint = options->endpoint, .warnings = &warnings});
    bool wanted = good && otlp_env_wanted(&outlet->env);
    fputs(text_c(&warnings), stderr);
    text_fini(&warnings);
    if (!wanted) {
        otlp_env_fini(&outlet->env);
        return good;
    }
    struct otlp_export_options export = {.env = &outlet->env, .virtual = options->virtual, .say = say};
    export.queue_bytes = options->queue_bytes;
    export.source = (struct otlp_source){.seed = session->seed ^ session->instance,
                                         .start_unix_ns = session->start_unix_ns,
                                         .version = version_number(),
                                         .service_name = service_name,
                                         .process_service = process_service,
                                         .owner = outlet};
    outlet->export = otlp_export_open(options->loop, &export);
    return true;
}

void otlp_outlet_sink(const struct otlp_outlet *outlet, struct sink *sink)
{
    if (!outlet->export)
        return;
    sink->owner = outlet->export;
    sink->span = otlp_export_span;
    sink->log = otlp_export_log;
    sink->metrics = otlp_export_metrics;
}

static const char *const items_name[] = {
    [OTLP_TRACES] = "spans", [OTLP_METRICS] = "data points", [OTLP_LOGS] = "log records"};

static void say_accepted(const struct otlp_export_stats stats[OTLP_SIGNALS])
{
    struct text line = {0};
    text_lit(&line, "OTLP: ");
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        text_str(&line, signal ? ", " : "");
        text_count(&line, stats[signal].accepted);
        text_char(&line, ' ');
        text_str(&line, items_name[signal]);
    }
    text_lit(&line, " accepted\n");
    fputs(text_c(&line), stderr);
    text_fini(&line);
}

static bool say_lost(const struct otlp_export_stats stats[OTLP_SIGNALS])
{
    static const char *const reasons[] = {
        [OTLP_DROP_QUEUE_FULL] = "the queue was full",
        [OTLP_DROP_REFUSED] = "the backend refused them",
        [OTLP_DROP_TOO_LARGE] = "their request was too large",
        [OTLP_DROP_REJECTED] = "the backend took the rest of their request only",
        [OTLP_DROP_TIMEOUT] = "their time was over",
        [OTLP_DROP_SHUTDOWN] = "the run ended before the backend took them",
    };
    bool lost = false;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        for (int reason = 0; reason < OTLP_DROPS; reason++) {
            uint64_t items = stats[signal].dropped[reason];
            if (items)
                fprintf(stderr, "doorbuster: OTLP: %llu of %llu %s lost: %s\n", (unsigned long long)items,
                        (unsigned long long)stats[signal].produced, items_name[signal], reasons[reason]);
            lost = lost || items;
        }
    }
    return lost;
}

bool otlp_outlet_close(struct otlp_outlet *outlet, int64_t limit_ms, const volatile sig_atomic_t *stop)
{
    struct otlp_export_stats stats[OTLP_SIGNALS];
    if (!outlet->export)
        return true;
    const struct world *world = outlet->session->world;
    otlp_export_last_metrics(outlet->export, world_metrics(world), world_now(world));
    otlp_export_flush(outlet->export, limit_ms, stop);
    bool unheard = outlet->virtual && !otlp_export_heard(outlet->export) && !(stop && *stop);
    otlp_export_close(outlet->export, stats);
    otlp_env_fini(&outlet->env);
    outlet->export = NULL;
    if (!outlet->session->options->quiet)
        say_accepted(stats);
    bool lost = say_lost(stats);
    if (lost && unheard)
        fputs("doorbuster: OTLP: no answer from any endpoint; `doorbuster doctor --otlp URL` looks at them\n",
              stderr);
    outlet->session->unheard = lost && unheard;
    return !lost;
}
