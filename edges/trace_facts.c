#include "edges/trace_facts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* What tells how long something took, or how busy it was just then. */
static const char *const measured[] = {
    "db.connection_pool.wait_time_ms",
    "db.connection_pool.active",
    "db.connection_pool.utilization_percent",
    "db.query.duration_ms",
    "db.active_queries",
};
/* Where it ran. */
static const char *const place[] = {"host.", "process.", "k8s."};

static bool is_fact(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(place); i++)
        if (!strncmp(key, place[i], strlen(place[i])))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(measured); i++)
        if (!strcmp(key, measured[i]))
            return false;
    return strcmp(key, "service.instance.id") != 0;
}

static void put_json(struct text *out, const json_t *json)
{
    char *dumped = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    text_str(out, dumped ? dumped : "?");
    free(dumped);
}

/* 64-bit integers are text in OTLP/JSON, and may be numbers. */
static void put_number(struct text *out, const json_t *json)
{
    if (json_is_string(json))
        text_bytes(out, json_string_value(json), json_string_length(json));
    else if (json_is_integer(json))
        text_i64(out, json_integer_value(json));
    else
        put_json(out, json);
}

/* 100, 100.0 and 1e2 are one value, which is not the integer's. */
static void put_double(struct text *out, const json_t *json)
{
    char digits[40];
    if (!json_is_number(json)) {
        put_number(out, json);
        return;
    }
    int len = snprintf(digits, sizeof digits, "%.17g", json_number_value(json));
    text_bytes(out, digits, (size_t)len);
    if (!strpbrk(digits, ".en"))
        text_lit(out, ".0");
}

static void put_value(struct text *out, const json_t *value)
{
    const char *kind = json_object_iter_key(json_object_iter((json_t *)value));
    const json_t *json = kind ? json_object_get(value, kind) : NULL;
    if (!kind) {
        text_lit(out, "empty");
    } else if (!strcmp(kind, "stringValue") && json_is_string(json)) {
        text_char(out, '"');
        text_bytes(out, json_string_value(json), json_string_length(json));
        text_char(out, '"');
    } else if (!strcmp(kind, "intValue")) {
        put_number(out, json);
    } else if (!strcmp(kind, "doubleValue")) {
        put_double(out, json);
    } else {
        put_json(out, json);
    }
}

static void take(struct fact_taker *taker, const char *kind, const char *key)
{
    struct slice value = {taker->scratch.bytes, (uint32_t)taker->scratch.len};
    taker->take(taker->owner, kind, key, value);
}

static void take_attributes(const json_t *attributes, const char *kind, struct fact_taker *taker)
{
    size_t i;
    json_t *attribute;
    json_array_foreach(attributes, i, attribute)
    {
        const char *key = json_string_value(json_object_get(attribute, "key"));
        if (!key || !is_fact(key))
            continue;
        taker->scratch.len = 0;
        put_value(&taker->scratch, json_object_get(attribute, "value"));
        take(taker, kind, key);
    }
}

static void take_text(struct fact_taker *taker, const char *key, const json_t *json)
{
    taker->scratch.len = 0;
    if (json)
        put_number(&taker->scratch, json);
    else
        text_lit(&taker->scratch, "unset");
    take(taker, "", key);
}

/* A link is its ids; one fact each, so that their order does not matter. */
static void take_links(const json_t *links, struct fact_taker *taker)
{
    size_t i;
    json_t *link;
    json_array_foreach(links, i, link)
    {
        taker->scratch.len = 0;
        put_number(&taker->scratch, json_object_get(link, "traceId"));
        text_char(&taker->scratch, ' ');
        put_number(&taker->scratch, json_object_get(link, "spanId"));
        for (size_t c = 0; c < taker->scratch.len; c++)
            taker->scratch.bytes[c] = (char)tolower((unsigned char)taker->scratch.bytes[c]);
        take(taker, "", "link");
    }
}

void trace_facts_span(const struct trace_file_span *span, struct fact_taker *taker)
{
    char parent[20];
    const json_t *status = json_object_get(span->json, "status");
    taker->scratch.len = 0;
    text_bytes(&taker->scratch, parent,
               (size_t)snprintf(parent, sizeof parent, "%016llx", (unsigned long long)span->parent));
    take(taker, "", "parent");
    take_text(taker, "name", json_object_get(span->json, "name"));
    take_text(taker, "kind", json_object_get(span->json, "kind"));
    take_text(taker, "status", json_object_get(status, "code"));
    if (json_object_get(status, "message"))
        take_text(taker, "status message", json_object_get(status, "message"));
    take_links(json_object_get(span->json, "links"), taker);
    take_attributes(json_object_get(span->json, "attributes"), "attribute ", taker);
}

void trace_facts_resource(const json_t *attributes, struct fact_taker *taker)
{
    take_attributes(attributes, "resource ", taker);
}

/* ---- hashes ---- */

/* The finaliser of SplitMix64. */
uint64_t trace_hash_mix(uint64_t bits)
{
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
    hash += len;
    for (size_t at = 0; at < len; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, MIN(len - at, 8));
        hash = trace_hash_mix(hash ^ word);
    }
    return hash;
}

uint64_t trace_fact_hash(const char *kind, const char *key, struct slice value)
{
    uint64_t hash = hash_bytes(1, kind, strlen(kind));
    hash = hash_bytes(hash + 2, key, strlen(key));
    return trace_hash_mix(hash_bytes(hash + 3, value.at, value.len) + 4);
}
