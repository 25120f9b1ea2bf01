#include "tests/actors/shop_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/shape.h"

static struct curve_point rows[] = {{0, SHOP_ROWS}};

static void set_up(struct toy *toy)
{
    toy->registry.statements = registry.statements;
    toy->registry.statement_count = registry.statement_count;
    toy->registry.indexes = registry.indexes;
    toy->registry.index_count = registry.index_count;
    toy->scenario.postgresql = (struct postgresql_spec){.cores = 8,
                                                        .max_connections = 100,
                                                        .products = {.points = rows, .count = 1},
                                                        .scan_ns_per_row = 1000,
                                                        .database = "ecommerce",
                                                        .host = "postgresql-primary-0"};
}

void shop_stores(struct toy *toy, const struct actor_kind *asker)
{
    toy_begin(toy, (const struct actor_kind *const[]){asker, &actor_postgresql, &actor_redis}, 3);
    set_up(toy);
}

void shop_begin(struct toy *toy, const struct actor_kind *extra)
{
    static const struct actor_kind *kinds[SERVICES_MAX];
    toy_begin(toy, registry.kinds, 1);
    assert_true(registry.kind_count < SERVICES_MAX);
    memcpy(kinds, registry.kinds, registry.kind_count * sizeof *kinds);
    kinds[registry.kind_count] = extra;
    toy->registry.kinds = kinds;
    toy->registry.kind_count = registry.kind_count + (extra != NULL);
    set_up(toy);
    toy->scenario.redis.keys_max = 1000;
}

/* ---- bodies ---- */

static const char *past_value(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"')
            at = strchr(at + 1, '"');
        depth += *at == '[';
        depth -= *at == ']';
        at++;
    } while (depth > 0 || (*at && !strchr(",]", *at)));
    return at;
}

static uint32_t count_items(const char *at)
{
    uint32_t count = 0;
    while (*at == ' ' || *at == ',')
        at++;
    while (*at != ']') {
        count++;
        at = past_value(at);
        while (*at == ' ' || *at == ',')
            at++;
    }
    return count;
}

void shop_pack(struct pack *pack, const char *json)
{
    while (*json) {
        const char *end = past_value(json);
        if (*json == '[') {
            pack_array(pack, count_items(json + 1));
            end = json + 1;
        } else if (*json == '"') {
            pack_text_len(pack, json + 1, (size_t)(strchr(json + 1, '"') - json - 1));
        } else if (*json == 't' || *json == 'f') {
            pack_bool(pack, *json == 't');
        } else if (*json == 'n') {
            pack_nil(pack);
        } else if (strchr("-0123456789", *json)) {
            char *number_end;
            double real = strtod(json, &number_end);
            if (memchr(json, '.', (size_t)(number_end - json)))
                pack_real(pack, real);
            else
                pack_int(pack, strtoll(json, NULL, 10));
        } else {
            end = json + 1; /* a blank, a comma, the end of an array */
        }
        json = end;
    }
}

const struct toy_answer *shop_ask(struct toy *toy, const char *service, const char *route, const char *json,
                                  int64_t wait_ns)
{
    struct pack *body = toy_pack(toy);
    shop_pack(body, json);
    uint64_t token = toy_ask(toy, service, route, body, S(30));
    toy_run_until(toy, world_now(toy->world) + wait_ns);
    return toy_answer(toy, token);
}

bool shop_fits(const char *declaration, const void *bytes, size_t len)
{
    struct body_shape shape;
    struct cursor cursor = {.at = bytes, .end = (const unsigned char *)bytes + len};
    assert_true(body_shape_parse(declaration, &shape, NULL));
    return body_shape_check(&shape, &cursor);
}

double shop_real(const struct toy_answer *answer, int skipped)
{
    struct cursor cursor = cursor_of(answer->body);
    cursor_array(&cursor);
    while (skipped--)
        cursor_skip(&cursor);
    double value = cursor_real(&cursor);
    assert_false(cursor.bad);
    return value;
}

void shop_fault(struct toy *toy, enum fault_kind kind, const char *target, double value)
{
    struct fault_spec fault = FAULT(0, kind, target, value);
    assert_int_equal(world_set_fault(toy->world, &fault, world_now(toy->world)), STATUS_OK);
}
