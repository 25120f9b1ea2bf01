/*
 * pool oracle: the pool of core/pool.h against pgbouncer, which knows nothing of it. 43 come at once, each holds its
 * connection for 2.8 s, 20 are there, and who has waited for 5 s goes without: in virtual time before the model, in
 * real time before a PostgreSQL, and through pgbouncer before the same one.
 */
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "tests/contract/store_bench.h"

enum { COME = 43, POOL = 20, HOLD_MS = 2800, LIMIT_MS = 5000 };
/* Of real time: how long a wait of nothing may be, how late the test itself, and how often it is tried. */
enum { NOTHING_MS = 100, LATE_MS = 100, TRIES = 3, POLL_MS = 10, START_TRIES = 1000, ROWS = 2000 };

static const char bouncer[] = "/usr/sbin/pgbouncer";
static const char hold[] = "SELECT pg_sleep(2.8)";

/* What became of them, the shortest waits first. */
struct outcome {
    double served_ms[COME], refused_ms[COME];
    int served, refused;
};

static struct pg_server server;
static bool there;

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void put(struct outcome *outcome, bool served, double took_ms)
{
    if (served)
        outcome->served_ms[outcome->served++] = took_ms - HOLD_MS;
    else
        outcome->refused_ms[outcome->refused++] = took_ms;
}

static void tell(const char *what, struct outcome *outcome)
{
    qsort(outcome->served_ms, (size_t)outcome->served, sizeof(double), by_size);
    qsort(outcome->refused_ms, (size_t)outcome->refused, sizeof(double), by_size);
    print_message(
        "%-24s served %d after %.0f .. %.0f and %.0f .. %.0f ms, timed out %d after %.0f .. %.0f ms\n", what,
        outcome->served, outcome->served_ms[0], outcome->served_ms[POOL - 1], outcome->served_ms[POOL],
        outcome->served_ms[MAX(outcome->served - 1, 0)], outcome->refused, outcome->refused_ms[0],
        outcome->refused_ms[MAX(outcome->refused - 1, 0)]);
}

/* ---- ours ---- */

/* Their connections are open then, as pgbouncer's are. */
static void warm_up(struct store_bench *bench)
{
    uint64_t tokens[POOL];
    for (int i = 0; i < POOL; i++)
        tokens[i] = bench_through(bench, "GET /stock", "[7]");
    for (int i = 0; i < POOL; i++)
        assert_int_equal(bench_wait(bench, tokens[i])->status, STATUS_OK);
    bench_pass(bench, MS(1));
    bench->late_ns = 0;
}

/* As below: how late the test was. */
static double ours(struct outcome *outcome, const struct pg_server *real)
{
    struct store_bench bench;
    uint64_t tokens[COME];
    bench_begin(&bench, real);
    struct scenario *scenario = &bench.toy.scenario;
    scenario->services[0] =
        (struct service_spec){.service = "asker",
                              .pools = {{.name = "p", .max = POOL, .acquire_timeout_ns = MS(LIMIT_MS)}},
                              .pool_count = 1};
    scenario->service_count = 1;
    bench_open(&bench);
    warm_up(&bench);
    struct fault_spec delay = FAULT(0, FAULT_QUERY_DELAY, "asker", MS(HOLD_MS));
    assert_int_equal(world_set_fault(bench.toy.world, &delay, world_now(bench.toy.world)), STATUS_OK);
    int64_t since_ns = world_now(bench.toy.world);
    for (int i = 0; i < COME; i++)
        tokens[i] = bench_through(&bench, "GET /stock", "[7]");
    *outcome = (struct outcome){.served = 0};
    for (int i = 0; i < COME; i++) {
        const struct toy_answer *answer = bench_wait(&bench, tokens[i]);
        put(outcome, answer->status == STATUS_OK, (double)(answer->at_ns - since_ns) / 1e6);
    }
    double late_ms = (double)bench.late_ns / 1e6;
    bench_end(&bench);
    return late_ms;
}

/* ---- theirs ---- */

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static pid_t begin_bouncer(char conninfo[static 128])
{
    char path[96];
    snprintf(path, sizeof path, "%s/pgbouncer.ini", server.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "[databases]\npostgres = host=%s user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
            "unix_socket_dir = %s\nauth_type = any\npool_mode = transaction\ndefault_pool_size = %d\n"
            "query_wait_timeout = %d\nmax_client_conn = 100\n",
            server.folder, server.folder, POOL, LIMIT_MS / 1000);
    assert_int_equal(fclose(file), 0);
    pid_t pid = pg_server_begin(&server, bouncer, (const char *const[]){"-q", path, NULL});
    snprintf(conninfo, 128, "host=%s port=6432 user=postgres dbname=postgres", server.folder);
    for (int i = 0; i < START_TRIES && PQping(conninfo) != PQPING_OK; i++)
        poll(NULL, 0, POLL_MS);
    assert_int_equal(PQping(conninfo), PQPING_OK);
    return pid;
}

/* True: it is over, by an answer or by the end of the connection. */
static bool look(PGconn *pg, bool *served)
{
    bool lives = PQconsumeInput(pg) == 1;
    if (lives && PQisBusy(pg))
        return false;
    PGresult *result = PQgetResult(pg);
    *served = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    return true;
}

/* All ask at once; the most that this loop was late itself, which makes every figure worth so much less. */
static double ask_all(PGconn *const *clients, int count, const char *sql, struct outcome *outcome)
{
    bool over[COME] = {false};
    double began_ms = now_ms(), turned_ms = began_ms, late_ms = 0;
    for (int i = 0; i < count; i++)
        assert_int_equal(PQsendQuery(clients[i], sql), 1);
    for (int left = count; left;) {
        for (int i = 0; i < count; i++) {
            bool served;
            if (over[i] || !look(clients[i], &served))
                continue;
            over[i] = true;
            left--;
            put(outcome, served, now_ms() - began_ms);
        }
        late_ms = MAX(late_ms, now_ms() - turned_ms - POLL_MS);
        turned_ms = now_ms();
        assert_true(turned_ms - began_ms < 20000);
        poll(NULL, 0, POLL_MS);
    }
    return late_ms;
}

static double theirs(struct outcome *outcome, const char *conninfo)
{
    PGconn *clients[COME];
    struct outcome warm = {.served = 0};
    for (int i = 0; i < COME; i++) {
        clients[i] = PQconnectdb(conninfo);
        assert_int_equal(PQstatus(clients[i]), CONNECTION_OK);
    }
    /* It opens its connections one after the other; ours are compared with those that stand. */
    ask_all(clients, POOL, "SELECT pg_sleep(0.5)", &warm);
    assert_int_equal(warm.served, POOL);
    for (int i = 0; i < POOL; i++)
        PQclear(PQgetResult(clients[i])); /* the end of that answer */
    *outcome = (struct outcome){.served = 0};
    double late_ms = ask_all(clients, COME, hold, outcome);
    for (int i = 0; i < COME; i++)
        PQfinish(clients[i]);
    return late_ms;
}

/* ---- both ---- */

static void compare(const struct outcome *our, const struct outcome *their)
{
    assert_true(abs(our->refused - their->refused) <= 1);
    assert_int_equal(our->served + our->refused, COME);
    assert_int_equal(their->served + their->refused, COME);
    for (int i = 0; i < MIN(our->served, their->served); i++)
        assert_true(fabs(our->served_ms[i] - their->served_ms[i]) <=
                    MAX(0.1 * their->served_ms[i], NOTHING_MS));
    for (int i = 0; i < MIN(our->refused, their->refused); i++)
        assert_true(fabs(our->refused_ms[i] - their->refused_ms[i]) <= 0.1 * their->refused_ms[i]);
}

static bool play(struct outcome *outcome, const char *conninfo)
{
    double late_ms = LATE_MS + 1;
    for (int i = 0; i < TRIES && late_ms > LATE_MS; i++) {
        late_ms = conninfo ? theirs(outcome, conninfo) : ours(outcome, &server);
        tell(conninfo ? "pgbouncer" : "before a PostgreSQL", outcome);
    }
    if (late_ms > LATE_MS)
        print_message("SKIPPED: the test itself was %.0f ms late, %d times\n", late_ms, TRIES);
    return late_ms <= LATE_MS;
}

static void waits_and_time_outs_are_those_of_pgbouncer(void **state)
{
    (void)state;
    struct outcome model, real, other;
    char conninfo[128];
    if (!there || access(bouncer, X_OK) != 0) {
        print_message(
            "SKIPPED: not here: PostgreSQL or pgbouncer (apt-get install postgresql-15 pgbouncer)\n");
        return;
    }
    ours(&model, NULL);
    tell("in virtual time", &model);
    pid_t pid = begin_bouncer(conninfo);
    bool fair = play(&other, conninfo);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    if (!fair)
        return;
    compare(&model, &other);
    if (play(&real, NULL))
        compare(&real, &other);
}

static int make_server(void **state)
{
    (void)state;
    there = pg_server_make(&server, ROWS);
    return 0;
}

static int remove_server(void **state)
{
    (void)state;
    if (there)
        pg_server_remove(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits_and_time_outs_are_those_of_pgbouncer)};
    return cmocka_run_group_tests(tests, make_server, remove_server);
}
