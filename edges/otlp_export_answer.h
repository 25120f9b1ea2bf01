/*
 * otlp_export_answer: what the body of an answer says: how many items of a request that was accepted were
 * not (partial success), or why a request was refused (google.rpc.Status).
 *
 * Bodies come from outside: at most OTLP_ANSWER_BYTES_MAX of them. What cannot be read says nothing, as
 * backends answer with all sorts of things.
 */
#ifndef EDGES_OTLP_EXPORT_ANSWER_H
#define EDGES_OTLP_EXPORT_ANSWER_H

#include "core/base.h"

enum { OTLP_ANSWER_BYTES_MAX = 64 * 1024, OTLP_MESSAGE_BYTES = 160 };

struct otlp_answer {
    uint64_t rejected;
    char message[OTLP_MESSAGE_BYTES]; /* printable; "": none */
};

void otlp_answer_read(struct otlp_answer *answer, bool json, const char *body, size_t len);
/* The message of an error. */
void otlp_answer_error(struct otlp_answer *answer, bool json, const char *body, size_t len);

#endif
