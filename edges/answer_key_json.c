/* answer_key: the document. */
#include "edges/answer_key.h"

#include "edges/cause.h"
#include "edges/figures.h"
#include "edges/json_put.h"
#include "edges/remedy.h"
#include "edges/report_cause.h"

#include <math.h>

enum { EVENTS_MAX = PHASES_MAX + FAULTS_MAX + SERVICES_MAX + 2 * ALERTS_MAX * ALERT_SPELLS_MAX };

struct event {
    int64_t at_ns;
    const char *what, *name, *detail;
};

/* ---- the cause ---- */

static json_t *query_evidence(const struct cause *cause)
{
    json_t *query = json_object();
    json_put_text(query, "statement", cause->scan->name);
    json_put_text(query, "missing_index", cause->index);
    json_put_count(query, "runs", cause->scan->runs);
    json_put_count(query, "full_scans", cause->scan->full_scans);
    json_put_count(query, "rows_per_scan", cause->scan->scan_rows_max);
    return query;
}

static json_t *pool_evidence(const struct pool_stats *stats)
{
    json_t *pool = json_object();
    json_put_text(pool, "name", stats->name);
    json_put_text(pool, "service", stats->service);
    json_put_count(pool, "max", (uint64_t)MAX(stats->max, 0));
    json_put_count(pool, "peak_used", (uint64_t)MAX(stats->peak_used, 0));
    json_put_count(pool, "acquired", stats->acquired);
    json_put_count(pool, "timeouts", stats->timeouts);
    json_put_count(pool, "given_up", stats->given_up);
    json_put_seconds(pool, "acquire_timeout_s", stats->acquire_timeout_ns);
    return pool;
}

/* All that somebody waited for in vain. */
static json_t *pools_evidence(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->stats->pool_count; i++)
        if (cause_pool_lost(&report->stats->pools[i]))
            json_add(all, pool_evidence(&report->stats->pools[i]));
    return all;
}

static json_t *lock_evidence(const struct store_stats *stores)
{
    json_t *locks = json_object();
    json_put_count(locks, "waits", stores->lock_wait.count);
    json_put_ms(locks, "wait_p95_ms", histogram_quantile(&stores->lock_wait, 0.95));
    json_put_count(locks, "timeouts", stores->lock_timeouts);
    return locks;
}

static json_t *calls_evidence(const struct edge_stats *edge)
{
    json_t *calls = json_object();
    json_put_text(calls, "from", edge->from);
    json_put_text(calls, "to", edge->to);
    json_put_count(calls, "calls", edge->calls);
    json_put_count(calls, "errors", edge->errors);
    return calls;
}

static json_t *fields(const struct cause *cause, const struct report *report)
{
    json_t *all = json_object();
    json_put_count(all, "requests", report_requests(report));
    json_put_count(all, "requests_failed", cause->errors);
    if (cause->scan)
        json_put(all, "query", query_evidence(cause));
    if (cause->pool)
        json_put(all, "pool", pool_evidence(cause->pool));
    if (cause->pool)
        json_put(all, "pools", pools_evidence(report));
    if (cause->lost)
        json_put_count(all, "statements_given_up", cause->lost);
    if (cause->lock_timeouts)
        json_put(all, "row_locks", lock_evidence(&report->stats->stores));
    if (cause->script)
        json_put_count(all, "failed_by_script", cause->scripted);
    if (cause->kind >= CAUSE_SERVICE_DOWN && cause->edge)
        json_put(all, "calls", calls_evidence(cause->edge));
    return all;
}

static json_t *root_cause(const struct cause *cause, const struct answer_key *key,
                          const struct report *report)
{
    json_t *root = json_object();
    struct text target = {0}, evidence = {0};
    remedy_target(&target, report, cause);
    report_cause_sentence(&evidence, report);
    json_put_text(root, "kind", cause_kind_name(cause->kind));
    json_put_text(root, "target", target.len ? text_c(&target) : NULL);
    json_put_text(root, "service",
                  key->found ? report->stats->services[key->first.site->service].service : NULL);
    json_put_text(root, "evidence", text_c(&evidence));
    json_put(root, "fields", fields(cause, report));
    text_fini(&target);
    text_fini(&evidence);
    return root;
}

/* Of connections that were held, all pools'. */
static bool had_part(const struct cause *cause, const struct report *report, const struct fault_stats *fault)
{
    const struct fault_spec *spec = &fault->spec, *parts[] = {cause->cut, cause->delay, cause->growth};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i] == spec)
            return true;
    return (cause->scan && cause->dropped == spec) || (cause->held && cause_holds(report, fault)) ||
           (cause->kind == CAUSE_SCRIPT && cause->script == spec) ||
           (cause->kind >= CAUSE_SERVICE_DOWN && cause->edge_fault == spec);
}

/* Every fault that had a part in it, and for how long. */
static json_t *faults(const struct cause *cause, const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->stats->fault_count && cause->kind != CAUSE_NONE; i++) {
        const struct fault_spec *spec = &report->stats->faults[i].spec;
        if (!had_part(cause, report, &report->stats->faults[i]))
            continue;
        json_t *fault = json_object();
        json_put_text(fault, "name", fault_kind_name(spec->kind));
        json_put_text(fault, "target", spec->target);
        json_put_seconds(fault, "at_s", spec->at_ns);
        json_put_seconds(fault, "until_s", cause_fault_end(report, spec));
        json_add(all, fault);
    }
    return all;
}

static json_t *healing(const struct cause *cause, const struct report *report)
{
    struct remedy remedies[REMEDIES_MAX];
    size_t count = remedies_of(remedies, report, cause);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_object();
        json_put_text(one, "fault", remedies[i].fault.len ? text_c(&remedies[i].fault) : NULL);
        json_put_text(one, "sql", remedies[i].sql);
        json_put_text(one, "why", remedies[i].why);
        json_add(all, one);
        text_fini(&remedies[i].fault);
    }
    return all;
}

/* ---- whom it reached ---- */

static json_t *first_bad_span(const struct answer_key *key, const struct report *report)
{
    const struct bad_span *bad = &key->first;
    if (!key->found)
        return json_null();
    json_t *span = json_object();
    json_put_hex(span, "trace_id", bad->trace_hi, bad->trace_lo);
    json_put_hex64(span, "span_id", bad->id);
    json_put_text(span, "service", report->stats->services[bad->site->service].service);
    json_put_text(span, "name", bad->site->name);
    json_put_text(span, "error_type", status_info(bad->status)->error_type);
    json_put_text(span, "stream",
                  bad->stream < report->scenario->stream_count ? report->scenario->streams[bad->stream].name
                                                               : NULL);
    json_put_count(span, "depth", bad->depth);
    json_put_seconds(span, "started_at_s", bad->started_ns);
    json_put_seconds(span, "failed_at_s", bad->failed_ns);
    return span;
}

/* The worst hit first; services without an error are left out. */
static json_t *blast_radius(const struct answer_key *key, const struct report *report)
{
    bool told[SERVICES_MAX] = {false};
    json_t *all = json_array();
    for (;;) {
        size_t worst = SERVICES_MAX;
        for (size_t i = 0; i < report->stats->service_count; i++)
            if (!told[i] && key->services[i].error_spans &&
                (worst == SERVICES_MAX || key->services[i].error_spans > key->services[worst].error_spans))
                worst = i;
        if (worst == SERVICES_MAX)
            return all;
        told[worst] = true;
        const struct blast *blast = &key->services[worst];
        json_t *service = json_object();
        json_put_text(service, "service", report->stats->services[worst].service);
        json_put_count(service, "error_spans", blast->error_spans);
        json_put_count(service, "requests", blast->requests);
        json_put_count(service, "requests_failed", blast->requests_failed);
        json_put_ratio(service, "share", figure_share(blast->requests_failed, blast->requests));
        json_put_seconds(service, "first_error_at_s", blast->first_error_ns);
        json_add(all, service);
    }
}

static json_t *streams(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->scenario->stream_count; i++) {
        const struct window *whole = &report->stats->streams[i].whole;
        json_t *stream = json_object();
        json_put_text(stream, "stream", report->scenario->streams[i].name);
        json_put_count(stream, "requests", whole->requests);
        json_put_count(stream, "requests_failed", whole->errors);
        json_put_ratio(stream, "share", figure_share(whole->errors, whole->requests));
        json_add(all, stream);
    }
    return all;
}

/* ---- when ---- */

/* An open end of a window is null. */
static json_t *window(const struct expect_spec *expect)
{
    json_t *ends = json_object();
    double bounds[] = {expect->low, expect->high};
    static const char *const names[] = {"from_s", "to_s"};
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        if (isfinite(bounds[i]))
            json_put_number(ends, names[i], bounds[i]);
        else
            json_put_text(ends, names[i], NULL);
    }
    return ends;
}

/* What it says of the alert's firing; only that it resolves says as much, without a window. NULL: nothing. */
static const struct expect_spec *expectation_of(const struct scenario *scenario, size_t alert)
{
    const struct expect_spec *found = NULL;
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const struct expect_spec *expect = &scenario->expects[i];
        if (expect_of_alert(expect) && expect->alert == (int)alert &&
            (!found || found->measure == EXPECT_RESOLVES))
            found = expect;
    }
    return found;
}

/* What the scenario expects of each alert, beside what it did. */
static json_t *expected_alerts(const struct report *report)
{
    json_t *all = json_array();
    for (size_t a = 0; a < report->scenario->alert_count; a++) {
        const struct alert_stats *stats = &report->stats->alerts[a];
        const struct expect_spec *expected = expectation_of(report->scenario, a);
        json_t *alert = json_object();
        json_put_text(alert, "name", report->scenario->alerts[a].name);
        json_put_text(alert, "kind", report_alert_kind(report->scenario->alerts[a].kind));
        bool never = expected && expected->measure == EXPECT_NEVER_FIRES;
        json_put_text(alert, "expected", never ? "never fires" : expected ? "fires" : NULL);
        json_put(alert, "window",
                 expected && expected->measure == EXPECT_FIRES ? window(expected) : json_null());
        json_put_seconds(alert, "fired_at_s", stats->fired ? stats->fired_at_ns : NEVER);
        json_put_seconds(alert, "resolved_at_s", stats->fired ? stats->resolved_at_ns : NEVER);
        json_add(all, alert);
    }
    return all;
}

/* In the order of their instants; of one instant, as they were added. */
static void add_event(struct event *events, size_t *count, struct event event)
{
    size_t at = *count;
    if (event.at_ns == NEVER)
        return;
    for (; at > 0 && events[at - 1].at_ns > event.at_ns; at--)
        events[at] = events[at - 1];
    events[at] = event;
    ++*count;
}

static size_t gather_events(struct event *events, const struct answer_key *key, const struct report *report)
{
    const struct scenario *scenario = report->scenario;
    const struct run_stats *stats = report->stats;
    size_t count = 0;
    for (size_t i = 0; i < scenario->phase_count; i++)
        if (scenario->phases[i].at_ns <= report->ended_at_ns)
            add_event(events, &count,
                      (struct event){scenario->phases[i].at_ns, "phase", scenario->phases[i].name, NULL});
    for (size_t i = 0; i < stats->fault_count; i++)
        if (stats->faults[i].applied)
            add_event(events, &count,
                      (struct event){stats->faults[i].spec.at_ns, "fault",
                                     fault_kind_name(stats->faults[i].spec.kind),
                                     stats->faults[i].spec.target});
    for (size_t i = 0; i < stats->service_count; i++)
        add_event(
            events, &count,
            (struct event){key->services[i].first_error_ns, "first_error", stats->services[i].service, NULL});
    for (size_t i = 0; i < scenario->alert_count; i++) {
        const struct alert_stats *alert = &stats->alerts[i];
        const char *name = scenario->alerts[i].name;
        for (size_t s = 0; s < MIN(alert->firings, (uint32_t)ALERT_SPELLS_MAX); s++) {
            const struct alert_spell *spell = &alert->spells[s];
            add_event(events, &count, (struct event){spell->fired_at_ns, "alert_fired", name, NULL});
            add_event(events, &count, (struct event){spell->resolved_at_ns, "alert_resolved", name, NULL});
        }
    }
    return count;
}

static json_t *timeline(const struct answer_key *key, const struct report *report)
{
    struct event events[EVENTS_MAX];
    size_t count = gather_events(events, key, report);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *event = json_object();
        json_put_seconds(event, "at_s", events[i].at_ns);
        json_put_text(event, "event", events[i].what);
        json_put_text(event, "name", events[i].name);
        if (events[i].detail)
            json_put_text(event, "target", events[i].detail);
        json_add(all, event);
    }
    return all;
}

void answer_key_write(struct text *out, const struct answer_key *key, const struct report *report)
{
    struct cause cause = cause_of(report);
    json_t *root = json_object();
    json_put_count(root, "answer_key", ANSWER_KEY_VERSION);
    json_put_text(root, "scenario", report->scenario->name);
    json_put_text(root, "story", report->scenario->story);
    json_put_count(root, "seed", report->seed);
    if (report->interrupted)
        json_put_seconds(root, "interrupted_at_s", report->ended_at_ns);
    json_put(root, "root_cause", root_cause(&cause, key, report));
    json_put(root, "faults", faults(&cause, report));
    json_put(root, "first_bad_span", first_bad_span(key, report));
    json_put(root, "blast_radius", blast_radius(key, report));
    json_put(root, "streams", streams(report));
    json_put(root, "expected_alerts", expected_alerts(report));
    json_put(root, "timeline", timeline(key, report));
    json_put(root, "healing", healing(&cause, report));
    json_write(out, root);
}
