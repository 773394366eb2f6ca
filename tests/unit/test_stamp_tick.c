/* Tests of how coarse a capture's stamps are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stamp_tick.h"

#define BEGIN_NS (1000 * NS_PER_SECOND + 7)

/* So many packets, with so many in one tick. */
static int64_t tick_of(unsigned packets, unsigned at_once, int64_t tick_ns)
{
    struct stamp_tick tick = {0};
    for (unsigned i = 0; i < packets; i++)
        stamp_tick_see(&tick, BEGIN_NS + i / at_once * tick_ns);
    return stamp_tick_ns(&tick);
}

static void test_ticks_are_told_by_shared_stamps(void **state)
{
    (void)state;
    assert_int_equal(tick_of(40, 4, NS_PER_SECOND), NS_PER_SECOND);
    assert_int_equal(tick_of(40, 4, 15625000), 15625000);
    assert_int_equal(tick_of(40, 4, 1000), 0);
    assert_int_equal(tick_of(40, 1, NS_PER_SECOND), 0); /* packets at round times */
    assert_int_equal(tick_of(8, 4, NS_PER_SECOND), 0);  /* too few */
    assert_int_equal(tick_of(40, 40, NS_PER_SECOND), 0);
}

static void test_one_fine_stamp_disproves_a_tick(void **state)
{
    (void)state;
    struct stamp_tick tick = {0};
    for (unsigned i = 0; i < 40; i++)
        stamp_tick_see(&tick, BEGIN_NS + i / 4 * NS_PER_SECOND);
    stamp_tick_see(&tick, BEGIN_NS + 10 * NS_PER_SECOND + 1001);
    assert_int_equal(stamp_tick_ns(&tick), 0);
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    struct stamp_tick tick = {0};
    for (unsigned i = 0; i < 40; i++)
        stamp_tick_see(&tick, BEGIN_NS - i / 4 * NS_PER_SECOND * 2);
    assert_int_equal(stamp_tick_ns(&tick), 2 * NS_PER_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks_are_told_by_shared_stamps),
        cmocka_unit_test(test_one_fine_stamp_disproves_a_tick),
        cmocka_unit_test(test_order_does_not_matter),
    };
    return cmocka_run_group_tests_name("stamp tick", tests, NULL, NULL);
}
