/* Tests of when a machine was heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hearing.h"

static struct moment at(int64_t ms)
{
    return (struct moment){.frame = (uint32_t)ms + 1, .time_ns = ms * NS_PER_MS};
}

static bool heard(const struct tcp_side *side, int64_t from_ms, int64_t to_ms)
{
    struct hearing hearing = {0};
    hearing_note(&hearing, side);
    hearing_sort(&hearing);
    bool within = hearing_within(&hearing, from_ms * NS_PER_MS, to_ms * NS_PER_MS);
    hearing_close(&hearing);
    return within;
}

static void test_who_never_pauses_is_heard_all_the_time(void **state)
{
    (void)state;
    const struct tcp_side side = {.packets = 100, .first = at(1000), .last = at(20000)};
    assert_true(heard(&side, 5000, 9000));
    assert_true(heard(&side, 0, 1500));
    assert_true(heard(&side, 19500, 30000));
    assert_false(heard(&side, 5000, 5500)); /* between two packets */
    assert_false(heard(&side, 21000, 30000));
}

static void test_of_others_moments_are_known(void **state)
{
    (void)state;
    const struct tcp_side side = {
        .packets = 9, .first = at(1000), .last_data = at(6000), .last = at(20000), .paused = true};
    assert_true(heard(&side, 5000, 9000));
    assert_false(heard(&side, 7000, 19000));
    assert_false(heard(&side, 9000, 5000)); /* no time at all */
}

static void test_nothing_heard(void **state)
{
    (void)state;
    const struct tcp_side side = {0};
    assert_false(heard(&side, 0, 100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_never_pauses_is_heard_all_the_time),
        cmocka_unit_test(test_of_others_moments_are_known),
        cmocka_unit_test(test_nothing_heard),
    };
    return cmocka_run_group_tests_name("hearing", tests, NULL, NULL);
}
