/* stats: windows of the streams, edges between services, and the gauges read at sample time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

static const struct actor_kind shelf = {
    .service = "shelf", .port = 1, .routes = (const struct route[]){{0}}, .pools = {{"a", 9, 500}}};
static const struct actor_kind driver = {
    .service = "driver",
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit", .steps = (const struct step[]){ASK("shelf", "GET /x"), END()}}, {0}}};
static const struct actor_kind *const kinds[] = {&shelf, &driver};

static struct curve_point late_start[] = {{0, 0}, {MIN_(2), 0}, {MIN_(3), 100}};

static void open_world(struct toy *toy, int64_t duration_ns)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy->scenario.duration_ns = duration_ns;
    toy->scenario.streams[0] = (struct stream_spec){.name = "s",
                                                    .mixes = MIX_OF("visit"),
                                                    .mix_count = 1,
                                                    .rate_per_min = {.points = late_start, .count = 3}};
    toy->scenario.streams[0].table_ns[0] = MIN_(4);
    toy->scenario.streams[0].table_ns[1] = MIN_(2);
    toy->scenario.streams[0].table_count = 2;
    toy->scenario.stream_count = 1;
    toy->scenario.expects[0] = (struct expect_spec){.when = EXPECT_AT, .at_ns = MIN_(4)};
    toy->scenario.expects[1] = (struct expect_spec){.when = EXPECT_AT, .at_ns = MIN_(4) + S(10)};
    toy->scenario.expect_count = 2;
    toy_open(toy, 1);
    world_stop_traffic(toy->world);
}

static struct stream_stats *stream(struct toy *toy)
{
    return &toy->world->stats.streams[0];
}

static void a_request_counts_in_the_minute_it_was_meant_for(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy, MIN_(5) + S(20));
    struct stream_stats *stats = stream(&toy);
    assert_int_equal(stats->minute_count, 6);
    assert_int_equal(stats->minutes[5].to_ns, MIN_(5) + S(20));
    stats_root(stats, 0, MS(10), false);
    stats_root(stats, MIN_(1) - 1, MIN_(9), true); /* long past the end, and still of minute 0 */
    stats_root(stats, MIN_(1), MS(30), false);
    stats_root(stats, MIN_(5) + S(19), MS(40), true);
    stats_root(stats, -1, MS(50), true); /* in no window: before the timeline */
    assert_int_equal(stats->minutes[0].requests, 2);
    assert_int_equal(stats->minutes[0].errors, 1);
    assert_true(stats->minutes[0].latency.max >= 540);
    assert_int_equal(stats->minutes[1].requests, 1);
    assert_int_equal(stats->minutes[5].errors, 1);
    assert_int_equal(stats->whole.requests, 4);
    assert_int_equal(stats->answered + stats->failed, 5);
    assert_int_equal(stats->ended, 5);
    assert_int_equal(stats->ended_failed, 3);
    toy_end(&toy);
}

static void a_point_is_the_minute_around_it_or_the_streams_first(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy, MIN_(10));
    struct stream_stats *stats = stream(&toy);
    const struct stream_spec *spec = &toy.scenario.streams[0];
    assert_int_equal(stats->point_count, 3); /* the expectation at 4m shares the table's */
    static const int64_t asked[] = {MIN_(4), MIN_(2), MIN_(4) + S(10)};
    static const int64_t from[] = {MIN_(4) - S(30), MIN_(2), MIN_(4) - S(20)};
    for (size_t i = 0; i < 3; i++) {
        const struct window *window = stream_point(stats, spec, asked[i]);
        assert_ptr_equal(window, &stats->points[i]);
        assert_int_equal(window->from_ns, from[i]);
        assert_int_equal(window->to_ns, from[i] + MIN_(1));
    }
    assert_null(stream_point(stats, spec, MIN_(7)));
    stats_root(stats, MIN_(4) - S(30) - 1, 0, false);
    stats_root(stats, MIN_(4) - S(30), 0, true);
    stats_root(stats, MIN_(4) + S(30) - 1, 0, false);
    stats_root(stats, MIN_(4) + S(30), 0, false);
    assert_int_equal(stats->points[0].requests, 2);
    assert_int_equal(stats->points[0].errors, 1);
    assert_int_equal(stats->points[2].requests, 2); /* 3:40 to 4:40 */
    toy_end(&toy);
}

static void an_edge_is_found_again(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy, MIN_(1));
    struct edge_stats *edge = stats_edge(toy.world, "driver", "shelf");
    size_t count = world_stats(toy.world)->edge_count;
    assert_int_equal(count, 1); /* the journey's own */
    char copy[] = "driver";
    assert_ptr_equal(stats_edge(toy.world, copy, "shelf"), edge);
    assert_ptr_not_equal(stats_edge(toy.world, "shelf", "driver"), edge);
    assert_int_equal(world_stats(toy.world)->edge_count, 2);
    toy_end(&toy);
}

static double gauge(const struct toy *toy, enum metric_id metric, enum attr_key key, const char *value)
{
    for (const struct series *series = world_metrics(toy->world)->first[metric]; series;
         series = series->next)
        for (size_t i = 0; i < series->attr_count; i++)
            if (series->attrs[i].key == key && !strcmp(series->attrs[i].text, value))
                return series->value;
    return -1;
}

static void gauges_are_read_at_sample_time(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy, MIN_(1));
    struct pool *pool = &toy.world->actors[0].pools[0].pool;
    struct mailbox *mailbox = &toy.world->actors[0].mailbox;
    struct business_stats *shop = &toy.world->stats.business;
    pool->used = 4;
    pool->held = 2;
    pool->waiters = 3;
    pool->stats->timeouts = 11;
    mailbox->peak = 17;
    mailbox->refused = 5;
    shop->count[BUSINESS_CHECKOUT] = 8;
    shop->count[BUSINESS_CHECKOUT_DONE] = 2;
    shop->count[BUSINESS_ORDER] = 6;
    shop->count[BUSINESS_SOLD_OUT] = 1;
    shop->revenue_cents = 12345;
    stats_sample(toy.world);
    assert_int_equal(gauge(&toy, METRIC_POOL_COUNT, ATTR_DB_CONNECTION_STATE, "used"), 6);
    assert_int_equal(gauge(&toy, METRIC_POOL_COUNT, ATTR_DB_CONNECTION_STATE, "idle"), 3);
    assert_int_equal(gauge(&toy, METRIC_POOL_MAX, ATTR_DB_POOL_NAME, "a"), 9);
    assert_int_equal(gauge(&toy, METRIC_POOL_PENDING, ATTR_DB_POOL_NAME, "a"), 3);
    assert_int_equal(gauge(&toy, METRIC_POOL_TIMEOUTS, ATTR_DB_POOL_NAME, "a"), 11);
    assert_int_equal(gauge(&toy, METRIC_MAILBOX_DEPTH, ATTR_MAILBOX_ACTOR, "shelf"), 17);
    assert_int_equal(gauge(&toy, METRIC_MAILBOX_REFUSED, ATTR_MAILBOX_ACTOR, "shelf"), 5);
    assert_int_equal(gauge(&toy, METRIC_SHOP_ORDERS, ATTR_SHOP_OUTCOME, "created"), 6);
    assert_int_equal(gauge(&toy, METRIC_SHOP_ORDERS, ATTR_SHOP_OUTCOME, "sold_out"), 1);
    assert_true(world_metrics(toy.world)->first[METRIC_SHOP_REVENUE]->value == 123.45);
    assert_true(world_metrics(toy.world)->first[METRIC_SHOP_CHECKOUT_SUCCESS]->value == 0.25);
    assert_int_equal(mailbox->peak, 0); /* begins anew */
    pool->held = 20; /* more than there is room for: nothing is idle, and not less */
    stats_sample(toy.world);
    assert_int_equal(gauge(&toy, METRIC_POOL_COUNT, ATTR_DB_CONNECTION_STATE, "idle"), 0);
    pool->used = 0;
    pool->waiters = 0;
    toy_end(&toy);
}

static void without_checkouts_all_have_succeeded(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy, MIN_(1));
    stats_sample(toy.world);
    assert_true(world_metrics(toy.world)->first[METRIC_SHOP_CHECKOUT_SUCCESS]->value == 1);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_counts_in_the_minute_it_was_meant_for),
        cmocka_unit_test(a_point_is_the_minute_around_it_or_the_streams_first),
        cmocka_unit_test(an_edge_is_found_again),
        cmocka_unit_test(gauges_are_read_at_sample_time),
        cmocka_unit_test(without_checkouts_all_have_succeeded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
