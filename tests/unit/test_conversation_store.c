/* Tests of the store of conversations: what rests comes back as it was, whatever was asked for meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "conversation_store.h"
#include "memory.h"
#include "tls_facts.h"

enum { RESTING = 8, MANY = 500 };

static const int64_t BEGIN_NS = 1700000000 * NS_PER_SECOND;

static int set_up(void **state)
{
    static struct conversation_store store;
    conversation_store_open(&store, RESTING);
    *state = &store;
    return 0;
}

static int tear_down(void **state)
{
    conversation_store_close(*state);
    return 0;
}

static struct moment moment_of(uint32_t number, uint32_t packet)
{
    return (struct moment){BEGIN_NS + (int64_t)number * NS_PER_MS + packet * NS_PER_US, number * 16 + packet + 1, 0};
}

/* Facts of every kind of value: times, counts, texts, bytes; each third one has TDS, each sixth TLS, too. */
static void fill(struct conversation_store *store, struct conversation *c, uint32_t number)
{
    c->first = c->sides[SIDE_CLIENT].syn = moment_of(number, 0);
    c->last = moment_of(number, 9);
    c->packets = 10 + number % 7;
    c->ends[SIDE_CLIENT] = (struct endpoint){{4, {10, 0, (uint8_t)(number >> 8), (uint8_t)number}}, 50000};
    c->sides[SIDE_SERVER].isn = number * 2654435761u;
    c->sides[SIDE_SERVER].round_trips.sum_ns = INT64_MAX - number;
    c->sides[SIDE_CLIENT].probes_after_ns = -(int64_t)number;
    if (number % 3 != 0)
        return;
    uint32_t at = slab_take(&store->tds);
    c->tds = slab_at(&store->tds, at);
    c->tds->number = at;
    c->tds->application = "Order Entry";
    memset(c->tds->connection_id, (int)number, sizeof c->tds->connection_id);
    if (number % 6 != 0)
        return;
    at = slab_take(&store->tls);
    c->tds->tls = slab_at(&store->tls, at);
    c->tds->tls->number = at;
    c->tds->tls->suites_offered = (uint16_t)(number + 1);
}

static void add_resting(struct conversation_store *store, uint32_t count)
{
    for (uint32_t number = 0; number < count; number++) {
        fill(store, conversation_store_add(store), number);
        conversation_store_rest(store, number);
    }
}

static void assert_filled(const struct conversation *c, uint32_t number)
{
    const struct moment first = moment_of(number, 0), last = moment_of(number, 9);
    assert_memory_equal(&c->first, &first, sizeof first);
    assert_memory_equal(&c->sides[SIDE_CLIENT].syn, &first, sizeof first);
    assert_memory_equal(&c->last, &last, sizeof last);
    assert_int_equal(c->packets, 10 + number % 7);
    assert_int_equal(c->ends[SIDE_CLIENT].address.bytes[3], (uint8_t)number);
    assert_int_equal(c->sides[SIDE_SERVER].isn, number * 2654435761u);
    assert_true(c->sides[SIDE_SERVER].round_trips.sum_ns == INT64_MAX - number);
    assert_true(c->sides[SIDE_CLIENT].probes_after_ns == -(int64_t)number);
    assert_int_equal(c->tds != NULL, number % 3 == 0);
    if (!c->tds)
        return;
    assert_string_equal(c->tds->application, "Order Entry");
    assert_int_equal(c->tds->connection_id[15], (uint8_t)number);
    assert_int_equal(c->tds->tls != NULL, number % 6 == 0);
    if (c->tds->tls)
        assert_int_equal(c->tds->tls->suites_offered, (uint16_t)(number + 1));
}

static void test_what_rests_comes_back_as_it_was(void **state)
{
    struct conversation_store *store = *state;
    add_resting(store, MANY);
    assert_int_equal(store->conversations.in_use, RESTING);
    assert_true(store->packed_bytes > 0 && store->packed_bytes < MANY * 300);
    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            uint32_t number = i * 7 % MANY;
            const struct conversation *c = conversation_store_at(store, number);
            assert_int_equal(c->id, number + 1);
            assert_filled(c, number);
        }
    assert_int_equal(store->conversations.in_use, RESTING);
    assert_true(store->tds.in_use <= RESTING && store->tls.in_use <= RESTING);
}

static void test_a_pointer_outlives_as_many_others_as_may_rest(void **state)
{
    struct conversation_store *store = *state;
    add_resting(store, MANY);
    const struct conversation *c = conversation_store_at(store, 3);
    for (uint32_t i = 100; i < 100 + RESTING - 1; i++)
        conversation_store_at(store, i);
    assert_ptr_equal(conversation_store_at(store, 3), c);
    assert_filled(c, 3);
}

/* However long it had been open: asking for it makes it young again. */
static void test_who_is_asked_for_again_stays(void **state)
{
    struct conversation_store *store = *state;
    add_resting(store, MANY);
    for (uint32_t before = 1; before < RESTING; before++) {
        conversation_store_at(store, 3);
        for (uint32_t i = 0; i < before; i++)
            conversation_store_at(store, 100 + before * RESTING + i);
        const struct conversation *c = conversation_store_at(store, 3);
        for (uint32_t i = 0; i + 1 < RESTING / 2; i++)
            conversation_store_at(store, 300 + before * RESTING + i);
        assert_filled(c, 3);
        assert_ptr_equal(conversation_store_at(store, 3), c);
    }
    assert_int_equal(store->conversations.in_use, RESTING);
}

static void test_what_is_held_stays_and_may_be_changed(void **state)
{
    struct conversation_store *store = *state;
    add_resting(store, MANY);
    struct conversation *c = conversation_store_hold(store, 42);
    for (uint32_t i = 0; i < MANY; i++)
        conversation_store_at(store, i);
    assert_ptr_equal(conversation_store_at(store, 42), c);
    c->wire_bytes = 77;
    c->tds->rows = 5;
    conversation_store_rest_all(store);
    for (uint32_t i = 100; i < MANY; i++)
        conversation_store_at(store, i);
    assert_int_equal(store->conversations.in_use, RESTING);
    assert_int_equal(conversation_store_at(store, 42)->wire_bytes, 77);
    assert_int_equal(conversation_store_at(store, 42)->tds->rows, 5);
    assert_filled(conversation_store_at(store, 42), 42);
}

static void test_links_of_resting_ones_are_kept(void **state)
{
    struct conversation_store *store = *state;
    add_resting(store, MANY);
    for (uint32_t i = 0; i + 1 < MANY; i += 2) {
        conversation_store_at(store, i)->twin = i + 2;
        conversation_store_at(store, i + 1)->secondary = true;
    }
    for (uint32_t i = 0; i + 1 < MANY; i += 2) {
        assert_int_equal(conversation_store_at(store, i)->twin, i + 2);
        assert_true(conversation_store_at(store, i + 1)->secondary);
        assert_filled(conversation_store_at(store, i), i);
    }
}

/* A login, an answer, and an end by the client. */
static void make_plain(struct conversation_store *store, struct conversation *c, uint32_t number)
{
    c->starts_with_syn = c->closed = true;
    c->first = moment_of(number, 0);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        c->sides[side].packets = c->sides[side].data_packets = 5;
        c->sides[side].syn = moment_of(number, (uint32_t)side);
        c->sides[side].fin = moment_of(number, 8 + (uint32_t)side);
    }
    uint32_t at = slab_take(&store->tds);
    c->tds = slab_at(&store->tds, at);
    c->tds->number = at;
    c->tds->steps[LOGIN_STEP_LOGIN_ACK] = moment_of(number, 6);
    conversation_conclude(c);
}

static void test_only_plain_ones_are_folded_the_oldest_first(void **state)
{
    struct conversation_store *store = *state;
    for (uint32_t number = 0; number < MANY; number++) {
        struct conversation *c = conversation_store_add(store);
        make_plain(store, c, number);
        c->sides[SIDE_CLIENT].resets = number % 10 == 0; /* in trouble */
        conversation_store_rest(store, number);
    }
    uint64_t before = conversation_store_bytes(store);
    uint32_t *moved = conversation_store_fold(store, store->packed_bytes / 2, NULL);
    assert_non_null(moved);
    assert_true(conversation_store_bytes(store) < before);
    assert_int_equal(store->places.in_use, MANY - store->folded);
    uint32_t expected = 0;
    bool stopped = false; /* folding did, because there was room */
    for (uint32_t number = 0; number < MANY; number++) {
        bool trouble = number % 10 == 0;
        stopped = stopped || (!trouble && moved[number] != SLAB_NONE);
        assert_int_equal(moved[number], trouble || stopped ? expected++ : SLAB_NONE);
        if (moved[number] == SLAB_NONE)
            continue;
        const struct conversation *c = conversation_store_at(store, moved[number]);
        assert_int_equal(c->id, moved[number] + 1);
        assert_true(c->first.time_ns == moment_of(number, 0).time_ns);
        assert_int_equal(c->sides[SIDE_CLIENT].resets, trouble);
    }
    assert_true(stopped);
    memory_give(moved);
}

/* Of a login as plain as all others, with an answer that was captured. */
static bool is_the_seventh(const void *context, const struct conversation *c)
{
    const uint32_t *seventh = context;
    return c->first.time_ns == moment_of(*seventh, 0).time_ns && c->tds->steps[LOGIN_STEP_LOGIN_ACK].frame != 0;
}

static void test_a_plain_one_that_somebody_keeps_stays(void **state)
{
    struct conversation_store *store = *state;
    const uint32_t seventh = 7;
    const struct conversation_keeper keeper = {.keeps = is_the_seventh, .context = &seventh};
    for (uint32_t number = 0; number < MANY; number++) {
        make_plain(store, conversation_store_add(store), number);
        conversation_store_rest(store, number);
    }
    uint32_t *moved = conversation_store_fold(store, store->packed_bytes / 2, &keeper);
    assert_non_null(moved);
    assert_int_equal(moved[seventh - 1], SLAB_NONE);
    assert_int_equal(moved[seventh], 0);
    assert_int_equal(moved[seventh + 1], SLAB_NONE);
    assert_int_equal(conversation_store_at(store, 0)->first.frame, moment_of(seventh, 0).frame);
    memory_give(moved);
}

/* What was let go has no end; whether it has a beginning depends on whether it was let go before. */
static void test_what_was_let_go_is_plain_as_far_as_it_goes(void **state)
{
    struct conversation_store *store = *state;
    struct conversation *c = conversation_store_add(store);
    make_plain(store, c, 1);
    assert_true(conversation_is_plain(c));
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        c->sides[side].fin = (struct moment){0};
    c->closed = false;
    conversation_conclude(c);
    assert_false(conversation_is_plain(c)); /* it is open */
    c->let_go = true;
    assert_true(conversation_is_plain(c));
    c->starts_with_syn = false;
    assert_false(conversation_is_plain(c)); /* it has a login, and no SYN */
    c->tds->recognised_mid_stream = true;
    assert_true(conversation_is_plain(c));
    c->sides[SIDE_SERVER].retransmits = 1;
    assert_false(conversation_is_plain(c));
    c->sides[SIDE_SERVER].retransmits = 0;
    c->tds->request_unanswered = true;
    assert_false(conversation_is_plain(c));
}

static void test_when_all_are_in_trouble_none_is_folded(void **state)
{
    struct conversation_store *store = *state;
    add_resting(store, MANY);
    assert_null(conversation_store_fold(store, UINT64_MAX, NULL));
    assert_int_equal(store->places.in_use, MANY);
    assert_filled(conversation_store_at(store, 9), 9);
}

/* Each third conversation begins in another store, and so many that models and rooms of all were used. */
static void test_stores_that_were_filled_at_once_are_merged_in_order(void **state)
{
    struct conversation_store *store = *state, second, third;
    conversation_store_open(&second, RESTING);
    conversation_store_open(&third, RESTING);
    struct conversation_store *all[] = {store, &second, &third}, *others[] = {&second, &third};
    for (unsigned i = 0; i < 3; i++)
        conversation_store_keep_order(all[i]);
    for (uint32_t i = 0; i < MANY; i++) {
        struct conversation_store *at = all[i * 7 / 5 % 3];
        conversation_store_count(at, 1000 + 2 * i);
        struct conversation *c = conversation_store_add(at);
        fill(at, c, i);
        conversation_store_rest(at, c->id - 1);
    }
    conversation_store_merge(store, others, 2);
    assert_int_equal(store->places.in_use, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(conversation_store_at(store, i)->id, i + 1);
        assert_filled(conversation_store_at(store, i), i);
    }
    conversation_store_close(&second);
    conversation_store_close(&third);
}

/* Of both some are open, some packed; asking for all of them in turn packs and opens them all. */
static void test_one_store_is_put_after_another(void **state)
{
    struct conversation_store *store = *state, second;
    conversation_store_open(&second, RESTING);
    for (uint32_t i = 0; i < MANY; i++) {
        struct conversation_store *at = i < MANY / 3 ? store : &second;
        struct conversation *c = conversation_store_add(at);
        fill(at, c, i);
        conversation_store_rest(at, c->id - 1);
    }
    conversation_store_append(store, &second);
    conversation_store_close(&second);
    assert_int_equal(store->places.in_use, MANY);
    assert_int_equal(store->conversations.in_use, 2 * RESTING);
    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            assert_int_equal(conversation_store_at(store, i)->id, i + 1);
            assert_filled(conversation_store_at(store, i), i);
        }
    assert_int_equal(store->conversations.in_use, 2 * RESTING);
}

static void test_as_many_stay_open_as_did_in_both(void **state)
{
    struct conversation_store *store = *state, second;
    conversation_store_open(&second, RESTING);
    struct conversation *all[2 * RESTING];
    for (uint32_t i = 0; i < 2 * RESTING; i++) {
        struct conversation_store *at = i < RESTING ? store : &second;
        all[i] = conversation_store_add(at);
        fill(at, all[i], i);
        conversation_store_rest(at, all[i]->id - 1);
    }
    conversation_store_append(store, &second);
    for (uint32_t i = 0; i < 2 * RESTING; i++)
        assert_ptr_equal(conversation_store_at(store, i), all[i]);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_what_rests_comes_back_as_it_was),
        STORE_TEST(test_what_was_let_go_is_plain_as_far_as_it_goes),
        STORE_TEST(test_a_pointer_outlives_as_many_others_as_may_rest),
        STORE_TEST(test_who_is_asked_for_again_stays),
        STORE_TEST(test_what_is_held_stays_and_may_be_changed),
        STORE_TEST(test_links_of_resting_ones_are_kept),
        STORE_TEST(test_stores_that_were_filled_at_once_are_merged_in_order),
        STORE_TEST(test_one_store_is_put_after_another),
        STORE_TEST(test_as_many_stay_open_as_did_in_both),
        STORE_TEST(test_only_plain_ones_are_folded_the_oldest_first),
        STORE_TEST(test_a_plain_one_that_somebody_keeps_stays),
        STORE_TEST(test_when_all_are_in_trouble_none_is_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
