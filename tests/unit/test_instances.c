/* Questions to SQL Server Browser (MC-SQLR). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "exchange_calls.h"

#define ONE_INSTANCE                                                                                                   \
    "ServerName;SQL7;InstanceName;DEV;IsClustered;No;Version;16.0.1000.6;np;\\\\SQL7\\pipe\\MSSQL$DEV\\sql\\query;"    \
    "tcp;51433;;"
#define TWO_INSTANCES "ServerName;SQL7;InstanceName;OFF;IsClustered;Yes;Version;15.0.2000.5;;" ONE_INSTANCE

static const struct instance_lookup *lookup_of(const struct exchange_calls *calls, uint32_t number)
{
    assert_true(number < calls->casebook.instance_lookups.in_use);
    return casebook_instance_lookup(&calls->casebook, number);
}

static void ask(struct exchange_calls *calls, uint8_t to, const char *bytes, size_t size)
{
    calls_datagram(calls, calls_end(1, 50001), calls_end(to, 1434), bytes, size, 0);
}

static void answer_part(struct exchange_calls *calls, uint8_t from, const char *text, size_t captured)
{
    uint8_t bytes[1024] = {0x05};
    size_t size = strlen(text);
    bytes[1] = (uint8_t)size;
    bytes[2] = (uint8_t)(size >> 8);
    memcpy(bytes + 3, text, size);
    calls_datagram(calls, calls_end(from, 1434), calls_end(1, 50001), bytes, captured, size + 3);
}

static void answer(struct exchange_calls *calls, uint8_t from, const char *text)
{
    answer_part(calls, from, text, strlen(text) + 3);
}

static void an_instance_is_asked_for_and_found(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    ask(&calls, 7,
        "\x04"
        "DEV",
        5);
    ask(&calls, 7,
        "\x04"
        "DEV",
        5);
    answer(&calls, 7, ONE_INSTANCE);
    const struct instance_lookup *lookup = lookup_of(&calls, 0);
    assert_int_equal(lookup->question, INSTANCE_QUESTION_ONE);
    assert_string_equal(lookup->instance, "DEV");
    assert_int_equal(lookup->exchange.tries, 2);
    assert_int_equal(lookup->instance_count, 1);
    assert_string_equal(lookup->instances->server_name, "SQL7");
    assert_string_equal(lookup->instances->name, "DEV");
    assert_string_equal(lookup->instances->version, "16.0.1000.6");
    assert_string_equal(lookup->instances->pipe, "\\\\SQL7\\pipe\\MSSQL$DEV\\sql\\query");
    assert_int_equal(lookup->instances->tcp_port, 51433);
    assert_false(lookup->instances->clustered);
    calls_close(&calls);
}

static void questions_to_one_server_do_not_overwrite_each_other(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    ask(&calls, 7,
        "\x04"
        "DEV",
        5);
    answer(&calls, 7, ONE_INSTANCE);
    ask(&calls, 7,
        "\x04"
        "OLD",
        5);
    ask(&calls, 255, "\x02", 1);
    assert_int_equal(calls.casebook.instance_lookups.in_use, 3);
    assert_true(moment_seen(&lookup_of(&calls, 0)->exchange.answered));
    assert_false(moment_seen(&lookup_of(&calls, 1)->exchange.answered));
    assert_string_equal(lookup_of(&calls, 1)->instance, "OLD");
    assert_int_equal(lookup_of(&calls, 2)->question, INSTANCE_QUESTION_BROADCAST);
    calls_close(&calls);
}

static void a_broadcast_is_answered_by_many(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    ask(&calls, 255, "\x02", 1);
    answer(&calls, 7, ONE_INSTANCE);
    answer(&calls, 8, TWO_INSTANCES);
    answer(&calls, 8, TWO_INSTANCES);
    const struct instance_lookup *lookup = lookup_of(&calls, 0);
    assert_int_equal(calls.casebook.instance_lookups.in_use, 1);
    assert_int_equal(lookup->exchange.answers, 3);
    assert_int_equal(lookup->instance_count, 3);
    assert_int_equal(lookup->instances->next->server.bytes[3], 8);
    assert_int_equal(lookup->instances->next->tcp_port, 0);
    assert_true(lookup->instances->next->clustered);
    calls_close(&calls);
}

static void the_administrator_has_a_port_of_its_own(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    ask(&calls, 7,
        "\x0f\x01"
        "DEV",
        6);
    /*                SVR_RESP  RESP_SIZE   version  TCP_DAC_PORT */
    const uint8_t dac[] = {0x05, 0x06, 0x00, 0x01, 0x9a, 0x05};
    calls_datagram(&calls, calls_end(7, 1434), calls_end(1, 50001), dac, sizeof dac, 0);
    assert_int_equal(lookup_of(&calls, 0)->question, INSTANCE_QUESTION_DAC);
    assert_int_equal(lookup_of(&calls, 0)->dac_port, 1434);
    calls_close(&calls);
}

static void a_refusal_is_kept(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    ask(&calls, 7, "\x03", 1);
    calls_refuse(&calls, calls_end(1, 50001), calls_end(7, 1434));
    assert_int_equal(lookup_of(&calls, 0)->exchange.refusal.count, 1);
    assert_int_equal(lookup_of(&calls, 0)->exchange.refusal.first.frame, 2);
    calls_close(&calls);
}

static void a_cut_answer_gives_what_it_has(void **state)
{
    (void)state;
    for (size_t captured = 1; captured < strlen(TWO_INSTANCES) + 3; captured++) {
        struct exchange_calls calls;
        calls_open(&calls);
        ask(&calls, 7, "\x03", 1);
        answer_part(&calls, 7, TWO_INSTANCES, captured);
        assert_int_equal(lookup_of(&calls, 0)->exchange.answers, 1);
        if (captured > 3)
            assert_true(lookup_of(&calls, 0)->answer_cut);
        const struct instance_facts *first = lookup_of(&calls, 0)->instances;
        for (const struct instance_facts *i = first; i; i = i->next)
            assert_true(i->tcp_port == 0 || i->tcp_port == 51433);
        calls_close(&calls);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_is_asked_for_and_found),
        cmocka_unit_test(questions_to_one_server_do_not_overwrite_each_other),
        cmocka_unit_test(a_broadcast_is_answered_by_many),
        cmocka_unit_test(the_administrator_has_a_port_of_its_own),
        cmocka_unit_test(a_refusal_is_kept),
        cmocka_unit_test(a_cut_answer_gives_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
