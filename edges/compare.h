/*
 * compare: whether two sets of trace files tell the same traces, but for time and place (edges/trace_facts.h
 * says what is the same), and where they first differ if they do not.
 *
 * Two passes. The first keeps one number a trace and reads both sides at once, a thread each; the second reads only lines
 * that name one of the first COMPARE_TOLD_MAX traces that differ, and keeps those. They are told as trees of what differs:
 *
 *     trace 0af7651916cd43dd8448eb211c80319c
 *       load-generator POST /api/browse
 *         frontend POST /api/browse
 *           attribute http.response.status_code: 200 -> 503
 *           frontend GET /ads
 *             missing span 00f067aa0ba902b7: only in A
 */
#ifndef EDGES_COMPARE_H
#define EDGES_COMPARE_H

#include "core/text.h"

enum { COMPARE_TOLD_MAX = 5 };

enum compare_result { COMPARE_EQUAL, COMPARE_DIFFERENT, COMPARE_UNREADABLE };

/* `a` and `b`: lists as in edges/trace_file.h. `told` gets what is to be said of it, in lines; with
   COMPARE_UNREADABLE, which file, which line and why. */
enum compare_result compare_traces(const char *a, const char *b, struct text *told);

#endif
