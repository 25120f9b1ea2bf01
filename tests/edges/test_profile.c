/* profile: folded stacks, and pprof as zlib and protobuf-c read it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "core/base.h"
#include "edges/profile.h"
#include "edges/proto/profile.pb-c.h"

static struct profile_line lines[] = {
    {.service = "product-catalog", .route = "GET /products/search", .function = "work", .cpu_ns = 1.4e6},
    {.service = "product-catalog",
     .route = "GET /products/search",
     .function = "search_products_unindexed",
     .cpu_ns = 530e6},
    {.service = "checkout",
     .route = "GET /orders/popular-products",
     .function = "search_products_unindexed",
     .cpu_ns = 1060.6e6},
    {.service = "checkout",
     .route = "GET /orders/popular-products",
     .function = "work",
     .cpu_ns = 0.4e6}, /* less than half a sample */
    {.service = "cart-service", .route = "GET /cart", .function = "work", .cpu_ns = 0},
};

static struct run_stats stats_of(size_t count)
{
    return (struct run_stats){.profile = lines, .profile_count = count};
}

static void stacks_are_folded_a_line_each(void **state)
{
    (void)state;
    struct run_stats stats = stats_of(ARRAY_LEN(lines));
    struct text text = {0};
    profile_write(&text, "out.folded", &stats, NS_PER_MIN);
    assert_string_equal(text_c(&text),
                        "product-catalog;GET /products/search;work 1\n"
                        "product-catalog;GET /products/search;search_products_unindexed 530\n"
                        "checkout;GET /orders/popular-products;search_products_unindexed 1061\n");
    text.len = 0;
    profile_write(&text, ".pb.gz", &stats, NS_PER_MIN); /* a name, and no ending */
    assert_int_equal(text.bytes[0], 'p');
    text.len = 0;
    stats = stats_of(0);
    profile_write(&text, "-", &stats, NS_PER_MIN);
    assert_int_equal(text.len, 0);
    text_fini(&text);
}

static Pprof__Profile *unpacked(const struct text *text)
{
    static unsigned char plain[1 << 16];
    z_stream zip = {.next_in = (unsigned char *)text->bytes, .avail_in = (unsigned)text->len};
    assert_int_equal(inflateInit2(&zip, 15 + 16), Z_OK);
    zip.next_out = plain;
    zip.avail_out = sizeof plain;
    assert_int_equal(inflate(&zip, Z_FINISH), Z_STREAM_END);
    assert_int_equal(zip.avail_in, 0);
    Pprof__Profile *profile = pprof__profile__unpack(NULL, zip.total_out, plain);
    inflateEnd(&zip);
    assert_non_null(profile);
    return profile;
}

/* The name of a frame by way of its location and function, as a reader finds it. */
static const char *frame(const Pprof__Profile *profile, const Pprof__Sample *sample, size_t level)
{
    for (size_t i = 0; i < profile->n_location; i++) {
        const Pprof__Location *location = profile->location[i];
        if (location->id != sample->location_id[level])
            continue;
        assert_int_equal(location->n_line, 1);
        for (size_t f = 0; f < profile->n_function; f++)
            if (profile->function[f]->id == location->line[0]->function_id)
                return profile->string_table[profile->function[f]->name];
    }
    fail_msg("location %lu is not there", (unsigned long)sample->location_id[level]);
    return NULL;
}

static void pprof_tells_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *frames[3];
        int64_t samples, cpu_ns;
    } expected[] = {
        {{"work", "GET /products/search", "product-catalog"}, 1, 1400000},
        {{"search_products_unindexed", "GET /products/search", "product-catalog"}, 530, 530000000},
        {{"search_products_unindexed", "GET /orders/popular-products", "checkout"}, 1061, 1060600000},
    };
    struct run_stats stats = stats_of(ARRAY_LEN(lines));
    struct text text = {0};
    profile_write(&text, "out.pb.gz", &stats, 3 * NS_PER_MIN);
    Pprof__Profile *profile = unpacked(&text);
    assert_int_equal(profile->n_sample, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const Pprof__Sample *sample = profile->sample[i];
        assert_true(sample->n_location_id == 3 && sample->n_value == 2);
        for (size_t level = 0; level < 3; level++)
            assert_string_equal(frame(profile, sample, level), expected[i].frames[level]);
        assert_int_equal(sample->value[0], expected[i].samples);
        assert_int_equal(sample->value[1], expected[i].cpu_ns);
    }
    assert_string_equal(profile->string_table[0], "");
    assert_int_equal(profile->n_function, 6); /* each name once */
    assert_int_equal(profile->n_sample_type, 2);
    assert_string_equal(profile->string_table[profile->sample_type[0]->type], "samples");
    assert_string_equal(profile->string_table[profile->sample_type[0]->unit], "count");
    assert_string_equal(profile->string_table[profile->sample_type[1]->type], "cpu");
    assert_string_equal(profile->string_table[profile->sample_type[1]->unit], "nanoseconds");
    assert_true(profile->period == NS_PER_MS && profile->duration_nanos == 3 * NS_PER_MIN);
    pprof__profile__free_unpacked(profile, NULL);
    text_fini(&text);
}

static void an_empty_run_is_a_profile_too(void **state)
{
    (void)state;
    struct run_stats stats = stats_of(0);
    struct text text = {0};
    profile_write(&text, "out.pb.gz", &stats, 0);
    Pprof__Profile *profile = unpacked(&text);
    assert_true(profile->n_sample == 0 && profile->n_sample_type == 2);
    pprof__profile__free_unpacked(profile, NULL);
    text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_are_folded_a_line_each),
        cmocka_unit_test(pprof_tells_the_same),
        cmocka_unit_test(an_empty_run_is_a_profile_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
