#include "edges/rpc_connection.h"

#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PING_BYTES_MAX = 16, READS_A_TURN = 8, OUT_BYTES_FIRST = 4096 };

struct rpc_connection {
    struct ev_loop *loop;
    struct rpc_owner owner;
    int fd;
    bool connecting, broken;
    bool *gone; /* set while a callback runs: whether it closed the connection */
    ev_io readable, writable;
    ev_timer beat;
    unsigned unheard; /* beats since something was heard: not by a clock that may be set */
    struct rpc_scan scan;
    size_t in_len, out_at, out_len, out_cap;
    unsigned char *out;
    unsigned char in[RPC_FRAME_BYTES_MAX];
};

static void release(struct rpc_connection *connection)
{
    ev_io_stop(connection->loop, &connection->readable);
    ev_io_stop(connection->loop, &connection->writable);
    ev_timer_stop(connection->loop, &connection->beat);
    close(connection->fd);
    if (connection->gone)
        *connection->gone = true;
    free(connection->out);
    free(connection);
}

/* The last thing done with it. */
static void fail(struct rpc_connection *connection, const char *why)
{
    struct rpc_owner owner = connection->owner;
    release(connection);
    owner.closed(owner.owner, why);
}

/* ---- writing ---- */

/* Writes what the socket takes now; false: it is broken. */
static bool flush(struct rpc_connection *connection)
{
    while (connection->out_len) {
        ssize_t wrote = send(connection->fd, connection->out + connection->out_at, connection->out_len,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        connection->out_at += (size_t)wrote;
        connection->out_len -= (size_t)wrote;
    }
    connection->out_at = 0;
    return true;
}

/* Room for more behind what waits. */
static void make_room(struct rpc_connection *connection, size_t more)
{
    if (connection->out_at + connection->out_len + more <= connection->out_cap)
        return;
    if (connection->out_at) {
        memmove(connection->out, connection->out + connection->out_at, connection->out_len);
        connection->out_at = 0;
    }
    size_t cap = MAX(connection->out_cap, OUT_BYTES_FIRST);
    while (cap < connection->out_len + more)
        cap *= 2;
    if (cap != connection->out_cap)
        connection->out = base_grow(connection->out, connection->out_cap, cap, 1);
    connection->out_cap = cap;
}

bool rpc_connection_send(struct rpc_connection *connection, const struct pack *message)
{
    if (message->overflow || connection->broken || connection->out_len + message->len > RPC_WAITING_BYTES_MAX)
        return false;
    make_room(connection, message->len);
    memcpy(connection->out + connection->out_at + connection->out_len, message->bytes, message->len);
    connection->out_len += message->len;
    if (connection->connecting)
        return true;
    connection->broken = !flush(connection); /* the loop tells its owner: not from within this call */
    if (connection->out_len || connection->broken)
        ev_io_start(connection->loop, &connection->writable);
    return !connection->broken;
}

bool rpc_connection_broken(const struct rpc_connection *connection)
{
    return connection->broken;
}

size_t rpc_connection_waiting(const struct rpc_connection *connection)
{
    return connection->out_len;
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct rpc_connection *connection = watcher->data;
    bool opened = connection->connecting;
    if (opened) {
        int problem = 0;
        socklen_t len = sizeof problem;
        getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &problem, &len);
        if (problem) {
            fail(connection, strerror(problem));
            return;
        }
        connection->connecting = false;
        connection->unheard = 0;
        ev_io_start(loop, &connection->readable);
    }
    if (connection->broken || !flush(connection)) {
        fail(connection, "it cannot be written to");
        return;
    }
    if (!connection->out_len)
        ev_io_stop(loop, &connection->writable);
    if (opened && connection->owner.opened)
        connection->owner.opened(connection->owner.owner);
}

/* ---- reading ---- */

/* False: the connection is gone. */
static bool deliver(struct rpc_connection *connection, const unsigned char *bytes, size_t len)
{
    struct rpc_frame frame;
    bool gone = false;
    if (!rpc_read(&frame, bytes, len)) {
        fail(connection, "what came is no MessagePack-RPC");
        return false;
    }
    if (frame.kind == RPC_NOTICE && slice_is(frame.method, "ping"))
        return true;
    connection->gone = &gone;
    connection->owner.message(connection->owner.owner, &frame);
    if (gone)
        return false;
    connection->gone = NULL;
    return true;
}

/* All messages that are whole; the rest moves to the front. False: the connection is gone. */
static bool take_messages(struct rpc_connection *connection)
{
    size_t done = 0;
    for (;;) {
        const unsigned char *bytes = connection->in + done;
        enum rpc_scanned scanned = rpc_scan(&connection->scan, bytes, connection->in_len - done);
        if (scanned == RPC_MORE)
            break;
        if (scanned == RPC_BAD) {
            fail(connection, "what came is too long, or no MessagePack");
            return false;
        }
        size_t len = connection->scan.at;
        connection->scan = (struct rpc_scan){0};
        if (!deliver(connection, bytes, len))
            return false;
        done += len;
    }
    connection->in_len -= done;
    if (done)
        memmove(connection->in, connection->in + done, connection->in_len);
    return true;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    struct rpc_connection *connection = watcher->data;
    for (int i = 0; i < READS_A_TURN; i++) {
        size_t room = sizeof connection->in - connection->in_len;
        ssize_t got = recv(connection->fd, connection->in + connection->in_len, room, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return;
        if (got <= 0) {
            fail(connection, got ? strerror(errno) : "closed by the other side");
            return;
        }
        connection->unheard = 0;
        connection->in_len += (size_t)got;
        if (!take_messages(connection) || (size_t)got < room)
            return;
    }
}

static void on_beat(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct rpc_connection *connection = watcher->data;
    unsigned most = connection->connecting ? RPC_CONNECT_MS / RPC_PING_MS - 1 : RPC_SILENT_MS / RPC_PING_MS;
    if (connection->unheard++ >= most) {
        fail(connection, connection->connecting ? "nobody answers" : "nothing was heard for two seconds");
        return;
    }
    unsigned char bytes[PING_BYTES_MAX] = {0x93, RPC_NOTICE, 0xa4, 'p', 'i', 'n', 'g', 0xc0};
    struct pack ping = {.bytes = bytes, .len = 8};
    if (!connection->connecting)
        rpc_connection_send(connection, &ping);
}

/* ---- life ---- */

struct rpc_connection *rpc_connection_open(struct ev_loop *loop, int fd, bool connecting,
                                           const struct rpc_owner *owner)
{
    struct rpc_connection *connection = base_alloc(1, sizeof *connection);
    connection->loop = loop;
    connection->owner = *owner;
    connection->fd = fd;
    connection->connecting = connecting;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    ev_io_init(&connection->readable, on_readable, fd, EV_READ);
    ev_io_init(&connection->writable, on_writable, fd, EV_WRITE);
    ev_timer_init(&connection->beat, on_beat, RPC_PING_MS / 1e3, RPC_PING_MS / 1e3);
    connection->readable.data = connection->writable.data = connection->beat.data = connection;
    /* Behind what has come in: after a pause of our own nobody is silent. */
    ev_set_priority(&connection->beat, EV_MINPRI);
    ev_timer_start(loop, &connection->beat);
    if (connecting)
        ev_io_start(loop, &connection->writable);
    else
        ev_io_start(loop, &connection->readable);
    return connection;
}

void rpc_connection_adopt(struct rpc_connection *connection, const struct rpc_owner *owner)
{
    connection->owner = *owner;
}

void rpc_connection_close(struct rpc_connection *connection)
{
    if (!connection)
        return;
    if (!connection->connecting && !connection->broken)
        (void)!flush(connection);
    release(connection);
}
