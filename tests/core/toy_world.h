/*
 * toy_world: a world of a few tiny actor kinds that a test defines, without the shop, and what comes of it.
 *
 * The test fills `scenario` (and `options`) between toy_begin and toy_open, asks with toy_ask and lets time pass with
 * toy_run_until or toy_run. Spans, logs and answers are kept in the order told, their text copied. Owner:
 * the test; toy_end gives everything back, and checks that the world holds nothing that it should not.
 *
 * toy_database stands where the shop has PostgreSQL. Its statements take (category, ms, plan): they run for
 * so many milliseconds under that plan; ms below 0 is refused as one connection too many.
 */
#ifndef TESTS_CORE_TOY_WORLD_H
#define TESTS_CORE_TOY_WORLD_H

#include "core/world.h"

#define MS(n) ((n)*NS_PER_MS)
#define S(n) ((n)*NS_PER_S)
#define MIN_(n) ((n)*NS_PER_MIN)

#define FAULT(at, kind_, target_, value_)                                                                    \
    {                                                                                                        \
        .at_ns = (at), .kind = (kind_), .target = (target_), .value = (value_)                               \
    }

/* The mixes of a stream with one journey. */
#define MIX_OF(name)                                                                                         \
    {                                                                                                        \
        {                                                                                                    \
            .of = {{(name), 1}}, .count = 1                                                                  \
        }                                                                                                    \
    }

enum { TOY_KINDS_MAX = 8, TOY_STATEMENTS = 2, TOY_SCANNED = 1000 };

struct toy_answer {
    uint64_t token;
    enum status status;
    int64_t at_ns;
    struct body *body; /* a copy; NULL: none */
};

struct toy {
    struct scenario scenario;
    struct registry registry;
    const struct actor_kind *kinds[TOY_KINDS_MAX];
    struct world_options options; /* toy_open sets scenario, registry, seed and sink */
    bool deaf; /* keeps no spans and logs */
    bool demo; /* what is asked from outside is demo traffic */
    struct world *world;
    struct span *spans;
    struct log_record *logs;
    struct toy_answer *answers;
    size_t span_count, log_count, answer_count;
    uint64_t asked;
    struct pack pack;
    char **texts;
    size_t text_count;
};

/* Statement 0 "lookup" has one plan; 1 "scan" has idx_things and, without it, reads all. */
extern const struct statement toy_statements[TOY_STATEMENTS];
extern const struct actor_kind toy_database;

void toy_begin(struct toy *toy, const struct actor_kind *const *kinds, size_t count);
void toy_open(struct toy *toy, uint64_t seed);
void toy_end(struct toy *toy);

/* Empty scratch for one body. */
struct pack *toy_pack(struct toy *toy);
/* Asks now; the token of its answer. NULL: an empty array. */
uint64_t toy_ask(struct toy *toy, const char *service, const char *route, const struct pack *body,
                 int64_t limit_ns);
uint64_t toy_ask_index(struct toy *toy, size_t service, size_t route, const void *body, size_t len,
                       int64_t limit_ns);
/* Runs all that is due up to and at the instant; to the end of everything. */
void toy_run_until(struct toy *toy, int64_t at_ns);
void toy_run(struct toy *toy);

/* The one answer to a request; fails the test when there is none, or more than one. */
const struct toy_answer *toy_answer(const struct toy *toy, uint64_t token);
bool toy_answered(const struct toy *toy, uint64_t token);
/* The text that an answer begins with; valid until the next call. */
const char *toy_text(const struct toy_answer *answer);
/* The number that an answer begins with. */
int64_t toy_number(const struct toy_answer *answer);

/* The nth span of that name from 0, in the order told; fails the test when there is none. */
const struct span *toy_span(const struct toy *toy, const char *name, size_t nth);
size_t toy_span_count(const struct toy *toy, const char *name);
/* NULL: it has no such attribute. */
const struct attr *toy_attr(const struct attrs *attrs, enum attr_key key);
const char *toy_attr_text(const struct attrs *attrs, enum attr_key key); /* "": none */
double toy_attr_number(const struct attrs *attrs, enum attr_key key); /* -1: none; truth is 0 or 1 */

#endif
