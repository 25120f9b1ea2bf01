/*
 * trace_parent: the W3C Trace Context headers, read and written.
 *
 * traceparent is `version-traceid-parentid-flags`, 2, 32, 16 and 2 lower-case hex digits; blanks around it do not
 * count. Version ff, ids of zeros, other lengths and, in version 00, anything behind the flags are refused: the
 * request then begins a new trace. A higher version may go on behind its flags after a `-`; what is sent is always
 * version 00. A header that comes twice does not count at all: that is for the caller, who sees all of them.
 *
 * A tracestate may come in several headers, in order. It holds at most 32 members `key=value`; one bad member makes
 * all of it bad, and never the traceparent. What is kept and sent on is one list of at most TRACE_STATE_BYTES_MAX:
 * of a longer one whole members go, those of more than 128 bytes first, then the last ones.
 *
 * Source: W3C Trace Context level 2. Bytes may be hostile; nothing is allocated.
 */
#ifndef EDGES_TRACE_PARENT_H
#define EDGES_TRACE_PARENT_H

#include "core/base.h"

enum { TRACE_PARENT_LEN = 55, TRACE_STATE_MEMBERS_MAX = 32, TRACE_STATE_BYTES_MAX = 512 };

/* What is known of the flags: sampled, and that the trace id is random. */
enum { TRACE_FLAGS_KNOWN = 0x03 };

struct trace_parent {
    uint64_t trace_hi, trace_lo, parent;
    uint8_t flags; /* the known ones */
};

/* False: no such header; *parent is as it was. */
bool trace_parent_parse(struct slice header, struct trace_parent *parent);
/* TRACE_PARENT_LEN bytes, without a NUL. */
void trace_parent_format(const struct trace_parent *parent, char *at);

struct trace_state {
    struct slice list[TRACE_STATE_MEMBERS_MAX]; /* of the headers' bytes */
    uint32_t members;
    bool bad;
};

/* One more header of the list; start with zeros. */
void trace_state_add(struct trace_state *state, struct slice header);
/* The list as it goes on, and its length, without a NUL; 0: there is none, or it is bad. */
uint32_t trace_state_write(const struct trace_state *state, char at[static TRACE_STATE_BYTES_MAX]);

#endif
