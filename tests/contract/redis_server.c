#include "tests/contract/redis_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { START_TRIES = 500, TRY_NS = 10 * 1000 * 1000 };

bool redis_server_there(void)
{
    return system("command -v redis-server >/dev/null 2>&1") == 0;
}

_Noreturn static void become(const struct redis_server *server)
{
    const char *arguments[] = {"redis-server",
                               "--port",
                               "0",
                               "--unixsocket",
                               server->socket,
                               "--save",
                               "",
                               "--appendonly",
                               "no",
                               "--dir",
                               server->folder,
                               "--logfile",
                               "log",
                               "--enable-debug-command",
                               "yes",
                               "--requirepass",
                               server->password ? server->password : "",
                               NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

void redis_server_start(struct redis_server *server)
{
    if (!server->folder[0]) {
        snprintf(server->folder, sizeof server->folder, "/tmp/doorbuster-redis-XXXXXX");
        assert_non_null(mkdtemp(server->folder));
        snprintf(server->socket, sizeof server->socket, "%s/socket", server->folder);
        snprintf(server->url, sizeof server->url, "unix://%s%s%s%s", server->password ? ":" : "",
                 server->password ? server->password : "", server->password ? "@" : "", server->socket);
    }
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (!server->pid)
        become(server);
    for (int i = 0; i < START_TRIES; i++) {
        redisContext *redis = redis_server_dial(server);
        bool answers = redis && redis_server_ask(redis, "PING") >= 0;
        if (redis)
            redisFree(redis);
        if (answers)
            return;
        nanosleep(&(struct timespec){0, TRY_NS}, NULL);
    }
    fail_msg("redis-server does not start; see %s/log", server->folder);
}

void redis_server_signal(const struct redis_server *server, int signal)
{
    assert_int_equal(kill(server->pid, signal), 0);
}

void redis_server_kill(struct redis_server *server)
{
    redis_server_signal(server, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void redis_server_end(struct redis_server *server)
{
    char path[128];
    if (server->pid)
        redis_server_kill(server);
    snprintf(path, sizeof path, "%s/log", server->folder);
    unlink(path);
    unlink(server->socket);
    rmdir(server->folder);
}

redisContext *redis_server_dial(const struct redis_server *server)
{
    redisContext *redis = redisConnectUnix(server->socket);
    if (redis && !redis->err && server->password)
        redis_server_ask(redis, "AUTH %s", server->password);
    if (!redis || !redis->err)
        return redis;
    redisFree(redis);
    return NULL;
}

long long redis_server_ask(redisContext *redis, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(redis, format, arguments);
    va_end(arguments);
    if (!reply)
        return -1;
    long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer
                       : reply->type == REDIS_REPLY_ARRAY ? (long long)reply->elements
                       : reply->type == REDIS_REPLY_ERROR ? -1
                                                          : (long long)reply->len;
    freeReplyObject(reply);
    return number;
}
