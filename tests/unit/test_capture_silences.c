/* Tests of what a capture point did not record, and when it is to blame for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "capture_silences.h"
#include "moment.h"

#define BEGIN_NS (1000 * NS_PER_SECOND)

static void see_at(struct capture_silences *silences, int64_t ms)
{
    capture_silences_see(silences, BEGIN_NS + ms * NS_PER_MS);
}

static const struct capture_silence *silence_at(const struct capture_silences *silences, int64_t ms)
{
    return capture_silences_in(silences, BEGIN_NS + ms * NS_PER_MS, BEGIN_NS + ms * NS_PER_MS);
}

static const struct capture_silence *hole_at(const struct capture_silences *silences, int64_t ms)
{
    return capture_silences_hole(silences, BEGIN_NS + ms * NS_PER_MS, BEGIN_NS + ms * NS_PER_MS);
}

static void miss_at(struct capture_silences *silences, int64_t ms)
{
    capture_silences_miss(silences, BEGIN_NS + ms * NS_PER_MS, BEGIN_NS + (ms + 1) * NS_PER_MS);
}

static void test_only_long_ones_are_kept(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    int64_t at_ms[] = {0, 10, 60, 1060, 1070};
    for (unsigned i = 0; i < sizeof at_ms / sizeof *at_ms; i++)
        see_at(&silences, at_ms[i]);
    assert_int_equal(silences.count, 1);
    assert_null(silence_at(&silences, 30));
    assert_non_null(silence_at(&silences, 500));
    assert_null(hole_at(&silences, 500));
    capture_silences_close(&silences);
}

static void test_a_late_packet_ends_a_silence(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    see_at(&silences, 0);
    see_at(&silences, 1000);
    see_at(&silences, 400);
    assert_non_null(silence_at(&silences, 200));
    assert_null(silence_at(&silences, 700));
    capture_silences_close(&silences);
}

/* One packet that is lacking says little of what is around it; two of what is between them; many of the whole silence. */
static void test_what_is_a_hole(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    see_at(&silences, 0);
    see_at(&silences, 10000);
    see_at(&silences, 20000);
    miss_at(&silences, 1000);
    assert_non_null(hole_at(&silences, 1000));
    assert_null(hole_at(&silences, 3000));
    miss_at(&silences, 5000);
    assert_non_null(hole_at(&silences, 3000));
    assert_null(hole_at(&silences, 8000));
    for (int i = 0; i < 3; i++)
        miss_at(&silences, 2000);
    assert_non_null(hole_at(&silences, 8000));
    assert_true(capture_silence_is_hole(hole_at(&silences, 8000)));
    assert_null(hole_at(&silences, 12000));
    capture_silences_close(&silences);
}

static void test_where_a_file_lacks_is_a_hole(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    assert_false(capture_silences_lack_file(&silences, BEGIN_NS));
    see_at(&silences, 0);
    see_at(&silences, 5000);
    assert_true(capture_silences_lack_file(&silences, BEGIN_NS + 9000 * NS_PER_MS));
    see_at(&silences, 9000);
    assert_false(capture_silences_lack_file(&silences, BEGIN_NS + 9050 * NS_PER_MS)); /* no room for one */
    see_at(&silences, 9050);
    see_at(&silences, 15000);
    assert_null(hole_at(&silences, 2000));
    assert_true(capture_silence_is_hole(hole_at(&silences, 7000)));
    assert_null(hole_at(&silences, 12000));
    capture_silences_close(&silences);
}

static void test_of_too_many_the_long_ones_stay(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    int64_t ms = 0;
    for (int i = 0; i < 100000; i++, ms += i % 100 == 0 ? 5000 : 150)
        see_at(&silences, ms);
    assert_in_range(silences.count, 900, 8192);
    for (uint32_t i = 1; i < silences.count; i++)
        assert_true(silences.list[i - 1].to_ns <= silences.list[i].from_ns);
    capture_silences_close(&silences);
}

static struct capture_silence *pass(struct capture_silences *silences, int64_t from_ms, int64_t to_ms, uint32_t packets)
{
    return capture_silences_pass(silences, BEGIN_NS + from_ms * NS_PER_MS, BEGIN_NS + to_ms * NS_PER_MS, packets,
                                 false);
}

static void test_what_connections_tell_of_is_a_hole(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    see_at(&silences, 0);
    see_at(&silences, 4000);
    see_at(&silences, 5000);
    assert_null(pass(&silences, 1000, 4500, 9)); /* it was recorded meanwhile */
    assert_null(pass(&silences, 0, 9000, 9));    /* most of the time was recorded */
    assert_non_null(pass(&silences, 0, 5000, 4));
    assert_null(hole_at(&silences, 2000));
    assert_non_null(pass(&silences, 0, 4000, 1));
    assert_true(capture_silence_is_passed(hole_at(&silences, 2000)));
    assert_null(hole_at(&silences, 4500));
    capture_silences_close(&silences);
}

static void test_one_moment_that_is_missed_is_no_hole(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    see_at(&silences, 0);
    see_at(&silences, 4000);
    assert_non_null(pass(&silences, 0, 4000, 9)); /* one large packet, perhaps */
    assert_null(hole_at(&silences, 2000));
    assert_non_null(capture_silences_pass(&silences, BEGIN_NS, BEGIN_NS + 4000 * NS_PER_MS, 2, true));
    assert_non_null(hole_at(&silences, 2000));
    capture_silences_close(&silences);
}

static void test_the_longest_stretch_of_a_time(void **state)
{
    (void)state;
    struct capture_silences silences = {0};
    see_at(&silences, 0);
    see_at(&silences, 4000);
    see_at(&silences, 5000);
    assert_int_equal(capture_silences_longest_ns(&silences, BEGIN_NS + 1000 * NS_PER_MS, BEGIN_NS + 9000 * NS_PER_MS),
                     3000 * NS_PER_MS);
    assert_int_equal(capture_silences_longest_ns(&silences, BEGIN_NS + 5001 * NS_PER_MS, BEGIN_NS + 9000 * NS_PER_MS),
                     0);
    capture_silences_close(&silences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_long_ones_are_kept),
        cmocka_unit_test(test_a_late_packet_ends_a_silence),
        cmocka_unit_test(test_what_is_a_hole),
        cmocka_unit_test(test_where_a_file_lacks_is_a_hole),
        cmocka_unit_test(test_what_connections_tell_of_is_a_hole),
        cmocka_unit_test(test_one_moment_that_is_missed_is_no_hole),
        cmocka_unit_test(test_the_longest_stretch_of_a_time),
        cmocka_unit_test(test_of_too_many_the_long_ones_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
