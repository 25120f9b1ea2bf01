#include "edges/doctor.h"

#include "edges/demo_env.h"
#include "edges/exit_code.h"
#include "edges/http_server.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- Findings ---- */

const char *doctor_state_name(enum doctor_state state)
{
    static const char *const names[] = {"ok", "skipped", "warning", "failed"};
    return names[state];
}

struct doctor_finding *doctor_found(struct doctor *doctor, enum doctor_state state, const char *check,
                                    const char *tried)
{
    if (doctor->count == DOCTOR_FINDINGS_MAX)
        return NULL;
    struct doctor_finding *finding = &doctor->findings[doctor->count++];
    *finding = (struct doctor_finding){.state = state, .check = check, .exit_code = EXIT_CODE_HELD};
    text_str(&finding->tried, tried);
    return finding;
}

void doctor_fail(struct doctor_finding *finding, int exit_code, const char *mend)
{
    if (!finding)
        return;
    finding->state = DOCTOR_FAILED;
    finding->exit_code = exit_code;
    text_str(&finding->mend, mend);
}

void doctor_warn(struct doctor_finding *finding, const char *mend)
{
    if (!finding)
        return;
    finding->state = DOCTOR_WARNING;
    text_str(&finding->mend, mend);
}

int doctor_exit_code(const struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++)
        if (doctor->findings[i].state == DOCTOR_FAILED)
            return doctor->findings[i].exit_code;
    return EXIT_CODE_HELD;
}

/* ---- Environment and scenario ---- */

static const char *from_environment(const char *name)
{
    return getenv(name);
}

/* The scenario is read as a run reads it: with what the environment changes. */
static void load_scenario(struct doctor *doctor, const char *check, const struct demo_env *env)
{
    const struct doctor_options *options = &doctor->options;
    char path[PATH_MAX], line[PATH_MAX + 16];
    const char *file = scenario_find(options->scenario, path);
    const struct demo_flags flags = {options->settings, options->setting_count};
    struct text errors = {0};
    struct scenario *scenario =
        scenario_load(file, options->registry, options->settings, options->setting_count, &errors);
    if (scenario && demo_env_apply(env, scenario, options->registry, &flags, &errors)) {
        snprintf(line, sizeof line, "%s loads", file);
        doctor_found(doctor, DOCTOR_OK, check, line);
    } else {
        errors.len = strcspn(text_c(&errors), "\n");
        doctor_fail(doctor_found(doctor, DOCTOR_FAILED, check, text_c(&errors)),
                    scenario ? EXIT_CODE_USAGE : EXIT_CODE_SCENARIO,
                    "`doorbuster check` tells all of it, `doorbuster scenarios` what there is");
    }
    scenario_free(scenario);
    text_fini(&errors);
}

static void look_at_scenario(struct doctor *doctor, const char *check)
{
    struct demo_env env;
    struct text error = {0};
    if (!demo_env_read(&env, from_environment, time(NULL), &error))
        doctor_fail(doctor_found(doctor, DOCTOR_FAILED, check, text_c(&error)), EXIT_CODE_USAGE,
                    "set the variable to what is expected, or unset it");
    else if (doctor->options.scenario)
        load_scenario(doctor, check, &env);
    else
        doctor_found(doctor, DOCTOR_SKIPPED, check, "none was given");
    text_fini(&error);
}

/* ---- Ports ---- */

/* 0, or the errno. Listens with the options of the server itself, so that what it may do we may do. */
static int try_port(const char *address, uint16_t port)
{
    struct addrinfo *at,
        hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    if (getaddrinfo(address, text, &hints, &at) != 0)
        return EADDRNOTAVAIL;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), problem = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 1) != 0)
        problem = errno;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(at);
    return problem;
}

static void mend_port(struct doctor_finding *finding, int problem, unsigned port)
{
    static const struct {
        int problem;
        const char *mend;
    } mends[] = {
        {EADDRNOTAVAIL, "give --listen an address of this machine, as numbers"},
        {EAFNOSUPPORT, "this machine has no such addresses; give --listen one of another kind"},
        {EACCES, "this user may not take the port; run as another one"},
    };
    char taken[96];
    const char *mend = taken;
    snprintf(taken, sizeof taken, "end what holds it (`ss -ltnp 'sport = :%u'` names it)", port);
    for (size_t i = 0; i < ARRAY_LEN(mends); i++)
        if (mends[i].problem == problem)
            mend = mends[i].mend;
    doctor_fail(finding, EXIT_CODE_PORT, mend);
}

static void look_at_ports(struct doctor *doctor, const char *check)
{
    const struct registry *registry = doctor->options.registry;
    const char *address = doctor->options.listen ? doctor->options.listen : "127.0.0.1";
    for (size_t i = 0; i < registry->kind_count; i++) {
        const struct actor_kind *kind = registry->kinds[i];
        char line[256];
        if (kind->store)
            continue;
        int problem = try_port(address, (uint16_t)kind->port);
        snprintf(line, sizeof line, "%s on %s port %u%s%s", kind->service, address, (unsigned)kind->port,
                 problem ? ": " : "", problem ? strerror(problem) : "");
        struct doctor_finding *finding = doctor_found(doctor, DOCTOR_OK, check, line);
        if (problem)
            mend_port(finding, problem, (unsigned)kind->port);
        if (problem == EADDRNOTAVAIL || problem == EAFNOSUPPORT)
            return; /* the others would say the same */
    }
}

/* ---- Descriptors ---- */

static void look_at_files(struct doctor *doctor, const char *check)
{
    enum { WANTED = HTTP_CONNECTIONS_DEFAULT + HTTP_DESCRIPTORS_BESIDES };
    struct rlimit limit = {0};
    char line[160];
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max == RLIM_INFINITY)
        snprintf(line, sizeof line, "no limit, up to %d are used", WANTED);
    else
        snprintf(line, sizeof line, "the limit can be raised to %llu, up to %d are used",
                 (unsigned long long)limit.rlim_max, WANTED);
    struct doctor_finding *finding = doctor_found(doctor, DOCTOR_OK, check, line);
    if (limit.rlim_max < HTTP_DESCRIPTORS_BESIDES)
        doctor_fail(finding, EXIT_CODE_DEPENDENCY,
                    "raise the hard limit: `ulimit -Hn`, or nofile in limits.conf");
    else if (limit.rlim_max < WANTED)
        doctor_warn(finding, "with many clients new connections wait; raise the hard limit (`ulimit -Hn`)");
}

/* ---- Stores ---- */

static void look_at_store(struct doctor *doctor, const char *check)
{
    doctor_found(doctor, DOCTOR_SKIPPED, check, "modelled, in this process");
}

/* What a run would fail on first comes first: the exit code is that of the first failure. */
static const struct check {
    const char *name;
    void (*look)(struct doctor *doctor, const char *check);
} checks[] = {
    {"scenario", look_at_scenario}, {"port", look_at_ports},  {"otlp", doctor_look_at_otlp},
    {"postgresql", look_at_store},  {"redis", look_at_store}, {"clock", doctor_look_at_clock},
    {"open files", look_at_files},
};

void doctor_look(struct doctor *doctor, const struct doctor_options *options)
{
    *doctor = (struct doctor){.options = *options};
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        checks[i].look(doctor, checks[i].name);
}

void doctor_fini(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        text_fini(&doctor->findings[i].tried);
        text_fini(&doctor->findings[i].mend);
    }
    doctor->count = 0;
}
