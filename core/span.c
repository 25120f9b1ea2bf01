#include "core/span.h"

#include "core/draw.h"

/* Told apart from the purposes of other draws under the same key: "trac" and "span". */
enum { PURPOSE_TRACE_ID = 0x74726163, PURPOSE_SPAN_ID = 0x7370616e };

/* W3C trace flags of a root of ours: sampled, and the id is random (Trace Context level 2). */
enum { FLAGS_SAMPLED_RANDOM = 0x03 };

uint64_t span_child_id(uint64_t seed, uint64_t parent, uint32_t ordinal)
{
    struct draw bits = draw(seed, parent, PURPOSE_SPAN_ID, ordinal);
    return bits.a ? bits.a : bits.b | 1;
}

struct trace_context trace_root(uint64_t seed, uint8_t stream, uint64_t number)
{
    struct draw bits = draw(seed, number, PURPOSE_TRACE_ID, stream);
    return (struct trace_context){
        .trace_hi = bits.a ? bits.a : 1,
        .trace_lo = bits.b ? bits.b : 1,
        .demo_minute = -1,
        .root_ms = -1,
        .stream = stream,
        .flags = FLAGS_SAMPLED_RANDOM,
    };
}

void span_open(struct span *span, const struct span_site *site, uint64_t seed,
               const struct trace_context *parent, uint32_t ordinal, int64_t start_ns)
{
    /* The list of attributes is not cleared, only its count: most of it stays unused. */
    span->site = site;
    span->trace_hi = parent->trace_hi;
    span->trace_lo = parent->trace_lo;
    /* A root has no parent to draw from: its trace id stands in. */
    span->id = span_child_id(seed, parent->span ? parent->span : parent->trace_lo, ordinal);
    span->parent = parent->span;
    span->start_ns = start_ns;
    span->end_ns = start_ns;
    span->status = STATUS_OK;
    span->depth = (uint8_t)MIN(parent->depth + 1, UINT8_MAX);
    span->stream = parent->stream;
    span->flags = parent->flags;
    span->demo = parent->demo;
    span->joined = parent->joined;
    span->state = parent->state;
    span->late = false;
    span->path_param = (struct slice){0};
    span->attrs.count = 0;
    span->attrs.dropped = 0;
}

struct trace_context span_context(const struct span *span, const struct trace_context *parent)
{
    struct trace_context context = *parent;
    context.span = span->id;
    context.depth = span->depth;
    context.ordinal = 0;
    return context;
}
