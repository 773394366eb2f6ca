/* Tests of the flow floor: what following a conversation says of its two sides, and the in-order bytes. */
#include "flow_bench.h"

static void test_ordinary_conversation(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "twenty bytes of text");
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 21, "answer");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 21, 7, "");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 7, 22, "");
    send(b, SIDE_CLIENT, TCP_ACK, 22, 8, "");
    const struct conversation *c = only(b);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "twenty bytes of text.");
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "answer.");
    assert_int_equal(c->ends[SIDE_SERVER].port, SERVER_PORT);
    assert_int_equal(c->role_evidence, ROLE_SYN);
    assert_int_equal(c->ending, ENDING_FIN);
    assert_true(c->first_close_known && c->closed_first_by == SIDE_CLIENT);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits + c->sides[SIDE_SERVER].retransmits, 0);
    assert_int_equal(c->sides[SIDE_CLIENT].payload_bytes, 20);
    assert_int_equal(c->sides[SIDE_CLIENT].unacknowledged_bytes, 0);
    assert_int_equal(c->sides[SIDE_SERVER].round_trips.shortest_ns, NS_PER_MS);
    assert_int_equal(c->sides[SIDE_CLIENT].ack_of_last_data.frame, 5);
    assert_int_equal(c->packets, 8);
}

static void test_round_trips_are_told_apart(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "late");
    wait_ms(b, 20);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 5, "");
    send(b, SIDE_SERVER, TCP_ACK, 5, 1, "less");
    wait_ms(b, 7);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 9, "");
    const struct round_trips *trips = &only(b)->sides[SIDE_CLIENT].round_trips; /* with its answers */
    assert_int_equal(trips->count, 3);
    assert_int_equal(trips->shortest_ns, NS_PER_MS);
    assert_int_equal(trips->longest_ns, 21 * NS_PER_MS);
    assert_int_equal(trips->sum_ns, 30 * NS_PER_MS);
}

static void test_retransmissions_of_every_kind(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    wait_ms(b, 1000);
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "x"); /* one byte, and again */
    wait_ms(b, 300);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "x");
    send(b, SIDE_SERVER, TCP_ACK, 1, 2, "");
    send(b, SIDE_CLIENT, TCP_ACK, 2, 1, "abcdef"); /* and again in two pieces, the second with new bytes */
    wait_ms(b, 300);
    send(b, SIDE_CLIENT, TCP_ACK, 2, 1, "abc");
    send(b, SIDE_CLIENT, TCP_ACK, 5, 1, "defgh");
    send(b, SIDE_SERVER, TCP_ACK, 1, 10, "");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 10, 1, "");
    wait_ms(b, 300);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 10, 1, "");
    const struct conversation *c = only(b);
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    assert_int_equal(client->syn_retransmits, 1);
    assert_int_equal(client->fin_retransmits, 1);
    assert_int_equal(client->retransmits, 5);
    assert_int_equal(client->keep_alives, 0);
    assert_int_equal(client->data_run.count, 1);
    assert_int_equal(client->longest_recovery_ns / NS_PER_MS, 302);      /* until "defgh" is repeated */
    assert_int_equal(client->longest_repeated_wait_ns / NS_PER_MS, 303); /* until it is acknowledged */
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "xabcdefgh.");
}

static void test_far_retransmission_is_found(void **state)
{
    struct bench *b = *state;
    handshake(b);
    for (uint32_t i = 0; i < 50; i++)
        send(b, SIDE_CLIENT, TCP_ACK, 1 + 4 * i, 1, "data");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    assert_int_equal(only(b)->sides[SIDE_CLIENT].retransmits, 1);
}

static void test_lost_before_the_capture_and_sent_again(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "one");
    send(b, SIDE_CLIENT, TCP_ACK, 7, 1, "three");
    wait_ms(b, 200);
    send(b, SIDE_CLIENT, TCP_ACK, 4, 1, "two");
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits, 1);
    assert_int_equal(c->sides[SIDE_CLIENT].out_of_order, 0);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "onetwothree.");
}

static void test_overtaken_is_not_retransmitted(void **state)
{
    struct bench *b = *state;
    handshake(b);
    struct packet overtaken = packet_from(b, SIDE_CLIENT, TCP_ACK, 1, 1, "one");
    send(b, SIDE_CLIENT, TCP_ACK, 4, 1, "two");
    overtaken.moment.time_ns = b->now_ns + NS_PER_US;
    overtaken.moment.frame = ++b->frame;
    flow_table_packet(&b->table, &overtaken);
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits, 0);
    assert_int_equal(c->sides[SIDE_CLIENT].out_of_order, 1);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "onetwo.");
}

/* On a path this short a fast retransmission comes as soon as a reordered segment would: the IP ID tells them apart. */
static void test_sent_again_at_once_is_a_retransmission(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 4, 1, "two");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "one");
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits, 1);
    assert_int_equal(c->sides[SIDE_CLIENT].out_of_order, 0);
}

static void test_missed_by_the_capture_is_a_gap(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "one");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 10, ""); /* acknowledges six bytes that nobody saw */
    send(b, SIDE_SERVER, TCP_ACK, 10, 1, "four");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 14, "");
    const struct conversation *c = only(b);
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "one[6]four.");
    assert_int_equal(c->sides[SIDE_SERVER].unseen_segments, 1);
    assert_int_equal(c->sides[SIDE_SERVER].retransmits, 0);
}

static void send_zeros(struct bench *b, uint32_t seq)
{
    struct packet p = packet_from(b, SIDE_CLIENT, TCP_ACK, seq, 1, "");
    p.payload = (struct span){(const uint8_t[6]){0}, 6};
    p.payload_length = 6;
    p.maybe_filling = true;
    flow_table_packet(&b->table, &p);
}

/* An acknowledgement padded to the least size of a frame is told from data by what came before: a message that goes on. */
static void test_zeros_are_data_only_in_a_message(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send_zeros(b, 1);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "begin");
    send_zeros(b, 6);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 12, 1, "end");
    send_zeros(b, 15);
    send(b, SIDE_CLIENT, TCP_ACK, 15, 1, "a segment that is not so small");
    send_zeros(b, 45);
    send_zeros(b, 44); /* a keep-alive */
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 45, 1, "next");
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].payload_bytes, 5 + 6 + 3 + 30 + 4);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits, 0);
}

static void test_missed_at_the_end_is_a_gap_too(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "one");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 1, 10, "");
    const struct conversation *c = only(b);
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "one[6].");
    assert_int_equal(c->sides[SIDE_SERVER].unseen_segments, 1);
    assert_true(c->sides[SIDE_CLIENT].acknowledged_unseen);
}

/* A card with several queues: the acknowledgement is recorded before what it acknowledges, a piece after the next one. */
static void test_recorded_late_is_not_sent_again(void **state)
{
    struct bench *b = *state;
    handshake(b);
    struct packet one = packet_from(b, SIDE_SERVER, TCP_ACK, 1, 1, "one"),
                  two = packet_from(b, SIDE_SERVER, TCP_ACK, 4, 1, "two");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 7, "");
    struct packet *late[] = {&two, &one};
    for (int i = 0; i < 2; i++) {
        late[i]->moment.time_ns = b->now_ns + (i + 1) * NS_PER_US;
        late[i]->moment.frame = ++b->frame;
        flow_table_packet(&b->table, late[i]);
    }
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_SERVER].retransmits, 0);
}

static void test_late_copies_of_a_burst_are_the_capture_s_doing(void **state)
{
    enum { BURST = 20 };
    struct bench *b = *state;
    handshake(b);
    struct packet burst[BURST];
    for (uint32_t i = 0; i < BURST; i++) {
        burst[i] = packet_from(b, SIDE_SERVER, TCP_ACK, 1 + 4 * i, 1, "data");
        flow_table_packet(&b->table, &burst[i]);
    }
    for (uint32_t i = 0; i < BURST; i++) {
        burst[i].moment.time_ns = b->now_ns + i * NS_PER_US;
        flow_table_packet(&b->table, &burst[i]);
    }
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "data"); /* this one has an IP ID of its own */
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_SERVER].capture_duplicates, BURST);
    assert_int_equal(c->sides[SIDE_SERVER].retransmits, 1);
}

/* The acknowledgement in a FIN tells whether the other side had closed before, whatever the capture shows. */
static void test_who_closed_first_when_a_fin_is_missing(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    send(b, SIDE_SERVER, TCP_ACK, 1, 5, "data");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 5, 6, ""); /* acknowledges the client's FIN, which nobody saw */
    const struct conversation *c = only(b);
    assert_true(c->first_close_known);
    assert_int_equal(c->closed_first_by, SIDE_CLIENT);
    assert_true(conversation_closed_by_fin(c));
    assert_true(c->sides[SIDE_CLIENT].last_data_answered);
}

/* A capture that stamps what arrives later than what leaves has the answer to a FIN before the FIN. */
static void test_who_closed_first_when_fins_are_recorded_out_of_order(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK, 1, 5, "data");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 5, 6, "");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 5, 5, "");
    const struct conversation *c = only(b);
    assert_true(c->first_close_known);
    assert_int_equal(c->closed_first_by, SIDE_CLIENT);
}

/* The server's FIN acknowledges the client's, which is recorded later: what the client sent before that is no keep-alive. */
static void test_acknowledgements_recorded_after_the_answer_to_a_fin(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    send(b, SIDE_SERVER, TCP_ACK, 1, 5, "data");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 5, 6, "");
    send(b, SIDE_CLIENT, TCP_ACK, 5, 5, "");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 5, 5, "");
    assert_int_equal(only(b)->sides[SIDE_CLIENT].keep_alives, 0);
}

/* After the FIN that nobody saw, its sender's packets stand one number beyond its data. */
static void test_who_closed_first_when_only_what_follows_a_fin_is_seen(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    send(b, SIDE_SERVER, TCP_ACK, 1, 5, "data");
    send(b, SIDE_CLIENT, TCP_ACK, 6, 5, "");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 5, 6, "");
    const struct conversation *c = only(b);
    assert_int_equal(c->closed_first_by, SIDE_CLIENT);
}

static void test_truncated_segments_give_gaps_of_the_right_size(void **state)
{
    struct bench *b = *state;
    handshake(b);
    struct packet p = packet_from(b, SIDE_CLIENT, TCP_ACK, 1, 1, "head-and-tail");
    p.payload.size = 4;
    flow_table_packet(&b->table, &p);
    send(b, SIDE_CLIENT, TCP_ACK, 14, 1, "next");
    only(b);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "head[9]next.");
}

static void test_same_packet_twice_is_the_capture_s_doing(void **state)
{
    struct bench *b = *state;
    for (int with_id = 0; with_id < 2; with_id++) {
        b->port = (uint16_t)(40000 + with_id);
        struct packet list[] = {
            packet_from(b, SIDE_CLIENT, TCP_SYN, 0, 0, ""),
            packet_from(b, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, ""),
            packet_from(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data"),
            packet_from(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 1, 5, "data"),
            packet_from(b, SIDE_CLIENT, TCP_RST | TCP_ACK, 5, 6, ""),
        };
        for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
            if (!with_id)
                list[i].ip_id = 0;
            flow_table_packet(&b->table, &list[i]);
            list[i].moment.time_ns += 2000;
            list[i].ttl--; /* seen again behind a router */
            flow_table_packet(&b->table, &list[i]);
        }
    }
    flow_table_close(&b->table);
    for (uint32_t i = 0; i < 2; i++) {
        const struct conversation *c = casebook_conversation(&b->casebook, i);
        assert_int_equal(c->packets, 10);
        assert_int_equal(c->sides[SIDE_CLIENT].capture_duplicates, 3);
        assert_int_equal(c->sides[SIDE_SERVER].capture_duplicates, 2);
        assert_int_equal(c->sides[SIDE_CLIENT].retransmits + c->sides[SIDE_SERVER].retransmits, 0);
        assert_int_equal(c->sides[SIDE_CLIENT].resets, 1);
    }
    assert_int_equal(b->casebook.captures[0].duplicates, 10);
}

static void test_burst_recorded_again_without_ids(void **state)
{
    struct bench *b = *state;
    handshake(b);
    for (uint32_t i = 0; i < 32; i++) { /* sixteen packets, then their copies */
        struct packet p = packet_from(b, SIDE_CLIENT, TCP_ACK, 1 + 4 * (i % 16), 1, "data");
        p.ip_id = 0;
        p.moment.time_ns = NS_PER_SECOND + i * NS_PER_MS / 100;
        flow_table_packet(&b->table, &p);
    }
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].capture_duplicates, 16);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits, 0);
}

/* The operating system answers each late packet with a reset of its own: equal ones, microseconds apart, and all real (R15). */
static void test_resets_that_answer_are_all_counted(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 1, 1, "");
    for (uint32_t i = 0; i < 2; i++) {
        struct packet late = packet_from(b, SIDE_SERVER, TCP_ACK, 1 + 4 * i, 2, "late");
        struct packet reset = packet_from(b, SIDE_CLIENT, TCP_RST, 2, 0, "");
        reset.ip_id = 0;
        reset.moment.time_ns = late.moment.time_ns + 1000;
        flow_table_packet(&b->table, &late);
        flow_table_packet(&b->table, &reset);
        b->now_ns = reset.moment.time_ns - NS_PER_MS;
    }
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].resets, 2);
    assert_int_equal(c->ending, ENDING_FIN);
}

static void keep_alives(struct bench *b, const char *byte)
{
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    send(b, SIDE_SERVER, TCP_ACK, 1, 5, "");
    wait_ms(b, 30000);
    send(b, SIDE_CLIENT, TCP_ACK, 4, 1, byte);
    send(b, SIDE_SERVER, TCP_ACK, 1, 5, "");
    for (int i = 0; i < 10; i++) {
        wait_ms(b, 1000);
        send(b, SIDE_CLIENT, TCP_ACK, 4, 1, byte);
    }
    wait_ms(b, 1000);
    send(b, SIDE_CLIENT, TCP_RST | TCP_ACK, 5, 1, "");
    const struct conversation *c = only(b);
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    assert_int_equal(client->keep_alives, 11);
    assert_int_equal(client->keep_alive_run.count, 10);
    assert_int_equal(client->retransmits, 0);
    assert_true(client->silent_run);
    assert_int_equal(c->ending, ENDING_TIMEOUT);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "data.");
}

static void test_keep_alives_of_windows(void **state)
{
    keep_alives(*state, "\x01");
}

static void test_keep_alives_of_linux(void **state)
{
    keep_alives(*state, "");
}

static void test_capture_that_begins_with_a_keep_alive(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_SERVER, TCP_ACK, 1, 101, "");
    send(b, SIDE_CLIENT, TCP_ACK, 100, 1, "\x01");
    send(b, SIDE_SERVER, TCP_ACK, 1, 101, "");
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].keep_alives, 1);
    assert_int_equal(c->ends[SIDE_SERVER].port, SERVER_PORT);
    assert_int_equal(c->role_evidence, ROLE_PORT);
}

static void test_zero_window_and_its_probes(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "data");
    struct packet shut = packet_from(b, SIDE_CLIENT, TCP_ACK, 1, 5, "");
    shut.tcp.window = 0;
    flow_table_packet(&b->table, &shut);
    for (int i = 0; i < 3; i++) {
        wait_ms(b, 1000);
        send(b, SIDE_SERVER, TCP_ACK, i % 2 ? 4 : 5, 1, i % 2 ? "" : "d"); /* Windows' probe, Linux' probe */
        shut = packet_from(b, SIDE_CLIENT, TCP_ACK, 1, 5, "");
        shut.tcp.window = 0;
        flow_table_packet(&b->table, &shut);
    }
    wait_ms(b, 1000);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 5, "");
    send(b, SIDE_SERVER, TCP_ACK, 5, 1, "data");
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].zero_windows, 4);
    assert_in_range(c->sides[SIDE_CLIENT].zero_window_longest_ns, 4000 * NS_PER_MS, 4100 * NS_PER_MS);
    assert_false(c->sides[SIDE_CLIENT].zero_window_at_end);
    assert_int_equal(c->sides[SIDE_SERVER].retransmits, 0);
    assert_int_equal(c->sides[SIDE_SERVER].keep_alives, 0);
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "datadata.");
}

static void test_duplicate_sack_tells_a_spurious_retransmission(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    struct packet ack = packet_from(b, SIDE_SERVER, TCP_ACK, 1, 5, "");
    ack.tcp.sack_count = 1;
    ack.tcp.sack[0] = (struct sack_block){CLIENT_ISN + 1, CLIENT_ISN + 5};
    flow_table_packet(&b->table, &ack);
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits, 1);
    assert_int_equal(c->sides[SIDE_CLIENT].spurious_retransmits, 1);
}

/* Without IDs the first copy, which comes late, looks as if it were sent again; but two came, so none was lost. */
static void test_overtaken_and_sent_again_is_not_lost(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 5, 1, "more");
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "");
    wait_ms(b, 100);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    send(b, SIDE_SERVER, TCP_ACK, 1, 9, "");
    wait_ms(b, 5);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "data");
    struct packet ack = packet_from(b, SIDE_SERVER, TCP_ACK, 1, 9, "");
    ack.tcp.sack_count = 1;
    ack.tcp.sack[0] = (struct sack_block){CLIENT_ISN + 1, CLIENT_ISN + 5};
    flow_table_packet(&b->table, &ack);
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits, 2);
    assert_int_equal(c->sides[SIDE_CLIENT].spurious_retransmits, 2);
}

static void test_port_reuse_splits_by_initial_sequence_number(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 1, 1, "");
    struct packet again = packet_from(b, SIDE_CLIENT, TCP_SYN, 77, 0, ""); /* at once: no timer tells them apart */
    flow_table_packet(&b->table, &again);
    struct packet repeated = packet_from(b, SIDE_CLIENT, TCP_SYN, 77, 0, "");
    flow_table_packet(&b->table, &repeated);
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 2);
    const struct conversation *first = casebook_conversation(&b->casebook, 0),
                              *second = casebook_conversation(&b->casebook, 1);
    assert_int_equal(first->ending, ENDING_RESET);
    assert_int_equal(first->packets, 4);
    assert_int_equal(second->ending, ENDING_NO_ANSWER);
    assert_int_equal(second->sides[SIDE_CLIENT].syn_retransmits, 1);
    assert_true(second->tuple_reused);
}

/* Both have closed: numbers beyond both ends are of a new connection, of which the capture missed the handshake. */
static void test_port_reuse_without_its_handshake(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 1, 1, "");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 1, 2, "");
    send(b, SIDE_CLIENT, TCP_ACK, 2, 2, "");
    send(b, SIDE_CLIENT, TCP_ACK, 66000, 79000, "data");
    send(b, SIDE_SERVER, TCP_ACK, 79000, 66004, "data");
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 2);
    const struct conversation *first = casebook_conversation(&b->casebook, 0),
                              *second = casebook_conversation(&b->casebook, 1);
    assert_int_equal(first->packets, 6);
    assert_false(first->sides[SIDE_CLIENT].ahead.frame);
    assert_int_equal(second->packets, 2);
    assert_false(second->starts_with_syn);
}

/* Who sends data has accepted: its acknowledgement of more than the SYN is no answer of an older connection. */
static void test_data_right_after_a_syn(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_SERVER, TCP_ACK, 1, 50, "data");
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 5, 50, "");
    const struct conversation *c = only(b);
    assert_int_equal(c->ending, ENDING_RESET);
    assert_int_equal(c->sides[SIDE_SERVER].payload_bytes, 4);
}

static void test_refused(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 0, 1, "");
    const struct conversation *c = only(b);
    assert_int_equal(c->ending, ENDING_REFUSED);
    assert_int_equal(c->closed_first_by, SIDE_SERVER);
}

/* What was under way when the other side reset the connection is told, as far as nothing is missing before it. */
/* A server in TIME-WAIT answers a SYN on the same ports with its old acknowledgement; the client resets that and asks again. */
static void test_reset_of_an_older_connection_closes_nothing(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_SERVER, TCP_ACK, 5000, 70000, "");
    send(b, SIDE_CLIENT, TCP_RST, 70000, 0, "");
    wait_ms(b, 1000);
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "hello");
    send(b, SIDE_SERVER, TCP_ACK, 1, 6, "world");
    const struct conversation *c = casebook_conversation(&b->casebook, 0);
    assert_int_equal(casebook_conversations(&b->casebook), 1);
    assert_false(c->closed);
    assert_false(moment_seen(&c->sides[SIDE_CLIENT].reset));
    assert_true(moment_seen(&c->sides[SIDE_CLIENT].older_reset));
    assert_int_equal(c->sides[SIDE_CLIENT].resets, 1);
    flow_table_close(&b->table);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "hello.");
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "world.");
}

/* It repeats its data, too, for as long as the client's resets do not reach it: nobody is deaf, and this connection is not there yet. */
static void test_data_of_an_older_connection(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    for (unsigned i = 0; i < 4; i++) {
        wait_ms(b, 1000);
        send(b, SIDE_SERVER, TCP_ACK, 5000, 90000000, "old data");
        send(b, SIDE_CLIENT, TCP_RST, 90000000, 0, "");
        send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    }
    const struct conversation *c = casebook_conversation(&b->casebook, 0);
    assert_int_equal(casebook_conversations(&b->casebook), 1);
    assert_false(conversation_established(c));
    assert_int_equal(c->sides[SIDE_SERVER].data_packets, 0);
    assert_int_equal(c->sides[SIDE_SERVER].retransmits, 0);
    flow_table_close(&b->table);
}

static void test_data_behind_the_other_side_s_reset(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "ask");
    send(b, SIDE_CLIENT, TCP_RST, 4, 0, "");
    send(b, SIDE_CLIENT, TCP_ACK, 4, 1, "own");
    send(b, SIDE_SERVER, TCP_ACK, 1, 4, "late");
    send(b, SIDE_SERVER, TCP_ACK, 9, 4, "hole");
    send(b, SIDE_SERVER, TCP_ACK, 3, 4, "ter");
    send(b, SIDE_SERVER, TCP_RST, 6, 0, "");
    send(b, SIDE_SERVER, TCP_ACK, 6, 4, "own");
    const struct conversation *c = only(b);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "ask.");
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "later.");
    assert_int_equal(c->ending, ENDING_RESET);
}

static void test_nothing_is_waited_for_behind_a_reset(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK, 4, 1, "held");
    send(b, SIDE_CLIENT, TCP_RST, 1, 0, "");
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "[3]held");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 8, 1, "end");
    only(b);
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "[3]heldend.");
}

static void test_reset_with_another_time_to_live(void **state)
{
    struct bench *b = *state;
    handshake(b);
    struct packet reset = packet_from(b, SIDE_SERVER, TCP_RST, 1, 0, "");
    reset.ttl = 250;
    flow_table_packet(&b->table, &reset);
    const struct conversation *c = only(b);
    assert_true(c->sides[SIDE_SERVER].reset_ttl_differs);
    assert_false(c->sides[SIDE_SERVER].reset_with_ack);
    assert_int_equal(c->sides[SIDE_SERVER].ttl_max, 63);
}

/* A syn flood with long quiet times: the table does not keep what is over. */
static void test_nothing_is_kept_of_streams_that_ended(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "ask");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 1, 4, "answer");
    send(b, SIDE_CLIENT, TCP_ACK, 4, 8, "more");
    assert_int_equal(b->releases, 0);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 8, 8, "");
    assert_int_equal(b->releases, 1);
    send(b, SIDE_CLIENT, TCP_ACK, 9, 8, "beyond");
    only(b);
    assert_int_equal(b->releases, 1);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "askmore.");
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "answer.");
}

static void test_a_packet_beyond_what_was_captured(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 1, "answer");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 7, "");
    send(b, SIDE_SERVER, TCP_ACK, 29, 1, "");
    const struct tcp_side *server = &only(b)->sides[SIDE_SERVER];
    assert_true(moment_seen(&server->ahead));
    assert_int_equal(server->ahead_bytes, 22);
    assert_false(server->ahead_lacking); /* the client was not heard since: the capture may have missed both */
}

static void test_who_speaks_again_tells_what_it_lacks(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 1, "answer");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 7, "");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 29, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 7, "");
    assert_true(only(b)->sides[SIDE_SERVER].ahead_lacking);
}

static void test_a_fin_that_was_not_captured(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    send(b, SIDE_SERVER, TCP_ACK, 1, 10, ""); /* eight bytes, and one number more */
    const struct conversation *c = only(b);
    assert_true(c->sides[SIDE_CLIENT].fin_missed);
    assert_false(c->sides[SIDE_SERVER].fin_missed);
}

/* Near: the client does not acknowledge what did arrive, either. */
static void test_who_acknowledges_nothing_tells_nothing_of_the_way(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    send(b, SIDE_SERVER, TCP_ACK, 29, 9, "");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    assert_false(moment_seen(&only(b)->sides[SIDE_SERVER].ahead));
}

static void test_a_refusal_of_a_syn_that_was_not_captured(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 0, 1, "");
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 0, 1, ""); /* the same SYN again, which was not captured */
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 0, 4001, "");
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 2);
    assert_int_equal(casebook_conversation(&b->casebook, 0)->sides[SIDE_SERVER].resets, 2);
}

/* Captures that nobody sorted, or that stamp what arrives later than what leaves. */
static void test_a_syn_recorded_after_what_followed_it(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    send(b, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 9, 7, "more");
    const struct conversation *c = only(b);
    assert_true(c->starts_with_syn);
    assert_int_equal(c->sides[SIDE_CLIENT].retransmits + c->sides[SIDE_SERVER].retransmits, 0);
    assert_string_equal(text_string(&b->heard[SIDE_CLIENT]), "questionmore.");
    assert_string_equal(text_string(&b->heard[SIDE_SERVER]), "answer.");
}

/* The first attempt's SYN was not captured, or its refusal and the second's SYN. */
static void test_refusals_of_two_attempts(void **state)
{
    enum { OTHER_ISN = 1000000 };
    struct bench *b = *state;
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 0, 1, "");
    send(b, SIDE_CLIENT, TCP_SYN, OTHER_ISN, 0, "");
    send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 0, 2 * OTHER_ISN + 1, "");
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 3);
}

static void test_an_answer_recorded_before_what_it_acknowledges(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    wait_ms(b, 15);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    assert_int_equal(only(b)->sides[SIDE_CLIENT].retransmits, 0);
}

/* Near: it acknowledges the answer, so it left after that had come. */
static void test_who_knows_the_answer_repeats_the_question(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    wait_ms(b, 15);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 7, "question");
    assert_int_equal(only(b)->sides[SIDE_CLIENT].retransmits, 1);
}

static void test_a_fin_recorded_before_the_last_data(void **state)
{
    struct bench *b = *state;
    handshake(b);
    struct packet last = packet_from(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "last");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_FIN, 5, 1, "");
    wait_ms(b, 10);
    last.moment.time_ns = b->now_ns;
    last.moment.frame = ++b->frame;
    flow_table_packet(&b->table, &last);
    const struct tcp_side *client = &only(b)->sides[SIDE_CLIENT];
    assert_int_equal(client->retransmits, 0);
    assert_int_equal(client->out_of_order, 1);
}

/* Of a side that was not captured a single number is acknowledged: its FIN, which came before the other one. */
static void test_a_first_fin_that_was_missed(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 1, "answer");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 7, 2, "");
    send(b, SIDE_CLIENT, TCP_ACK, 2, 8, "");
    const struct conversation *c = only(b);
    assert_true(c->sides[SIDE_SERVER].fin_answers);
    assert_int_equal(c->closed_first_by, SIDE_CLIENT);
}

static void test_a_first_fin_that_was_acknowledged_before(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "");
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 2, "answer");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 7, 2, "");
    send(b, SIDE_CLIENT, TCP_RST, 2, 0, "");
    assert_true(only(b)->sides[SIDE_SERVER].fin_answers);
}

/* Near: it acknowledges a message, too, and who closed first is not to be seen. */
static void test_a_message_that_was_missed(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_SERVER, TCP_ACK, 1, 1, "");
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    send(b, SIDE_SERVER, TCP_ACK | TCP_FIN, 7, 9, "");
    const struct conversation *c = only(b);
    assert_false(c->sides[SIDE_SERVER].fin_answers);
    assert_int_equal(c->closed_first_by, SIDE_SERVER);
}

static void test_what_no_timer_touched(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    wait_ms(b, 5000);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    const struct conversation *c = only(b);
    assert_in_range((c->left_alone.to_ns - c->left_alone.from_ns) / NS_PER_MS, 5000, 5010);
}

/* A SYN was lost, and its repetition missed: the round trip looks like a second, after which nothing is left alone for so long. */
static void test_what_no_timer_touched_on_a_long_way(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    wait_ms(b, 1020);
    send(b, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    wait_ms(b, 9000);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    assert_int_not_equal(only(b)->left_alone.to_ns, 0);
}

/* Near: three of those round trips and one more are longer. */
static void test_a_way_as_long_as_that(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    wait_ms(b, 2500);
    send(b, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    wait_ms(b, 9000);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    assert_int_equal(only(b)->left_alone.to_ns, 0);
}

/* Of the server only acknowledgements alone were captured, and the client's tell that there was more. */
static void test_data_that_was_missed_behind_acknowledgements(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    send(b, SIDE_SERVER, TCP_ACK, 1, 9, "");
    send(b, SIDE_CLIENT, TCP_ACK, 9, 44, "");
    const struct conversation *c = only(b);
    assert_int_equal(c->sides[SIDE_SERVER].unseen_segments, 1);
    assert_true(c->sides[SIDE_CLIENT].acknowledged_unseen);
}

/* The first packet that the capture has, of a connection that was under way. */
static void test_the_first_packet_that_no_timer_touched(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    wait_ms(b, 5000);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    assert_int_not_equal(only(b)->left_alone.to_ns, 0);
}

/* Near: the other side's packets may not be captured. */
static void test_the_first_packet_of_one_side(void **state)
{
    struct bench *b = *state;
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    wait_ms(b, 5000);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 9, 7, "question");
    assert_int_equal(only(b)->left_alone.to_ns, 0);
}

/* Near: it was acknowledged, or repeated, and the answer took so long. */
static void test_what_a_timer_touched(void **state)
{
    struct bench *b = *state;
    handshake(b);
    send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "question");
    wait_ms(b, 200);
    send(b, SIDE_SERVER, TCP_ACK, 1, 9, "");
    wait_ms(b, 5000);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    wait_ms(b, 300);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    wait_ms(b, 5000);
    send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 9, "answer");
    assert_int_equal(only(b)->left_alone.to_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(test_a_syn_recorded_after_what_followed_it),
        FLOW_TEST(test_refusals_of_two_attempts),
        FLOW_TEST(test_an_answer_recorded_before_what_it_acknowledges),
        FLOW_TEST(test_who_knows_the_answer_repeats_the_question),
        FLOW_TEST(test_a_fin_recorded_before_the_last_data),
        FLOW_TEST(test_a_first_fin_that_was_missed),
        FLOW_TEST(test_a_first_fin_that_was_acknowledged_before),
        FLOW_TEST(test_a_message_that_was_missed),
        FLOW_TEST(test_what_no_timer_touched_on_a_long_way),
        FLOW_TEST(test_a_way_as_long_as_that),
        FLOW_TEST(test_data_that_was_missed_behind_acknowledgements),
        FLOW_TEST(test_the_first_packet_that_no_timer_touched),
        FLOW_TEST(test_the_first_packet_of_one_side),
        FLOW_TEST(test_what_no_timer_touched),
        FLOW_TEST(test_what_a_timer_touched),
        FLOW_TEST(test_ordinary_conversation),
        FLOW_TEST(test_round_trips_are_told_apart),
        FLOW_TEST(test_retransmissions_of_every_kind),
        FLOW_TEST(test_far_retransmission_is_found),
        FLOW_TEST(test_lost_before_the_capture_and_sent_again),
        FLOW_TEST(test_overtaken_is_not_retransmitted),
        FLOW_TEST(test_sent_again_at_once_is_a_retransmission),
        FLOW_TEST(test_missed_by_the_capture_is_a_gap),
        FLOW_TEST(test_zeros_are_data_only_in_a_message),
        FLOW_TEST(test_missed_at_the_end_is_a_gap_too),
        FLOW_TEST(test_recorded_late_is_not_sent_again),
        FLOW_TEST(test_late_copies_of_a_burst_are_the_capture_s_doing),
        FLOW_TEST(test_who_closed_first_when_a_fin_is_missing),
        FLOW_TEST(test_truncated_segments_give_gaps_of_the_right_size),
        FLOW_TEST(test_same_packet_twice_is_the_capture_s_doing),
        FLOW_TEST(test_burst_recorded_again_without_ids),
        FLOW_TEST(test_resets_that_answer_are_all_counted),
        FLOW_TEST(test_keep_alives_of_windows),
        FLOW_TEST(test_keep_alives_of_linux),
        FLOW_TEST(test_capture_that_begins_with_a_keep_alive),
        FLOW_TEST(test_zero_window_and_its_probes),
        FLOW_TEST(test_duplicate_sack_tells_a_spurious_retransmission),
        FLOW_TEST(test_overtaken_and_sent_again_is_not_lost),
        FLOW_TEST(test_port_reuse_splits_by_initial_sequence_number),
        FLOW_TEST(test_port_reuse_without_its_handshake),
        FLOW_TEST(test_data_right_after_a_syn),
        FLOW_TEST(test_who_closed_first_when_fins_are_recorded_out_of_order),
        FLOW_TEST(test_acknowledgements_recorded_after_the_answer_to_a_fin),
        FLOW_TEST(test_who_closed_first_when_only_what_follows_a_fin_is_seen),
        FLOW_TEST(test_refused),
        FLOW_TEST(test_reset_of_an_older_connection_closes_nothing),
        FLOW_TEST(test_data_of_an_older_connection),
        FLOW_TEST(test_data_behind_the_other_side_s_reset),
        FLOW_TEST(test_nothing_is_waited_for_behind_a_reset),
        FLOW_TEST(test_reset_with_another_time_to_live),
        FLOW_TEST(test_nothing_is_kept_of_streams_that_ended),
        FLOW_TEST(test_a_packet_beyond_what_was_captured),
        FLOW_TEST(test_who_speaks_again_tells_what_it_lacks),
        FLOW_TEST(test_a_fin_that_was_not_captured),
        FLOW_TEST(test_who_acknowledges_nothing_tells_nothing_of_the_way),
        FLOW_TEST(test_a_refusal_of_a_syn_that_was_not_captured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
