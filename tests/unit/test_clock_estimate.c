/* Tests of how two clocks differ: whatever the true difference does, it lies within the uncertainty that is told, at all times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock_curve.h"
#include "clock_estimate.h"

/* Of the client's clock. */
#define BEGIN_NS (1000000 * NS_PER_SECOND)
#define HOUR_NS (3600 * NS_PER_SECOND)

/* What the clocks truly differ by so long after the beginning, and how long a packet sent then takes. */
typedef int64_t true_shift(int64_t after_ns);
typedef int64_t true_way(enum side sender, int64_t after_ns);

struct scene {
    true_shift *shift;
    true_way *way;
    int64_t length_ns, every_ns; /* both sides send a packet that often */
    int64_t silent_ns[SIDES];    /* from then on that side sends nothing; 0: it never stops */
};

static uint32_t random_state;

/* Evenly from 0 to 1. */
static double any(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return (double)(random_state >> 8) / 16777216.0;
}

static bool is_silent(const struct scene *scene, enum side sender, int64_t after_ns)
{
    return scene->silent_ns[sender] != 0 && after_ns >= scene->silent_ns[sender];
}

static void record(const struct scene *scene, struct way_times *times)
{
    random_state = 1;
    way_times_open(times, BEGIN_NS, BEGIN_NS + scene->length_ns);
    for (int64_t after_ns = 0; after_ns < scene->length_ns; after_ns += scene->every_ns)
        for (enum side sender = SIDE_CLIENT; sender < SIDES; sender++) {
            int64_t out_ns = after_ns, in_ns = after_ns + scene->way(sender, after_ns);
            if (is_silent(scene, sender, after_ns))
                continue;
            int64_t *at_server_ns = sender == SIDE_SERVER ? &out_ns : &in_ns;
            *at_server_ns += scene->shift(*at_server_ns);
            way_times_add(times, sender, BEGIN_NS + out_ns, BEGIN_NS + in_ns);
        }
}

static void check_covers(const struct scene *scene, const struct clock_facts *clock)
{
    for (int64_t after_ns = 0; after_ns < scene->length_ns; after_ns += scene->length_ns / 5000) {
        int64_t off_ns = clock_shift_ns(clock, BEGIN_NS + after_ns) - scene->shift(after_ns);
        assert_in_range(llabs(off_ns), 0, clock->uncertainty_ns);
        int64_t told_ns = clock_to_client(clock, clock_to_server(clock, BEGIN_NS + after_ns));
        assert_in_range(llabs(told_ns - BEGIN_NS - after_ns), 0, 100 * NS_PER_US);
    }
}

static struct clock_facts estimate(const struct scene *scene)
{
    struct way_times *times = malloc(sizeof *times);
    record(scene, times);
    struct clock_facts clock = clock_estimate_result(times);
    free(times);
    return clock;
}

/* It is told within most_ns, and truly. */
static struct clock_facts check(const struct scene *scene, int64_t most_ns)
{
    struct clock_facts clock = estimate(scene);
    assert_true(clock.known);
    assert_false(clock.unsteady);
    check_covers(scene, &clock);
    assert_in_range(clock.uncertainty_ns, 0, most_ns);
    return clock;
}

static int64_t constant(int64_t after_ns)
{
    (void)after_ns;
    return 7 * NS_PER_SECOND;
}

static int64_t drifting(int64_t after_ns)
{
    return 7 * NS_PER_SECOND + after_ns / 20000;
}

/* Half a second within the second quarter of an hour or so: 500 parts in a million. */
static int64_t slewed(int64_t after_ns)
{
    int64_t begin_ns = 1000 * NS_PER_SECOND, end_ns = 2000 * NS_PER_SECOND;
    int64_t slewed_ns = after_ns < begin_ns ? 0 : after_ns > end_ns ? end_ns - begin_ns : after_ns - begin_ns;
    return drifting(after_ns) - slewed_ns / 2000;
}

static int64_t slewed_to_and_fro(int64_t after_ns)
{
    int64_t phase_ns = after_ns % (120 * NS_PER_SECOND);
    return (phase_ns < 60 * NS_PER_SECOND ? phase_ns : 120 * NS_PER_SECOND - phase_ns) / 2000;
}

/* The rate follows the temperature of the day: two parts in a million more or less. */
static int64_t warming(int64_t after_ns)
{
    double day = (double)after_ns / (24.0 * (double)HOUR_NS), bent = day * (1 - day) * (1 - 2 * day);
    return drifting(after_ns) + (int64_t)(2e-6 * 24 * (double)HOUR_NS * bent);
}

static int64_t jumping(int64_t after_ns)
{
    return constant(after_ns) + (after_ns < 1800 * NS_PER_SECOND ? 0 : -3 * NS_PER_SECOND);
}

static int64_t jumping_and_drifting(int64_t after_ns)
{
    return jumping(after_ns) + after_ns / 20000;
}

static int64_t jumping_a_little(int64_t after_ns)
{
    return constant(after_ns) + (after_ns < 1800 * NS_PER_SECOND ? 0 : 12 * NS_PER_MS);
}

static int64_t even_way(enum side sender, int64_t after_ns)
{
    (void)sender, (void)after_ns;
    return 5 * NS_PER_MS;
}

static int64_t short_way(enum side sender, int64_t after_ns)
{
    (void)sender, (void)after_ns;
    return 100 * NS_PER_US;
}

static int64_t uneven_way(enum side sender, int64_t after_ns)
{
    (void)after_ns;
    return sender == SIDE_CLIENT ? 30 * NS_PER_MS : 2 * NS_PER_MS;
}

/* Few packets find the queues empty. */
static int64_t queued_way(enum side sender, int64_t after_ns)
{
    double wait = any();
    return even_way(sender, after_ns) + (int64_t)(wait * wait * 400 * (double)NS_PER_MS);
}

/* For a quarter of an hour no packet towards the server does. */
static int64_t congested_way(enum side sender, int64_t after_ns)
{
    bool congested = sender == SIDE_CLIENT && after_ns > 900 * NS_PER_SECOND && after_ns < 1800 * NS_PER_SECOND;
    return even_way(sender, after_ns) + (congested ? 300 * NS_PER_MS + (int64_t)(any() * (double)NS_PER_SECOND) : 0);
}

static void test_constant(void **state)
{
    (void)state;
    struct clock_facts clock = check(&(struct scene){constant, even_way, HOUR_NS, NS_PER_SECOND, {0}}, 6 * NS_PER_MS);
    assert_int_equal(clock.server_minus_client_ns, 7 * NS_PER_SECOND);
    assert_true(clock.drift == 0 && clock.knot_count == 0);
}

static void test_few_packets(void **state)
{
    (void)state;
    struct scene scene = {constant, even_way, HOUR_NS, HOUR_NS / 2, {0}};
    struct clock_facts clock = check(&scene, 10 * NS_PER_MS);
    assert_true(clock.drift == 0 && clock.knot_count == 0);
}

static void test_drift(void **state)
{
    (void)state;
    struct clock_facts clock =
        check(&(struct scene){drifting, even_way, HOUR_NS, 5 * NS_PER_SECOND, {0}}, 6 * NS_PER_MS);
    assert_true(clock.drift > 49e-6 && clock.drift < 51e-6);
    check(&(struct scene){drifting, short_way, HOUR_NS, NS_PER_SECOND / 5, {0}}, NS_PER_MS);
}

static void test_slewing_that_begins_and_ends(void **state)
{
    (void)state;
    struct clock_facts clock = check(&(struct scene){slewed, even_way, HOUR_NS, NS_PER_SECOND, {0}}, 30 * NS_PER_MS);
    assert_true(clock.knot_count >= 4);
    assert_true(clock.drift == 0);
    check(&(struct scene){slewed, short_way, HOUR_NS, NS_PER_SECOND, {0}}, 25 * NS_PER_MS);
    check(&(struct scene){slewed, short_way, 8 * HOUR_NS, NS_PER_SECOND, {0}}, 200 * NS_PER_MS);
}

static void test_more_rates_than_knots(void **state)
{
    (void)state;
    struct clock_facts clock = estimate(&(struct scene){slewed_to_and_fro, short_way, HOUR_NS, NS_PER_SECOND, {0}});
    assert_true(clock.known && !clock.unsteady);
    assert_in_range(clock.knot_count, 2, CLOCK_KNOTS_MOST);
    check_covers(&(struct scene){slewed_to_and_fro, short_way, HOUR_NS, NS_PER_SECOND, {0}}, &clock);
}

static void test_temperature(void **state)
{
    (void)state;
    check(&(struct scene){warming, short_way, 24 * HOUR_NS, 5 * NS_PER_SECOND, {0}}, 15 * NS_PER_MS);
}

static void test_jumps_are_told(void **state)
{
    (void)state;
    true_shift *const shifts[] = {jumping, jumping_and_drifting};
    for (unsigned i = 0; i < 2; i++) {
        struct scene scene = {shifts[i], even_way, HOUR_NS, NS_PER_SECOND, {0}};
        struct clock_facts clock = estimate(&scene);
        assert_true(clock.known && clock.unsteady);
        check_covers(&scene, &clock);
    }
}

static void test_small_jump(void **state)
{
    (void)state;
    check(&(struct scene){jumping_a_little, short_way, HOUR_NS, NS_PER_SECOND, {0}}, 15 * NS_PER_MS);
}

static void test_one_direction_tells_nothing(void **state)
{
    (void)state;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        struct scene scene = {constant, even_way, HOUR_NS, NS_PER_SECOND, {0}};
        scene.silent_ns[side] = 1;
        struct way_times times;
        record(&scene, &times);
        for (unsigned i = 0; i < WAY_SLICES; i++)
            times.slices[side][i] = (struct way_slice){0};
        assert_false(clock_estimate_result(&times).known);
    }
}

static void test_one_direction_that_stops(void **state)
{
    (void)state;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        struct scene scene = {drifting, even_way, HOUR_NS, NS_PER_SECOND, {0}};
        scene.silent_ns[side] = HOUR_NS / 2;
        check(&scene, 60 * NS_PER_MS);
        scene.shift = slewed;
        check_covers(&scene, &(struct clock_facts[]){estimate(&scene)}[0]);
    }
}

static void test_ways_that_are_not_alike(void **state)
{
    (void)state;
    check(&(struct scene){constant, uneven_way, HOUR_NS, NS_PER_SECOND, {0}}, 17 * NS_PER_MS);
    check(&(struct scene){drifting, uneven_way, HOUR_NS, NS_PER_SECOND, {0}}, 20 * NS_PER_MS);
    check(&(struct scene){slewed, uneven_way, HOUR_NS, NS_PER_SECOND, {0}}, 65 * NS_PER_MS);
}

static void test_queues(void **state)
{
    (void)state;
    check(&(struct scene){constant, queued_way, HOUR_NS, NS_PER_SECOND / 5, {0}}, 20 * NS_PER_MS);
    check(&(struct scene){drifting, queued_way, HOUR_NS, NS_PER_SECOND / 5, {0}}, 20 * NS_PER_MS);
    check(&(struct scene){slewed, queued_way, HOUR_NS, NS_PER_SECOND / 5, {0}}, 60 * NS_PER_MS);
    check(&(struct scene){drifting, congested_way, HOUR_NS, NS_PER_SECOND, {0}}, 20 * NS_PER_MS);
    check_covers(
        &(struct scene){slewed, congested_way, HOUR_NS, NS_PER_SECOND, {0}},
        &(struct clock_facts[]){estimate(&(struct scene){slewed, congested_way, HOUR_NS, NS_PER_SECOND, {0}})}[0]);
}

/* From the server the client's clock is behind; there and back it is one clock. */
static void test_curves_turned_and_added(void **state)
{
    (void)state;
    struct clock_facts clock = estimate(&(struct scene){slewed, even_way, HOUR_NS, NS_PER_SECOND, {0}});
    struct clock_facts turned = clock_turned(&clock), sum = clock_added(&clock, &turned);
    struct clock_facts twice = clock_added(&clock, &clock);
    for (int64_t after_ns = 0; after_ns < HOUR_NS; after_ns += NS_PER_SECOND) {
        int64_t client_ns = BEGIN_NS + after_ns, server_ns = clock_to_server(&clock, client_ns);
        int64_t both_ns = clock_shift_ns(&clock, client_ns) + clock_shift_ns(&clock, server_ns);
        assert_in_range(llabs(clock_to_server(&turned, server_ns) - client_ns), 0, 2 * NS_PER_US);
        assert_in_range(llabs(clock_shift_ns(&sum, client_ns)), 0, 10 * NS_PER_US);
        assert_in_range(llabs(clock_shift_ns(&twice, client_ns) - both_ns), 0, NS_PER_MS);
    }
}

static void test_extent(void **state)
{
    (void)state;
    struct clock_facts clock = estimate(&(struct scene){slewed, short_way, HOUR_NS, NS_PER_SECOND, {0}});
    int64_t least_ns, most_ns;
    clock_extent(&clock, &least_ns, &most_ns);
    assert_in_range(llabs(least_ns - slewed(2000 * NS_PER_SECOND)), 0, 10 * NS_PER_MS);
    assert_in_range(llabs(most_ns - slewed(1000 * NS_PER_SECOND)), 0, 10 * NS_PER_MS);
}

/* A quarter of an hour of queues towards the server, seen through a clock that is slewed meanwhile. */
static void test_delays_by_one_clock(void **state)
{
    (void)state;
    struct scene scene = {slewed, congested_way, HOUR_NS, NS_PER_SECOND, {0}};
    struct way_times times;
    record(&scene, &times);
    struct clock_facts clock = clock_estimate_result(&times);
    unsigned queues_at = (unsigned)(1200 * NS_PER_SECOND / times.slice_ns);
    int64_t off_ns = clock.uncertainty_ns;
    struct way_delay held = way_times_delay(&times, &clock, SIDE_CLIENT, queues_at, queues_at + 10),
                     back = way_times_delay(&times, &clock, SIDE_SERVER, queues_at, queues_at + 10);
    assert_true(held.packets > 100 && back.packets > 100);
    assert_in_range(held.shortest_ns + off_ns, 305 * NS_PER_MS, 405 * NS_PER_MS + 2 * off_ns);
    assert_in_range(held.longest_ns + off_ns, 1100 * NS_PER_MS, 1305 * NS_PER_MS + 2 * off_ns);
    assert_in_range(back.longest_ns, 0, 5 * NS_PER_MS + off_ns);
    struct way_delay quiet = way_times_delay(&times, &clock, SIDE_CLIENT, 0, queues_at / 2);
    assert_in_range(quiet.longest_ns, 0, 5 * NS_PER_MS + off_ns);
    assert_int_equal(way_times_delay(&times, &clock, SIDE_CLIENT, WAY_SLICES, WAY_SLICES + 1).packets, 0);
}

/* Two slices with packets that arrive before they leave, two of slow ones: the order is wrong. One and one: a clock was set in that. */
static void test_contradictions(void **state)
{
    (void)state;
    for (int pairs = 1; pairs <= 2; pairs++) {
        struct way_times *times = calloc(1, sizeof *times);
        assert_non_null(times);
        way_times_open(times, 0, HOUR_NS);
        for (int i = 0; i < 2 * pairs; i++) {
            int64_t at_ns = i * (HOUR_NS / 8), way_ns = i % 2 ? 300 * NS_PER_MS : -90 * NS_PER_MS;
            way_times_bound(times, SIDE_CLIENT, at_ns, at_ns + way_ns);
            way_times_bound(times, SIDE_SERVER, at_ns - way_ns, at_ns);
        }
        assert_true(clock_estimate_contradicts(times) == (pairs == 2));
        free(times);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_few_packets),
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_slewing_that_begins_and_ends),
        cmocka_unit_test(test_more_rates_than_knots),
        cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_jumps_are_told),
        cmocka_unit_test(test_small_jump),
        cmocka_unit_test(test_one_direction_tells_nothing),
        cmocka_unit_test(test_one_direction_that_stops),
        cmocka_unit_test(test_ways_that_are_not_alike),
        cmocka_unit_test(test_queues),
        cmocka_unit_test(test_curves_turned_and_added),
        cmocka_unit_test(test_extent),
        cmocka_unit_test(test_delays_by_one_clock),
        cmocka_unit_test(test_contradictions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
