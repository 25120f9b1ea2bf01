/*
 * A program that uses managed servers and does nothing else: says where they are as lines of JSON, then does what
 * lines on standard input say until it ends.
 *
 *     managed_driver [--rows N] [--connections N] [--keep] [--no-postgres] [--no-redis]
 *     rows N | revive | stop
 */
#include "edges/managed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CODE_REFUSED = 69 };

static int refuse(struct text *error)
{
    fprintf(stderr, "managed_driver: %s\n", text_c(error));
    text_fini(error);
    return CODE_REFUSED;
}

static void obey(const char *line, struct managed_postgres *postgres, struct managed_redis *redis)
{
    struct text error = {0};
    int64_t begun_ms = managed_now_ms();
    bool good = true;
    if (!strncmp(line, "rows ", 5))
        good = managed_postgres_renew(postgres, strtoll(line + 5, NULL, 10), &error);
    else if (!strcmp(line, "revive\n"))
        good = managed_server_revive(&postgres->server) + managed_server_revive(&redis->server);
    printf("{\"done\": %s, \"took_ms\": %lld}\n", good ? "true" : "false",
           (long long)(managed_now_ms() - begun_ms));
    if (error.len)
        fprintf(stderr, "managed_driver: %s\n", text_c(&error));
    text_fini(&error);
}

int main(int argc, char **argv)
{
    static struct managed_postgres postgres;
    static struct managed_redis redis;
    struct managed_options options = {.max_connections = 40, .rows = 500000};
    bool with_postgres = true, with_redis = true;
    struct text error = {0};
    char line[64];
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--rows") && i + 1 < argc)
            options.rows = strtoll(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--connections") && i + 1 < argc)
            options.max_connections = (int)strtol(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--keep"))
            options.keep = true;
        else if (!strcmp(argv[i], "--no-postgres"))
            with_postgres = false;
        else if (!strcmp(argv[i], "--no-redis"))
            with_redis = false;
    }
    int64_t begun_ms = managed_now_ms();
    if (with_postgres && !managed_postgres_start(&postgres, &options, &error))
        return refuse(&error);
    if (with_redis && !managed_redis_start(&redis, &options, &error)) {
        if (with_postgres)
            managed_postgres_stop(&postgres);
        return refuse(&error);
    }
    printf("{\"took_ms\": %lld, \"postgres\": \"%s\", \"admin\": \"%s\", \"postgres_pid\": %d, \"redis\": "
           "\"%s\", "
           "\"redis_pid\": %d}\n",
           (long long)(managed_now_ms() - begun_ms), with_postgres ? text_c(&postgres.conninfo) : "",
           with_postgres ? text_c(&postgres.admin_conninfo) : "", postgres.server.pid, redis.socket,
           redis.server.pid);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strcmp(line, "stop\n")) {
        obey(line, &postgres, &redis);
        fflush(stdout);
    }
    if (with_redis)
        managed_redis_stop(&redis);
    if (with_postgres)
        managed_postgres_stop(&postgres);
    return 0;
}
