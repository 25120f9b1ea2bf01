#include "edges/pg_calibration.h"

#include "edges/pg_row.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OPEN_LIMIT_S = 3, STATEMENT_LIMIT_S = 20, TURNS = 3 };

static const char *const categories[] = {"electronics", "furniture", "sports", "kitchen",
                                         "garden",      "toys",      "books",  "fashion"};

/* What is sent for a parameter of this name; of one that is not here, none. */
static const struct {
    const char *name, *value;
} values_of[] = {{"price_min", "0"}, {"price_max", "10000"}, {"q", "a"}, {"id", "7"}, {"letters", "a"}};

/* A look-up is by number or by letters, which costs twice as much a row: by number one time in so many, as in the
   rushes of database-apm. */
enum { BY_NUMBER = 4 };

static const char no_indexes[] =
    "SELECT set_config('enable_indexscan', 'off', false), set_config('enable_indexonlyscan', 'off', false), "
    "set_config('enable_bitmapscan', 'off', false)";

struct scanners {
    PGconn *sessions[PG_SCANNERS_MAX];
    const char *values[PG_SCANNERS_MAX][PG_PARAMS_MAX];
    struct pollfd polls[PG_SCANNERS_MAX];
    int count, param_count, under_way;
    uint64_t done;
    int64_t last_ns; /* when the last one was done */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static bool fail(struct text *why, const char *what)
{
    text_str(why, what);
    return false;
}

static bool ran(PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* ---- sessions ---- */

static bool is_called(const struct body_field *field, const char *name)
{
    return field->name.len == strlen(name) && memcmp(field->name.at, name, field->name.len) == 0;
}

static const char *value_of(const struct body_field *field, int session)
{
    if (field->optional && is_called(field, "id") != (session % BY_NUMBER == 0))
        return NULL;
    if (is_called(field, "category"))
        return categories[(size_t)session % ARRAY_LEN(categories)];
    for (size_t i = 0; i < ARRAY_LEN(values_of); i++)
        if (is_called(field, values_of[i].name))
            return values_of[i].value;
    return NULL;
}

static bool open_session(struct scanners *scanners, const char *conninfo, const struct pg_address *address,
                         const struct statement *statement, const struct pg_shape *shape, struct text *why)
{
    PGconn *pg = pg_connect_blocking(conninfo, address, "doorbuster-calibration", OPEN_LIMIT_S,
                                     STATEMENT_LIMIT_S * NS_PER_S);
    int at = scanners->count;
    scanners->sessions[scanners->count++] = pg;
    if (PQstatus(pg) != CONNECTION_OK || !ran(PQexec(pg, no_indexes)) ||
        !ran(PQprepare(pg, "scan", statement->sql, shape->param_count, shape->param_types)))
        return fail(why, pg_message(pg));
    for (int i = 0; i < shape->param_count; i++)
        scanners->values[at][i] = value_of(&shape->takes.fields[i], at);
    scanners->polls[at] = (struct pollfd){.fd = PQsocket(pg), .events = POLLIN};
    return true;
}

static void close_sessions(struct scanners *scanners)
{
    for (int i = 0; i < scanners->count; i++)
        PQfinish(scanners->sessions[i]);
    scanners->count = 0;
}

/* ---- turns ---- */

static bool send_scan(struct scanners *scanners, int at)
{
    scanners->under_way++;
    return PQsendQueryPrepared(scanners->sessions[at], "scan", scanners->param_count, scanners->values[at],
                               NULL, NULL, 0);
}

/* False: it failed. */
static bool take_answer(struct scanners *scanners, int at, bool again)
{
    PGconn *pg = scanners->sessions[at];
    PGresult *result;
    bool good = PQconsumeInput(pg);
    if (!good || PQisBusy(pg))
        return good;
    while ((result = PQgetResult(pg)))
        good = ran(result) && good;
    scanners->under_way--;
    scanners->done++;
    scanners->last_ns = now_ns();
    return good && (!again || send_scan(scanners, at));
}

/* Until `until_ns`, and then until what is under way is done if they are to end. */
static bool scan_until(struct scanners *scanners, int64_t until_ns, uint64_t least, int64_t limit_ns,
                       bool ends)
{
    bool good = true;
    uint64_t wanted = scanners->done + least;
    while (good && scanners->under_way) {
        int64_t now = now_ns();
        bool over = now >= limit_ns || (now >= until_ns && scanners->done >= wanted);
        if (over && !ends)
            return true;
        poll(scanners->polls, (nfds_t)scanners->count, over ? STATEMENT_LIMIT_S * 1000 : 50);
        for (int i = 0; good && i < scanners->count; i++)
            if (scanners->polls[i].revents)
                good = take_answer(scanners, i, !over);
        if (over && now_ns() > limit_ns + STATEMENT_LIMIT_S * NS_PER_S)
            return false;
    }
    return good;
}

/* Sessions that share the cores end at about the same time: between two ends of a turn counts less than a whole one. */
static bool measure(struct scanners *scanners, struct pg_calibration *calibration, struct text *why)
{
    bool good = true;
    int64_t begun_ns = now_ns(), limit_ns = begun_ns + PG_CALIBRATION_LIMIT_MS * NS_PER_MS;
    uint64_t turn = (uint64_t)scanners->count;
    for (int i = 0; i < scanners->count; i++)
        good = send_scan(scanners, i) && good;
    good = good && scan_until(scanners, begun_ns + PG_CALIBRATION_WARM_MS * NS_PER_MS, turn, limit_ns, false);
    int64_t from_ns = scanners->last_ns;
    uint64_t before = scanners->done;
    good =
        good && scan_until(scanners, from_ns + PG_CALIBRATION_MS * NS_PER_MS, TURNS * turn, limit_ns, false);
    calibration->scans = scanners->done - before;
    calibration->took_ns = (double)(scanners->last_ns - from_ns);
    good = scan_until(scanners, 0, 0, limit_ns, true) && good;
    if (!good)
        return fail(why, "a scan failed");
    if (calibration->scans < turn)
        return fail(why, "its scans take too long to be measured");
    calibration->row_ns = calibration->took_ns / ((double)calibration->scans * (double)calibration->rows);
    return true;
}

static bool count_rows(PGconn *pg, int64_t *rows, struct text *why)
{
    PGresult *result = PQexec(pg, "SELECT count(*) FROM products");
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
    *rows = good ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    if (!good)
        return fail(why, pg_message(pg));
    return *rows > 0 || fail(why, "the table is empty");
}

bool pg_calibrate(const char *conninfo, const struct pg_address *address, const struct pg_scan *scan,
                  struct pg_calibration *calibration, struct text *why)
{
    static struct scanners scanners;
    static struct pg_shape shape;
    *calibration = (struct pg_calibration){0};
    pg_shape_read(&shape, scan->statement);
    scanners = (struct scanners){.param_count = shape.param_count};
    bool good = true;
    for (int i = 0; good && i < scan->at_once; i++)
        good = open_session(&scanners, conninfo, address, scan->statement, &shape, why);
    good = good && count_rows(scanners.sessions[0], &calibration->rows, why) &&
           measure(&scanners, calibration, why);
    close_sessions(&scanners);
    return good;
}

/* ---- rows ---- */

/* A size near enough to the one measured that another measurement would find the same. */
static bool is_near(const struct pg_calibration *calibration, int64_t rows)
{
    double share = (double)rows / (double)calibration->rows;
    return share > 0.75 && share < 1.33;
}

static double unmeasured(const struct pg_fit_options *options, struct text *why, struct text *error)
{
    fprintf(stderr,
            "doorbuster: PostgreSQL: not calibrated: %s; the table has the scenario's own rows, and scans "
            "take as long as they take here\n",
            text_c(why));
    return options->resize(options->owner, (int64_t)options->rows, error) ? 1 : 0;
}

static void tell(const struct pg_fit_options *options, const struct pg_calibration *calibration)
{
    struct text line = {0};
    if (options->quiet)
        return;
    pg_scan_tell(options->scan, calibration->row_ns, &line);
    fprintf(stderr, "doorbuster: PostgreSQL: %s\n", text_c(&line));
    text_fini(&line);
}

double pg_fit(const struct pg_fit_options *options, int64_t rows, struct text *error)
{
    struct pg_calibration calibration = {0};
    struct text why = {0};
    double factor = 1;
    int64_t wanted = rows;
    if (rows < PG_CALIBRATION_ROWS_MIN && !options->resize(options->owner, PG_CALIBRATION_ROWS_MIN, error))
        return 0;
    for (int round = 0; round < 2; round++) {
        if (!options->quiet)
            fprintf(stderr, "doorbuster: PostgreSQL: measuring a scan, %d at once\n", options->scan->at_once);
        struct pg_calibration now;
        if (pg_calibrate(options->conninfo, options->address, options->scan, &now, &why)) {
            calibration = now;
        } else if (round == 0) {
            factor = unmeasured(options, &why, error);
            text_fini(&why);
            return factor;
        } else {
            break; /* another size was measured */
        }
        factor = pg_scan_factor(options->scan, calibration.row_ns);
        wanted = (int64_t)(options->rows * factor);
        if (!options->resize(options->owner, wanted, error))
            return 0;
        if (is_near(&calibration, wanted))
            break;
    }
    text_fini(&why);
    tell(options, &calibration);
    return factor;
}
