#define _GNU_SOURCE /* pipe2, environ; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/promtool_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 8, LOOK_EVERY_MS = 100 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int spawn(pid_t *pid, char *const *argv, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE); /* ignored here, and such a habit is inherited */
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    int error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* Until it has closed its outputs; false: it takes too long, or `stop` says so. */
static bool listen_to(int input, struct text *said, const volatile sig_atomic_t *stop)
{
    char bytes[16384];
    int64_t until_ns = now_ns() + PROMTOOL_LIMIT_S * NS_PER_S;
    bool full = false;
    while (now_ns() < until_ns && !*stop) {
        struct pollfd readable = {.fd = input, .events = POLLIN};
        int ready = poll(&readable, 1, LOOK_EVERY_MS);
        if (ready == 0)
            continue;
        ssize_t count = ready > 0 ? read(input, bytes, sizeof bytes) : -1;
        if (count == 0)
            return true;
        if (count < 0 && errno != EINTR)
            return false;
        full = full || (count > 0 && said->len + (size_t)count > PROMTOOL_SAID_MAX);
        if (count > 0 && !full)
            text_bytes(said, bytes, (size_t)count);
    }
    return false;
}

static enum promtool_end broken(struct text *said, const char *what, int error)
{
    text_lit(said, "promtool: ");
    text_str(said, what);
    text_str(said, error ? ": " : "");
    text_str(said, error ? strerror(error) : "");
    text_char(said, '\n');
    return PROMTOOL_BROKEN;
}

enum promtool_end promtool_run(const char *const *arguments, struct text *said,
                               const volatile sig_atomic_t *stop)
{
    const char *argv[ARGUMENTS_MAX + 2] = {"promtool"};
    int ends[2], status = 0;
    pid_t pid;
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
        argv[i + 1] = arguments[i];
    if (pipe2(ends, O_CLOEXEC))
        return broken(said, "no pipe", errno);
    int error = spawn(&pid, (char *const *)argv, ends[1]);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error == ENOENT ? PROMTOOL_ABSENT : broken(said, "cannot be run", error);
    }
    bool ended = listen_to(ends[0], said, stop);
    close(ends[0]);
    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    if (!ended)
        return broken(said, *stop ? "was interrupted" : "took too long", 0);
    if (!WIFEXITED(status))
        return broken(said, "was ended by a signal", 0);
    return WEXITSTATUS(status) ? PROMTOOL_FAILED : PROMTOOL_PASSED;
}
