#include "edges/part_file.h"
#include "edges/placement.h"
#include "edges/processes_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { NUMBER_BYTES = 64 };

/* ---- who hosts what ---- */

static void give(struct child *child, const struct actor_kind *kind)
{
    child->hosts[child->host_count++] = kind;
}

void spread_deal(struct spread *spread)
{
    const struct registry *registry = spread->registry;
    size_t next = 0, others = (size_t)spread->options->processes - 1;
    spread->count = others + 1;
    ASSERT(others && spread->count <= registry->kind_count && registry->kind_count <= SERVICES_MAX);
    for (int stores = 0; stores < 2; stores++) {
        for (size_t i = 0; i < registry->kind_count; i++) {
            const struct actor_kind *kind = registry->kinds[i];
            if ((kind->store != NULL) != stores)
                continue;
            give(&spread->children[kind->drives_load ? 0 : 1 + next++ % others], kind);
        }
    }
}

static bool is_hosted(const struct child *child, const struct actor_kind *kind)
{
    for (size_t i = 0; i < child->host_count; i++)
        if (child->hosts[i] == kind)
            return true;
    return false;
}

static bool hosts_store(const struct child *child, const char *store)
{
    for (size_t i = 0; i < child->host_count; i++)
        if (child->hosts[i]->store && !strcmp(child->hosts[i]->store, store))
            return true;
    return false;
}

/* ---- arguments ---- */

static void put(struct words *words, const char *word)
{
    words->list =
        base_grow(words->list, words->count ? words->count + 1 : 0, words->count + 2, sizeof *words->list);
    words->list[words->count++] = base_copy(word);
}

static void put_option(struct words *words, const char *option, const char *value)
{
    if (!value)
        return;
    put(words, option);
    put(words, value);
}

void words_fini(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->list[i]);
    free(words->list);
    *words = (struct words){NULL, 0};
}

/* Exactly, with no more than nine digits a part. */
static void put_duration(struct words *words, const char *option, int64_t duration_ns)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%llds%lldns", (long long)(duration_ns / NS_PER_S),
             (long long)(duration_ns % NS_PER_S));
    if (duration_ns)
        put_option(words, option, text);
}

static void put_scenario(struct words *words, const struct options *options)
{
    char text[NUMBER_BYTES];
    if (options->seed_given) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)options->seed);
        put_option(words, "--seed", text);
    }
    for (size_t i = 0; i < options->setting_count; i++)
        put_option(words, "--set", options->settings[i]);
    put_duration(words, "--from", options->from_ns);
    put_duration(words, "--history", options->history_ns);
    if (options->speed < 1 || options->speed > 1) {
        snprintf(text, sizeof text, "%.17g", options->speed);
        put_option(words, "--speed", text);
    }
    put_option(words, "--listen", options->listen);
    put_option(words, "--log-level", options->log_level);
    put_option(words, "--otlp", options->otlp);
}

static void put_stores(struct words *words, const struct options *options, const struct child *child)
{
    const char *postgres = hosts_store(child, "postgresql") ? options->postgres : NULL;
    put_option(words, "--postgres", postgres);
    put_option(words, "--redis", hosts_store(child, "redis") ? options->redis : NULL);
    if (postgres && options->yes)
        put(words, "--yes");
}

/* Each process has its own telemetry; what is said of the whole run the load generator's says. */
static void put_outputs(struct words *words, const struct options *options, const struct child *child)
{
    bool leads = child->hosts[0]->drives_load;
    for (enum output_kind kind = 0; kind < OUTPUT_KINDS; kind++) {
        bool parts = kind == OUTPUT_TRACES || kind == OUTPUT_METRICS || kind == OUTPUT_LOGS;
        const char *path = options->outputs[kind];
        struct text name = {0};
        if (!path || (!parts && !leads))
            continue;
        if (parts)
            part_file_name(&name, path, child->hosts[0]->service, child->lives + 1);
        put_option(words, output_kind_option(kind), parts ? text_c(&name) : path);
        text_fini(&name);
    }
    if (leads && options->json)
        put(words, "--json");
    if (!leads || options->quiet)
        put(words, "--quiet");
}

/* Where a process of this machine reaches one that listens on the address; in brackets where HOST:PORT needs them. */
static void put_host(struct text *text, const char *listen)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (!listen || (inet_pton(AF_INET, listen, &v4) == 1 && v4.s_addr == INADDR_ANY)) {
        text_lit(text, "127.0.0.1");
    } else if (inet_pton(AF_INET6, listen, &v6) == 1) {
        text_char(text, '[');
        text_str(text, IN6_IS_ADDR_UNSPECIFIED(&v6) ? "::1" : listen);
        text_char(text, ']');
    } else {
        text_str(text, listen);
    }
}

static void put_placement(struct words *words, const struct spread *spread, const struct child *child)
{
    struct text text = {0};
    for (size_t i = 0; i < child->host_count; i++) {
        text_str(&text, i ? "," : "");
        text_str(&text, child->hosts[i]->service);
    }
    put_option(words, "--only", text_c(&text));
    for (size_t i = 0; i < spread->registry->kind_count; i++) {
        const struct actor_kind *kind = spread->registry->kinds[i];
        if (is_hosted(child, kind))
            continue;
        text.len = 0;
        text_str(&text, kind->service);
        text_char(&text, '=');
        put_host(&text, spread->options->listen);
        text_char(&text, ':');
        text_u64(&text, placement_port(kind));
        put_option(words, "--peer", text_c(&text));
    }
    text_fini(&text);
}

void spread_arguments(const struct spread *spread, const struct child *child, struct words *words)
{
    const struct options *options = spread->options;
    put(words, "doorbuster");
    put(words, options->verb);
    put_scenario(words, options);
    put_stores(words, options, child);
    put_outputs(words, options, child);
    put_placement(words, spread, child);
    put(words, "--");
    put(words, options->files[0]);
}

/* ---- a life ---- */

/* In a session of its own, so that signals come from the parent alone; it does not outlive the parent. */
_Noreturn static void be_child(const struct spread *spread, bool leads, char *const *argv, pid_t parent)
{
    setsid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
        _exit(PROCESSES_CANNOT_RUN);
    if (!leads) {
        int nothing = open("/dev/null", O_RDWR);
        if (nothing == -1 || dup2(nothing, STDIN_FILENO) == -1 || dup2(nothing, STDOUT_FILENO) == -1)
            _exit(PROCESSES_CANNOT_RUN);
        if (nothing > STDERR_FILENO)
            close(nothing);
    }
    signal(SIGINT, SIG_IGN); /* forgets one that the terminal sent before the session was ours */
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_SETMASK, &spread->mask, NULL);
    execv(spread->program, argv);
    dprintf(STDERR_FILENO, "doorbuster: %s: %s\n", spread->program, strerror(errno));
    _exit(PROCESSES_CANNOT_RUN);
}

bool spread_begin(const struct spread *spread, struct child *child, int64_t now_ms)
{
    struct words words = {NULL, 0};
    pid_t parent = getpid();
    spread_arguments(spread, child, &words);
    pid_t pid = fork();
    if (!pid)
        be_child(spread, child->hosts[0]->drives_load, words.list, parent);
    words_fini(&words);
    child->due_ms = NEVER;
    child->begun_ms = now_ms;
    child->lives++;
    child->pid = MAX(pid, 0);
    if (pid == -1)
        fprintf(stderr, "doorbuster: the process of %s cannot be made: %s\n", child->hosts[0]->service,
                strerror(errno));
    return pid > 0;
}
