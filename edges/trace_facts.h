/*
 * trace_facts: what of a span is the same in every run of a seed, as facts - a key and its value as text.
 *
 * Facts are name, kind, parent, status, links, the span's attributes ("attribute http.route") and those of its
 * resource ("resource service.name"). No facts: times, flags, events; attributes of the place (host.*, process.*,
 * k8s.*, service.instance.id); and attributes that measure time or load (measured[] in trace_facts.c). The
 * order of attributes and links means nothing.
 */
#ifndef EDGES_TRACE_FACTS_H
#define EDGES_TRACE_FACTS_H

#include "edges/trace_file.h"

/* `key` and `value` are good for the call alone. */
struct fact_taker {
    void *owner;
    void (*take)(void *owner, const char *kind, const char *key, struct slice value);
    struct text scratch; /* the taker's owner frees it */
};

void trace_facts_span(const struct trace_file_span *span, struct fact_taker *taker);
void trace_facts_resource(const json_t *attributes, struct fact_taker *taker);

/* 64 bits that differ when the fact does. */
uint64_t trace_fact_hash(const char *kind, const char *key, struct slice value);
uint64_t trace_hash_mix(uint64_t bits);

#endif
