/* sharing: a few cases worked out by hand, and 1,000 random ones against a plain simulation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/shop/sharing.h"
#include "core/draw.h"

enum { CASES = 1000, JOBS_MAX = 60 };

struct job {
    struct sharing_job job;
    int64_t from_ns, leaves_ns; /* leaves: is taken out then, if it is not done; NEVER: stays */
    double cost_ns, left_ns;
    int64_t done_ns; /* -1: taken out */
    bool here, gone;
};

/* ---- by hand ---- */

static void one_job_takes_its_cost(void **state)
{
    (void)state;
    struct sharing sharing = {.cores = 4};
    struct sharing_job job = {0};
    assert_true(sharing_next_at(&sharing) == NEVER);
    assert_null(sharing_done(&sharing, 5));
    sharing_add(&sharing, &job, 100.2, 1000);
    assert_int_equal(sharing_next_at(&sharing), 1101); /* the first whole nanosecond at which it is done */
    assert_null(sharing_done(&sharing, 1099));
    assert_ptr_equal(sharing_done(&sharing, 1101), &job);
    assert_int_equal(job.place, 0);
    assert_true(sharing_next_at(&sharing) == NEVER);
    sharing_fini(&sharing);
}

static void as_many_as_cores_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct sharing sharing = {.cores = 2};
    struct sharing_job jobs[3] = {{0}};
    sharing_add(&sharing, &jobs[0], 100, 0);
    sharing_add(&sharing, &jobs[1], 100, 0);
    assert_int_equal(sharing_next_at(&sharing), 100);
    /* A third at 50: each of the three now has two thirds of a core. 50 are left of the first two. */
    sharing_add(&sharing, &jobs[2], 100, 50);
    assert_int_equal(sharing_next_at(&sharing), 125);
    assert_ptr_equal(sharing_done(&sharing, 125), &jobs[0]); /* equal targets: in the order they came */
    assert_ptr_equal(sharing_done(&sharing, 125), &jobs[1]);
    assert_null(sharing_done(&sharing, 125));
    assert_int_equal(sharing_next_at(&sharing), 175); /* 50 done by 125, alone for the rest */
    assert_ptr_equal(sharing_done(&sharing, 175), &jobs[2]);
    sharing_fini(&sharing);
}

static void equal_jobs_end_in_the_order_they_came(void **state)
{
    (void)state;
    struct sharing sharing = {.cores = 3};
    struct sharing_job jobs[40] = {{0}};
    for (size_t i = ARRAY_LEN(jobs); i-- > 0;) /* backwards in memory */
        sharing_add(&sharing, &jobs[i], 300, 0);
    sharing_remove(&sharing, &jobs[20], 0);
    sharing_remove(&sharing, &jobs[39], 0);
    for (size_t i = ARRAY_LEN(jobs) - 1; i-- > 0;)
        if (i != 20)
            assert_ptr_equal(sharing_done(&sharing, 3800), &jobs[i]);
    sharing_fini(&sharing);
}

static void who_is_taken_out_leaves_the_others_faster(void **state)
{
    (void)state;
    struct sharing sharing = {.cores = 1};
    struct sharing_job jobs[2] = {{0}};
    sharing_add(&sharing, &jobs[0], 100, 0);
    sharing_add(&sharing, &jobs[1], 300, 0);
    assert_int_equal(sharing_next_at(&sharing), 200);
    sharing_remove(&sharing, &jobs[0], 100);
    assert_int_equal(jobs[0].place, 0);
    assert_int_equal(sharing_next_at(&sharing), 350); /* 50 done, 250 left */
    assert_ptr_equal(sharing_done(&sharing, 350), &jobs[1]);
    sharing_fini(&sharing);
}

static void what_costs_nothing_is_done_at_once(void **state)
{
    (void)state;
    struct sharing sharing = {.cores = 1};
    struct sharing_job jobs[2] = {{0}};
    sharing_add(&sharing, &jobs[0], 1e6, 0);
    sharing_add(&sharing, &jobs[1], 0, 500);
    assert_int_equal(sharing_next_at(&sharing), 500);
    assert_ptr_equal(sharing_done(&sharing, 500), &jobs[1]);
    assert_null(sharing_done(&sharing, 500));
    sharing_fini(&sharing);
}

/* ---- against a plain simulation: what is left of each job, event by event ---- */

static double rate(const struct job *jobs, size_t count, int cores)
{
    int here = 0;
    for (size_t i = 0; i < count; i++)
        here += jobs[i].here;
    return here > cores ? (double)cores / here : 1;
}

/* The next instant at which something happens to a job: it comes, leaves or is done. */
static double next_event(const struct job *jobs, size_t count, double now_ns, double speed)
{
    double next_ns = 1e18;
    for (size_t i = 0; i < count; i++) {
        const struct job *job = &jobs[i];
        if (!job->here && !job->gone)
            next_ns = MIN(next_ns, (double)job->from_ns);
        if (job->here)
            next_ns = MIN(next_ns, now_ns + job->left_ns / speed);
        if (job->here && job->leaves_ns != NEVER)
            next_ns = MIN(next_ns, (double)job->leaves_ns);
    }
    return next_ns;
}

static void simulate_plainly(struct job *jobs, size_t count, int cores)
{
    double now_ns = 0;
    for (;;) {
        double speed = rate(jobs, count, cores), next_ns = next_event(jobs, count, now_ns, speed);
        if (next_ns >= 1e18)
            return;
        for (size_t i = 0; i < count; i++)
            if (jobs[i].here)
                jobs[i].left_ns -= (next_ns - now_ns) * speed;
        now_ns = next_ns;
        for (size_t i = 0; i < count; i++) {
            struct job *job = &jobs[i];
            bool done = job->here && job->left_ns < 1e-3,
                 leaves = job->here && (double)job->leaves_ns <= now_ns;
            if (done || leaves) {
                job->here = false;
                job->gone = true;
                job->done_ns = done ? (int64_t)now_ns : -1;
            } else if (!job->here && !job->gone && (double)job->from_ns <= now_ns) {
                job->here = true;
                job->left_ns = job->cost_ns;
            }
        }
    }
}

static int64_t next_outside(const struct job *jobs, size_t count)
{
    int64_t next_ns = NEVER;
    for (size_t i = 0; i < count; i++) {
        if (!jobs[i].here && !jobs[i].gone)
            next_ns = MIN(next_ns, jobs[i].from_ns);
        if (jobs[i].here)
            next_ns = MIN(next_ns, jobs[i].leaves_ns);
    }
    return next_ns;
}

static void simulate_with_sharing(struct job *jobs, size_t count, int cores)
{
    struct sharing sharing = {.cores = cores};
    for (;;) {
        int64_t now_ns = MIN(next_outside(jobs, count), sharing_next_at(&sharing));
        if (now_ns == NEVER)
            break;
        struct sharing_job *ended;
        while ((ended = sharing_done(&sharing, now_ns))) {
            struct job *job = CONTAINER(ended, struct job, job);
            job->here = false;
            job->gone = true;
            job->done_ns = now_ns;
        }
        for (size_t i = 0; i < count; i++) {
            struct job *job = &jobs[i];
            if (job->here && job->leaves_ns <= now_ns) {
                sharing_remove(&sharing, &job->job, now_ns);
                job->here = false;
                job->gone = true;
                job->done_ns = -1;
            } else if (!job->here && !job->gone && job->from_ns <= now_ns) {
                sharing_add(&sharing, &job->job, job->cost_ns, now_ns);
                job->here = true;
            }
        }
    }
    assert_int_equal(sharing.count, 0);
    sharing_fini(&sharing);
}

static void random_cases_agree_with_a_plain_simulation(void **state)
{
    (void)state;
    for (uint64_t c = 0; c < CASES; c++) {
        static struct job ours[JOBS_MAX], plain[JOBS_MAX];
        struct draw chance = draw(c, 0, 1, 0);
        size_t count = 1 + draw_below(chance.a, JOBS_MAX - 1);
        int cores = 1 + (int)draw_below(chance.b, 12);
        for (uint32_t i = 0; i < count; i++) {
            struct draw times = draw(c, 1, 1, i), more = draw(c, 2, 1, i);
            ours[i] = (struct job){.from_ns = (int64_t)draw_below(times.a, 4000000000),
                                   .leaves_ns = NEVER,
                                   .cost_ns = 1e8 * draw_exponential(times.b)};
            /* Removed at odd instants, which nothing else happens at. */
            if (draw_below(more.a, 5) == 0)
                ours[i].leaves_ns = ours[i].from_ns + (int64_t)draw_below(more.b, 500000000);
            plain[i] = ours[i];
        }
        simulate_with_sharing(ours, count, cores);
        simulate_plainly(plain, count, cores);
        for (size_t i = 0; i < count; i++) {
            int64_t off_ns = ours[i].done_ns - plain[i].done_ns;
            /* A whole nanosecond is waited for at each end of a job, at most. */
            if (off_ns < -2 || off_ns > 2 + (int64_t)count)
                fail_msg("case %d: job %zu of %zu ends %ld ns off", (int)c, i, count, (long)off_ns);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_job_takes_its_cost),
        cmocka_unit_test(as_many_as_cores_do_not_disturb_each_other),
        cmocka_unit_test(equal_jobs_end_in_the_order_they_came),
        cmocka_unit_test(who_is_taken_out_leaves_the_others_faster),
        cmocka_unit_test(what_costs_nothing_is_done_at_once),
        cmocka_unit_test(random_cases_agree_with_a_plain_simulation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
