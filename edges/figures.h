/*
 * figures: numbers as a person reads them. Each is added at the end of a text.
 */
#ifndef EDGES_FIGURES_H
#define EDGES_FIGURES_H

#include "core/text.h"

void figure_ratio(struct text *text, double ratio); /* 0.1434 -> 14.3 % */
void figure_latency(struct text *text, double seconds); /* 312 ms, 2.83 s */
void figure_answered(struct text *text, double seconds); /* likewise; "-" where nobody was there to answer */
void figure_per_second(struct text *text, double rate); /* 15.7/s; whole from 1,000/s on */
void figure_usd(struct text *text, int64_t cents); /* $3,590,123 */

/* part / whole; 0 of nothing. */
double figure_share(uint64_t part, uint64_t whole);

#endif
