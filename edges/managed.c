#include "edges/managed.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { END_LIMIT_MS = 15000, REVIVE_AFTER_MS = 250, LOG_TOLD = 600 };

#define FAR_SOCKETS "/tmp/doorbuster-" /* where a socket goes whose folder has too long a path */

void managed_tell(const struct managed_options *options, const char *format, ...)
{
    va_list args;
    if (options->quiet)
        return;
    fputs("doorbuster: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- The socket's folder ---- */

static const char *const socket_names[] = {".s.PGSQL.5432", ".s.PGSQL.5432.lock", "redis.sock"};

/* What is recorded beside `data`; only a folder of sockets goes, and only its sockets with it. */
static void remove_far_socket(const struct managed_folder *folder)
{
    char path[MANAGED_FILE_MAX], inside[MANAGED_FILE_MAX + 32];
    if (!managed_folder_read(folder, "socket", path))
        return;
    if (!strncmp(path, FAR_SOCKETS, strlen(FAR_SOCKETS)) && !strchr(path + strlen(FAR_SOCKETS), '/')) {
        for (size_t i = 0; i < ARRAY_LEN(socket_names); i++) {
            snprintf(inside, sizeof inside, "%s/%s", path, socket_names[i]);
            unlink(inside);
        }
        rmdir(path);
    }
    unlinkat(folder->fd, "socket", 0);
}

static bool fits_socket(const char *folder)
{
    struct sockaddr_un address;
    return strlen(folder) + strlen("/.s.PGSQL.5432.lock") < sizeof address.sun_path;
}

static bool make_socket_folder(struct managed_server *server, struct text *error)
{
    const struct managed_folder *folder = &server->folder;
    int printed = snprintf(server->socket_folder, MANAGED_PATH_MAX, "%s/sockets", folder->path);
    int64_t bytes = 0;
    remove_far_socket(folder);
    managed_folder_remove(folder, "sockets", &bytes); /* what a killed server left in there */
    if (printed < MANAGED_PATH_MAX && fits_socket(server->socket_folder)) {
        if (!mkdirat(folder->fd, "sockets", 0700) &&
            !fchownat(folder->fd, "sockets", server->user.uid, server->user.gid, AT_SYMLINK_NOFOLLOW))
            return true;
    } else {
        snprintf(server->socket_folder, MANAGED_PATH_MAX, "%sXXXXXX", FAR_SOCKETS);
        if (mkdtemp(server->socket_folder) &&
            !lchown(server->socket_folder, server->user.uid, server->user.gid))
            return managed_folder_write(folder, "socket", server->socket_folder, error);
    }
    text_str(error, server->socket_folder);
    text_lit(error, ": ");
    text_str(error, strerror(errno));
    return false;
}

/* ---- A server ---- */

bool managed_server_open(struct managed_server *server, const struct managed_options *options,
                         const char *name, const char *const *users, struct text *error)
{
    *server = (struct managed_server){.folder = {.fd = -1, .lock = -1}};
    if (!managed_user_find(&server->user, users, error) ||
        !managed_folder_open(&server->folder, options->cache, name, server->user.name, error))
        return false;
    if (!managed_user_reaches(&server->user, server->folder.path)) {
        text_str(error, server->folder.path);
        text_lit(error, ": user ");
        text_str(error, server->user.name);
        text_lit(error, ", whom the server runs as, cannot get there; set XDG_CACHE_HOME to another folder");
    } else if (!managed_process_end_stale(&server->folder, SIGINT, END_LIMIT_MS)) {
        text_str(error, server->folder.path);
        text_lit(error, ": the server of an earlier run does not end; its pid is in the file server there");
    } else if (make_socket_folder(server, error)) {
        return true;
    }
    managed_server_stop(server);
    return false;
}

void managed_server_argue(struct managed_server *server, const char *argument)
{
    text_bytes(&server->arguments, argument, strlen(argument) + 1);
}

bool managed_server_start(struct managed_server *server, struct text *error)
{
    const char *argv[MANAGED_ARGUMENTS_MAX + 1] = {0};
    const char *at = server->arguments.bytes, *end = at + server->arguments.len;
    for (size_t count = 0; at < end; at += strlen(at) + 1) {
        ASSERT(count < MANAGED_ARGUMENTS_MAX);
        argv[count++] = at;
    }
    server->started_ms = managed_now_ms();
    server->pid = managed_process_start(&server->folder, &server->user, argv, server->end_signal, error);
    return server->pid;
}

bool managed_server_revive(struct managed_server *server)
{
    struct text error = {0};
    if (server->pid && managed_process_runs(server->pid))
        return false;
    server->pid = 0;
    /* While the processes of a killed one still end, its successor gives up at once: not too often, then. */
    if (managed_now_ms() < server->started_ms + REVIVE_AFTER_MS)
        return false;
    bool started = managed_server_start(server, &error);
    text_fini(&error);
    return started;
}

bool managed_server_fails(struct managed_server *server, const char *what, struct text *error)
{
    char log[LOG_TOLD + 1];
    text_str(error, what);
    int fd = openat(server->folder.fd, "log", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat is;
    ssize_t got = 0;
    if (fd != -1 && !fstat(fd, &is))
        got = pread(fd, log, LOG_TOLD, MAX(is.st_size - LOG_TOLD, 0));
    if (fd != -1)
        close(fd);
    while (got > 0 && log[got - 1] == '\n')
        got--;
    if (got > 0) {
        text_lit(error, "; it said:\n");
        text_bytes(error, log, (size_t)got);
    }
    return false;
}

void managed_server_stop(struct managed_server *server)
{
    if (!server->folder.path[0]) /* never opened */
        return;
    if (server->pid)
        managed_process_end(server->pid, server->end_signal, END_LIMIT_MS);
    server->pid = 0;
    if (server->folder.lock != -1) {
        unlinkat(server->folder.fd, "server", 0);
        remove_far_socket(&server->folder);
    }
    managed_folder_close(&server->folder);
    text_fini(&server->arguments);
}

/* ---- Cleaning ---- */

static const char *const kept[] = {"data", "making", "sockets", "stamp", "server", "log", "new"};

static bool clean_folder(const char *cache, const char *name, struct text *told)
{
    struct managed_folder folder;
    int64_t bytes = 0;
    if (!managed_folder_find(&folder, cache, name, told)) {
        text_char(told, '\n');
        return false;
    }
    bool gone = managed_process_end_stale(&folder, SIGINT, END_LIMIT_MS);
    for (size_t i = 0; i < ARRAY_LEN(kept) && gone; i++)
        gone = managed_folder_remove(&folder, kept[i], &bytes);
    if (gone) {
        remove_far_socket(&folder);
        gone = managed_folder_remove(&folder, "lock", &bytes) && !rmdir(folder.path);
    }
    text_str(told, folder.path);
    if (gone) {
        text_lit(told, ": removed, ");
        text_count(told, (uint64_t)(bytes + 500000) / 1000000);
        text_lit(told, " MB\n");
    } else {
        text_lit(told, ": could not be removed as a whole: ");
        text_str(told, strerror(errno));
        text_char(told, '\n');
    }
    managed_folder_close(&folder);
    return gone;
}

bool managed_clean(const char *cache, struct text *told)
{
    static const char *const patterns[] = {"postgresql-*", "redis"};
    char path[MANAGED_PATH_MAX], pattern[MANAGED_PATH_MAX + 16];
    size_t found = 0;
    bool whole = true;
    if (!managed_cache(path, cache, told)) {
        text_char(told, '\n');
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        glob_t folders = {0};
        snprintf(pattern, sizeof pattern, "%s/%s/lock", path, patterns[i]);
        if (!glob(pattern, 0, NULL, &folders)) {
            for (size_t k = 0; k < folders.gl_pathc; k++, found++) {
                char *end = strrchr(folders.gl_pathv[k], '/');
                *end = '\0';
                whole = clean_folder(cache, strrchr(folders.gl_pathv[k], '/') + 1, told) && whole;
            }
            globfree(&folders);
        }
    }
    if (!found) {
        text_str(told, path);
        text_lit(told, ": nothing there\n");
    } else if (whole) {
        rmdir(path);
    }
    return whole;
}
