/* What live runs take from the kernel: a fine clock, and timers that come when they should. */
#include "edges/doctor.h"
#include "edges/exit_code.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    WAKE_UPS = 100, /* so that one hiccup is not yet the p99 */
    WAKE_UP_EVERY_NS = NS_PER_MS,
    LATE_NS = NS_PER_MS, /* p99 from which on measured latencies are the machine's */
    COARSE_NS = 1000
};

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* How late each wake-up came, ascending. False: the timer does not work, errno tells. */
static bool measure(int fd, int64_t late_ns[WAKE_UPS])
{
    int64_t first_ns = monotonic_ns();
    for (int i = 0; i < WAKE_UPS; i++) {
        int64_t due_ns = MAX(first_ns + (i + 1) * (int64_t)WAKE_UP_EVERY_NS, monotonic_ns());
        struct itimerspec when = {.it_value = {due_ns / NS_PER_S, due_ns % NS_PER_S}};
        uint64_t expirations;
        if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) != 0 ||
            read(fd, &expirations, sizeof expirations) != sizeof expirations)
            return false;
        late_ns[i] = monotonic_ns() - due_ns;
    }
    qsort(late_ns, WAKE_UPS, sizeof late_ns[0], by_value);
    return true;
}

static void look_at_wake_ups(struct doctor *doctor, const char *check)
{
    int64_t late_ns[WAKE_UPS];
    char line[160];
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (fd < 0 || !measure(fd, late_ns)) {
        snprintf(line, sizeof line, "timerfd: %s", strerror(errno));
        doctor_fail(doctor_found(doctor, DOCTOR_FAILED, check, line), EXIT_CODE_DEPENDENCY,
                    "a live run needs timerfd_create(2): allow it in the sandbox");
        if (fd >= 0)
            close(fd);
        return;
    }
    close(fd);
    int64_t p99_ns = late_ns[WAKE_UPS * 99 / 100 - 1];
    snprintf(line, sizeof line, "%d timer wake-ups: late by p50 %lld us, p99 %lld us, at most %lld us",
             WAKE_UPS, (long long)late_ns[WAKE_UPS / 2] / 1000, (long long)p99_ns / 1000,
             (long long)late_ns[WAKE_UPS - 1] / 1000);
    struct doctor_finding *finding = doctor_found(doctor, DOCTOR_OK, check, line);
    if (p99_ns > LATE_NS)
        doctor_warn(finding, "live latencies will be off by as much: give the machine less to do, or use "
                             "`doorbuster simulate`");
}

void doctor_look_at_clock(struct doctor *doctor, const char *check)
{
    struct timespec resolution = {0};
    char line[96];
    int result = clock_getres(CLOCK_MONOTONIC, &resolution);
    int64_t resolution_ns = resolution.tv_sec * NS_PER_S + resolution.tv_nsec;
    snprintf(line, sizeof line, "CLOCK_MONOTONIC: resolution %lld ns", (long long)resolution_ns);
    struct doctor_finding *finding = doctor_found(doctor, DOCTOR_OK, check, line);
    if (result != 0 || resolution_ns > COARSE_NS)
        doctor_warn(finding, "live latencies will be off: the kernel has no high-resolution timers");
    look_at_wake_ups(doctor, check);
}
