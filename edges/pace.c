#include "edges/pace.h"

#include "core/text.h"
#include "edges/json_put.h"

#include <stdlib.h>

void pace_read(struct pace *pace, const struct run_stats *stats, size_t streams, const struct histogram *lag)
{
    struct histogram *all = base_alloc(1, sizeof *all);
    *pace = (struct pace){.lag_p99_s = histogram_quantile(lag, 0.99), .lag_max_s = lag->count ? lag->max : 0};
    for (size_t i = 0; i < streams; i++)
        histogram_merge(all, &stats->streams[i].start_error);
    pace->started = all->count;
    pace->late = histogram_above(all, (double)PACE_LATE_NS / (double)NS_PER_S);
    pace->start_p99_s = histogram_quantile(all, 0.99);
    pace->start_max_s = all->count ? all->max : 0;
    free(all);
}

bool pace_kept_up(const struct pace *pace)
{
    return pace->late < PACE_LATE_MIN || pace->late * PACE_LATE_SHARE <= pace->started;
}

static void put_ms(struct text *out, double seconds)
{
    text_fixed(out, seconds * 1000, seconds < 0.01 ? 1 : 0);
    text_lit(out, " ms");
}

void pace_text(struct text *out, const struct pace *pace)
{
    text_count(out, pace->late);
    text_lit(out, " of ");
    text_count(out, pace->started);
    text_lit(out, " requests started over ");
    put_ms(out, (double)PACE_LATE_NS / (double)NS_PER_S);
    text_lit(out, " late, at most ");
    put_ms(out, pace->start_max_s);
    text_lit(out, "; the loop came late by up to ");
    put_ms(out, pace->lag_max_s);
}

json_t *pace_json(const struct pace *pace)
{
    json_t *all = json_object();
    json_put(all, "kept_up", json_boolean(pace_kept_up(pace)));
    json_put_count(all, "started", pace->started);
    json_put_count(all, "late", pace->late);
    json_put_ms(all, "start_error_p99_ms", pace->start_p99_s);
    json_put_ms(all, "start_error_max_ms", pace->start_max_s);
    json_put_ms(all, "loop_lag_p99_ms", pace->lag_p99_s);
    json_put_ms(all, "loop_lag_max_ms", pace->lag_max_s);
    return all;
}
