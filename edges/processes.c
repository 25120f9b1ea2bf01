#define _GNU_SOURCE /* ppoll; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/processes.h"

#include "edges/exit_code.h"
#include "edges/managed_process.h"
#include "edges/part_file.h"
#include "edges/processes_parts.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BACK_OFF_FIRST_MS = 100,
    BACK_OFF_MOST_MS = 2000,
    STEADY_MS = 10000, /* who has lived so long begins again with the first back-off */
    /* Who ends well while the run goes on may have been told to by the load generator, which will follow. */
    LEAVING_MS = 16000, /* its wait for the others, and its telemetry's */
    OTHERS_MS = 5000, /* for the others to end by themselves */
    TERM_MS = 2000 /* after SIGTERM */
};

enum stage {
    STAGE_PLAYING,
    STAGE_DRAINING, /* the load generator's process has been asked to end */
    STAGE_OTHERS, /* it is over: the others are to end by themselves */
    STAGE_TERM, /* they have been asked to */
    STAGE_KILL /* they have been made to */
};

struct parent {
    struct spread spread;
    enum stage stage;
    int64_t limit_ms; /* of the stage; NEVER: none */
    unsigned signals, restarts;
    int exit_code;
    bool decided; /* the exit code is not the load generator's */
    bool lost; /* telemetry of one of the others is: it has ended with EXIT_CODE_INTERNAL */
};

static const enum output_kind in_parts[] = {OUTPUT_TRACES, OUTPUT_METRICS, OUTPUT_LOGS};

static const char *name_of(const struct child *child)
{
    return child->hosts[0]->service;
}

/* ---- before ---- */

/* A file that is written in parts has to be one. */
static bool outputs_fit(const struct options *options)
{
    for (size_t i = 0; i < ARRAY_LEN(in_parts); i++) {
        const char *path = options->outputs[in_parts[i]];
        struct stat is;
        if (!path || (strcmp(path, "-") != 0 && (stat(path, &is) || S_ISREG(is.st_mode))))
            continue;
        fprintf(stderr,
                "doorbuster: %s %s: --processes writes a file a process; expected the name of a file, as in "
                "t.jsonl\n",
                output_kind_option(in_parts[i]), path);
        return false;
    }
    return true;
}

/* Said once here, and not by each process. */
static bool scenario_fits(const struct options *options, const struct registry *registry)
{
    char path[PATH_MAX];
    struct text errors = {0};
    const char *file = scenario_find(options->files[0], path);
    struct scenario *scenario =
        scenario_load(file, registry, options->settings, options->setting_count, &errors);
    if (!scenario) {
        fputs(text_c(&errors), stderr);
        scenario_find_explain(file);
    }
    text_fini(&errors);
    scenario_free(scenario);
    return scenario != NULL;
}

/* What an earlier run left there would be taken for this one's. */
static void remove_old(const struct options *options, const struct registry *registry)
{
    for (size_t i = 0; i < ARRAY_LEN(in_parts); i++) {
        const char *path = options->outputs[in_parts[i]];
        struct text parts = {0};
        if (!path)
            continue;
        size_t count = part_files_find(path, registry, &parts);
        unlink(path);
        for (const char *part = parts.bytes; count--; part += strlen(part) + 1)
            unlink(part);
        text_fini(&parts);
    }
}

/* ---- ends ---- */

static void send_all(const struct parent *parent, int number)
{
    for (size_t i = 0; i < parent->spread.count; i++)
        if (parent->spread.children[i].pid)
            kill(parent->spread.children[i].pid, number);
}

/* What they had not sent or written is lost. */
static void say_killed(const struct parent *parent)
{
    for (size_t i = 0; i < parent->spread.count; i++)
        if (parent->spread.children[i].pid)
            fprintf(stderr, "doorbuster: the process of %s did not end in time: it is killed\n",
                    name_of(&parent->spread.children[i]));
}

static void enter(struct parent *parent, enum stage stage)
{
    int64_t now_ms = managed_now_ms();
    parent->stage = stage;
    parent->limit_ms = stage == STAGE_OTHERS ? now_ms + OTHERS_MS
                       : stage == STAGE_TERM ? now_ms + TERM_MS
                                             : NEVER;
    if (stage == STAGE_TERM)
        send_all(parent, SIGTERM);
    if (stage == STAGE_KILL) {
        say_killed(parent);
        send_all(parent, SIGKILL);
    }
}

static void decide(struct parent *parent, int exit_code)
{
    if (!parent->decided)
        parent->exit_code = exit_code;
    parent->decided = true;
}

/* Nothing that time would mend: it is not there, is wrong, or is taken. */
static bool could_not_begin(int exit_code)
{
    return exit_code == EXIT_CODE_USAGE || exit_code == EXIT_CODE_SCENARIO || exit_code == EXIT_CODE_PORT ||
           exit_code == EXIT_CODE_DEPENDENCY || exit_code == PROCESSES_CANNOT_RUN;
}

static void on_lead_end(struct parent *parent, int status)
{
    if (WIFSIGNALED(status)) {
        if (!parent->decided)
            fprintf(stderr, "doorbuster: the load-generator's process died (signal %d): the run is over\n",
                    WTERMSIG(status));
        decide(parent, EXIT_CODE_INTERNAL);
    }
    int exit_code = WEXITSTATUS(status);
    decide(parent, exit_code == PROCESSES_CANNOT_RUN ? EXIT_CODE_INTERNAL : exit_code);
    if (parent->stage < STAGE_OTHERS) /* one that died, or never began, has told the others nothing */
        enter(parent, WIFSIGNALED(status) || could_not_begin(exit_code) ? STAGE_TERM : STAGE_OTHERS);
}

/* The run cannot be without this one. */
static void give_up(struct parent *parent, const struct child *child, int exit_code)
{
    fprintf(stderr, "doorbuster: the process of %s cannot begin (exit code %d): the run is over\n",
            name_of(child), exit_code);
    decide(parent, exit_code == PROCESSES_CANNOT_RUN ? EXIT_CODE_INTERNAL : exit_code);
    enter(parent, STAGE_TERM);
}

/* `wait_ms`: until it begins again; negative: it does not. */
static void say_death(const struct child *child, int status, int64_t wait_ms)
{
    struct text line = {0};
    text_lit(&line, "doorbuster: the process of ");
    text_str(&line, name_of(child));
    text_str(&line, WIFSIGNALED(status) ? " died (signal " : " died (exit code ");
    text_i64(&line, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    text_char(&line, ')');
    if (wait_ms >= 0) {
        text_lit(&line, ": restart ");
        text_u64(&line, child->lives);
        text_lit(&line, " in ");
        text_duration(&line, wait_ms * NS_PER_MS);
    }
    text_char(&line, '\n');
    fputs(text_c(&line), stderr);
    text_fini(&line);
}

static void begin_later(struct child *child, int status)
{
    int64_t now_ms = managed_now_ms();
    bool well = WIFEXITED(status) && !WEXITSTATUS(status);
    if (now_ms - child->begun_ms >= STEADY_MS || !child->back_off_ms)
        child->back_off_ms = BACK_OFF_FIRST_MS;
    int64_t wait_ms = well ? LEAVING_MS : child->back_off_ms;
    child->due_ms = now_ms + wait_ms;
    child->back_off_ms = MIN(2 * child->back_off_ms, BACK_OFF_MOST_MS);
    child->left = well;
    if (!well) /* else it is told when it comes to that */
        say_death(child, status, wait_ms);
}

static void on_end(struct parent *parent, struct child *child, int status)
{
    bool well = WIFEXITED(status) && !WEXITSTATUS(status);
    child->pid = 0;
    parent->lost |= WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CODE_INTERNAL;
    if (child->hosts[0]->drives_load) {
        on_lead_end(parent, status);
    } else if (parent->stage >= STAGE_OTHERS) {
        if (parent->stage == STAGE_OTHERS && !well) /* nobody has asked for that */
            say_death(child, status, -1);
    } else if (WIFEXITED(status) && child->lives == 1 && could_not_begin(WEXITSTATUS(status))) {
        give_up(parent, child, WEXITSTATUS(status));
    } else if (!well || parent->stage == STAGE_PLAYING) {
        begin_later(child, status);
    }
}

static void reap(struct parent *parent)
{
    int status;
    for (;;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        for (size_t i = 0; i < parent->spread.count; i++)
            if (parent->spread.children[i].pid == pid)
                on_end(parent, &parent->spread.children[i], status);
    }
}

/* ---- signals ---- */

static void on_stop(struct parent *parent)
{
    parent->signals++;
    if (parent->stage == STAGE_PLAYING) {
        parent->stage = STAGE_DRAINING;
        ASSERT(parent->spread.children[0].pid);
        kill(parent->spread.children[0].pid, SIGTERM);
    } else if (parent->stage == STAGE_DRAINING) {
        decide(parent, EXIT_CODE_INTERRUPTED);
        enter(parent, STAGE_TERM);
        send_all(parent, SIGINT); /* one of each, as two of a kind may arrive as one: everybody hurries */
    } else if (parent->stage == STAGE_OTHERS) {
        enter(parent, STAGE_TERM);
    }
}

static void read_signals(struct parent *parent, int fd)
{
    struct signalfd_siginfo is;
    while (read(fd, &is, sizeof is) == (ssize_t)sizeof is) {
        if (is.ssi_signo == SIGHUP)
            fputs("doorbuster: SIGHUP: there is nothing to reload; end this run and start another\n", stderr);
        else if (is.ssi_signo != SIGCHLD)
            on_stop(parent);
    }
}

/* From here on signals come by the descriptor, also those that whoever started us had ignored. */
static int open_signals(struct parent *parent)
{
    static const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    sigset_t ours;
    sigemptyset(&ours);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        signal(numbers[i], SIG_DFL);
        sigaddset(&ours, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &ours, &parent->spread.mask);
    int fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    ASSERT(fd >= 0);
    return fd;
}

/* ---- while it runs ---- */

static bool running(const struct parent *parent)
{
    for (size_t i = 0; i < parent->spread.count; i++)
        if (parent->spread.children[i].pid)
            return true;
    return false;
}

static int64_t next_ms(const struct parent *parent)
{
    int64_t next = parent->limit_ms;
    for (size_t i = 0; i < parent->spread.count && parent->stage < STAGE_OTHERS; i++)
        next = MIN(next, parent->spread.children[i].due_ms);
    return next;
}

static void wait_until(int fd, int64_t at_ms)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    int64_t left_ms = MAX(at_ms - managed_now_ms(), 0);
    struct timespec limit = {left_ms / 1000, left_ms % 1000 * NS_PER_MS};
    ppoll(&readable, 1, at_ms == NEVER ? NULL : &limit, NULL);
}

/* Also the first lives: the load generator's comes last, when the others are on their way. */
static void begin_due(struct parent *parent)
{
    int64_t now_ms = managed_now_ms();
    for (size_t i = parent->spread.count; i-- && parent->stage < STAGE_OTHERS;) {
        struct child *child = &parent->spread.children[i];
        if (child->due_ms > now_ms)
            continue;
        if (child->left)
            fprintf(stderr, "doorbuster: the process of %s has ended, and the run goes on: restart %u\n",
                    name_of(child), child->lives);
        child->left = false;
        parent->restarts += child->lives > 0;
        if (spread_begin(&parent->spread, child, now_ms))
            continue;
        child->due_ms = now_ms + BACK_OFF_MOST_MS;
        if (child->lives == 1) {
            decide(parent, EXIT_CODE_INTERNAL);
            enter(parent, STAGE_TERM);
        }
    }
}

static void say_who_is_where(const struct parent *parent)
{
    struct text line = {0};
    for (size_t i = 0; i < parent->spread.count; i++) {
        const struct child *child = &parent->spread.children[i];
        text_lit(&line, "process ");
        text_i64(&line, child->pid);
        text_lit(&line, ": ");
        for (size_t k = 0; k < child->host_count; k++) {
            text_str(&line, k ? ", " : "");
            text_str(&line, child->hosts[k]->service);
        }
        text_char(&line, '\n');
    }
    fputs(text_c(&line), stderr);
    text_fini(&line);
}

static void say_restarts(const struct parent *parent)
{
    struct text line = {0};
    text_lit(&line, "doorbuster: restarts: ");
    text_count(&line, parent->restarts);
    const char *before = " (";
    for (size_t i = 0; i < parent->spread.count; i++) {
        const struct child *child = &parent->spread.children[i];
        if (child->lives < 2)
            continue;
        text_str(&line, before);
        text_str(&line, name_of(child));
        text_char(&line, ' ');
        text_u64(&line, child->lives - 1);
        before = ", ";
    }
    text_lit(&line, ")\n");
    fputs(text_c(&line), stderr);
    text_fini(&line);
}

static void play(struct parent *parent, int fd)
{
    begin_due(parent);
    if (!parent->spread.options->quiet)
        say_who_is_where(parent);
    while (running(parent)) {
        wait_until(fd, next_ms(parent));
        read_signals(parent, fd);
        reap(parent);
        begin_due(parent);
        if (managed_now_ms() >= parent->limit_ms)
            enter(parent, parent->stage + 1);
    }
    if (parent->restarts)
        say_restarts(parent);
}

int processes_run(const struct options *options, const struct registry *registry, const char *program)
{
    struct parent parent = {.spread = {.options = options, .registry = registry, .program = program},
                            .limit_ms = NEVER,
                            .exit_code = EXIT_CODE_INTERNAL};
    if (!outputs_fit(options))
        return EXIT_CODE_USAGE;
    if (!scenario_fits(options, registry))
        return EXIT_CODE_SCENARIO;
    remove_old(options, registry);
    spread_deal(&parent.spread);
    int fd = open_signals(&parent);
    play(&parent, fd);
    close(fd);
    sigprocmask(SIG_SETMASK, &parent.spread.mask, NULL);
    return parent.exit_code == EXIT_CODE_HELD && parent.lost ? EXIT_CODE_INTERNAL : parent.exit_code;
}
