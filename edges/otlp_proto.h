/*
 * otlp_proto: spans, logs and metrics as OTLP/protobuf requests, in protobuf-c's messages of
 * edges/proto/otlp.proto.
 *
 * Says the same as edges/otlp_json.h, in the other encoding: the three record functions fit struct sink,
 * and requests go to `take` (see edges/otlp_source.h). What is constant at a place of the program is packed
 * once: protobuf joins messages that follow each other, so a span is the bytes of its site and then its
 * own. Memory is bounded by one request a signal.
 */
#ifndef EDGES_OTLP_PROTO_H
#define EDGES_OTLP_PROTO_H

#include "edges/otlp_source.h"

struct otlp_proto;

struct otlp_proto *otlp_proto_new(const struct otlp_encoding *encoding);
/* Drops what is gathered. */
void otlp_proto_free(struct otlp_proto *otlp_proto);

void otlp_proto_span(void *otlp_proto, const struct span *span);
void otlp_proto_log(void *otlp_proto, const struct log_record *record);
void otlp_proto_metrics(void *otlp_proto, const struct metrics *metrics, int64_t at_ns);
/* Metrics of other names, for the request that the next otlp_proto_metrics of that instant makes. */
void otlp_proto_more_metrics(struct otlp_proto *otlp_proto, const struct metrics *metrics, int64_t at_ns);

/* Bytes gathered, without envelopes. */
size_t otlp_proto_held(const struct otlp_proto *otlp_proto, enum otlp_signal signal);
void otlp_proto_flush(struct otlp_proto *otlp_proto, enum otlp_signal signal);

#endif
