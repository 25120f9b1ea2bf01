/* A PostgreSQL of our own. */
#include "edges/managed_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READY_LIMIT_MS = 60000, POLL_MS = 20, RETRY_LIMIT_MS = 10000, VERSION_MIN = 15 };

/* Beside the defaults: a scan costs one core as in the model, and what a client was told outlives a kill. Of the shared
   memory only what is used is taken; a table larger than a quarter of it would be read from the disk's cache each time.
   An index is built by as many workers as by default: by one it waits a minute for its share beside the scans that it is
   to end. They sort in memory. */
static const char *const settings[] = {
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "superuser_reserved_connections=0", /* the shop's role has a limit instead: managed_sql_limit */
    "shared_buffers=1GB",
    "jit=off",
    "max_parallel_workers_per_gather=0",
    "maintenance_work_mem=256MB",
    "fsync=on",
    "synchronous_commit=on",
    "wal_level=minimal",
    "max_wal_senders=0",
    "checkpoint_timeout=1h",
    "max_wal_size=2GB",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=off",
    "log_min_messages=warning",
};

/* ---- Programs ---- */

struct programs {
    char postgres[MANAGED_PATH_MAX + 16], initdb[MANAGED_PATH_MAX + 16];
    int version;
};

/* "postgres (PostgreSQL) 15.18 (Debian ...)" */
static int version_in(struct text *output)
{
    const char *at = strstr(text_c(output), "(PostgreSQL) ");
    return at ? (int)strtol(at + strlen("(PostgreSQL) "), NULL, 10) : 0;
}

static bool find_programs(struct programs *programs, const struct managed_user *user, struct text *error)
{
    char folder[MANAGED_PATH_MAX];
    struct text output = {0};
    if (!managed_programs(folder, (const char *const[]){"postgres", "initdb", NULL})) {
        text_lit(
            error,
            "PostgreSQL is not here: apt-get install postgresql-15, or give --postgres the URL of a server");
        return false;
    }
    snprintf(programs->postgres, sizeof programs->postgres, "%s/postgres", folder);
    snprintf(programs->initdb, sizeof programs->initdb, "%s/initdb", folder);
    const char *const argv[] = {programs->postgres, "--version", NULL};
    if (managed_process_run(user, argv, &output))
        programs->version = version_in(&output);
    text_fini(&output);
    if (programs->version >= VERSION_MIN)
        return true;
    text_str(error, programs->postgres);
    text_lit(error, ": PostgreSQL 15 or newer is needed: apt-get install postgresql-15");
    return false;
}

/* ---- The server ---- */

static bool run_initdb(const struct managed_server *server, const struct programs *programs, const char *data,
                       struct text *error)
{
    struct text output = {0};
    const char *const argv[] = {programs->initdb, "-D", data,   "-U",         "postgres",          "-A",
                                "trust",          "-E", "UTF8", "--locale=C", "--no-instructions", NULL};
    bool good = managed_process_run(&server->user, argv, &output);
    if (!good) {
        text_lit(error, "initdb failed:\n");
        text_bytes(error, output.bytes, output.len);
    }
    text_fini(&output);
    return good;
}

/* An initdb outlives for a moment whoever began it and was killed, and then clears its folder: each has one of its own,
   which becomes `data` when it is whole. */
static bool make_cluster(struct managed_postgres *postgres, const struct programs *programs,
                         struct text *error)
{
    const struct managed_server *server = &postgres->server;
    const struct managed_folder *folder = &server->folder;
    char making[32], path[MANAGED_PATH_MAX + sizeof making];
    int64_t bytes = 0;
    unlinkat(folder->fd, "stamp", 0);
    managed_folder_remove(folder, "making", &bytes);
    snprintf(making, sizeof making, "making/%d", (int)getpid());
    snprintf(path, sizeof path, "%s/%s", folder->path, making);
    if ((!mkdirat(folder->fd, "making", 0711) || errno == EEXIST) &&
        !fchmodat(folder->fd, "making", 0711, 0)) {
        if (!managed_folder_renew(folder, making, server->user.uid, server->user.gid, error) ||
            !run_initdb(server, programs, path, error))
            return false;
        if (managed_folder_remove(folder, "data", &bytes) &&
            !renameat(folder->fd, making, folder->fd, "data")) {
            unlinkat(folder->fd, "making", AT_REMOVEDIR);
            return true;
        }
    }
    text_str(error, path);
    text_lit(error, ": ");
    text_str(error, strerror(errno));
    return false;
}

static void argue(struct managed_postgres *postgres, const struct programs *programs)
{
    struct managed_server *server = &postgres->server;
    char number[64];
    const char *const arguments[] = {programs->postgres, "-D", ".", "-k", server->socket_folder};
    for (size_t i = 0; i < ARRAY_LEN(arguments); i++)
        managed_server_argue(server, arguments[i]);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        managed_server_argue(server, "-c");
        managed_server_argue(server, settings[i]);
    }
    snprintf(number, sizeof number, "max_connections=%d",
             postgres->options.max_connections + MANAGED_CONNECTIONS_OURS);
    managed_server_argue(server, "-c");
    managed_server_argue(server, number);
    server->end_signal = SIGINT; /* fast: sessions are cut, the data is whole */
}

/* Processes of a killed server may hold its memory for a moment: until they are gone, a new one gives up. */
static bool start_again(struct managed_server *server, int64_t until_ms, struct text *error)
{
    server->pid = 0;
    if (managed_now_ms() > until_ms)
        return managed_server_fails(server, "PostgreSQL ended at once", error);
    managed_sleep(10 * POLL_MS);
    unlinkat(server->folder.fd, "data/postmaster.pid", 0);
    return managed_server_start(server, error);
}

static bool serve(struct managed_postgres *postgres, struct text *error)
{
    struct managed_server *server = &postgres->server;
    struct text conninfo = {0};
    int64_t begun_ms = managed_now_ms();
    bool good = true;
    managed_sql_conninfo(&conninfo, server->socket_folder, "postgres", "postgres");
    unlinkat(server->folder.fd, "data/postmaster.pid", 0); /* nobody runs here: the folder is locked by us */
    good = managed_server_start(server, error);
    while (good && PQping(text_c(&conninfo)) != PQPING_OK) {
        if (!managed_process_runs(server->pid))
            good = start_again(server, begun_ms + RETRY_LIMIT_MS, error);
        else if (managed_now_ms() > begun_ms + READY_LIMIT_MS)
            good = managed_server_fails(server, "PostgreSQL does not answer", error);
        managed_sleep(POLL_MS);
    }
    text_fini(&conninfo);
    return good;
}

/* ---- What is in it ---- */

/* True: `data` is what this very program would make. */
static bool is_whole(const struct managed_postgres *postgres)
{
    char line[MANAGED_FILE_MAX];
    struct text stamp = {0};
    managed_sql_stamp(&stamp, postgres->version);
    bool whole = managed_folder_read(&postgres->server.folder, "stamp", line) &&
                 !strcmp(line, text_c(&stamp)) && !faccessat(postgres->server.folder.fd, "data", F_OK, 0);
    text_fini(&stamp);
    return whole;
}

static bool set_stamp(const struct managed_postgres *postgres, struct text *error)
{
    struct text stamp = {0};
    managed_sql_stamp(&stamp, postgres->version);
    bool good = managed_folder_write(&postgres->server.folder, "stamp", text_c(&stamp), error);
    text_fini(&stamp);
    return good;
}

/* While the template is changed there is no stamp: whoever finds it half made begins anew. */
static bool fill(struct managed_postgres *postgres, int64_t rows, bool keep, struct text *error)
{
    const char *sockets = postgres->server.socket_folder;
    bool shop;
    int64_t before;
    if (!managed_sql_look(sockets, &shop, &before, error))
        return false;
    if (keep && shop)
        return true;
    if (before != rows) {
        managed_tell(&postgres->options, "PostgreSQL: making a table of %lld products", (long long)rows);
        unlinkat(postgres->server.folder.fd, "stamp", 0);
        if ((!before && !managed_sql_prepare(sockets, error)) || !managed_sql_fill(sockets, rows, error) ||
            !set_stamp(postgres, error))
            return false;
    }
    return managed_sql_copy(sockets, error);
}

bool managed_postgres_renew(struct managed_postgres *postgres, int64_t rows, struct text *error)
{
    ASSERT(rows >= MANAGED_ROWS_MIN && rows <= MANAGED_ROWS_MAX);
    return fill(postgres, rows, false, error);
}

static bool bring_up(struct managed_postgres *postgres, const struct programs *programs, struct text *error)
{
    bool whole = is_whole(postgres);
    managed_tell(&postgres->options, "starting PostgreSQL %d in %s%s", postgres->version,
                 postgres->server.folder.path, whole ? "" : ", for the first time");
    argue(postgres, programs);
    return (whole || make_cluster(postgres, programs, error)) && serve(postgres, error) &&
           fill(postgres, postgres->options.rows, postgres->options.keep, error) &&
           managed_sql_limit(postgres->server.socket_folder, postgres->options.max_connections, error);
}

bool managed_postgres_start(struct managed_postgres *postgres, const struct managed_options *options,
                            struct text *error)
{
    static const char *const users[] = {"postgres", "nobody", NULL};
    struct programs programs = {.version = 0};
    struct managed_user user;
    char name[32];
    int64_t begun_ms = managed_now_ms();
    ASSERT(options->rows >= MANAGED_ROWS_MIN && options->rows <= MANAGED_ROWS_MAX);
    ASSERT(options->max_connections > 0 && options->max_connections <= MANAGED_CONNECTIONS_MAX);
    *postgres = (struct managed_postgres){.options = *options, .server = {.folder = {.fd = -1, .lock = -1}}};
    if (!managed_user_find(&user, users, error) || !find_programs(&programs, &user, error))
        return false;
    snprintf(name, sizeof name, "postgresql-%d", programs.version);
    if (!managed_server_open(&postgres->server, options, name, users, error))
        return false;
    postgres->version = programs.version;
    if (!bring_up(postgres, &programs, error)) {
        managed_postgres_stop(postgres);
        return false;
    }
    managed_sql_conninfo(&postgres->conninfo, postgres->server.socket_folder, "ecommerce", "ecommerce_user");
    managed_sql_conninfo(&postgres->admin_conninfo, postgres->server.socket_folder, "ecommerce", "postgres");
    int64_t took_ms = managed_now_ms() - begun_ms;
    managed_tell(options, "PostgreSQL %d is ready after %lld.%lld s", postgres->version,
                 (long long)(took_ms / 1000), (long long)(took_ms % 1000 / 100));
    return true;
}

void managed_postgres_stop(struct managed_postgres *postgres)
{
    managed_server_stop(&postgres->server);
    text_fini(&postgres->conninfo);
    text_fini(&postgres->admin_conninfo);
}
