/* Tests of the traces of packets: that two captures of one connection keep the same, and which packets are left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_traces.h"

enum { CLIENT = 0, SERVER = 1, BODY_BYTES = 200 };

struct bench {
    struct conversation conversation;
    struct flow flow;
};

static void open_bench(struct bench *b)
{
    *b = (struct bench){0};
    b->flow.conversation = &b->conversation;
    flow_set_client(&b->flow, 0);
    b->flow.traced = true;
}

static const struct side_traces *traces_of(const struct bench *b, enum side side)
{
    return &b->conversation.sides[side].traces;
}

/* Bytes that all differ, or the same few. */
static void fill(uint8_t *bytes, uint8_t seed, bool random)
{
    for (unsigned i = 0; i < BODY_BYTES; i++)
        bytes[i] = random ? (uint8_t)(i * 77 + seed) : (uint8_t)(i % 2 ? 0 : 'a' + (i + seed) % 7);
}

/* New data that follows what was sent; captured: so much of it. */
static void data(struct bench *b, unsigned origin, const uint8_t *bytes, uint32_t length, uint32_t captured,
                 uint32_t timestamp, uint16_t ip_id)
{
    struct tcp_direction *d = &b->flow.directions[origin];
    struct packet p = {.payload = {bytes, captured}, .payload_length = length, .ip_id = ip_id};
    p.tcp.seq = d->next_seq;
    p.tcp.has_timestamp = timestamp != 0;
    p.tcp.timestamp_value = timestamp;
    tcp_traces_data(&b->flow, origin, &p);
    d->next_seq += length;
}

static void test_the_first_packet_of_a_message_is_kept(void **state)
{
    (void)state;
    struct bench here, there;
    uint8_t question[BODY_BYTES], answer[BODY_BYTES];
    open_bench(&here);
    open_bench(&there);
    there.flow.directions[CLIENT].next_seq = 123456; /* a device draws other numbers */
    fill(question, 1, true);
    fill(answer, 2, true);
    data(&here, CLIENT, question, 150, 150, 1000, 5);
    data(&here, SERVER, answer, 200, 200, 2000, 6);
    /* There the card has cut both, and the capture, too. */
    data(&there, CLIENT, question, 100, 60, 1000, 5);
    data(&there, CLIENT, question + 100, 50, 50, 1000, 6);
    data(&there, SERVER, answer, 80, 80, 2000, 6);
    data(&there, SERVER, answer + 80, 120, 60, 2001, 7);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        assert_int_not_equal(traces_of(&here, side)->heads[0], 0);
        assert_memory_equal(traces_of(&here, side), traces_of(&there, side), offsetof(struct side_traces, head_seqs));
    }
}

static void test_text_is_plain(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[BODY_BYTES];
    open_bench(&b);
    fill(bytes, 1, false);
    data(&b, CLIENT, bytes, 100, 100, 0, 0);
    fill(bytes, 1, true);
    data(&b, SERVER, bytes, 100, 100, 0, 0);
    assert_true(traces_of(&b, SIDE_CLIENT)->heads[0] & TRACE_PLAIN);
    assert_int_not_equal(traces_of(&b, SIDE_SERVER)->heads[0], 0);
    assert_false(traces_of(&b, SIDE_SERVER)->heads[0] & TRACE_PLAIN);
    assert_int_equal(traces_of(&b, SIDE_SERVER)->stamps[0], 0);
}

static void test_the_least_are_kept_whatever_came_first(void **state)
{
    (void)state;
    struct bench forth, back;
    uint8_t bytes[BODY_BYTES];
    open_bench(&forth);
    open_bench(&back);
    for (unsigned i = 0; i < 20; i++) {
        fill(bytes, (uint8_t)i, i % 2);
        data(&forth, CLIENT, bytes, 100, 100, 1000 + i, (uint16_t)(7 + i));
        data(&forth, SERVER, bytes, 100, 100, 0, (uint16_t)(7 + i));
        fill(bytes, (uint8_t)(19 - i), (19 - i) % 2);
        data(&back, CLIENT, bytes, 100, 100, 1019 - i, (uint16_t)(26 - i));
        data(&back, SERVER, bytes, 100, 100, 0, (uint16_t)(26 - i));
    }
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        assert_memory_equal(traces_of(&forth, side), traces_of(&back, side), offsetof(struct side_traces, head_seqs));
        assert_true(traces_of(&forth, side)->heads[0] < traces_of(&forth, side)->heads[1]);
        assert_false(traces_of(&forth, side)->heads[TRACE_HEADS - 1] & TRACE_PLAIN);
    }
    assert_false(traces_of(&forth, SIDE_CLIENT)->stamps[0] & TRACE_UNTIMED);
    assert_true(traces_of(&forth, SIDE_SERVER)->stamps[0] & TRACE_UNTIMED);
}

static void test_nothing_is_kept_where_nothing_is_certain(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[BODY_BYTES];
    open_bench(&b);
    fill(bytes, 1, true);
    data(&b, CLIENT, bytes, 100, 40, 0, 0); /* cut too short */
    b.flow.directions[SERVER].next_seq += 10;
    struct packet p = {.payload = {bytes, 100}, .payload_length = 100, .ip_id = 9}; /* a hole before it */
    p.tcp.seq = b.flow.directions[SERVER].next_seq + 50;
    tcp_traces_data(&b.flow, SERVER, &p);
    b.flow.traced = false; /* no other capture is read */
    data(&b, CLIENT, bytes, 100, 100, 1000, 5);
    tcp_traces_stamp(&b.flow, CLIENT, &p);
    const struct side_traces none = {.heads = {0}};
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        assert_memory_equal(traces_of(&b, side), &none, sizeof none);
}

/* A question and its answer, in so many segments each. */
static void exchange(struct bench *b, uint32_t asked, uint32_t answered, unsigned segments, int64_t time_ns)
{
    for (unsigned origin = CLIENT; origin <= SERVER; origin++) {
        struct tcp_direction *d = &b->flow.directions[origin];
        uint32_t left = origin == CLIENT ? asked : answered;
        for (unsigned i = segments; i > 0; i--) {
            uint32_t length = left / i;
            struct packet p = {.payload_length = length, .moment = {time_ns, 1, 0}, .tcp.seq = d->next_seq};
            tcp_traces_data(&b->flow, origin, &p);
            d->next_seq += length;
            d->started = true;
            left -= length;
        }
    }
}

static void test_lengths_are_those_of_messages(void **state)
{
    (void)state;
    struct bench here, there;
    open_bench(&here);
    open_bench(&there);
    there.flow.directions[SERVER].next_seq = UINT32_MAX - 700; /* it goes round */
    there.conversation.first.time_ns = 70 * NS_PER_MS;
    for (unsigned i = 0; i < 9; i++) {
        exchange(&here, 100 + i * i, 5000 - 13 * i, 1, i * NS_PER_SECOND);
        if (i >= 2) /* that capture begins later */
            exchange(&there, 100 + i * i, 5000 - 13 * i, 4, i * NS_PER_SECOND + 20 * NS_PER_MS);
    }
    unsigned common = 0;
    for (unsigned i = 0; i < TRACE_SERIES; i++)
        for (unsigned j = 0; j < TRACE_SERIES && here.conversation.series[i].hash != 0; j++) {
            const struct length_series *a = &here.conversation.series[i], *b = &there.conversation.series[j];
            if (a->hash != b->hash)
                continue;
            common++;
            assert_int_equal(a->begun * TRACE_TICK_NS + 20 * NS_PER_MS, b->begun * TRACE_TICK_NS + 70 * NS_PER_MS);
        }
    assert_in_range(common, 1, TRACE_SERIES);
    assert_true(here.conversation.series[0].hash < here.conversation.series[1].hash);
}

static void test_too_few_turns_are_no_series(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    for (unsigned i = 0; i < SERIES_TURNS / 2; i++)
        exchange(&b, 100 + i, 200, 1, i * NS_PER_SECOND);
    assert_int_equal(b.conversation.series[0].hash, 0); /* the last answer may go on */
    exchange(&b, 100, 200, 1, 9 * NS_PER_SECOND);
    assert_int_not_equal(b.conversation.series[0].hash, 0);
    assert_int_equal(b.conversation.series[1].hash, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_packet_of_a_message_is_kept),
        cmocka_unit_test(test_text_is_plain),
        cmocka_unit_test(test_the_least_are_kept_whatever_came_first),
        cmocka_unit_test(test_nothing_is_kept_where_nothing_is_certain),
        cmocka_unit_test(test_lengths_are_those_of_messages),
        cmocka_unit_test(test_too_few_turns_are_no_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
