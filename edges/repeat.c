#include "edges/repeat.h"

#include <stdio.h>

static struct {
    const struct options *options;
    const char *file;
    uint64_t seed;
    const struct world *world;
} run;

void repeat_quote(struct text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
    if (*word && strspn(word, plain) == strlen(word)) {
        text_str(text, word);
        return;
    }
    text_char(text, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            text_lit(text, "'\\''");
        else
            text_char(text, *word);
    }
    text_char(text, '\'');
}

/* A URL may have a password in it. */
static void put_store(struct text *line, const char *option, const char *where)
{
    if (!where)
        return;
    text_str(line, option);
    static const char *const words[] = {"managed", "model", "env"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(where, words[i]) == 0) {
            text_str(line, where);
            return;
        }
    text_lit(line, "URL");
}

void repeat_print(void)
{
    struct text line = {0};
    text_lit(&line, "repeat: doorbuster ");
    text_str(&line, run.options->verb);
    text_char(&line, ' ');
    repeat_quote(&line, run.file);
    text_lit(&line, " --seed ");
    text_u64(&line, run.seed);
    if (run.options->from_ns) {
        text_lit(&line, " --from ");
        text_duration(&line, run.options->from_ns);
    }
    if (run.options->speed < 1 || run.options->speed > 1) {
        text_lit(&line, " --speed ");
        text_fixed(&line, run.options->speed, run.options->speed < 10 ? 1 : 0);
    }
    for (size_t i = 0; i < run.options->setting_count; i++) {
        text_lit(&line, " --set ");
        repeat_quote(&line, run.options->settings[i]);
    }
    put_store(&line, " --postgres ", run.options->postgres);
    put_store(&line, " --redis ", run.options->redis);
    fprintf(stderr, "%s\n", text_c(&line));
    text_fini(&line);
}

static void on_broken(const char *condition, const char *file, int line)
{
    base_on_broken = NULL; /* what follows may break as well */
    fprintf(stderr, "doorbuster: broken: %s, at %s:%d", condition, file, line);
    fprintf(stderr, " (seed %llu", (unsigned long long)run.seed);
    if (run.world)
        fprintf(stderr, ", instant %lld ns", (long long)world_now(run.world));
    fputs(")\n", stderr);
    repeat_print();
}

void repeat_watch(const struct options *options, const char *file, uint64_t seed)
{
    run.options = options;
    run.file = file;
    run.seed = seed;
    base_on_broken = on_broken;
}

void repeat_world(const struct world *world)
{
    run.world = world;
}
