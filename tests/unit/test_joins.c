/* Which lookup led to a conversation, and which controllers a SQL Server talked to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "casebook.h"
#include "name_waits.h"

static struct endpoint end(uint8_t host, uint16_t port)
{
    return (struct endpoint){{4, {10, 0, 0, host}}, port};
}

static struct moment at_s(int64_t seconds)
{
    return (struct moment){.time_ns = seconds * NS_PER_SECOND, .frame = (uint32_t)seconds};
}

static void add_name(struct casebook *casebook, uint8_t client, uint8_t address, int64_t answered_s, uint32_t ttl_s)
{
    struct moment at = at_s(answered_s);
    struct name_lookup *lookup = casebook_add_name_lookup(casebook, 0, &at);
    lookup->exchange.client = end(client, 50000);
    lookup->exchange.answered = at;
    lookup->addresses[0] = end(address, 0).address;
    lookup->address_count = 1;
    lookup->ttl_s = ttl_s;
}

static struct conversation *add_conversation(struct casebook *casebook, uint8_t client, struct endpoint server,
                                             int64_t first_s)
{
    struct conversation *c = casebook_add_conversation(casebook);
    c->ends[SIDE_CLIENT] = end(client, 50000);
    c->ends[SIDE_SERVER] = server;
    c->first = c->sides[SIDE_CLIENT].syn = at_s(first_s);
    return c;
}

static uint32_t name_id(const struct casebook *casebook, const struct conversation *c)
{
    const struct name_lookup *lookup = casebook_name_lookup_for(casebook, c);
    return lookup ? lookup->exchange.id : 0;
}

static void the_latest_name_before_is_found(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    add_name(&casebook, 1, 7, 100, 0);
    add_name(&casebook, 1, 7, 120, 0);
    add_name(&casebook, 1, 7, 140, 0);
    add_name(&casebook, 2, 7, 125, 3600);
    const struct conversation *joined = add_conversation(&casebook, 1, end(7, 1433), 130);
    const struct conversation *before = add_conversation(&casebook, 1, end(7, 1433), 99);
    const struct conversation *late = add_conversation(&casebook, 1, end(7, 1433), 201);
    const struct conversation *cached = add_conversation(&casebook, 2, end(7, 1433), 3700);
    const struct conversation *elsewhere = add_conversation(&casebook, 1, end(8, 1433), 130);
    casebook_join(&casebook);
    assert_int_equal(name_id(&casebook, joined), 2);
    assert_int_equal(name_id(&casebook, before), 0);
    assert_int_equal(name_id(&casebook, late), 0);
    assert_int_equal(name_id(&casebook, cached), 4);
    assert_int_equal(name_id(&casebook, elsewhere), 0);
    casebook_close(&casebook);
}

static void who_waited_for_a_name_is_none_to_forget(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    const int64_t waited_s[] = {3, 0};
    for (uint8_t i = 0; i < 2; i++) {
        add_name(&casebook, i + 1, 7, 100, 0);
        struct name_lookup *lookup = casebook_name_lookup(&casebook, i);
        lookup->name = "sql.example";
        lookup->exchange.tries = 1;
        lookup->exchange.asked = lookup->exchange.last_asked = at_s(100 - waited_s[i]);
    }
    const struct conversation *waited = add_conversation(&casebook, 1, end(7, 1433), 100);
    const struct conversation *at_once = add_conversation(&casebook, 2, end(7, 1433), 100);
    casebook_join(&casebook);
    assert_true(name_waits_concern(&casebook, waited));
    assert_false(name_waits_concern(&casebook, at_once));
    casebook_close(&casebook);
}

static void the_browser_named_the_port(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    struct moment at = at_s(100);
    struct instance_lookup *lookup = casebook_add_instance_lookup(&casebook, 0, &at);
    struct instance_facts instance = {.server = end(7, 0).address, .tcp_port = 51433};
    lookup->exchange.client = end(1, 50001);
    lookup->exchange.answered = at;
    lookup->instances = &instance;
    lookup->instance_count = 1;
    const struct conversation *joined = add_conversation(&casebook, 1, end(7, 51433), 101);
    const struct conversation *other = add_conversation(&casebook, 1, end(7, 1433), 101);
    casebook_join(&casebook);
    assert_ptr_equal(casebook_instance_lookup_for(&casebook, joined), lookup);
    assert_null(casebook_instance_lookup_for(&casebook, other));
    casebook_close(&casebook);
}

static void controllers_are_those_of_sql_servers(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    struct conversation *tds = add_conversation(&casebook, 1, end(7, 1433), 100);
    tds->tds = casebook_add_tds(&casebook);
    add_conversation(&casebook, 7, end(9, 389), 101)->sides[SIDE_SERVER].syn = at_s(104);
    struct conversation *slow = add_conversation(&casebook, 7, end(9, 389), 110);
    slow->service = casebook_add_service(&casebook);
    *slow->service = (struct service_facts){.turns = 2, .slowest_ns = 5 * NS_PER_SECOND, .slowest_asked = at_s(112)};
    add_conversation(&casebook, 7, end(9, 445), 120)->ending = ENDING_NO_ANSWER;
    add_conversation(&casebook, 7, end(6, 445), 130); /* a file server */
    add_conversation(&casebook, 1, end(9, 389), 140); /* not the SQL Server's */
    casebook_join(&casebook);
    assert_int_equal(casebook.domain_controllers.count, 1);
    const struct domain_controller *controller = &casebook.domain_controllers.list[0];
    assert_int_equal(controller->controller.bytes[3], 9);
    assert_int_equal(controller->services[CONTROLLER_LDAP].conversations, 2);
    assert_int_equal(controller->services[CONTROLLER_LDAP].slowest_ns, 5 * NS_PER_SECOND);
    assert_int_equal(controller->services[CONTROLLER_LDAP].slowest.frame, 112);
    assert_int_equal(controller->services[CONTROLLER_SMB].failed, 1);
    casebook_close(&casebook);
}

/* Known analyzers show an entry without an address for each conversation (W17). */
static void a_controller_may_have_an_address_of_version_6(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    struct endpoint machine = {{6, {0xfd, [15] = 7}}, 1433}, ldap = {{6, {0xfd, [15] = 9}}, 389};
    add_conversation(&casebook, 1, machine, 100)->tds = casebook_add_tds(&casebook);
    for (int64_t i = 0; i < 3; i++) {
        struct conversation *c = add_conversation(&casebook, 1, ldap, 101 + i);
        c->ends[SIDE_CLIENT] = (struct endpoint){machine.address, (uint16_t)(50000 + i)};
    }
    casebook_join(&casebook);
    assert_int_equal(casebook.domain_controllers.count, 1);
    const struct domain_controller *controller = &casebook.domain_controllers.list[0];
    assert_true(address_equal(&controller->machine, &machine.address));
    assert_true(address_equal(&controller->controller, &ldap.address));
    assert_int_equal(controller->services[CONTROLLER_LDAP].conversations, 3);
    casebook_close(&casebook);
}

/* Whoever answers DNS is a domain controller to known analyzers (W19). */
static void a_name_server_is_no_controller(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    add_conversation(&casebook, 1, end(7, 1433), 100)->tds = casebook_add_tds(&casebook);
    struct endpoint name_server = {{4, {8, 8, 8, 8}}, 53};
    add_name(&casebook, 7, 1, 101, 60);
    casebook_name_lookup(&casebook, 0)->exchange.server = name_server;
    add_conversation(&casebook, 7, name_server, 102);
    casebook_join(&casebook);
    assert_int_equal(casebook.domain_controllers.count, 0);
    casebook_close(&casebook);
}

static void beyond_the_ceiling_nothing_is_kept(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    struct moment at = at_s(1);
    for (unsigned i = 0; i < INSTANCE_LOOKUPS_MAX; i++)
        assert_non_null(casebook_add_instance_lookup(&casebook, 0, &at));
    assert_null(casebook_add_instance_lookup(&casebook, 0, &at));
    casebook_close(&casebook);
}

/* The server's clock showed 1000 s when it was set by so much; its capture lasts until the clock would have shown 1100 s. */
static void check_logged(int64_t by_s, int64_t logged_s, int64_t meant_s)
{
    struct casebook casebook;
    casebook_open(&casebook);
    struct point_facts server = {
        .role = CAPTURE_ROLE_SERVER, .first_ns = 900 * NS_PER_SECOND, .last_ns = 1100 * NS_PER_SECOND};
    struct clock_setting setting = {.by_ns = by_s * NS_PER_SECOND, .first = at_s(1000 + by_s)};
    casebook.points = &server;
    casebook.point_count = 1;
    casebook.clock_settings = &setting;
    casebook.clock_setting_count = 1;
    evidence_add_source(&casebook.evidence)->role = CAPTURE_ROLE_SERVER;
    struct moment entry = {.time_ns = logged_s * NS_PER_SECOND, .frame = 1, .capture = MOMENT_IN_SOURCE};
    assert_int_equal(casebook_moment_ns(&casebook, &entry), meant_s * NS_PER_SECOND);
    casebook.points = NULL;
    casebook.point_count = 0;
    casebook_close(&casebook);
}

static void a_log_follows_the_clock_that_was_set(void **state)
{
    (void)state;
    check_logged(0, 1050, 1050);
    check_logged(3600, 950, 950);
    check_logged(3600, 4650, 1050);
    check_logged(-3600, 990, 990);
    check_logged(-3600, -2550, 1050);
    check_logged(-50, 960, 1010);
    check_logged(-50, 940, 940);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_name_before_is_found),
        cmocka_unit_test(who_waited_for_a_name_is_none_to_forget),
        cmocka_unit_test(the_browser_named_the_port),
        cmocka_unit_test(controllers_are_those_of_sql_servers),
        cmocka_unit_test(a_controller_may_have_an_address_of_version_6),
        cmocka_unit_test(a_name_server_is_no_controller),
        cmocka_unit_test(beyond_the_ceiling_nothing_is_kept),
        cmocka_unit_test(a_log_follows_the_clock_that_was_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
