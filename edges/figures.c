#include "edges/figures.h"

void figure_ratio(struct text *text, double ratio)
{
    text_fixed(text, ratio * 100, 1);
    text_lit(text, " %");
}

void figure_latency(struct text *text, double seconds)
{
    if (seconds < 0.9995) {
        text_fixed(text, seconds * 1e3, seconds < 0.00995 ? 1 : 0);
        text_lit(text, " ms");
    } else {
        text_fixed(text, seconds, 2);
        text_lit(text, " s");
    }
}

void figure_answered(struct text *text, double seconds)
{
    if (seconds > 0)
        figure_latency(text, seconds);
    else
        text_char(text, '-');
}

void figure_per_second(struct text *text, double rate)
{
    if (rate < 1000)
        text_fixed(text, rate, 1);
    else
        text_count(text, (uint64_t)(rate + 0.5));
    text_lit(text, "/s");
}

void figure_usd(struct text *text, int64_t cents)
{
    if (cents < 0)
        text_char(text, '-');
    text_char(text, '$');
    uint64_t size = cents < 0 ? 0 - (uint64_t)cents : (uint64_t)cents;
    text_count(text, (size + 50) / 100);
}

double figure_share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}
