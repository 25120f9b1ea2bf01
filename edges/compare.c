#include "edges/compare.h"

#include "edges/compare_tree.h"
#include "edges/trace_facts.h"
#include "edges/trace_set.h"

#include <pthread.h>
#include <stdio.h>

/* One side of the first pass. */
struct side {
    const char *list;
    struct trace_set set;
    struct fact_taker taker;
    uint64_t facts, resource; /* sums of hashes: of the span under way, of its resource */
    struct text error;
    bool read;
};

static void add_fact(void *owner, const char *kind, const char *key, struct slice value)
{
    struct side *side = owner;
    side->facts += trace_fact_hash(kind, key, value);
}

static void see_resource(void *owner, const json_t *attributes)
{
    struct side *side = owner;
    side->facts = 0;
    trace_facts_resource(attributes, &side->taker);
    side->resource = side->facts;
}

static bool see_span(void *owner, const struct trace_file_span *span)
{
    struct side *side = owner;
    struct trace_sum *trace = trace_set_make(&side->set, span->trace_hi, span->trace_lo);
    if (!trace)
        return false;
    side->facts = side->resource;
    trace_facts_span(span, &side->taker);
    trace->sum += trace_hash_mix(side->facts ^ trace_hash_mix(span->id));
    trace->spans++;
    side->set.spans++;
    return true;
}

static void *read_side(void *given)
{
    struct side *side = given;
    const struct trace_file_reader reader = {.owner = side, .resource = see_resource, .span = see_span};
    side->taker = (struct fact_taker){.owner = side, .take = add_fact};
    side->read = trace_files_read(side->list, &reader, &side->error);
    text_fini(&side->taker.scratch);
    return NULL;
}

static void read_both(struct side sides[2])
{
    pthread_t other;
    json_object_seed(0); /* before there are two threads */
    bool two = !pthread_create(&other, NULL, read_side, &sides[1]);
    read_side(&sides[0]);
    if (two)
        pthread_join(other, NULL);
    else
        read_side(&sides[1]);
}

static void count_of(struct text *out, uint64_t count, const char *what)
{
    text_count(out, count);
    text_char(out, ' ');
    text_str(out, what);
    if (count != 1)
        text_char(out, 's');
}

/* ---- what differs ---- */

struct differing {
    struct trace_pair told[COMPARE_TOLD_MAX];
    size_t told_count;
    uint64_t both, only[2]; /* traces that differ: on both sides, on one */
};

static void add_differing(struct differing *differing, const struct trace_sum *trace, uint64_t *count)
{
    ++*count;
    if (differing->told_count < COMPARE_TOLD_MAX)
        differing->told[differing->told_count++] = (struct trace_pair){.hi = trace->hi, .lo = trace->lo};
}

static void find_differing(const struct side sides[2], struct differing *differing)
{
    for (size_t i = 0; i < sides[0].set.count; i++) {
        const struct trace_sum *trace = &sides[0].set.list[i];
        const struct trace_sum *other = trace_set_find(&sides[1].set, trace->hi, trace->lo);
        if (!other)
            add_differing(differing, trace, &differing->only[0]);
        else if (other->sum != trace->sum || other->spans != trace->spans)
            add_differing(differing, trace, &differing->both);
    }
    for (size_t i = 0; i < sides[1].set.count; i++) {
        const struct trace_sum *trace = &sides[1].set.list[i];
        if (!trace_set_find(&sides[0].set, trace->hi, trace->lo))
            add_differing(differing, trace, &differing->only[1]);
    }
}

static void sum_up(const struct side sides[2], const struct differing *differing, struct text *told)
{
    text_lit(told, "different: ");
    count_of(told, differing->both, "trace");
    text_lit(told, " on both sides, ");
    text_count(told, differing->only[0]);
    text_lit(told, " only in A, ");
    text_count(told, differing->only[1]);
    text_lit(told, " only in B (A: ");
    count_of(told, sides[0].set.count, "trace");
    text_lit(told, ", ");
    count_of(told, sides[0].set.spans, "span");
    text_lit(told, "; B: ");
    count_of(told, sides[1].set.count, "trace");
    text_lit(told, ", ");
    count_of(told, sides[1].set.spans, "span");
    text_lit(told, ")\n");
}

static enum compare_result judge(const struct side sides[2], struct text *told)
{
    struct differing differing = {.told_count = 0};
    find_differing(sides, &differing);
    if (!differing.told_count) {
        count_of(told, sides[0].set.count, "trace");
        text_lit(told, ", ");
        count_of(told, sides[0].set.spans, "span");
        text_lit(told, ": equal\n");
        return COMPARE_EQUAL;
    }
    bool read = compare_tree_read(differing.told, differing.told_count, sides[0].list, sides[1].list, told);
    for (size_t i = 0; read && i < differing.told_count; i++)
        compare_tree_tell(&differing.told[i], told);
    for (size_t i = 0; i < differing.told_count; i++)
        compare_tree_free(&differing.told[i]);
    if (!read)
        return COMPARE_UNREADABLE;
    sum_up(sides, &differing, told);
    return COMPARE_DIFFERENT;
}

enum compare_result compare_traces(const char *a, const char *b, struct text *told)
{
    struct side sides[2] = {{.list = a}, {.list = b}};
    enum compare_result result = COMPARE_UNREADABLE;
    read_both(sides);
    for (size_t i = 0; i < 2; i++) {
        if (sides[i].read)
            continue;
        text_bytes(told, text_c(&sides[i].error), sides[i].error.len);
        text_char(told, '\n');
    }
    if (sides[0].read && sides[1].read)
        result = judge(sides, told);
    for (size_t i = 0; i < 2; i++) {
        trace_set_fini(&sides[i].set);
        text_fini(&sides[i].error);
    }
    return result;
}
