/*
 * curl_in_ev: libcurl's multi interface on a libev loop, for clients that never wait.
 *
 * `done` is told of each transfer that has ended, from the loop and never from within a call of this module;
 * its handle is no longer added then, and may be added again at once. A transfer begins in the loop's next
 * iteration. The handles are the caller's, who keeps what they mean in CURLOPT_PRIVATE.
 *
 * Source: "libcurl - the multi interface", multi_socket. One thread: that of the loop.
 */
#ifndef EDGES_CURL_IN_EV_H
#define EDGES_CURL_IN_EV_H

#include <curl/curl.h>
#include <ev.h>

struct curl_in_ev;

struct curl_in_ev *curl_in_ev_open(struct ev_loop *loop,
                                   void (*done)(void *owner, CURL *easy, CURLcode result), void *owner);
/* Handles that are still added must have been removed. */
void curl_in_ev_close(struct curl_in_ev *curl);

CURLM *curl_in_ev_multi(struct curl_in_ev *curl); /* for its options */
void curl_in_ev_add(struct curl_in_ev *curl, CURL *easy);
void curl_in_ev_remove(struct curl_in_ev *curl, CURL *easy); /* `done` is not told */

#endif
