/*
 * pg_scan: the full scan that a scenario is about, and how many rows make it as heavy on a real server as in the model.
 *
 * In the model a table of N rows is scanned cores / (N x cost of a row) times a second. A real server needs another
 * time for a row, of all its cores together, and so gets factor x N rows: its capacity is then the model's along the
 * whole curve of the table. Nothing is measured here (pg_calibration.h does), nothing allocated.
 */
#ifndef EDGES_PG_SCAN_H
#define EDGES_PG_SCAN_H

#include "core/actor.h"
#include "core/text.h"

/* Rows over there for one of the scenario; and what a table may have at most. */
#define PG_FACTOR_LEAST 0.02
#define PG_FACTOR_MOST 100.0
#define PG_ROWS_MOST 5e6

enum { PG_SCANNERS_MAX = 64, PG_SCANNERS_DEFAULT = 20 };

struct pg_scan {
    const struct statement *statement;
    int at_once; /* connections that the pool before it has */
    double model_ns; /* between two rows, all cores at work */
    double rows_first, rows_most; /* of the scenario's curve */
};

/* The statement that scans because of the scenario's faults; else one that its alerts and expectations name; else the
   first whose index was never there. False: even that takes no time worth a measurement, a scan of the table less than
   PG_SCAN_LEAST_NS. */
#define PG_SCAN_LEAST_NS (50 * NS_PER_MS)
bool pg_scan_choose(struct pg_scan *scan, const struct registry *registry, const struct scenario *scenario);

/* For a server with so many nanoseconds between two rows; bounded, and rounded by up to 2.5 %, so that the next start
   finds the rows it wants. */
double pg_scan_factor(const struct pg_scan *scan, double real_ns);

/* "calibrated: 62 ns a row at 20 at once; 252,300 rows of the scenario are 531,000 here" */
void pg_scan_tell(const struct pg_scan *scan, double real_ns, struct text *line);

#endif
