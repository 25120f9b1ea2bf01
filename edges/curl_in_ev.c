#include "edges/curl_in_ev.h"

#include <stdlib.h>

#include "core/base.h"

struct curl_in_ev {
    struct ev_loop *loop;
    CURLM *multi;
    ev_timer timer;
    void (*done)(void *owner, CURL *easy, CURLcode result);
    void *owner;
};

/* One a connection. curl keeps it with the socket; ours to free. */
struct watch {
    ev_io io;
    struct curl_in_ev *curl;
};

static void finish_all(struct curl_in_ev *curl)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(curl->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result; /* the message goes with the handle */
        curl_multi_remove_handle(curl->multi, easy);
        curl->done(curl->owner, easy, result);
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    struct curl_in_ev *curl = ((struct watch *)io)->curl;
    int running, mask = (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(curl->multi, io->fd, mask, &running);
    finish_all(curl);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct curl_in_ev *curl = timer->data;
    int running;
    curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(curl);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *socket)
{
    (void)easy;
    struct curl_in_ev *curl = owner;
    struct watch *watch = socket;
    if (watch)
        ev_io_stop(curl->loop, &watch->io);
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        curl_multi_assign(curl->multi, fd, NULL);
        return 0;
    }
    if (!watch) {
        watch = base_alloc(1, sizeof *watch);
        watch->curl = curl;
        curl_multi_assign(curl->multi, fd, watch);
    }
    ev_io_init(&watch->io, on_io, fd,
               (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    ev_io_start(curl->loop, &watch->io);
    return 0;
}

/* Never calls back into curl from here: a timer of 0 does, in the next iteration. */
static int on_timeout(CURLM *multi, long timeout_ms, void *owner)
{
    (void)multi;
    struct curl_in_ev *curl = owner;
    ev_timer_stop(curl->loop, &curl->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&curl->timer, (double)timeout_ms / 1000, 0);
        ev_timer_start(curl->loop, &curl->timer);
    }
    return 0;
}

struct curl_in_ev *curl_in_ev_open(struct ev_loop *loop,
                                   void (*done)(void *owner, CURL *easy, CURLcode result), void *owner)
{
    struct curl_in_ev *curl = base_alloc(1, sizeof *curl);
    CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT); /* counts its callers */
    ASSERT(ready == CURLE_OK);
    curl->loop = loop;
    curl->done = done;
    curl->owner = owner;
    curl->multi = curl_multi_init();
    ASSERT(curl->multi);
    ev_timer_init(&curl->timer, on_timer, 0, 0);
    curl->timer.data = curl;
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
    return curl;
}

void curl_in_ev_close(struct curl_in_ev *curl)
{
    curl_multi_cleanup(curl->multi);
    ev_timer_stop(curl->loop, &curl->timer);
    curl_global_cleanup();
    free(curl);
}

CURLM *curl_in_ev_multi(struct curl_in_ev *curl)
{
    return curl->multi;
}

void curl_in_ev_add(struct curl_in_ev *curl, CURL *easy)
{
    CURLMcode added = curl_multi_add_handle(curl->multi, easy);
    ASSERT(added == CURLM_OK);
}

void curl_in_ev_remove(struct curl_in_ev *curl, CURL *easy)
{
    curl_multi_remove_handle(curl->multi, easy);
}
