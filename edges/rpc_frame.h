/*
 * rpc_frame: MessagePack-RPC messages, one at a time, in a stream that nobody is to be trusted with.
 *
 *     request   [0, id, method, params]      id: 32 bits, the asker's
 *     response  [1, id, error, result]       error: nil, or why there is no good result
 *     notice    [2, method, params]          nobody answers it
 *
 * A message has at most RPC_FRAME_BYTES_MAX bytes, and claims no more items than those could hold. The scan finds its end as
 * bytes come in, looking at each once; reading it then never passes that end. Nothing is allocated.
 *
 * Source: the MessagePack-RPC specification, github.com/msgpack-rpc/msgpack-rpc, spec.md; the MessagePack specification,
 * spec.md, for the scan.
 */
#ifndef EDGES_RPC_FRAME_H
#define EDGES_RPC_FRAME_H

#include "core/pack.h"

enum { RPC_FRAME_BYTES_MAX = BODY_BYTES_MAX, RPC_SHOWN_BYTES = 200 };

enum rpc_kind { RPC_REQUEST, RPC_RESPONSE, RPC_NOTICE };

struct rpc_frame {
    enum rpc_kind kind;
    uint32_t id;
    struct slice method; /* of requests and notices */
    struct slice error; /* of a response, where it is a text; `at` NULL: nil */
    struct cursor value; /* the params, or the result: one value */
};

/* How far a message has been looked at. Zeroed: not at all. */
struct rpc_scan {
    size_t at;
    uint64_t due; /* values that have to follow */
    bool begun;
};

enum rpc_scanned { RPC_MORE, RPC_WHOLE, RPC_BAD };

/* `bytes` begin with the message; `len` grows from call to call. RPC_WHOLE: it ends at scan->at. RPC_BAD: it is too long, or
   no MessagePack. */
enum rpc_scanned rpc_scan(struct rpc_scan *scan, const unsigned char *bytes, size_t len);
/* A whole message. False: it is none of the three kinds. The frame points into the bytes. */
bool rpc_read(struct rpc_frame *frame, const unsigned char *bytes, size_t len);

/* What an error says, cut off and fit for a terminal. Gives `shown`. */
const char *rpc_shown(struct slice error, char shown[static RPC_SHOWN_BYTES]);

/* The beginning of a message; the caller writes one value behind it. What does not fit sets pack->overflow. */
void rpc_request(struct pack *pack, uint32_t id, const char *method);
void rpc_response(struct pack *pack, uint32_t id, const char *error); /* NULL: nil */
void rpc_notice(struct pack *pack, const char *method);

#endif
