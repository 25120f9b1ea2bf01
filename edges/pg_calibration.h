/*
 * pg_calibration: how fast a real server scans - measured as throughput, as many at once as a scenario's pool lets
 * through, before the run.
 *
 * The statement runs as it stands, with indexes switched off for these sessions alone (enable_indexscan and its
 * like), so that nothing is dropped and nobody else notices. Blocks: PG_CALIBRATION_WARM_MS to get going, then
 * PG_CALIBRATION_MS, longer on a slow server until each session has had three turns, at most PG_CALIBRATION_LIMIT_MS.
 */
#ifndef EDGES_PG_CALIBRATION_H
#define EDGES_PG_CALIBRATION_H

#include "edges/pg_connection.h"
#include "edges/pg_scan.h"

enum { PG_CALIBRATION_WARM_MS = 300, PG_CALIBRATION_MS = 2000, PG_CALIBRATION_LIMIT_MS = 20000 };

/* A table of fewer rows says more of the way to the server than of its scans. */
enum { PG_CALIBRATION_ROWS_MIN = 100000 };

struct pg_calibration {
    int64_t rows; /* of the table */
    uint64_t scans; /* counted */
    double took_ns;
    double row_ns; /* between two rows, of all sessions together */
};

/* False: not measured, and why in one line without its end. */
bool pg_calibrate(const char *conninfo, const struct pg_address *address, const struct pg_scan *scan,
                  struct pg_calibration *calibration, struct text *why);

struct pg_fit_options {
    const char *conninfo;
    const struct pg_address *address;
    const struct pg_scan *scan;
    double rows; /* of the scenario, where the run begins */
    /* Gives the table so many rows. False: explained. */
    bool (*resize)(void *owner, int64_t rows, struct text *error);
    void *owner;
    bool quiet; /* says nothing on stderr, but that it could not be done */
};

/* Measures, gives the table its rows, and measures again if it was of another size altogether; then says what came of
   it. `rows`: that the table has now. 0: explained, the table may be of any size. Where nothing could be measured the
   factor is 1, which is said. */
double pg_fit(const struct pg_fit_options *options, int64_t rows, struct text *error);

#endif
