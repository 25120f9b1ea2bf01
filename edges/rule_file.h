/*
 * rule_file: Prometheus rules of the user's own - their bytes, and the names of the alerts in them.
 *
 * What is in the file is promtool's to judge; here only names are looked for: the value of every key `alert`.
 * At most RULE_FILE_BYTES_MAX bytes and RULE_ALERTS_MAX names; each name once, in the order of the file.
 */
#ifndef EDGES_RULE_FILE_H
#define EDGES_RULE_FILE_H

#include "core/text.h"

enum { RULE_FILE_BYTES_MAX = 1 << 20, RULE_ALERTS_MAX = 1000, RULE_NAME_MAX = 1024 };

/* What one alert did; instants on the timeline. */
struct rule_outcome {
    char *alert;
    uint32_t firings;
    int64_t fired_at_ns, resolved_at_ns; /* the first and the last; NEVER: did not, or not yet */
};

struct rule_outcomes {
    struct rule_outcome of[RULE_ALERTS_MAX];
    size_t count;
    bool cut; /* there were more, or longer names */
};

/* False: errno says why, EFBIG that it is too large. */
bool rule_file_read(const char *file, struct text *content);

/* Names that libyaml cannot read are not there. */
void rule_file_alerts(struct text *content, struct rule_outcomes *outcomes);

/* The alert of that name, added if it is new; NULL: there are too many, or the name is too long. */
struct rule_outcome *rule_outcome_of(struct rule_outcomes *outcomes, const char *alert, size_t len);
void rule_outcomes_fini(struct rule_outcomes *outcomes);

#endif
