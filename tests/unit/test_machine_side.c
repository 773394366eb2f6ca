/* Tests of which side a machine is on that a source tells of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "machine_side.h"

static int open_casebook(void **state)
{
    static struct casebook casebook;
    casebook_open(&casebook);
    *state = &casebook;
    return 0;
}

static int close_casebook(void **state)
{
    casebook_close(*state);
    return 0;
}

static struct address ipv4(uint8_t last)
{
    return (struct address){.version = 4, .bytes = {10, 0, 0, last}};
}

static uint32_t add_source(struct casebook *casebook, const char *machine)
{
    struct source_facts *source = evidence_add_source(&casebook->evidence);
    source->machine = machine;
    uint32_t number = casebook->evidence.source_count - 1;
    struct moment at = {0, 1, number | MOMENT_IN_SOURCE};
    evidence_add_setting(&casebook->evidence, &at, SETTING_RSS, 0, NULL);
    return number;
}

static uint32_t add_machine(struct casebook *casebook, struct address address)
{
    uint32_t source = add_source(casebook, NULL);
    evidence_add_address(&casebook->evidence, source, &address);
    return source;
}

static void add_connection(struct casebook *casebook, uint8_t client, uint8_t server, uint16_t port)
{
    struct conversation *c = casebook_add_conversation(casebook);
    c->ends[SIDE_CLIENT] = (struct endpoint){ipv4(client), 50000};
    c->ends[SIDE_SERVER] = (struct endpoint){ipv4(server), port};
}

static enum capture_role role_of(const struct casebook *casebook, uint32_t source)
{
    return casebook->evidence.sources[source].role;
}

static void place(struct casebook *casebook)
{
    casebook_join(casebook);
    machine_side_place(casebook);
}

static void test_by_address(void **state)
{
    struct casebook *casebook = *state;
    uint32_t client = add_machine(casebook, ipv4(1)), server = add_machine(casebook, ipv4(2)),
             between = add_machine(casebook, ipv4(3)), other = add_machine(casebook, ipv4(4));
    add_connection(casebook, 1, 2, 1433);
    add_connection(casebook, 3, 2, 1433);
    add_connection(casebook, 3, 2, 1433);
    add_connection(casebook, 1, 3, 1433);
    add_connection(casebook, 4, 5, 80);
    place(casebook);
    assert_int_equal(role_of(casebook, client), CAPTURE_ROLE_CLIENT);
    assert_int_equal(role_of(casebook, server), CAPTURE_ROLE_SERVER);
    assert_int_equal(role_of(casebook, between), CAPTURE_ROLE_CLIENT); /* twice, and once the server */
    assert_int_equal(casebook->evidence.sources[client].address.bytes[3], 1);
    assert_int_equal(role_of(casebook, other), CAPTURE_ROLE_UNKNOWN); /* it speaks to no SQL Server */
    assert_int_equal(casebook->evidence.sources[other].notes.count, 1);
    assert_int_equal(casebook->evidence.sources[client].notes.count, 0);
}

static void test_every_machine_has_the_loopback(void **state)
{
    struct casebook *casebook = *state;
    uint32_t source = add_machine(casebook, (struct address){.version = 4, .bytes = {127, 0, 0, 1}});
    struct conversation *c = casebook_add_conversation(casebook);
    c->ends[SIDE_CLIENT] = (struct endpoint){{.version = 4, .bytes = {127, 0, 0, 1}}, 50000};
    c->ends[SIDE_SERVER] = (struct endpoint){{.version = 4, .bytes = {127, 0, 0, 1}}, 1433};
    place(casebook);
    assert_int_equal(role_of(casebook, source), CAPTURE_ROLE_UNKNOWN);
}

static void test_what_the_user_says_holds(void **state)
{
    struct casebook *casebook = *state;
    uint32_t source = add_machine(casebook, ipv4(1));
    casebook->evidence.sources[source].role = CAPTURE_ROLE_SERVER;
    casebook->evidence.sources[source].role_given = true;
    add_connection(casebook, 1, 2, 1433);
    place(casebook);
    assert_int_equal(role_of(casebook, source), CAPTURE_ROLE_SERVER);
    assert_int_equal(casebook->evidence.sources[source].address.version, 0);
}

static void test_by_name(void **state)
{
    struct casebook *casebook = *state;
    uint32_t client = add_machine(casebook, ipv4(1));
    casebook->evidence.sources[client].machine = "APP01.example.net";
    uint32_t same = add_source(casebook, "app01"), other = add_source(casebook, "app02"),
             nobody = add_source(casebook, "localhost.localdomain"), nameless = add_source(casebook, NULL);
    add_connection(casebook, 1, 2, 1433);
    place(casebook);
    assert_int_equal(role_of(casebook, same), CAPTURE_ROLE_CLIENT);
    assert_int_equal(role_of(casebook, other), CAPTURE_ROLE_UNKNOWN);
    assert_int_equal(role_of(casebook, nobody), CAPTURE_ROLE_UNKNOWN);
    assert_int_equal(role_of(casebook, nameless), CAPTURE_ROLE_UNKNOWN);
}

static void test_a_running_sql_server_is_a_server(void **state)
{
    struct casebook *casebook = *state;
    uint32_t runs = add_source(casebook, "SQL01"), asks = add_machine(casebook, ipv4(1));
    struct moment at = {0, 2, runs | MOMENT_IN_SOURCE};
    evidence_add_setting(&casebook->evidence, &at, SETTING_SQL_RUNS, 0, "MSSQLSERVER");
    at.capture = asks | MOMENT_IN_SOURCE;
    evidence_add_setting(&casebook->evidence, &at, SETTING_SQL_RUNS, 0, "SQLEXPRESS");
    add_connection(casebook, 1, 2, 1433);
    place(casebook);
    assert_int_equal(role_of(casebook, runs), CAPTURE_ROLE_SERVER);
    assert_int_equal(role_of(casebook, asks), CAPTURE_ROLE_CLIENT); /* its addresses tell more */
}

static void test_short_names(void **state)
{
    (void)state;
    char name[MACHINE_NAME_SIZE], long_name[100];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(machine_side_short_name("SQL01\\INST", name), 5);
    assert_string_equal(name, "sql01");
    assert_int_equal(machine_side_short_name(NULL, name), 0);
    assert_int_equal(machine_side_short_name("", name), 0);
    assert_int_equal(machine_side_short_name(long_name, name), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_casebook, close_casebook)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_by_address), CASE(test_every_machine_has_the_loopback),   CASE(test_what_the_user_says_holds),
        CASE(test_by_name),    CASE(test_a_running_sql_server_is_a_server), cmocka_unit_test(test_short_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
