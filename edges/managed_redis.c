/* A Redis of our own: in memory alone, so that it begins empty. */
#include "edges/managed.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READY_LIMIT_MS = 10000, POLL_MS = 5 };

static bool answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const char ping[] = "PING\r\n", pong[] = "+PONG\r\n";
    char answer[sizeof pong - 1];
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 1}, sizeof(struct timeval));
    bool good = !connect(fd, (struct sockaddr *)&address, sizeof address) &&
                send(fd, ping, sizeof ping - 1, MSG_NOSIGNAL) == sizeof ping - 1 &&
                recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer &&
                !memcmp(answer, pong, sizeof answer);
    close(fd);
    return good;
}

static bool wait_until_ready(struct managed_redis *redis, struct text *error)
{
    struct managed_server *server = &redis->server;
    int64_t until_ms = managed_now_ms() + READY_LIMIT_MS;
    while (!answers(redis->socket)) {
        if (!managed_process_runs(server->pid)) {
            server->pid = 0;
            return managed_server_fails(server, "Redis ended at once", error);
        }
        if (managed_now_ms() > until_ms)
            return managed_server_fails(server, "Redis does not answer", error);
        managed_sleep(POLL_MS);
    }
    return true;
}

static void argue(struct managed_redis *redis, const char *program)
{
    const char *const arguments[] = {program,
                                     "--port",
                                     "0",
                                     "--unixsocket",
                                     redis->socket,
                                     "--unixsocketperm",
                                     "700",
                                     "--daemonize",
                                     "no",
                                     "--save",
                                     "",
                                     "--appendonly",
                                     "no",
                                     "--databases",
                                     "1",
                                     "--maxmemory",
                                     "256mb",
                                     "--maxmemory-policy",
                                     "volatile-lru",
                                     "--loglevel",
                                     "warning"};
    for (size_t i = 0; i < ARRAY_LEN(arguments); i++)
        managed_server_argue(&redis->server, arguments[i]);
}

bool managed_redis_start(struct managed_redis *redis, const struct managed_options *options,
                         struct text *error)
{
    struct managed_server *server = &redis->server;
    char folder[MANAGED_PATH_MAX], program[MANAGED_PATH_MAX + 16];
    *redis = (struct managed_redis){.server = {.folder = {.fd = -1, .lock = -1}}};
    if (!managed_programs(folder, (const char *const[]){"redis-server", NULL})) {
        text_lit(
            error,
            "redis-server is not here: apt-get install redis-server, or give --redis the URL of a server");
        return false;
    }
    if (!managed_server_open(server, options, "redis", (const char *const[]){"redis", "nobody", NULL}, error))
        return false;
    snprintf(program, sizeof program, "%s/redis-server", folder);
    snprintf(redis->socket, MANAGED_PATH_MAX, "%.480s/redis.sock", server->socket_folder);
    server->end_signal = SIGTERM;
    argue(redis, program);
    managed_tell(options, "starting Redis in %s", server->folder.path);
    if (managed_folder_renew(&server->folder, "data", server->user.uid, server->user.gid, error) &&
        managed_server_start(server, error) && wait_until_ready(redis, error))
        return true;
    managed_redis_stop(redis);
    return false;
}

void managed_redis_stop(struct managed_redis *redis)
{
    managed_server_stop(&redis->server);
}
