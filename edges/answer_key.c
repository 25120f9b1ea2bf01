/* answer_key: what the spans tell while the run plays. */
#include "edges/answer_key.h"

struct answer_key *answer_key_new(void)
{
    struct answer_key *key = base_alloc(1, sizeof *key);
    for (size_t i = 0; i < SERVICES_MAX; i++)
        key->services[i].first_error_ns = NEVER;
    return key;
}

static struct bad_span *suspect_of(struct answer_key *key, const struct span *span)
{
    for (size_t i = 0; i < key->suspect_count; i++)
        if (key->suspects[i].trace_lo == span->trace_lo && key->suspects[i].trace_hi == span->trace_hi)
            return &key->suspects[i];
    return NULL;
}

/* The first of its trace; of those that failed in one instant, the deepest. */
static void suspect(struct answer_key *key, const struct span *span, int64_t at_ns)
{
    struct bad_span *known = suspect_of(key, span);
    if (known && (known->failed_ns < at_ns || known->depth >= span->depth))
        return;
    if (!known && (key->found || key->suspect_count == SUSPECTS_MAX))
        return;
    struct bad_span *bad = known ? known : &key->suspects[key->suspect_count++];
    *bad = (struct bad_span){.trace_hi = span->trace_hi,
                             .trace_lo = span->trace_lo,
                             .id = span->id,
                             .site = span->site,
                             .status = span->status,
                             .depth = span->depth,
                             .stream = span->stream,
                             .started_ns = at_ns - (span->end_ns - span->start_ns),
                             .failed_ns = at_ns};
}

/* The root decides: it failed as well, or somebody made do without what had failed. */
static void decide(struct answer_key *key, const struct span *root)
{
    struct bad_span *bad = suspect_of(key, root);
    if (!bad)
        return;
    if (status_failed(root->status) && (!key->found || bad->failed_ns < key->first.failed_ns)) {
        key->first = *bad;
        key->found = true;
    }
    *bad = key->suspects[--key->suspect_count];
}

void answer_key_span(struct answer_key *key, const struct span *span, int64_t at_ns)
{
    struct blast *blast = &key->services[span->site->service];
    bool failed = status_failed(span->status);
    if (at_ns < 0)
        return;
    if (span->site->kind == SPAN_SERVER) {
        blast->requests++;
        blast->requests_failed += failed;
    }
    if (failed) {
        blast->error_spans++;
        blast->first_error_ns = MIN(blast->first_error_ns, at_ns);
        suspect(key, span, at_ns);
    }
    if (!span->parent && key->suspect_count)
        decide(key, span);
}
