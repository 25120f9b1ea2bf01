/*
 * hostile: thousands of request bodies that nobody should send, to every route of every service, from outside
 * and from a service of ours that passes bytes on. Each is answered once, in form, and the shop serves on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/parts.h"
#include "core/shape.h"
#include "tests/actors/shop_world.h"

enum { EACH = 250, ROUTES_MAX = 64, KINDS_OF_BODIES = 6 };

/* ---- bodies ---- */

/* Draws one after another. */
struct chance {
    uint64_t key;
    uint32_t index;
};

static uint64_t next(struct chance *chance)
{
    return draw(11, chance->key, 1, chance->index++).a;
}

static uint64_t below(struct chance *chance, uint64_t bound)
{
    return draw_below(next(chance), bound);
}

static void write_bytes(struct pack *pack, struct chance *chance, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t bits = next(chance);
        pack_raw(pack, &bits, MIN(len - i, sizeof bits));
    }
}

static void write_text(struct pack *pack, struct chance *chance)
{
    static const char *const texts[] = {"",         "electronics", "USD",         "EUR",
                                        "random",   "user-1",      "cart-1000",   "a\tb\n",
                                        "\xff\xfe", "';--",        "\xe2\x82\xac"};
    static char longest[BODY_BYTES_MAX];
    switch (below(chance, 12)) {
    case 0:
        memset(longest, 'x', sizeof longest);
        pack_text_len(pack, longest, 60000);
        break;
    case 1:
        pack_text_len(pack, longest, 64 + below(chance, 3)); /* NULs or x's, around the bound of names */
        break;
    default:
        pack_text(pack, texts[below(chance, ARRAY_LEN(texts))]);
    }
}

static void write_number(struct pack *pack, struct chance *chance, bool whole)
{
    static const int64_t ints[] = {0,    1,    -1,        17,        100,       101,
                                   5000, 5001, INT32_MAX, INT64_MAX, INT64_MIN, 1LL << 53};
    static const double reals[] = {0.0, -0.0, 99.99, 1e308, -1e308, 5e-324, 100000.0, 1e12, 1000.0, 0.5};
    if (whole || below(chance, 3) == 0)
        pack_int(pack, ints[below(chance, ARRAY_LEN(ints))]);
    else
        pack_real(pack, reals[below(chance, ARRAY_LEN(reals))]);
}

static void write_any(struct pack *pack, struct chance *chance, unsigned depth)
{
    switch (below(chance, depth < 4 ? 7 : 5)) {
    case 0:
        pack_nil(pack);
        break;
    case 1:
        pack_bool(pack, next(chance) & 1);
        break;
    case 2:
        write_number(pack, chance, false);
        break;
    case 3:
    case 4:
        write_text(pack, chance);
        break;
    default: {
        uint32_t items = (uint32_t)below(chance, 5);
        pack_array(pack, items);
        while (items--)
            write_any(pack, chance, depth + 1);
    }
    }
}

/* What the route takes, with values of the worst sort. */
static void write_fields(struct pack *pack, struct chance *chance, const struct body_shape *shape,
                         uint16_t first, uint16_t end)
{
    uint32_t count = 0;
    for (uint16_t i = first; i < end; i = shape->fields[i].next)
        count++;
    pack_array(pack, count);
    for (uint16_t i = first; i < end; i = shape->fields[i].next) {
        const struct body_field *field = &shape->fields[i];
        if (field->optional && below(chance, 3) == 0)
            pack_nil(pack);
        else if (field->type == BODY_TEXT)
            write_text(pack, chance);
        else if (field->type == BODY_INT || field->type == BODY_REAL)
            write_number(pack, chance, field->type == BODY_INT);
        else if (field->type == BODY_BOOL)
            pack_bool(pack, next(chance) & 1);
        else if (field->type == BODY_ANY)
            write_any(pack, chance, 0);
        else
            for (uint32_t items = below(chance, 8) ? (uint32_t)below(chance, 4) : 200,
                          n = (pack_array(pack, items), 0);
                 n < items; n++)
                write_fields(pack, chance, shape, (uint16_t)(i + 1), field->next);
    }
}

/* The nth body for a route. False: it would not fit into one. */
static bool write_body(struct pack *pack, const struct route *route, uint64_t key, uint64_t n)
{
    struct chance chance = {.key = key << 32 | n};
    struct body_shape shape;
    assert_true(body_shape_parse(route->takes, &shape, NULL));
    switch (n % KINDS_OF_BODIES) {
    case 0:
        write_bytes(pack, &chance, below(&chance, 40)); /* nothing at all among them */
        break;
    case 1:
        write_any(pack, &chance, 0);
        break;
    case 2:
        pack_array(pack, (uint32_t)below(&chance, 7));
        for (uint64_t i = below(&chance, 7); i; i--)
            write_any(pack, &chance, 1);
        break;
    case 3: /* sound, but for one byte */
        write_fields(pack, &chance, &shape, 0, shape.count);
        if (!pack->overflow && pack->len)
            pack->bytes[below(&chance, pack->len)] = (unsigned char)next(&chance);
        break;
    default:
        write_fields(pack, &chance, &shape, 0, shape.count);
    }
    return !pack->overflow;
}

/* ---- what must hold ---- */

static bool fits_failure(const struct body *body)
{
    return !body || shop_fits("", body->bytes, body->len) ||
           shop_fits("error:text", body->bytes, body->len) ||
           shop_fits("error:text reason:text demo_minute:int", body->bytes, body->len);
}

static void check_answer(const struct route *route, const struct toy_answer *answer, bool sound)
{
    enum status status = answer->status;
    bool good = status == STATUS_OK || status == STATUS_CREATED;
    if (!sound && status != STATUS_BAD_INPUT)
        fail_msg("%s: status %d for what it does not take", route->name, status);
    if (status != STATUS_BAD_INPUT && status != STATUS_NOT_FOUND && status != STATUS_SOLD_OUT && !good)
        fail_msg("%s: status %d for what it takes", route->name, status);
    if (good ? !shop_fits(route->answers, answer->body->bytes, answer->body->len)
             : !fits_failure(answer->body))
        fail_msg("%s: an answer that is not in form", route->name);
}

static void check_shop(struct toy *toy)
{
    const struct business_stats *shop = &world_stats(toy->world)->business;
    assert_int_equal(shop->db_pieces, shop->db_stock_taken);
    assert_int_equal(shop_ask(toy, "frontend", "POST /api/browse", "[null, null]", S(5))->status, STATUS_OK);
    const struct toy_answer *answer =
        shop_ask(toy, "frontend", "POST /api/checkout", "[\"user-1\", \"new-cart\", null]", S(5));
    assert_true(answer->status == STATUS_OK || answer->status == STATUS_SOLD_OUT);
}

/* ---- from outside ---- */

static void from_outside_each_body_is_answered_in_form(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    toy.deaf = true;
    size_t sound_ones = 0, asked = 0;
    for (size_t k = 0; k < registry.kind_count; k++) {
        const struct actor_kind *kind = registry.kinds[k];
        for (size_t r = 0; !kind->store && !kind->drives_load && kind->routes[r].name; r++)
            for (uint64_t n = 0; n < EACH; n++) {
                const struct route *route = &kind->routes[r];
                struct pack *body = toy_pack(&toy);
                if (!write_body(body, route, k << 8 | r, n))
                    continue;
                bool sound = shop_fits(route->takes, body->bytes, body->len);
                uint64_t token = toy_ask_index(&toy, k, r, body->bytes, body->len, S(10));
                toy_run_until(&toy, world_now(toy.world) + S(3));
                check_answer(route, toy_answer(&toy, token), sound);
                sound_ones += sound;
                asked++;
            }
    }
    assert_true(asked > 4000 && sound_ones > asked / 4 && sound_ones < asked * 3 / 4);
    check_shop(&toy);
    toy_end(&toy);
}

/* ---- from a service of ours, whose bodies are not looked at on their way ---- */

static void pass_on(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice bytes = cursor_text(&request);
    pack_raw(body, bytes.at, bytes.len);
}

static struct step passing_steps[ROUTES_MAX][3];
static struct route passing_routes[ROUTES_MAX + 1];
static struct actor_kind passer = {.service = "passer", .port = 9, .routes = passing_routes};

/* A route of the passer's for each of the shop's; gives their number. */
static size_t make_passer(void)
{
    size_t count = 0;
    for (size_t k = 0; k < registry.kind_count; k++) {
        const struct actor_kind *kind = registry.kinds[k];
        for (size_t r = 0; !kind->store && !kind->drives_load && kind->routes[r].name; r++, count++) {
            assert_true(count < ROUTES_MAX);
            passing_steps[count][0] =
                (struct step)ASK(kind->service, kind->routes[r].name, .body = pass_on, .outcomes = true);
            passing_steps[count][1] = (struct step)REPLY(STATUS_OK, NULL);
            passing_routes[count] = (struct route){
                .name = kind->routes[r].name, .steps = passing_steps[count], .takes = "bytes:text"};
        }
    }
    return count;
}

static void from_within_no_bytes_bring_a_service_down(void **state)
{
    (void)state;
    struct toy toy;
    size_t routes = make_passer();
    shop_begin(&toy, &passer);
    toy_open(&toy, 1);
    toy.deaf = true;
    struct pack body = {.bytes = base_alloc(BODY_BYTES_MAX, 1)};
    size_t asked = 0;
    for (size_t r = 0; r < routes; r++) {
        const struct step *step = &passing_steps[r][0];
        const struct route *route = actor_kind_route(registry_kind(&registry, step->to), step->route);
        for (uint64_t n = 0; n < EACH; n++) {
            body.len = 0;
            body.overflow = false;
            struct pack *request = toy_pack(&toy);
            if (!write_body(&body, route, 1000 + r, n))
                continue;
            pack_array(request, 1);
            pack_text_len(request, (const char *)body.bytes, body.len);
            if (request->overflow)
                continue;
            uint64_t token = toy_ask(&toy, "passer", route->name, request, S(10));
            toy_run_until(&toy, world_now(toy.world) + S(3));
            enum status status = toy_answer(&toy, token)->status;
            assert_true(status == STATUS_OK || status == STATUS_FAILED || status == STATUS_UNAVAILABLE);
            asked++;
        }
    }
    free(body.bytes);
    assert_true(asked > 4000);
    assert_int_equal(world_stats(toy.world)->late_replies, 0);
    check_shop(&toy);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_outside_each_body_is_answered_in_form),
        cmocka_unit_test(from_within_no_bytes_bring_a_service_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
