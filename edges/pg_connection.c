#include "edges/pg_connection.h"

#include "core/draw.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIGITS = 24, BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 1000, PURPOSE_BACKOFF = 0x400 };

enum state { CONNECTING, SETTING, IDLE, BUSY, BROKEN /* until it is tried again */ };

struct pg_connection {
    struct pg_connection_options options;
    enum state state;
    PGconn *pg; /* NULL: BROKEN */
    PGresult *result; /* the last of what is under way */
    char *application;
    unsigned failures; /* in a row */
    ev_io io;
    ev_timer limit; /* of an attempt or of an answer */
    ev_timer later; /* the next attempt, or what could not even be sent */
};

/* plan_cache_mode: a plan for these parameters, as EXPLAIN gives it; the others: one core a statement. */
static const char set_session[] =
    "SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false), "
    "set_config('plan_cache_mode', 'force_custom_plan', false), "
    "set_config('max_parallel_workers_per_gather', '0', false), set_config('jit', 'off', false), "
    "set_config('idle_in_transaction_session_timeout', '60s', false)";

/* The connection's own parameters win over those of the URL, but for the time limits of TCP. */
static void keywords(const char *conninfo, const struct pg_address *address, const char *application,
                     const char *limit, const char *names[static 8], const char *values[static 8])
{
    static const char *const fixed[] = {"tcp_user_timeout", "dbname", "application_name", "client_encoding",
                                        "connect_timeout",  "host",   "hostaddr",         NULL};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        names[i] = fixed[i];
    values[0] = "30000";
    values[1] = conninfo;
    values[2] = application;
    values[3] = "UTF8";
    values[4] = limit;
    values[5] = address ? address->hosts : NULL; /* NULL: not given */
    values[6] = address ? address->addresses : NULL;
    values[7] = NULL;
}

static void timeout_text(char text[static DIGITS], int64_t timeout_ns)
{
    snprintf(text, DIGITS, "%lldms", (long long)(timeout_ns / NS_PER_MS));
}

static void ignore_notice(void *owner, const PGresult *notice)
{
    (void)owner;
    (void)notice;
}

const char *pg_message(const PGconn *connection)
{
    static char text[512];
    snprintf(text, sizeof text, "%s", PQerrorMessage(connection));
    text[strcspn(text, "\n")] = '\0';
    return text[0] ? text : "connection lost";
}

PGconn *pg_connect_blocking(const char *conninfo, const struct pg_address *address, const char *application,
                            int limit_s, int64_t statement_timeout_ns)
{
    const char *names[8], *values[8];
    char limit[DIGITS], timeout[DIGITS];
    snprintf(limit, sizeof limit, "%d", limit_s);
    timeout_text(timeout, statement_timeout_ns);
    keywords(conninfo, address, application, limit, names, values);
    PGconn *pg = PQconnectdbParams(names, values, 1);
    ASSERT(pg);
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    if (PQstatus(pg) == CONNECTION_OK)
        PQclear(PQexecParams(pg, set_session, 2, NULL, (const char *const[]){"0", timeout}, NULL, NULL, 0));
    return pg;
}

/* ---- its life ---- */

static void watch(struct pg_connection *connection, int events)
{
    ev_io_stop(connection->options.loop, &connection->io);
    ev_io_set(&connection->io, PQsocket(connection->pg), events);
    ev_io_start(connection->options.loop, &connection->io);
}

static void arm(struct pg_connection *connection, ev_timer *timer, double seconds)
{
    ev_timer_stop(connection->options.loop, timer);
    ev_timer_set(timer, seconds, 0);
    ev_timer_start(connection->options.loop, timer);
}

static void let_go(struct pg_connection *connection)
{
    struct ev_loop *loop = connection->options.loop;
    ev_io_stop(loop, &connection->io);
    ev_timer_stop(loop, &connection->limit);
    ev_timer_stop(loop, &connection->later);
    PQclear(connection->result);
    PQfinish(connection->pg);
    connection->result = NULL;
    connection->pg = NULL;
    connection->state = BROKEN;
}

static void lose(struct pg_connection *connection, enum status status, const char *why)
{
    char told[512];
    uint64_t chance =
        draw((uint64_t)getpid(), (uint64_t)(uintptr_t)connection, PURPOSE_BACKOFF, connection->failures).a;
    double most_ms = MIN(BACKOFF_FIRST_MS << MIN(connection->failures, 4u), BACKOFF_MOST_MS);
    snprintf(told, sizeof told, "%s", why);
    let_go(connection);
    connection->failures++;
    arm(connection, &connection->later, most_ms / 1000 * (0.5 + draw_uniform(chance) / 2));
    connection->options.lost(connection->options.owner, status, told);
}

static void lose_it(struct pg_connection *connection)
{
    const char *sqlstate =
        connection->result ? PQresultErrorField(connection->result, PG_DIAG_SQLSTATE) : NULL;
    bool full = sqlstate && strcmp(sqlstate, "53300") == 0;
    lose(connection, full ? STATUS_CONNECTIONS_EXHAUSTED : STATUS_CONNECTION_LOST,
         pg_message(connection->pg));
}

/* ---- what is under way ---- */

static void sent(struct pg_connection *connection, int accepted)
{
    ASSERT(connection->state == IDLE || connection->state == SETTING);
    if (connection->state == IDLE)
        connection->state = BUSY;
    int limit_s = connection->options.answer_limit_s;
    arm(connection, &connection->limit, limit_s ? limit_s : PG_ANSWER_LIMIT_S);
    if (!accepted) {
        arm(connection, &connection->later, 0);
        return;
    }
    watch(connection, PQflush(connection->pg) ? EV_READ | EV_WRITE : EV_READ);
}

void pg_connection_prepare(struct pg_connection *connection, const char *name, const char *sql, int count,
                           const Oid *types)
{
    ASSERT(pg_connection_idle(connection));
    sent(connection, PQsendPrepare(connection->pg, name, sql, count, types));
}

void pg_connection_run(struct pg_connection *connection, const char *name, int count,
                       const char *const *values)
{
    ASSERT(pg_connection_idle(connection));
    sent(connection, PQsendQueryPrepared(connection->pg, name, count, values, NULL, NULL, 0));
}

void pg_connection_ask(struct pg_connection *connection, const char *sql, int count, const Oid *types,
                       const char *const *values)
{
    ASSERT(pg_connection_idle(connection));
    sent(connection, PQsendQueryParams(connection->pg, sql, count, types, values, NULL, NULL, 0));
}

static void set(struct pg_connection *connection)
{
    char lock[DIGITS];
    timeout_text(lock, connection->options.lock_timeout_ns);
    connection->state = SETTING;
    PQsetnonblocking(connection->pg, 1);
    sent(connection, PQsendQueryParams(connection->pg, set_session, 2, NULL, (const char *const[]){lock, "0"},
                                       NULL, NULL, 0));
}

static void finish(struct pg_connection *connection)
{
    enum state was = connection->state;
    PGresult *result = connection->result;
    connection->result = NULL;
    connection->state = IDLE;
    ev_timer_stop(connection->options.loop, &connection->limit);
    if (was == SETTING) {
        connection->failures = 0;
        PQclear(result);
        connection->options.ready(connection->options.owner);
        return;
    }
    connection->options.done(connection->options.owner, result);
    PQclear(result);
}

/* A session that ends says so in the answer to what it was asked last. */
static bool fatal(const PGresult *result)
{
    const char *severity = result ? PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED) : NULL;
    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

static void take(struct pg_connection *connection)
{
    if (!PQconsumeInput(connection->pg)) {
        lose_it(connection);
        return;
    }
    if (PQflush(connection->pg) == 0)
        watch(connection, EV_READ);
    while (connection->state != IDLE && !PQisBusy(connection->pg)) {
        PGresult *next = PQgetResult(connection->pg);
        if (!next) {
            if (PQstatus(connection->pg) == CONNECTION_BAD)
                lose_it(connection);
            else
                finish(connection);
            return;
        }
        PQclear(connection->result);
        connection->result = next;
        if (fatal(next)) {
            lose_it(connection);
            return;
        }
    }
}

/* ---- connecting ---- */

/* libpq keeps the code of an attempt that was refused to itself; its message is in the server's own language, but
   the code stands before it (PQERRORS_SQLSTATE). */
static enum status why_refused(const char *message)
{
    return strstr(message, "  53300: ") ? STATUS_CONNECTIONS_EXHAUSTED : STATUS_CONNECTION_LOST;
}

static void go_on(struct pg_connection *connection, PostgresPollingStatusType wants)
{
    switch (wants) {
    case PGRES_POLLING_READING:
        watch(connection, EV_READ);
        return;
    case PGRES_POLLING_WRITING:
        watch(connection, EV_WRITE);
        return;
    case PGRES_POLLING_OK:
        set(connection);
        return;
    default:
        lose(connection, why_refused(PQerrorMessage(connection->pg)), pg_message(connection->pg));
    }
}

static void begin(struct pg_connection *connection)
{
    const char *names[8], *values[8];
    keywords(connection->options.conninfo, connection->options.address, connection->application, NULL, names,
             values);
    connection->pg = PQconnectStartParams(names, values, 1);
    ASSERT(connection->pg);
    PQsetNoticeReceiver(connection->pg, ignore_notice, NULL);
    PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE);
    connection->state = CONNECTING;
    if (PQstatus(connection->pg) == CONNECTION_BAD || PQsocket(connection->pg) < 0) {
        arm(connection, &connection->later, 0);
        return;
    }
    arm(connection, &connection->limit, PG_CONNECT_LIMIT_S);
    watch(connection, EV_WRITE);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    struct pg_connection *connection = io->data;
    if (connection->state == CONNECTING) {
        ev_io_stop(loop, io); /* the socket may become another one */
        go_on(connection, PQconnectPoll(connection->pg));
    } else {
        take(connection);
    }
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct pg_connection *connection = timer->data;
    lose(connection, STATUS_CONNECTION_LOST,
         connection->state == CONNECTING ? "no connection in time" : "no answer in time");
}

static void on_later(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct pg_connection *connection = timer->data;
    if (connection->state == BROKEN)
        begin(connection);
    else
        lose_it(connection);
}

struct pg_connection *pg_connection_open(const struct pg_connection_options *options)
{
    struct pg_connection *connection = base_alloc(1, sizeof *connection);
    connection->options = *options;
    connection->application = base_copy(options->application);
    ev_io_init(&connection->io, on_io, -1, 0);
    ev_timer_init(&connection->limit, on_limit, 0, 0);
    ev_timer_init(&connection->later, on_later, 0, 0);
    connection->io.data = connection->limit.data = connection->later.data = connection;
    begin(connection);
    return connection;
}

void pg_connection_close(struct pg_connection *connection)
{
    if (!connection)
        return;
    let_go(connection);
    free(connection->application);
    free(connection);
}

bool pg_connection_idle(const struct pg_connection *connection)
{
    return connection->state == IDLE;
}

int pg_connection_pid(const struct pg_connection *connection)
{
    return connection->pg ? PQbackendPID(connection->pg) : 0;
}
