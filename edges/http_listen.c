/* The sockets of an HTTP server: accepting up to a number of connections, and cutting those that do not move. */
#include "edges/http_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SWEEP_S 0.5
enum { BACKLOG = 511, ACCEPTS_A_TURN = 64, CLOSING_RUNS_MAX = 10000 };

/* ---- Listeners ---- */

static bool resolve(const char *address, uint16_t port, struct addrinfo **found)
{
    char text[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    snprintf(text, sizeof text, "%u", port);
    return getaddrinfo(address, text, &hints, found) == 0;
}

static int open_listener(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
    if (address->sa_family != AF_INET6)
        return false;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
}

bool http_request_from_loopback(const struct http_request *request)
{
    struct sockaddr_storage peer = {0};
    h2o_conn_t *connection = request->req->conn;
    return connection->callbacks->get_peername(connection, (struct sockaddr *)&peer) &&
           is_loopback((struct sockaddr *)&peer);
}

static void on_accept(struct ev_loop *ev, ev_io *watcher, int events);

bool http_listen(struct http_service *service, struct text *error)
{
    const struct http_options *options = &service->server->options;
    const char *address = options->address ? options->address : "127.0.0.1";
    int port = options->any_port ? 0 : service->kind->port + options->port_offset;
    struct addrinfo *at = NULL;
    service->fd = -1;
    if (port < 0 || port > UINT16_MAX || !resolve(address, (uint16_t)port, &at)) {
        errno = EADDRNOTAVAIL;
    } else {
        service->fd = open_listener(at);
        service->server->on_loopback = is_loopback(at->ai_addr);
    }
    int problem = errno;
    if (at)
        freeaddrinfo(at);
    if (service->fd < 0) {
        text_str(error, service->kind->service);
        text_lit(error, " cannot listen on ");
        text_str(error, address);
        text_lit(error, " port ");
        text_i64(error, port);
        text_lit(error, ": ");
        text_str(error, strerror(problem));
        return false;
    }
    service->port = bound_port(service->fd);
    ev_io_init(&service->listener, on_accept, service->fd, EV_READ);
    service->listener.data = service;
    return true;
}

/* ---- Connections ---- */

static void accept_again(struct http_server *server)
{
    bool may = server->connection_count < server->options.connections_max;
    for (size_t i = 0; may && !server->accepting && i < server->service_count; i++)
        if (server->services[i].fd >= 0)
            ev_io_start(server->ev, &server->services[i].listener);
    server->accepting |= may;
}

static void accept_no_more(struct http_server *server)
{
    for (size_t i = 0; i < server->service_count; i++)
        if (server->services[i].fd >= 0)
            ev_io_stop(server->ev, &server->services[i].listener);
    server->accepting = false;
}

static void on_closed(void *data)
{
    struct http_connection *connection = data;
    struct http_server *server = connection->server;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    server->connection_count--;
    free(connection);
    if (ev_is_active(&server->sweep))
        accept_again(server);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void adopt(struct http_service *service, int fd)
{
    struct http_server *server = service->server;
    uv_tcp_t *tcp = base_alloc(1, sizeof *tcp);
    uv_tcp_init(uv_in_ev_loop(server->joint), tcp);
    if (uv_tcp_open(tcp, fd) != 0) {
        close(fd);
        uv_close((uv_handle_t *)tcp, free_handle);
        return;
    }
    uv_tcp_nodelay(tcp, 1);
    struct http_connection *connection = base_alloc(1, sizeof *connection);
    *connection = (struct http_connection){.server = server, .next = server->connections};
    if (server->connections)
        server->connections->previous = connection;
    server->connections = connection;
    server->connection_count++;
    connection->socket = h2o_uv_socket_create((uv_stream_t *)tcp, free_handle);
    connection->socket->on_close.cb = on_closed;
    connection->socket->on_close.data = connection;
    h2o_accept(&service->accept, connection->socket);
}

/* Out of descriptors or memory: connections wait in the kernel's queue until the next sweep. */
static void on_accept(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    (void)events;
    struct http_service *service = watcher->data;
    struct http_server *server = service->server;
    uv_update_time(uv_in_ev_loop(server->joint)); /* time-outs count from here */
    for (int i = 0; i < ACCEPTS_A_TURN && server->connection_count < server->options.connections_max; i++) {
        int fd = accept(service->fd, NULL, NULL);
        if (fd >= 0) {
            fcntl(fd, F_SETFD, FD_CLOEXEC);
            adopt(service, fd); /* libuv makes it non-blocking */
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            accept_no_more(server);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
    if (server->connection_count >= server->options.connections_max)
        accept_no_more(server);
}

/* Whoever does not take an answer within the time for a request is cut; libh2o then finds the socket closed. */
static void sweep(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)events;
    struct http_server *server = watcher->data;
    int64_t now_ms = (int64_t)(ev_now(ev) * 1e3);
    for (struct http_connection *c = server->connections; c; c = c->next) {
        if (!h2o_socket_is_writing(c->socket) || c->socket->bytes_written != c->written) {
            c->written = c->socket->bytes_written;
            c->stalled_ms = now_ms;
        } else if (now_ms - c->stalled_ms > (int64_t)server->options.request_timeout_ms) {
            shutdown(h2o_socket_get_fd(c->socket), SHUT_RDWR);
        }
    }
    accept_again(server);
}

void http_listen_start(struct http_server *server)
{
    ev_timer_init(&server->sweep, sweep, SWEEP_S, SWEEP_S);
    server->sweep.data = server;
    ev_timer_start(server->ev, &server->sweep);
    accept_again(server);
}

void http_listen_close(struct http_server *server)
{
    ev_timer_stop(server->ev, &server->sweep);
    accept_no_more(server);
    for (size_t i = 0; i < server->service_count; i++)
        if (server->services[i].fd >= 0)
            close(server->services[i].fd);
    for (int i = 0; i < CLOSING_RUNS_MAX && server->connection_count; i++) {
        for (struct http_connection *c = server->connections; i == 1 && c; c = c->next)
            shutdown(h2o_socket_get_fd(c->socket), SHUT_RDWR);
        uv_run(uv_in_ev_loop(server->joint), UV_RUN_NOWAIT);
    }
    ASSERT(server->connection_count == 0);
}
