#include "edges/live_say.h"

#include "edges/registry.h"

#include <stdio.h>

void live_say_listening(const struct session *session, const struct placement *placement)
{
    const char *address = session->options->listen ? session->options->listen : "127.0.0.1";
    if (session->options->quiet)
        return;
    if (!placement->spread) {
        fprintf(stderr, "listening on %s:8010 to 8020; try curl http://%s:8018/\n", address, address);
        return;
    }
    for (size_t i = 0; i < registry.kind_count; i++) {
        const struct actor_kind *kind = registry.kinds[i];
        if (!placement->hosts[i])
            continue;
        if (kind->store)
            fprintf(stderr, "%s: for its peers on %s:%u\n", kind->service, address, placement_port(kind));
        else
            fprintf(stderr, "%s: listening on %s:%u, for its peers on %u\n", kind->service, address,
                    kind->port, placement_port(kind));
    }
}

static void put_us(struct text *line, const char *name, const struct histogram *histogram)
{
    text_str(line, name);
    text_lit(line, " p50 ");
    text_fixed(line, histogram_quantile(histogram, 0.5) * 1e6, 0);
    text_lit(line, " us, p99 ");
    text_fixed(line, histogram_quantile(histogram, 0.99) * 1e6, 0);
    text_lit(line, " us");
}

void live_say_lag(const struct session *session, const struct histogram *lag)
{
    struct text line = {0};
    if (session->options->quiet)
        return;
    put_us(&line, "loop lag", lag);
    text_char(&line, '\n');
    for (size_t i = 0; i < session->scenario->stream_count; i++) {
        const struct stream_stats *stats = &world_stats(session->world)->streams[i];
        text_str(&line, session->scenario->streams[i].name);
        put_us(&line, ": start error", &stats->start_error);
        text_lit(&line, "; ");
        text_count(&line, stats->late);
        text_lit(&line, " of ");
        text_count(&line, stats->started);
        text_lit(&line, " over 1 ms late\n");
    }
    if (!pace_kept_up(&session->pace))
        text_lit(&line, "this machine did not keep up: latencies are too long; run slower, or alone\n");
    fputs(text_c(&line), stderr);
    text_fini(&line);
}
