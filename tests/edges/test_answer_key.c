/* answer_key: which span is the first bad one, who was hit, and what the document says of it. */
#include "edges/answer_key.h"
#include "tests/edges/report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

enum { FRONTEND, STORE };

static const struct span_site root_site = {.service = FRONTEND, .kind = SPAN_CLIENT, .name = "checkout"};
static const struct span_site front_site = {
    .service = FRONTEND, .kind = SPAN_SERVER, .name = "POST /checkout"};
static const struct span_site store_site = {.service = STORE, .kind = SPAN_SERVER, .name = "GET /stock"};
static const struct span_site wait_site = {.service = STORE, .kind = SPAN_INTERNAL, .name = "pool wait"};

/* A span of trace `trace` that took a second; its id is trace and depth. */
static void end(struct answer_key *key, uint64_t trace, int depth, const struct span_site *site, int64_t at_s,
                enum status status)
{
    struct span span = {.site = site,
                        .trace_hi = 1,
                        .trace_lo = trace,
                        .id = trace * 16 + (uint64_t)depth,
                        .parent = depth > 1 ? trace * 16 + (uint64_t)depth - 1 : 0,
                        .depth = (uint8_t)depth,
                        .end_ns = at_s * NS_PER_S,
                        .start_ns = (at_s - 1) * NS_PER_S,
                        .status = status};
    answer_key_span(key, &span, at_s * NS_PER_S);
}

/* The whole way up, from the pool on. */
static void fail_whole(struct answer_key *key, uint64_t trace, int64_t at_s)
{
    end(key, trace, 4, &wait_site, at_s, STATUS_POOL_EXHAUSTED);
    end(key, trace, 3, &store_site, at_s, STATUS_UNAVAILABLE);
    end(key, trace, 2, &front_site, at_s, STATUS_UNAVAILABLE);
    end(key, trace, 1, &root_site, at_s, STATUS_UNAVAILABLE);
}

static void the_first_bad_span_is_the_deepest_of_the_first_trace_that_failed(void **state)
{
    (void)state;
    struct answer_key *key = answer_key_new();
    fail_whole(key, 5, 70);
    fail_whole(key, 6, 71);
    assert_true(key->found);
    assert_int_equal(key->first.trace_lo, 5);
    assert_int_equal(key->first.depth, 4);
    assert_ptr_equal(key->first.site, &wait_site);
    assert_int_equal(key->first.failed_ns, 70 * NS_PER_S);
    assert_int_equal(key->first.started_ns, 69 * NS_PER_S);
    free(key);
}

static void a_failure_that_somebody_made_do_without_is_not_it(void **state)
{
    (void)state;
    struct answer_key *key = answer_key_new();
    end(key, 1, 3, &store_site, 60, STATUS_NO_PEER);
    end(key, 1, 1, &root_site, 61, STATUS_OK);
    assert_false(key->found);
    fail_whole(key, 2, 70);
    assert_true(key->found);
    assert_int_equal(key->first.trace_lo, 2);
    assert_int_equal(key->suspect_count, 0);
    free(key);
}

/* Trace 1 begins to fail before trace 2, and its root ends after it. */
static void a_trace_that_ends_later_may_have_failed_earlier(void **state)
{
    (void)state;
    struct answer_key *key = answer_key_new();
    end(key, 1, 3, &store_site, 60, STATUS_DEADLINE);
    fail_whole(key, 2, 62);
    assert_int_equal(key->first.trace_lo, 2);
    end(key, 1, 1, &root_site, 65, STATUS_DEADLINE);
    assert_int_equal(key->first.trace_lo, 1);
    fail_whole(key, 3, 66);
    assert_int_equal(key->first.trace_lo, 1);
    free(key);
}

static void of_one_instant_the_deepest_counts_whichever_ends_first(void **state)
{
    (void)state;
    struct answer_key *key = answer_key_new();
    end(key, 1, 3, &store_site, 60, STATUS_UNAVAILABLE);
    end(key, 1, 4, &wait_site, 60, STATUS_POOL_EXHAUSTED);
    end(key, 1, 5, &wait_site, 61, STATUS_POOL_EXHAUSTED);
    end(key, 1, 1, &root_site, 61, STATUS_UNAVAILABLE);
    assert_int_equal(key->first.depth, 4);
    free(key);
}

static void the_blast_counts_requests_and_spans_apart(void **state)
{
    (void)state;
    struct answer_key *key = answer_key_new();
    end(key, 1, 2, &front_site, 59, STATUS_OK);
    fail_whole(key, 2, 60);
    fail_whole(key, 3, 61);
    assert_int_equal(key->services[FRONTEND].requests, 3);
    assert_int_equal(key->services[FRONTEND].requests_failed, 2);
    assert_int_equal(key->services[FRONTEND].error_spans, 4);
    assert_int_equal(key->services[STORE].error_spans, 4);
    assert_int_equal(key->services[STORE].first_error_ns, 60 * NS_PER_S);
    free(key);
}

static void what_comes_before_its_part_of_the_timeline_is_not_judged(void **state)
{
    (void)state;
    struct answer_key *key = answer_key_new();
    struct span span = {.site = &root_site, .status = STATUS_UNAVAILABLE};
    answer_key_span(key, &span, -1);
    assert_int_equal(key->services[FRONTEND].error_spans, 0);
    assert_false(key->found);
    free(key);
}

/* As many traces as there may be never end; memory is what it is, and the first failed root is still found. */
static void suspects_are_bounded(void **state)
{
    (void)state;
    struct answer_key *key = answer_key_new();
    for (uint64_t trace = 1; trace <= 2 * SUSPECTS_MAX; trace++)
        end(key, trace, 3, &store_site, 60 + (int64_t)trace, STATUS_DEADLINE);
    assert_int_equal(key->suspect_count, SUSPECTS_MAX);
    end(key, SUSPECTS_MAX, 1, &root_site, 2000, STATUS_DEADLINE);
    assert_int_equal(key->first.trace_lo, SUSPECTS_MAX);
    end(key, 9, 1, &root_site, 2001, STATUS_DEADLINE);
    assert_int_equal(key->first.trace_lo, 9);
    free(key);
}

/* ---- the document ---- */

static json_t *document(const struct fixture *fixture, const struct answer_key *key)
{
    struct text out = {0};
    json_error_t error;
    answer_key_write(&out, key, &fixture->report);
    json_t *root = json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    text_fini(&out);
    return root;
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void the_document_names_cause_place_and_remedy(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct answer_key *key = answer_key_new();
    fixture->stats.service_count = 2;
    fixture->stats.services[STORE].service = "recommendation-service";
    fail_whole(key, 0xabc, 90);
    json_t *root = document(fixture, key), *cause = json_object_get(root, "root_cause");
    assert_string_equal(text_at(cause, "kind"), "missing_index");
    assert_string_equal(text_at(cause, "target"), "idx_products_recommendations");
    assert_string_equal(text_at(cause, "service"), "recommendation-service");
    assert_non_null(strstr(text_at(cause, "evidence"), "487,342 rows"));
    json_t *pool = json_object_get(json_object_get(cause, "fields"), "pool");
    assert_int_equal(json_integer_value(json_object_get(pool, "timeouts")), 550);
    json_t *span = json_object_get(root, "first_bad_span");
    assert_string_equal(text_at(span, "trace_id"), "00000000000000010000000000000abc");
    assert_string_equal(text_at(span, "span_id"), "000000000000abc4");
    assert_string_equal(text_at(span, "error_type"), "ConnectionPoolExhausted");
    assert_string_equal(text_at(span, "name"), "pool wait");
    json_t *blast = json_object_get(root, "blast_radius");
    assert_int_equal(json_array_size(blast), 2);
    json_t *remedy = json_array_get(json_object_get(root, "healing"), 0);
    assert_string_equal(text_at(remedy, "fault"), "create_index: idx_products_recommendations");
    json_decref(root);
    free(key);
    fixture_free(fixture);
}

static void the_timeline_is_in_order(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct answer_key *key = answer_key_new();
    fail_whole(key, 1, 90);
    json_t *root = document(fixture, key), *timeline = json_object_get(root, "timeline"), *event;
    static const char *const order[] = {"phase", "fault", "first_error", "phase", "alert_fired"};
    double before = 0;
    size_t i;
    assert_int_equal(json_array_size(timeline), ARRAY_LEN(order));
    json_array_foreach(timeline, i, event)
    {
        double at_s = json_number_value(json_object_get(event, "at_s"));
        assert_string_equal(text_at(event, "event"), order[i]);
        assert_true(at_s >= before);
        before = at_s;
    }
    json_decref(root);
    free(key);
    fixture_free(fixture);
}

static void an_alert_that_fires_again_is_told_each_time(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct answer_key *key = answer_key_new();
    struct alert_stats *alert = &fixture->stats.alerts[0];
    alert->firings = 2;
    alert->spells[0].resolved_at_ns = 400 * NS_PER_S;
    alert->spells[1] = (struct alert_spell){430 * NS_PER_S, NEVER};
    json_t *root = document(fixture, key), *event;
    static const double at_s[] = {330, 400, 430};
    size_t i, told = 0;
    json_array_foreach(json_object_get(root, "timeline"), i, event)
    {
        if (strncmp(text_at(event, "event"), "alert_", 6))
            continue;
        assert_true(told < ARRAY_LEN(at_s) && json_real_value(json_object_get(event, "at_s")) == at_s[told]);
        assert_string_equal(text_at(event, "event"), told++ % 2 ? "alert_resolved" : "alert_fired");
    }
    assert_int_equal(told, ARRAY_LEN(at_s));
    json_decref(root);
    free(key);
    fixture_free(fixture);
}

static void expected_alerts_have_their_windows(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct answer_key *key = answer_key_new();
    fixture->scenario.expects[0] = (struct expect_spec){.text = "alert collapse: fires in 5m..6m",
                                                        .measure = EXPECT_FIRES,
                                                        .alert = 0,
                                                        .low = 300,
                                                        .high = 360};
    fixture->scenario.expects[1] =
        (struct expect_spec){.text = "alert burn: never fires", .measure = EXPECT_NEVER_FIRES, .alert = 1};
    json_t *root = document(fixture, key), *alerts = json_object_get(root, "expected_alerts");
    json_t *fires = json_array_get(alerts, 0), *never = json_array_get(alerts, 1);
    assert_string_equal(text_at(fires, "expected"), "fires");
    assert_true(json_real_value(json_object_get(json_object_get(fires, "window"), "to_s")) == 360.0);
    assert_true(json_real_value(json_object_get(fires, "fired_at_s")) == 330.0);
    assert_string_equal(text_at(never, "expected"), "never fires");
    assert_true(json_is_null(json_object_get(never, "window")));
    json_decref(root);
    free(key);
    fixture_free(fixture);
}

/* Who expects that it is over expects that it fires. */
static void an_alert_that_is_to_resolve_is_to_fire(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct answer_key *key = answer_key_new();
    struct expect_spec *expects = fixture->scenario.expects;
    expects[0] = (struct expect_spec){
        .text = "alert collapse: fires in 5m..6m", .measure = EXPECT_FIRES, .low = 300, .high = 360};
    expects[1] = (struct expect_spec){
        .text = "alert collapse: resolves in 8m..9m", .measure = EXPECT_RESOLVES, .low = 480, .high = 540};
    json_t *root = document(fixture, key), *one = json_array_get(json_object_get(root, "expected_alerts"), 0);
    assert_string_equal(text_at(one, "expected"), "fires");
    assert_true(json_real_value(json_object_get(json_object_get(one, "window"), "to_s")) == 360.0);
    json_decref(root);
    expects[0] = expects[1];
    root = document(fixture, key);
    one = json_array_get(json_object_get(root, "expected_alerts"), 0);
    assert_string_equal(text_at(one, "expected"), "fires");
    assert_true(json_is_null(json_object_get(one, "window")));
    json_decref(root);
    free(key);
    fixture_free(fixture);
}

static void a_calm_run_has_nothing_to_answer(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct answer_key *key = answer_key_new();
    fixture->stats.streams[1].whole.errors = 0;
    json_t *root = document(fixture, key);
    assert_string_equal(text_at(json_object_get(root, "root_cause"), "kind"), "none");
    assert_true(json_is_null(json_object_get(root, "first_bad_span")));
    assert_int_equal(json_array_size(json_object_get(root, "healing")), 0);
    json_decref(root);
    free(key);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bad_span_is_the_deepest_of_the_first_trace_that_failed),
        cmocka_unit_test(a_failure_that_somebody_made_do_without_is_not_it),
        cmocka_unit_test(a_trace_that_ends_later_may_have_failed_earlier),
        cmocka_unit_test(of_one_instant_the_deepest_counts_whichever_ends_first),
        cmocka_unit_test(the_blast_counts_requests_and_spans_apart),
        cmocka_unit_test(what_comes_before_its_part_of_the_timeline_is_not_judged),
        cmocka_unit_test(suspects_are_bounded),
        cmocka_unit_test(the_document_names_cause_place_and_remedy),
        cmocka_unit_test(the_timeline_is_in_order),
        cmocka_unit_test(an_alert_that_fires_again_is_told_each_time),
        cmocka_unit_test(expected_alerts_have_their_windows),
        cmocka_unit_test(an_alert_that_is_to_resolve_is_to_fire),
        cmocka_unit_test(a_calm_run_has_nothing_to_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
