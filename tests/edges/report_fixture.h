/* report_fixture: a small incident with figures chosen by hand, for the tests of the reports. */
#ifndef TESTS_EDGES_REPORT_FIXTURE_H
#define TESTS_EDGES_REPORT_FIXTURE_H

#include "edges/report.h"

struct fixture {
    struct scenario scenario;
    struct run_stats stats;
    struct registry registry;
    struct report report;
};

/* Ten minutes of 100 requests: `baseline` without errors; `demo`, from minute 1 on, fails for want of a
   connection (0 0 20 50 80 100 ... a minute, 550 in all); of two alerts one fires, of two expectations one
   fails, the one fault lands. The story holds what a terminal must not get. */
struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);

#endif
