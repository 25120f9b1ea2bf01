#define _GNU_SOURCE /* pipe2, environ, close_range; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/managed_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 * 1024, POLL_MS = 10, KILLED_LIMIT_MS = 2000, CANNOT_RUN = 127 };

void managed_sleep(int64_t sleep_ms)
{
    poll(NULL, 0, (int)sleep_ms);
}

int64_t managed_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

/* ---- Users and programs ---- */

bool managed_user_find(struct managed_user *user, const char *const *names, struct text *error)
{
    *user = (struct managed_user){NULL, geteuid(), getegid()};
    if (geteuid())
        return true;
    for (const char *const *name = names; *name; name++) {
        const struct passwd *is = getpwnam(*name);
        if (is && is->pw_uid) {
            *user = (struct managed_user){*name, is->pw_uid, is->pw_gid};
            return true;
        }
    }
    text_lit(error, "a server cannot run as root, and there is no user ");
    text_str(error, names[0]);
    text_lit(error, " or nobody to run it as: start doorbuster as another user");
    return false;
}

static bool has_all(const char *folder, size_t len, const char *const *programs)
{
    char path[MANAGED_PATH_MAX];
    for (const char *const *program = programs; *program; program++) {
        int printed = snprintf(path, sizeof path, "%.*s/%s", (int)len, folder, *program);
        if (!len || printed >= (int)sizeof path || access(path, X_OK))
            return false;
    }
    return true;
}

/* Debian keeps each version of PostgreSQL in a folder of its own, out of PATH. */
static bool newest_postgresql(char path[static MANAGED_PATH_MAX], const char *const *programs)
{
    static const char root[] = "/usr/lib/postgresql";
    DIR *folder = opendir(root);
    int newest = 0;
    while (folder) {
        struct dirent *entry = readdir(folder);
        if (!entry)
            break;
        int version = (int)strtol(entry->d_name, NULL, 10);
        char candidate[MANAGED_PATH_MAX];
        int len = snprintf(candidate, sizeof candidate, "%s/%d/bin", root, version);
        if (version <= newest || !has_all(candidate, (size_t)len, programs))
            continue;
        newest = version;
        memcpy(path, candidate, (size_t)len + 1);
    }
    if (folder)
        closedir(folder);
    return newest > 0;
}

bool managed_programs(char path[static MANAGED_PATH_MAX], const char *const *programs)
{
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t len = strcspn(at, ":");
        if (at[0] == '/' && len < MANAGED_PATH_MAX && has_all(at, len, programs)) {
            memcpy(path, at, len);
            path[len] = '\0';
            return true;
        }
        at += len + (at[len] == ':');
    }
    return newest_postgresql(path, programs);
}

/* ---- In the child ---- */

/* No settings of our own environment reach a server, nor does its language: messages are read by us. */
static char **server_environment(void)
{
    static const char *const ours[] = {"PG", "LC_", "LANG", "REDIS", "XDG_", "NOTIFY_SOCKET"};
    size_t count = 0;
    while (environ[count])
        count++;
    char **made = base_alloc(count + 2, sizeof *made);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool skip = false;
        for (size_t k = 0; k < ARRAY_LEN(ours); k++)
            skip = skip || !strncmp(environ[i], ours[k], strlen(ours[k]));
        if (!skip)
            made[kept++] = environ[i];
    }
    made[kept] = (char *)"LC_ALL=C";
    return made;
}

static bool become(const struct managed_user *user)
{
    return !user->name || (!setgroups(0, NULL) && !setgid(user->gid) && !setuid(user->uid));
}

/* Signals as a program expects them, and no file of ours. */
static void forget_parent(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close_range(STDERR_FILENO + 1, ~0U, 0);
}

_Noreturn static void become_program(const char *const *argv, char **environment, int output)
{
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    forget_parent();
    execve(argv[0], (char *const *)argv, environment);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(CANNOT_RUN);
}

/* ---- A program that runs to its end ---- */

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            return -1;
    return status;
}

static void gather(int fd, struct text *output)
{
    char bytes[4096];
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        text_bytes(output, bytes, MIN((size_t)got, OUTPUT_MAX - MIN(output->len, (size_t)OUTPUT_MAX)));
    }
}

bool managed_process_run(const struct managed_user *user, const char *const *argv, struct text *output)
{
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC))
        return false;
    char **environment = server_environment();
    pid_t pid = fork();
    if (!pid) {
        if (!become(user) || prctl(PR_SET_PDEATHSIG, SIGTERM) || chdir("/"))
            _exit(CANNOT_RUN);
        become_program(argv, environment, pipe_ends[1]);
    }
    free(environment);
    close(pipe_ends[1]);
    if (pid > 0)
        gather(pipe_ends[0], output);
    close(pipe_ends[0]);
    return pid > 0 && !wait_for(pid);
}

bool managed_user_reaches(const struct managed_user *user, const char *path)
{
    if (!user->name)
        return true;
    pid_t pid = fork();
    if (!pid)
        _exit(!become(user) || access(path, X_OK));
    return pid > 0 && !wait_for(pid);
}

/* ---- A server ---- */

/* When the process began, in ticks since the machine did; 0: there is none. */
static unsigned long long started_at(pid_t pid)
{
    char path[48], bytes[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd == -1 ? -1 : read(fd, bytes, sizeof bytes - 1);
    if (fd != -1)
        close(fd);
    if (got <= 0)
        return 0;
    bytes[got] = '\0';
    /* The name may hold anything; what follows its closing bracket is numbers, the 20th the one wanted. */
    char *at = strrchr(bytes, ')');
    for (int field = 0; at && field < 20; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* The server waits at the gate until its pid is written down; if we die before, it never begins. */
_Noreturn static void be_server(const struct managed_folder *folder, const struct managed_user *user,
                                const char *const *argv, char **environment, int end_signal,
                                const int gate[2])
{
    char go;
    int data = openat(folder->fd, "data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    int log = openat(folder->fd, "log", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_APPEND, 0644);
    close(gate[1]);
    if (data == -1 || log == -1 || setsid() == -1 || !become(user) || fchdir(data) ||
        prctl(PR_SET_PDEATHSIG, end_signal) || read(gate[0], &go, 1) != 1)
        _exit(CANNOT_RUN);
    umask(077);
    become_program(argv, environment, log);
}

pid_t managed_process_start(const struct managed_folder *folder, const struct managed_user *user,
                            const char *const *argv, int end_signal, struct text *error)
{
    int gate[2];
    char line[64];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate)) {
        text_str(error, strerror(errno));
        return 0;
    }
    char **environment = server_environment();
    pid_t pid = fork();
    if (!pid)
        be_server(folder, user, argv, environment, end_signal, gate);
    free(environment);
    close(gate[0]);
    if (pid == -1)
        text_str(error, strerror(errno));
    snprintf(line, sizeof line, "%d %llu", (int)pid, started_at(pid));
    bool good = pid > 0 && managed_folder_write(folder, "server", line, error);
    if (good && send(gate[1], "", 1, MSG_NOSIGNAL) != 1) {
        text_lit(error, "the server could not be started");
        good = false;
    }
    close(gate[1]);
    if (pid > 0 && !good)
        wait_for(pid);
    return good ? pid : 0;
}

bool managed_process_runs(pid_t pid)
{
    return !waitpid(pid, NULL, WNOHANG);
}

/* One that somebody has stopped hears it too. */
static void ask_to_end(pid_t pid, int end_signal)
{
    kill(pid, end_signal);
    kill(pid, SIGCONT);
}

void managed_process_end(pid_t pid, int end_signal, int64_t limit_ms)
{
    int64_t until_ms = managed_now_ms() + limit_ms;
    ask_to_end(pid, end_signal);
    while (managed_process_runs(pid)) {
        if (managed_now_ms() < until_ms) {
            managed_sleep(POLL_MS);
            continue;
        }
        kill(pid, SIGKILL);
        wait_for(pid);
        break;
    }
}

/* ---- One that was left over ---- */

static bool is_ours(const struct managed_folder *folder, pid_t pid, unsigned long long start)
{
    char path[48];
    struct stat works_in, data;
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    return started_at(pid) == start && !stat(path, &works_in) &&
           !fstatat(folder->fd, "data", &data, AT_SYMLINK_NOFOLLOW) && works_in.st_ino == data.st_ino &&
           works_in.st_dev == data.st_dev;
}

bool managed_process_end_stale(const struct managed_folder *folder, int end_signal, int64_t limit_ms)
{
    char line[MANAGED_FILE_MAX], *end;
    if (!managed_folder_read(folder, "server", line))
        return true;
    long first = strtol(line, &end, 10);
    unsigned long long start = strtoull(end, NULL, 10);
    pid_t number = first > 1 && first <= INT32_MAX ? (pid_t)first : 0;
    if (!number || !start || !is_ours(folder, number, start))
        return true;
    int64_t until_ms = managed_now_ms() + limit_ms;
    ask_to_end(number, end_signal);
    while (is_ours(folder, number, start) && managed_now_ms() < until_ms)
        managed_sleep(POLL_MS);
    if (is_ours(folder, number, start))
        kill(number, SIGKILL);
    for (until_ms += KILLED_LIMIT_MS; is_ours(folder, number, start) && managed_now_ms() < until_ms;)
        managed_sleep(POLL_MS);
    return !is_ours(folder, number, start);
}
