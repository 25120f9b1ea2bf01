/*
 * otlp_json_parts: the inside of the OTLP/JSON exporter. For edges/otlp_json*.c alone.
 *
 * Items of a signal wait as text, one list of JSON objects for each service, each with a comma before
 * it; otlp_json.c puts the envelope around them.
 */
#ifndef EDGES_OTLP_JSON_PARTS_H
#define EDGES_OTLP_JSON_PARTS_H

#include "core/text.h"
#include "edges/json_out.h"
#include "edges/otlp_json.h"
#include "edges/otlp_limit.h"

/* Room for `,{"key":"...","value":{"doubleValue":` and what closes it; names are ours and shorter. */
enum { ATTR_OPEN_BYTES = 88, ATTR_ROOM = ATTR_OPEN_BYTES + JSON_NUMBER_ROOM };

/* Copied whole, which is faster than by length; the length says where to go on. */
struct attr_open {
    char bytes[ATTR_OPEN_BYTES];
    size_t len;
};

/* What is constant of a span's site. */
struct site_text {
    bool ready, http, database;
    enum span_kind kind;
    struct attr_keys keys;
    struct text head; /* name, kind, open list of attributes, each with a comma after it */
    struct text url; /* attribute url.path or url.full, up to the parameter of the path */
    struct text url_end;
    enum attr_key url_key;
};

struct batch {
    struct text *services; /* items, by index of the service */
    size_t service_count;
    unsigned items;
};

/* What a status adds to a span: attributes as text, each with a comma before it. */
struct status_text {
    char http[96], error[96], sqlstate[96];
    size_t http_len, error_len, sqlstate_len;
};

/* Lines that go to files; otlp_json_file.c. */
struct otlp_json_files {
    int fds[OTLP_SIGNALS];
    struct otlp_json_tally tally[OTLP_SIGNALS];
};

struct otlp_json {
    struct otlp_encoding encoding;
    struct otlp_points points;
    bool wanted[OTLP_SIGNALS];
    struct otlp_json_files files;
    struct batch batches[OTLP_SIGNALS];
    struct text *resources; /* by index of the service; empty: not asked yet */
    size_t resource_count;
    struct text scope;
    struct site_text *sites; /* by id */
    size_t site_count;
    struct attr_open opens[ATTR_COUNT][4]; /* by key and type */
    struct status_text statuses[STATUS_COUNT];
    struct otlp_list limited; /* scratch */
};

/* otlp_json.c, the envelope and log records */
struct text *otlp_json_items(struct otlp_json *otlp, enum otlp_signal signal, uint16_t service);
void otlp_json_added(struct otlp_json *otlp, enum otlp_signal signal, unsigned items);
/* Escaped. */
void text_json(struct text *text, const char *value);
uint64_t otlp_json_unix_ns(const struct otlp_json *otlp, int64_t at_ns);

/* otlp_json_attr.c */
void otlp_json_attr_init(struct otlp_json *otlp);
size_t attr_room(const struct attr *attr);
/* `,{"key":...}` at the cursor, which has attr_room. */
char *attr_put(const struct otlp_json *otlp, char *at, const struct attr *attr);
/* A list in brackets. */
void attrs_put(const struct otlp_json *otlp, struct text *text, const struct attr *attrs, size_t count);
void resource_put(struct otlp_json *otlp, struct text *text, uint16_t service);

#endif
