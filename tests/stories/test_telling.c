/*
 * The transcript is the assertion: a small scenario's telling, line by line, against telling.expected.
 *
 *     time      service                 kind      what            status, how long it took
 *
 * A span is told when it ends. DOORBUSTER_TELL=1 writes the file anew; its diff is then for a person to read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text.h"
#include "tests/stories/story.h"

#define SCENARIO "tests/stories/telling.yaml"
#define SEED 27 /* one that has it all: served, lost, healed, and a page without its advertisements */
#define EXPECTED "tests/stories/telling.expected"

struct teller {
    struct world *world;
    struct text text;
};

static void tell(struct teller *teller, int64_t at_ns, const char *service, const char *kind,
                 const char *what)
{
    char head[200];
    int64_t ms = at_ns / NS_PER_MS;
    snprintf(head, sizeof head, "%02d:%02d.%03d  %-22s  %-8s  %s", (int)(ms / 60000), (int)(ms / 1000 % 60),
             (int)(ms % 1000), service, kind, what);
    text_str(&teller->text, head);
}

static void tell_span(void *owner, const struct span *span)
{
    static const char *const kinds[] = {"", "internal", "server", "client"};
    struct teller *teller = owner;
    char what[120], outcome[80];
    snprintf(what, sizeof what, "%*s%s", 2 * span->depth - 2, "", span->site->name);
    tell(teller, span->end_ns, world_service(teller->world, span->site->service)->service,
         kinds[span->site->kind], what);
    snprintf(outcome, sizeof outcome, ": %s after %lld ms%s\n", status_info(span->status)->text,
             (long long)((span->end_ns - span->start_ns) / NS_PER_MS), span->depth == 1 ? "\n" : "");
    text_str(&teller->text, outcome);
}

static void tell_log(void *owner, const struct log_record *record)
{
    struct teller *teller = owner;
    tell(teller, record->at_ns, world_service(teller->world, record->service)->service,
         log_severity_text(record->severity), log_body_text(record->body));
    for (size_t i = 0; i < record->attrs.count; i++) {
        const struct attr *attr = &record->attrs.list[i];
        if (attr->type != ATTR_TEXT)
            continue;
        text_str(&teller->text, i ? ", " : ": ");
        text_bytes(&teller->text, attr->text, attr->len);
    }
    text_char(&teller->text, '\n');
}

static void read_file(struct text *text, const char *path)
{
    FILE *file = fopen(path, "rb");
    char bytes[4096];
    if (!file)
        return;
    for (size_t len; (len = fread(bytes, 1, sizeof bytes, file));)
        text_bytes(text, bytes, len);
    fclose(file);
}

static void write_file(struct text *text, const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->bytes, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
    print_message("wrote %s\n", path);
}

/* The first line that differs is told from both. */
static void compare(const char *expected, const char *told)
{
    int line = 1;
    while (*expected && *expected == *told) {
        line += *expected == '\n';
        expected++;
        told++;
    }
    if (*expected || *told)
        fail_msg("the telling differs from %s in line %d, at\n  expected: %.*s\n  told:     %.*s\n"
                 "Look at both (DOORBUSTER_TELL=1 writes the file anew, git diff shows what changed).",
                 EXPECTED, line, (int)strcspn(expected, "\n"), expected, (int)strcspn(told, "\n"), told);
}

static void test_telling(void **state)
{
    (void)state;
    struct teller teller = {0};
    struct sink sink = {.owner = &teller, .span = tell_span, .log = tell_log};
    struct story story = story_open(SCENARIO, SEED, &sink, NULL);
    teller.world = story.world;
    story_run(&story);
    struct text expected = {0};
    read_file(&expected, story_path(EXPECTED));
    const char *wish = getenv("DOORBUSTER_TELL");
    if (wish && strcmp(wish, "1") == 0)
        write_file(&teller.text, story_path(EXPECTED));
    else
        compare(text_c(&expected), text_c(&teller.text));
    text_fini(&expected);
    text_fini(&teller.text);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_telling)};
    return cmocka_run_group_tests_name("telling", tests, NULL, NULL);
}
