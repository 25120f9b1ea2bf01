/*
 * otlp_limit: the attributes of a span or a log record within the limits of the environment
 * (OpenTelemetry specification, "Attribute Limits"): the first ones stay, what is beyond is counted; text is cut
 * after so many characters. What follows from a span's site and status counts as its attributes, too.
 *
 * Without limits encoders have faster ways: this one makes the whole list anew for each span. Text is not copied:
 * a list lasts as long as what it was made of, and until the next one is made in its place.
 */
#ifndef EDGES_OTLP_LIMIT_H
#define EDGES_OTLP_LIMIT_H

#include "core/text.h"
#include "edges/otlp_source.h"

/* A site's, a span's, traffic.type, the URL, and what a status adds. */
enum { OTLP_LIST_MAX = 2 * ATTRS_MAX + 5 };

struct otlp_list {
    struct attr list[OTLP_LIST_MAX];
    size_t count;
    unsigned dropped;
    struct otlp_status status;
    struct text url;
};

void otlp_list_fini(struct otlp_list *list);

void otlp_limit_span(struct otlp_list *list, const struct otlp_limits *limits, const struct span *span);
void otlp_limit_attrs(struct otlp_list *list, const struct otlp_limits *limits, const struct attrs *attrs);

#endif
