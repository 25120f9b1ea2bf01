/*
 * junit: a run's expectations and its faults as JUnit XML, for whatever shows test results.
 *
 * One testsuite, its name and every classname the scenario's; a case for each expectation and for each fault (which
 * has to land). What was not judged is skipped. No time: what the cases are about is virtual. Text is escaped, and
 * what XML 1.0 cannot hold becomes `?`.
 */
#ifndef EDGES_JUNIT_H
#define EDGES_JUNIT_H

#include "edges/report.h"

/* Adds the document. */
void junit_write(struct text *out, const struct report *report);

#endif
