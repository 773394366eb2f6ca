/* Tests of the shift between two captures' sequence numbers: by initial numbers, and by places that both have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seq_shift.h"

#define SHIFT 0x70000000u
#define FIRST 0xf0000000u

/* A connection under way, whose client's numbers a device changes: two heads and a packet are the same in both. */
static void open_views(struct conversation views[static 2])
{
    for (unsigned i = 0; i < 2; i++) {
        struct tcp_side *client = &views[i].sides[SIDE_CLIENT];
        uint32_t first = FIRST + i * SHIFT;
        views[i] = (struct conversation){0};
        client->seqs_known = true;
        client->seq_first = first;
        client->seq_end = first + 5000;
        client->traces = (struct side_traces){
            .heads = {1001, 2001 + i, 3001},
            .stamps = {501},
            .ip_ids = {7},
            .head_seqs = {first + 100, first + 700, first + 900},
            .stamp_seqs = {first + 900},
        };
    }
}

static void check(const struct conversation views[static 2], bool known, uint32_t wanted)
{
    uint32_t shift = 1;
    assert_int_equal(seq_shift_known(&views[0], &views[1], SIDE_CLIENT, &shift), known);
    assert_int_equal(shift, wanted);
}

static void test_places_tell(void **state)
{
    (void)state;
    struct conversation views[2];
    open_views(views);
    check(views, true, SHIFT);
}

static void test_initial_numbers_tell(void **state)
{
    (void)state;
    struct conversation views[2];
    open_views(views);
    views[0].sides[SIDE_CLIENT].isn_known = views[1].sides[SIDE_CLIENT].isn_known = true;
    views[1].sides[SIDE_CLIENT].isn = 5;
    check(views, true, 5);
}

/* Near: of the two heads one is text, which comes again. */
static void test_one_place_does_not_tell(void **state)
{
    (void)state;
    struct conversation views[2];
    open_views(views);
    for (unsigned i = 0; i < 2; i++)
        views[i].sides[SIDE_CLIENT].traces.heads[0] |= TRACE_PLAIN;
    check(views, false, 0);
}

static void test_places_that_disagree_do_not_tell(void **state)
{
    (void)state;
    struct conversation views[2];
    open_views(views);
    views[1].sides[SIDE_CLIENT].traces.head_seqs[0]++;
    check(views, false, 0);
}

/* A device that ends the connection and opens its own has other packets. */
static void test_bytes_without_packets_do_not_tell(void **state)
{
    (void)state;
    struct conversation views[2];
    open_views(views);
    views[1].sides[SIDE_CLIENT].traces.ip_ids[0]++;
    check(views, false, 0);
}

static void test_the_same_numbers_need_no_places(void **state)
{
    (void)state;
    struct conversation views[2];
    open_views(views);
    views[1] = views[0];
    views[1].sides[SIDE_CLIENT].traces = (struct side_traces){.heads = {0}};
    check(views, true, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_tell),
        cmocka_unit_test(test_initial_numbers_tell),
        cmocka_unit_test(test_one_place_does_not_tell),
        cmocka_unit_test(test_places_that_disagree_do_not_tell),
        cmocka_unit_test(test_bytes_without_packets_do_not_tell),
        cmocka_unit_test(test_the_same_numbers_need_no_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
