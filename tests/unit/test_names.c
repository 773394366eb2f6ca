/* Name lookups: DNS over UDP and TCP, LLMNR, mDNS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dns_message.h"
#include "exchange_calls.h"

/*              sql                   test                          root  type A      class IN */
#define QUESTION 0x03, 's', 'q', 'l', 0x04, 't', 'e', 's', 't', 0x00, 0x00, 0x01, 0x00, 0x01

/*  id          flags       questions   answers     authority   additional */
static const uint8_t asked[] = {0x12, 0x34, 0x01, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, QUESTION};
static const uint8_t answered[] = {0x12, 0x34, 0x81, 0x80, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, QUESTION,
                                   /* -> 12    type CNAME  class IN    time to live            length      -> 12 */
                                   0xc0, 0x0c, 0x00, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00, 0x05, 0x00, 0x02, 0xc0, 0x0c,
                                   /* -> 12    type A      class IN    time to live: 300       length      address */
                                   0xc0, 0x0c, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x01, 0x2c, 0x00, 0x04, 10, 0, 0, 7};
static const uint8_t no_such_name[] = {0x12, 0x34, 0x81, 0x83, 0x00, 0x01,    0x00,
                                       0x00, 0x00, 0x00, 0x00, 0x00, QUESTION};

static const struct name_lookup *lookup_of(const struct exchange_calls *calls, uint32_t number)
{
    assert_true(number < calls->casebook.name_lookups.in_use);
    return casebook_name_lookup(&calls->casebook, number);
}

static void question_and_answer_are_joined(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), asked, sizeof asked, 0);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), asked, sizeof asked, 0);
    calls_datagram(&calls, calls_end(9, 53), calls_end(1, 50001), answered, sizeof answered, 0);
    assert_int_equal(calls.casebook.name_lookups.in_use, 1);
    const struct name_lookup *lookup = lookup_of(&calls, 0);
    assert_string_equal(lookup->name, "sql.test");
    assert_int_equal(lookup->type, DNS_TYPE_A);
    assert_int_equal(lookup->exchange.tries, 2);
    assert_int_equal(lookup->exchange.answers, 1);
    assert_int_equal(lookup->exchange.asked.frame, 1);
    assert_int_equal(lookup->exchange.last_asked.frame, 2);
    assert_int_equal(exchange_wait_ns(&lookup->exchange), 2 * CALL_MS);
    assert_int_equal(lookup->address_count, 1);
    assert_int_equal(lookup->addresses[0].bytes[3], 7);
    assert_int_equal(lookup->ttl_s, 300);
    calls_close(&calls);
}

static void several_lookups_between_the_same_ends_are_all_kept(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    uint8_t other[sizeof asked];
    memcpy(other, asked, sizeof other);
    other[1] = 0x35;
    other[13] = 'S';
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), asked, sizeof asked, 0);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), other, sizeof other, 0);
    calls_datagram(&calls, calls_end(9, 53), calls_end(1, 50001), no_such_name, sizeof no_such_name, 0);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), asked, sizeof asked, 0);
    assert_int_equal(calls.casebook.name_lookups.in_use, 3);
    assert_int_equal(lookup_of(&calls, 0)->rcode, 3);
    assert_false(moment_seen(&lookup_of(&calls, 1)->exchange.answered));
    assert_false(moment_seen(&lookup_of(&calls, 2)->exchange.answered));
    calls_close(&calls);
}

static void an_answer_for_another_name_is_none(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    uint8_t forged[sizeof answered];
    memcpy(forged, answered, sizeof forged);
    forged[13] = 'x';
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), asked, sizeof asked, 0);
    calls_datagram(&calls, calls_end(9, 53), calls_end(1, 50001), forged, sizeof forged, 0);
    assert_int_equal(calls.casebook.name_lookups.in_use, 2);
    assert_int_equal(lookup_of(&calls, 0)->exchange.answers, 0);
    assert_int_equal(lookup_of(&calls, 1)->exchange.tries, 0);
    calls_close(&calls);
}

static void refusals_find_both_of_a_pair(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    uint8_t pair[sizeof asked];
    memcpy(pair, asked, sizeof pair);
    pair[1] = 0x35;
    pair[sizeof pair - 3] = DNS_TYPE_AAAA;
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), asked, sizeof asked, 0);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), pair, sizeof pair, 0);
    calls_refuse(&calls, calls_end(1, 50001), calls_end(9, 53));
    calls_refuse(&calls, calls_end(1, 50001), calls_end(9, 53));
    calls_refuse(&calls, calls_end(1, 50002), calls_end(9, 53));
    assert_int_equal(lookup_of(&calls, 0)->exchange.refusal.first.frame, 3);
    assert_int_equal(lookup_of(&calls, 1)->exchange.refusal.first.frame, 4);
    calls_close(&calls);
}

static void the_group_services_are_told_apart(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    /* LLMNR asks a group, one machine answers. */
    calls_datagram(&calls, calls_end(1, 50001), calls_end(252, 5355), asked, sizeof asked, 0);
    calls_datagram(&calls, calls_end(7, 5355), calls_end(1, 50001), answered, sizeof answered, 0);
    /* mDNS: the answer is known by its name; an announcement of another name is no lookup. */
    calls_datagram(&calls, calls_end(1, 5353), calls_end(251, 5353), asked, sizeof asked, 0);
    uint8_t announced[sizeof answered];
    memcpy(announced, answered, sizeof announced);
    announced[13] = 'x';
    calls_datagram(&calls, calls_end(7, 5353), calls_end(251, 5353), announced, sizeof announced, 0);
    calls_datagram(&calls, calls_end(7, 5353), calls_end(251, 5353), answered, sizeof answered, 0);
    assert_int_equal(calls.casebook.name_lookups.in_use, 2);
    assert_int_equal(lookup_of(&calls, 0)->service, NAME_SERVICE_LLMNR);
    assert_int_equal(lookup_of(&calls, 0)->exchange.server.address.bytes[3], 7);
    assert_int_equal(lookup_of(&calls, 1)->service, NAME_SERVICE_MDNS);
    assert_int_equal(lookup_of(&calls, 1)->exchange.answered.frame, 5);
    calls_close(&calls);
}

/* Two messages, length first. */
static size_t as_stream(uint8_t *stream, const uint8_t *message, size_t size)
{
    stream[0] = 0;
    stream[1] = (uint8_t)size;
    memcpy(stream + 2, message, size);
    return size + 2;
}

static void check_stream(const struct exchange_calls *calls)
{
    assert_int_equal(calls->casebook.name_lookups.in_use, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_string_equal(lookup_of(calls, i)->name, "sql.test");
        assert_true(lookup_of(calls, i)->exchange.over_tcp);
        assert_int_equal(lookup_of(calls, i)->exchange.tries, 1);
        assert_int_equal(lookup_of(calls, i)->exchange.answers, 1);
    }
    assert_int_equal(lookup_of(calls, 0)->rcode, 0);
    assert_int_equal(lookup_of(calls, 1)->rcode, 3);
}

static void streams_are_read_however_they_are_cut(void **state)
{
    (void)state;
    uint8_t questions[256], answers[256], second[sizeof no_such_name];
    size_t asked_size = as_stream(questions, asked, sizeof asked);
    memcpy(second, asked, sizeof asked);
    second[1] = 0x35;
    asked_size += as_stream(questions + asked_size, second, sizeof asked);
    size_t answered_size = as_stream(answers, answered, sizeof answered);
    memcpy(second, no_such_name, sizeof no_such_name);
    second[1] = 0x35;
    answered_size += as_stream(answers + answered_size, second, sizeof no_such_name);
    for (size_t cut = 1; cut < answered_size; cut++) {
        struct exchange_calls calls;
        calls_open(&calls);
        calls_connect(&calls, 53);
        size_t asked_cut = cut < asked_size ? cut : asked_size - 1;
        calls_stream(&calls, SIDE_CLIENT, questions, asked_cut);
        calls_stream(&calls, SIDE_CLIENT, questions + asked_cut, asked_size - asked_cut);
        calls_stream(&calls, SIDE_SERVER, answers, cut);
        calls_stream(&calls, SIDE_SERVER, answers + cut, answered_size - cut);
        check_stream(&calls);
        calls_close(&calls);
    }
    struct exchange_calls calls;
    calls_open(&calls);
    calls_connect(&calls, 53);
    for (size_t i = 0; i < asked_size; i++)
        calls_stream(&calls, SIDE_CLIENT, questions + i, 1);
    for (size_t i = 0; i < answered_size; i++)
        calls_stream(&calls, SIDE_SERVER, answers + i, 1);
    check_stream(&calls);
    calls_close(&calls);
}

static void a_gap_costs_what_it_hides(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    calls_connect(&calls, 53);
    uint8_t stream[256];
    size_t size = as_stream(stream, answered, sizeof answered);
    /* The last 20 bytes, with the address, were not captured. */
    calls_stream(&calls, SIDE_SERVER, stream, size - 20);
    calls_gap(&calls, SIDE_SERVER, 20);
    /* A whole message was not, and the next one is found again. */
    calls_gap(&calls, SIDE_SERVER, size);
    stream[3] = 0x35;
    calls_stream(&calls, SIDE_SERVER, stream, size);
    assert_int_equal(calls.casebook.name_lookups.in_use, 2);
    assert_string_equal(lookup_of(&calls, 0)->name, "sql.test");
    assert_int_equal(lookup_of(&calls, 0)->address_count, 0);
    assert_int_equal(lookup_of(&calls, 1)->address_count, 1);
    calls_close(&calls);
}

static void any_prefix_gives_what_it_has(void **state)
{
    (void)state;
    for (size_t size = 0; size <= sizeof answered; size++) {
        struct exchange_calls calls;
        calls_open(&calls);
        calls_datagram(&calls, calls_end(9, 53), calls_end(1, 50001), answered, size, sizeof answered);
        assert_int_equal(calls.casebook.name_lookups.in_use, size >= DNS_HEADER);
        if (size >= DNS_HEADER + 14)
            assert_string_equal(lookup_of(&calls, 0)->name, "sql.test");
        calls_close(&calls);
    }
}

static void hostile_names_end(void **state)
{
    (void)state;
    static const uint8_t names[][6] = {
        {0xc0, 0x0c},             /* points at itself */
        {0xc0, 0x0e, 0xc0, 0x0c}, /* there and back */
        {0x01, 'a', 0xc0, 0x0c},  /* a label, and round again */
        {0x7f, 'a', 'b', 'c'},    /* a length that no label has */
        {0x3f, 'a', 'b', 'c'},    /* longer than the message */
        {0xc0, 0xff},             /* behind its end */
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t bytes[DNS_HEADER + 10] = {0x12, 0x34, 0x01, 0x00, 0x00, 0x01};
        memcpy(bytes + DNS_HEADER, names[i], sizeof names[i]);
        struct text name = {0};
        struct dns_message message;
        assert_true(dns_read((struct span){bytes, sizeof bytes}, &name, &message));
        assert_false(message.name_known);
        text_close(&name);
    }
}

static void names_are_made_safe(void **state)
{
    (void)state;
    uint8_t bytes[sizeof asked];
    memcpy(bytes, asked, sizeof bytes);
    bytes[14] = 0x1b;
    struct text name = {0};
    struct dns_message message;
    assert_true(dns_read((struct span){bytes, sizeof bytes}, &name, &message));
    assert_string_equal(text_string(&name), "s\xef\xbf\xbdl.test");
    text_close(&name);
}

/* Known analyzers show the errors where the delays belong, and none for this (W18). */
static void a_late_answer_keeps_its_delay(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 53), asked, sizeof asked, 0);
    calls.at.time_ns += 5 * NS_PER_SECOND - CALL_MS;
    calls_datagram(&calls, calls_end(9, 53), calls_end(1, 50001), answered, sizeof answered, 0);
    assert_int_equal(calls.casebook.name_lookups.in_use, 1);
    const struct name_lookup *lookup = lookup_of(&calls, 0);
    assert_int_equal(lookup->rcode, 0);
    assert_int_equal(exchange_wait_ns(&lookup->exchange), 5 * NS_PER_SECOND);
    calls_close(&calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(question_and_answer_are_joined),
        cmocka_unit_test(several_lookups_between_the_same_ends_are_all_kept),
        cmocka_unit_test(an_answer_for_another_name_is_none),
        cmocka_unit_test(refusals_find_both_of_a_pair),
        cmocka_unit_test(the_group_services_are_told_apart),
        cmocka_unit_test(streams_are_read_however_they_are_cut),
        cmocka_unit_test(a_gap_costs_what_it_hides),
        cmocka_unit_test(any_prefix_gives_what_it_has),
        cmocka_unit_test(hostile_names_end),
        cmocka_unit_test(names_are_made_safe),
        cmocka_unit_test(a_late_answer_keeps_its_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
