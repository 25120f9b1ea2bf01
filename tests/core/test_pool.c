/* pool: first come first served, leaving, resizing, holding, the bound of the line; and random operations
   against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/pool.h"

enum { OPERATIONS = 20000, CLIENTS = 60, ACQUISITIONS = 100000, SLOTS = 20 };

static struct pool_wait *granted[16];
static size_t granted_count;

static void note_granted(struct pool_wait *wait, int64_t now_ns)
{
    (void)now_ns;
    assert_false(wait->waiting);
    if (granted_count < ARRAY_LEN(granted))
        granted[granted_count] = wait;
    granted_count++;
}

static struct pool *pool_of(int max)
{
    static struct pool pool;
    static struct pool_stats stats;
    static struct pool_minute minutes[3];
    memset(minutes, 0, sizeof minutes);
    stats = (struct pool_stats){.max = max, .minutes = minutes, .minute_count = ARRAY_LEN(minutes)};
    pool = (struct pool){.name = "p", .max = max, .granted = note_granted, .stats = &stats};
    granted_count = 0;
    return &pool;
}

static void connections_are_granted_up_to_the_bound_then_in_order(void **state)
{
    (void)state;
    struct pool *pool = pool_of(2);
    struct pool_wait waits[5];
    assert_int_equal(pool_acquire(pool, &waits[0], 0), POOL_GRANTED);
    assert_int_equal(pool_acquire(pool, &waits[1], 0), POOL_GRANTED);
    for (size_t i = 2; i < 5; i++)
        assert_int_equal(pool_acquire(pool, &waits[i], 10), POOL_QUEUED);
    assert_int_equal(pool->waiters, 3);
    pool_release(pool, 110);
    assert_int_equal(granted_count, 1);
    assert_ptr_equal(granted[0], &waits[2]);
    assert_int_equal(pool_active(pool), 2); /* handed over, never free in between */
    pool_release(pool, 210);
    pool_release(pool, 210);
    assert_ptr_equal(granted[1], &waits[3]);
    assert_ptr_equal(granted[2], &waits[4]);
    pool_release(pool, 300);
    pool_release(pool, 300);
    assert_int_equal(pool_active(pool), 0);
    assert_int_equal(pool->stats->acquired, 5);
    assert_int_equal(pool->stats->peak_used, 2);
    assert_int_equal(pool->waiters_peak, 3);
    assert_int_equal(pool->stats->wait.count, 5);
    assert_int_equal(pool->stats->wait.zeros, 2);
}

static void who_leaves_is_passed_over(void **state)
{
    (void)state;
    struct pool *pool = pool_of(1);
    struct pool_wait holder, waits[4];
    pool_acquire(pool, &holder, 0);
    for (size_t i = 0; i < 4; i++)
        pool_acquire(pool, &waits[i], 0);
    pool_leave(pool, &waits[1]); /* from the middle, the front and the back */
    pool_leave(pool, &waits[0]);
    pool_time_out(pool, &waits[3], 2 * NS_PER_MIN);
    assert_int_equal(pool->waiters, 1);
    assert_int_equal(pool->stats->timeouts, 1); /* leaving for another reason is no time-out */
    assert_int_equal(pool->stats->minutes[2].timeouts, 1);
    assert_int_equal(pool->stats->waiters_most, 4);
    assert_int_equal(pool->stats->wait.count, 1); /* of who got a connection */
    assert_int_equal(pool->stats->wait_any.count, 2); /* and of who gave up */
    assert_true(pool->stats->wait_any.max == 120);
    pool_release(pool, 5);
    assert_int_equal(granted_count, 1);
    assert_ptr_equal(granted[0], &waits[2]);
    assert_null(pool->first);
    assert_null(pool->last);
}

static void a_larger_pool_serves_the_line_at_once(void **state)
{
    (void)state;
    struct pool *pool = pool_of(1);
    struct pool_wait waits[6];
    for (size_t i = 0; i < 5; i++)
        pool_acquire(pool, &waits[i], 0);
    pool_resize(pool, 4, 0, NS_PER_MIN);
    assert_int_equal(granted_count, 3);
    assert_ptr_equal(granted[2], &waits[3]);
    assert_int_equal(pool->waiters, 1);
    assert_int_equal(pool->stats->max, 4);
    assert_int_equal(pool->stats->minutes[0].acquired, 1);
    assert_int_equal(pool->stats->minutes[1].acquired, 3);
    pool->zero_ns =
        10 * NS_PER_MIN; /* the timeline began then; what is past its end counts in its last minute */
    pool_resize(pool, 5, 0, 10 * NS_PER_MIN + NS_PER_MIN);
    assert_int_equal(pool->stats->minutes[1].acquired, 4);
    pool_acquire(pool, &waits[5], 10 * NS_PER_MIN + 20 * NS_PER_MIN);
    pool_time_out(pool, &waits[5], 10 * NS_PER_MIN + 20 * NS_PER_MIN);
    assert_int_equal(pool->stats->minutes[2].timeouts, 1);
}

static void a_smaller_pool_shrinks_as_connections_come_back(void **state)
{
    (void)state;
    struct pool *pool = pool_of(3);
    struct pool_wait waits[5];
    for (size_t i = 0; i < 5; i++)
        pool_acquire(pool, &waits[i], 0);
    pool_resize(pool, 1, 0, 0);
    assert_int_equal(pool_active(pool), 3); /* nobody loses what he has */
    pool_release(pool, 1);
    pool_release(pool, 2);
    assert_int_equal(granted_count, 0);
    pool_release(pool, 3);
    assert_int_equal(granted_count, 1);
    assert_int_equal(pool_active(pool), 1);
}

static void held_connections_are_nobodys(void **state)
{
    (void)state;
    struct pool *pool = pool_of(3);
    struct pool_wait waits[4];
    pool_resize(pool, 3, 2, 0);
    assert_int_equal(pool_acquire(pool, &waits[0], 0), POOL_GRANTED);
    assert_int_equal(pool_acquire(pool, &waits[1], 0), POOL_QUEUED);
    assert_int_equal(pool_active(pool), 3);
    assert_int_equal(pool->stats->peak_used, 3);
    pool_resize(pool, 3, 0, 10);
    assert_int_equal(granted_count, 1);
    assert_int_equal(pool_active(pool), 2);
    pool_resize(pool, 3, 3, 20); /* more held than there is room for: over the bound until they come back */
    assert_int_equal(pool_active(pool), 5);
    assert_int_equal(pool_acquire(pool, &waits[2], 20), POOL_QUEUED);
    pool_release(pool, 30);
    pool_release(pool, 30);
    assert_int_equal(granted_count, 1);
    pool_leave(pool, &waits[2]);
}

static void the_line_has_a_bound(void **state)
{
    (void)state;
    struct pool *pool = pool_of(1);
    struct pool_wait *waits = calloc(POOL_WAITERS_MAX + 2, sizeof *waits);
    assert_int_equal(pool_acquire(pool, &waits[0], 0), POOL_GRANTED);
    for (size_t i = 1; i <= POOL_WAITERS_MAX; i++)
        assert_int_equal(pool_acquire(pool, &waits[i], 0), POOL_QUEUED);
    assert_int_equal(pool_acquire(pool, &waits[POOL_WAITERS_MAX + 1], 0), POOL_REFUSED);
    assert_false(waits[POOL_WAITERS_MAX + 1].waiting);
    assert_int_equal(pool->stats->refused, 1);
    assert_int_equal(pool->stats->timeouts, 0);
    for (size_t i = 0; i <= POOL_WAITERS_MAX; i++)
        pool_release(pool, 1);
    assert_int_equal(granted_count, POOL_WAITERS_MAX);
    assert_int_equal(pool->waiters_peak, POOL_WAITERS_MAX);
    free(waits);
}

/* ---- against a plain list ---- */

static struct client {
    struct pool_wait wait;
    enum { AWAY, WAITING, SERVED } state;
    uint64_t came;
} clients[CLIENTS];

static void serve_random(struct pool_wait *wait, int64_t now_ns)
{
    (void)now_ns;
    struct client *client = CONTAINER(wait, struct client, wait);
    assert_int_equal(client->state, WAITING);
    for (size_t i = 0; i < CLIENTS; i++) /* nobody who waits has come before */
        assert_false(clients[i].state == WAITING && clients[i].came < client->came);
    client->state = SERVED;
}

static void check_random(const struct pool *pool)
{
    int served = 0;
    uint32_t waiting = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        served += clients[i].state == SERVED;
        waiting += clients[i].state == WAITING;
    }
    assert_int_equal(pool->used, served);
    assert_int_equal(pool->waiters, waiting);
    assert_true(waiting == 0 || pool_active(pool) >= pool->max); /* nobody waits in vain */
}

static void random_operations_keep_the_promises(void **state)
{
    (void)state;
    struct pool *pool = pool_of(10);
    pool->granted = serve_random;
    memset(clients, 0, sizeof clients);
    for (uint64_t i = 0; i < OPERATIONS; i++) {
        struct draw chance = draw(3, i, 1, 0);
        struct client *client = &clients[draw_below(chance.a, CLIENTS)];
        int before = pool->used;
        if (draw_below(chance.b, 50) == 0) {
            pool_resize(pool, 1 + (int)(chance.b % 20), (int)(chance.b >> 8) % 4 == 0 ? 3 : 0, 0);
        } else if (client->state == AWAY) {
            client->came = i;
            client->state = pool_acquire(pool, &client->wait, 0) == POOL_GRANTED ? SERVED : WAITING;
            assert_true(client->state == WAITING || pool_active(pool) <= pool->max);
        } else if (client->state == WAITING) {
            pool_leave(pool, &client->wait);
            client->state = AWAY;
        } else {
            client->state = AWAY;
            pool_release(pool, 0);
            assert_in_range(pool->used, before - 1, before);
        }
        check_random(pool);
    }
}

/* Out of the line in any of the three ways, or back with the connection. */
static void go(struct pool *pool, struct client *client, uint64_t chance, int64_t now_ns)
{
    bool waits = client->state == WAITING;
    client->state = AWAY;
    if (!waits)
        pool_release(pool, now_ns);
    else if (chance % 3 == 0)
        pool_leave(pool, &client->wait);
    else if (chance % 3 == 1)
        pool_give_up(pool, &client->wait, now_ns);
    else
        pool_time_out(pool, &client->wait, now_ns);
}

static void of_a_hundred_thousand_acquisitions_with_cancels_no_slot_is_lost(void **state)
{
    (void)state;
    struct pool *pool = pool_of(SLOTS);
    const struct pool_stats *stats = pool->stats;
    uint64_t asked = 0, left = 0, i = 0;
    pool->granted = serve_random;
    memset(clients, 0, sizeof clients);
    for (; asked < ACQUISITIONS; i++) {
        struct draw chance = draw(4, i, 1, 0);
        struct client *client = &clients[draw_below(chance.a, CLIENTS)];
        left += client->state == WAITING;
        if (client->state != AWAY) {
            go(pool, client, chance.b, (int64_t)i);
            continue;
        }
        asked++;
        client->came = i;
        client->state = pool_acquire(pool, &client->wait, (int64_t)i) == POOL_GRANTED ? SERVED : WAITING;
    }
    for (size_t c = 0; c < CLIENTS; c++) {
        left += clients[c].state == WAITING;
        if (clients[c].state != AWAY)
            go(pool, &clients[c], c, (int64_t)i);
    }
    assert_int_equal(stats->acquired + left, asked); /* each has had it or has gone without */
    assert_in_range(left, ACQUISITIONS / 10, ACQUISITIONS * 9 / 10);
    assert_true(stats->timeouts > 0 && stats->given_up > 0 && stats->peak_used == SLOTS);
    assert_int_equal(pool->used, 0);
    assert_int_equal(pool->waiters, 0);
    assert_null(pool->first);
    assert_null(pool->last);
    for (size_t c = 0; c <= SLOTS; c++) /* and all are there */
        assert_int_equal(pool_acquire(pool, &clients[c].wait, 0), c < SLOTS ? POOL_GRANTED : POOL_QUEUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_granted_up_to_the_bound_then_in_order),
        cmocka_unit_test(who_leaves_is_passed_over),
        cmocka_unit_test(a_larger_pool_serves_the_line_at_once),
        cmocka_unit_test(a_smaller_pool_shrinks_as_connections_come_back),
        cmocka_unit_test(held_connections_are_nobodys),
        cmocka_unit_test(the_line_has_a_bound),
        cmocka_unit_test(random_operations_keep_the_promises),
        cmocka_unit_test(of_a_hundred_thousand_acquisitions_with_cancels_no_slot_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
