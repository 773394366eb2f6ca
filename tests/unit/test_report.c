/* Reports of a casebook made by hand: JSON parsed back, display filters, names, and what text does to long lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "fact_names.h"
#include "memory.h"
#include "renderer.h"
#include "tds_version_names.h"
#include "text.h"
#include "text_layout.h"
#include "tls_names.h"
#include "wireshark_filter.h"

#define START_NS 1795340523000000123LL /* 2026-11-22T09:42:03.000000123Z */
#define RUBBISH "log\xff\x1b[31m.pcap"

static bool write_to_text(void *context, const char *bytes, size_t size)
{
    text_add_bytes(context, bytes, size);
    return true;
}

static bool write_refused(void *context, const char *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    ++*(unsigned *)context;
    return false;
}

static struct moment at(int64_t ms, uint32_t frame)
{
    return (struct moment){START_NS + ms * NS_PER_MS, frame, 0};
}

static struct endpoint end4(uint8_t last, uint16_t port)
{
    return (struct endpoint){{4, {10, 0, 0, last}}, port};
}

static struct conversation *add_conversation(struct casebook *casebook, uint16_t client_port, uint32_t first_frame)
{
    struct conversation *c = casebook_add_conversation(casebook);
    c->ends[SIDE_CLIENT] = end4(1, client_port);
    c->ends[SIDE_SERVER] = end4(2, 1433);
    c->role_evidence = ROLE_SYN;
    c->starts_with_syn = true;
    c->first = at(first_frame, first_frame);
    c->last = at(first_frame + 2, first_frame + 2);
    c->packets = 3;
    c->wire_bytes = 180;
    struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    *client = (struct tcp_side){.packets = 2, .syns = 1, .first = c->first, .last = c->last, .syn = c->first};
    *server = (struct tcp_side){.packets = 1, .syns = 1};
    server->first = server->last = server->syn = at(first_frame + 1, first_frame + 1);
    conversation_conclude(c);
    return c;
}

/* Number 1: bare TCP. Number 2: a refused TDS login with everything known. */
static void make_casebook(struct casebook *casebook)
{
    casebook_open(casebook);
    casebook->captures = memory_take_array(1, sizeof *casebook->captures);
    casebook->capture_count = 1;
    struct capture_facts *capture = &casebook->captures[0];
    capture->file = memory_take(sizeof RUBBISH);
    memcpy(capture->file, RUBBISH, sizeof RUBBISH);
    *capture = (struct capture_facts){.file = capture->file,
                                      .format = "pcap",
                                      .packets = 6,
                                      .wire_bytes = 360,
                                      .first_ns = START_NS,
                                      .last_ns = START_NS + NS_PER_SECOND};
    casebook->points = memory_take_array(1, sizeof *casebook->points);
    casebook->point_count = 1;
    casebook->points[0] = (struct point_facts){
        .role = CAPTURE_ROLE_CLIENT, .first_ns = START_NS, .last_ns = START_NS + NS_PER_SECOND, .has_packets = true};

    add_conversation(casebook, 50000, 1);
    struct conversation *c = add_conversation(casebook, 50001, 4);
    struct tds_facts *tds = c->tds = casebook_add_tds(casebook);
    c->protocol = PROTOCOL_TDS;
    tds->steps[LOGIN_STEP_PRELOGIN] = at(5, 5);
    tds->encryption = LOGIN_ENCRYPTION_LOGIN;
    tds->tls_version = 0x0303;
    tds->cipher_suite = 0xc030;
    tds->tds_version = 0x74000004;
    tds->server_version = 16u << 24 | 1000;
    tds->has_connection_id = true;
    for (uint8_t i = 0; i < 16; i++)
        tds->connection_id[i] = i;
    tds->user = "Zo\xc3\xab \"x\" \\ \xef\xbf\xbd";
    tds->login_error = (struct tds_error){18456, 1, 14, at(6, 6), "Login failed"};
    tds->errors = arena_take(&casebook->texts, sizeof *tds->errors);
    tds->errors[0] = (struct tds_error_count){.number = 18456, .count = 1};
    tds->error_kinds = 1;
    tds->messages[TDS_PRELOGIN] = 1;
}

struct fixture {
    struct casebook casebook;
    struct judge judge;
    struct report report;
};

static int set_up(void **state)
{
    struct fixture *f = memory_take(sizeof *f);
    make_casebook(&f->casebook);
    judge_open(&f->judge, &f->casebook, &thresholds_usual);
    f->report = (struct report){.casebook = &f->casebook, .judge = &f->judge, .version = "0.0"};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    judge_close(&f->judge);
    casebook_close(&f->casebook);
    memory_give(f);
    return 0;
}

static json_t *diagnosis_of(const struct report *report)
{
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    renderer_by_name("json")->diagnosis(report, &sink);
    assert_false(sink.failed);
    json_error_t error;
    json_t *root = json_loads(text_string(&out), JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg("not JSON: %s (line %d)", error.text, error.line);
    text_close(&out);
    return root;
}

static const char *string_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static void knows_its_renderers(void **state)
{
    (void)state;
    assert_string_equal(renderer_by_name("text")->name, "text");
    assert_string_equal(renderer_by_name("json")->name, "json");
    assert_null(renderer_by_name("yaml"));
}

static void a_refused_write_is_the_last(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < renderer_count; i++) {
        unsigned calls = 0;
        struct sink sink = {.write = write_refused, .context = &calls};
        renderers[i]->diagnosis(&f->report, &sink);
        assert_true(sink.failed);
        assert_int_equal(calls, 1);
    }
}

static void json_has_the_contracts_frame(void **state)
{
    struct fixture *f = *state;
    json_t *root = diagnosis_of(&f->report);
    assert_string_equal(string_at(root, "schema"), "tdscope/1");
    static const char *const lists[] = {"captures", "sources", "conversations", "findings", "workflow"};
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
        assert_true(json_is_array(json_object_get(root, lists[i])));
    const json_t *verdict = json_object_get(root, "verdict");
    assert_string_not_equal(string_at(verdict, "culprit"), "");
    assert_string_not_equal(string_at(verdict, "summary"), "");

    const json_t *capture = json_array_get(json_object_get(root, "captures"), 0);
    assert_string_equal(string_at(capture, "file"), "log\xef\xbf\xbd\xef\xbf\xbd[31m.pcap");
    assert_string_equal(string_at(capture, "role"), "client");
    assert_string_equal(string_at(capture, "first"), "2026-11-22T09:42:03.000000123Z");
    assert_null(json_object_get(capture, "dropped_by_capture"));
    assert_null(json_object_get(capture, "truncated_to"));
    json_decref(root);
}

static void json_leaves_out_what_is_not_known(void **state)
{
    struct fixture *f = *state;
    json_t *root = diagnosis_of(&f->report);
    const json_t *tcp = json_array_get(json_object_get(root, "conversations"), 0);
    assert_string_equal(string_at(tcp, "protocol"), "tcp");
    assert_int_equal(json_integer_value(json_object_get(tcp, "id")), 1);
    assert_string_equal(string_at(json_object_get(tcp, "client"), "address"), "10.0.0.1");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(tcp, "server"), "port")), 1433);
    assert_string_equal(string_at(tcp, "ending"), "open");
    assert_string_not_equal(string_at(tcp, "cause"), "");
    assert_true(json_is_number(json_object_get(tcp, "confidence")));
    assert_true(json_is_array(json_object_get(tcp, "evidence")));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(tcp, "seen_in"), 0)), 0);
    static const char *const absent[] = {"closed_first_by", "messages", "errors", "mars"};
    for (unsigned i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_null(json_object_get(tcp, absent[i]));
    const json_t *login = json_object_get(tcp, "login");
    assert_string_not_equal(string_at(login, "stage"), "");
    assert_int_equal(json_object_size(login), 1);
    json_decref(root);
}

static void json_tells_a_login(void **state)
{
    struct fixture *f = *state;
    json_t *root = diagnosis_of(&f->report);
    const json_t *tds = json_array_get(json_object_get(root, "conversations"), 1);
    const json_t *login = json_object_get(tds, "login");
    assert_string_equal(string_at(login, "encrypted"), "login");
    assert_string_equal(string_at(login, "tls_version"), "TLS 1.2");
    assert_string_equal(string_at(login, "cipher"), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_string_equal(string_at(login, "tds_version"), "7.4");
    assert_string_equal(string_at(login, "server_version"), "16.0.1000");
    assert_string_equal(string_at(login, "connection_id"), "03020100-0504-0706-0809-0a0b0c0d0e0f");
    assert_string_equal(string_at(login, "user"), "Zo\xc3\xab \"x\" \\ \xef\xbf\xbd");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(login, "error"), "number")), 18456);
    assert_null(json_object_get(login, "client_host"));
    assert_null(json_object_get(login, "authentication"));
    const json_t *messages = json_object_get(tds, "messages");
    assert_int_equal(json_integer_value(json_object_get(messages, "prelogin")), 1);
    assert_true(json_is_integer(json_object_get(messages, "batch")));
    assert_int_equal(json_array_size(json_object_get(tds, "errors")), 1);
    assert_true(json_is_false(json_object_get(tds, "mars")));
    json_decref(root);
}

static void json_makes_no_zeros_of_what_tls_hides(void **state)
{
    struct fixture *f = *state;
    struct tds_facts *tds = casebook_conversation(&f->casebook, 1)->tds;
    tds->encryption = LOGIN_ENCRYPTION_FULL;
    tds->error_kinds = 0;
    json_t *root = diagnosis_of(&f->report);
    const json_t *conversation = json_array_get(json_object_get(root, "conversations"), 1);
    const json_t *messages = json_object_get(conversation, "messages");
    assert_int_equal(json_object_size(messages), 1);
    assert_int_equal(json_integer_value(json_object_get(messages, "prelogin")), 1);
    assert_null(json_object_get(conversation, "errors"));
    json_decref(root);
}

static void json_tells_findings_with_their_conversations(void **state)
{
    static const char *const actions[] = {"Look.", "Repair.", NULL};
    static const struct detector detector = {
        .cause = "server.made-up",
        .title = "A title",
        .means = "Means this.",
        .holds_when = "always",
        .actions = actions,
        .culprit = CULPRIT_SERVER,
        .severity = SEVERITY_FAULT,
    };
    struct fixture *f = *state;
    uint32_t ids[] = {1, 2};
    struct finding finding = {
        .detector = &detector,
        .culprit = CULPRIT_SERVER,
        .severity = SEVERITY_RISK,
        .scope = SCOPE_SERVER,
        .confidence = 0.9,
        .server = end4(2, 1433),
        .conversations = ids,
        .conversation_count = 2,
        .concerned = 3,
        .hides = "Nobody can say more.",
        .measures = {{"wait_s", 0.5}, {"ports", 7}},
        .measure_count = 2,
        .first_ns = START_NS,
        .last_ns = START_NS + 1,
        .example = {.detector = &detector, .says = "It says.", .proof_count = 1, .proofs = {{at(1, 1), "a proof"}}}};
    struct judge doctored = f->judge;
    doctored.findings = &finding;
    doctored.finding_count = 1;
    struct report report = {.casebook = &f->casebook, .judge = &doctored, .version = "0.0"};
    json_t *root = diagnosis_of(&report);
    const json_t *told = json_array_get(json_object_get(root, "findings"), 0);
    assert_string_equal(string_at(told, "cause"), "server.made-up");
    assert_string_equal(string_at(told, "scope"), "server");
    assert_string_equal(string_at(told, "severity"), "risk");
    assert_string_equal(string_at(told, "hides"), "Nobody can say more.");
    const json_t *measured = json_object_get(told, "measured");
    assert_true(json_real_value(json_object_get(measured, "wait_s")) == 0.5);
    assert_int_equal(json_integer_value(json_object_get(measured, "ports")), 7);
    assert_string_equal(string_at(told, "explanation"), "It says. Means this.");
    assert_int_equal(json_integer_value(json_object_get(told, "conversation_count")), 3);
    assert_int_equal(json_array_size(json_object_get(told, "conversations")), 2);
    assert_int_equal(json_array_size(json_object_get(told, "actions")), 2);
    const json_t *subject = json_object_get(told, "subject");
    assert_string_equal(string_at(json_object_get(subject, "server"), "address"), "10.0.0.2");
    assert_null(json_object_get(subject, "client"));
    const json_t *proof = json_array_get(json_object_get(told, "evidence"), 0);
    assert_int_equal(json_integer_value(json_object_get(proof, "frame")), 1);
    assert_string_equal(string_at(proof, "time"), "2026-11-22T09:42:03.001000123Z");
    json_decref(root);
}

static void json_lines_are_the_same_objects(void **state)
{
    struct fixture *f = *state;
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    renderer_by_name("json")->conversations(&f->report, &sink);
    json_t *root = diagnosis_of(&f->report);
    const json_t *list = json_object_get(root, "conversations");
    char *line = out.data;
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        json_t *object = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_true(json_equal(object, json_array_get(list, i)));
        json_decref(object);
        line = end + 1;
    }
    assert_string_equal(line, "");
    json_decref(root);
    text_close(&out);
}

/* W18: what was answered late is told with its delay. */
static void text_tells_late_names(void **state)
{
    struct fixture *f = *state;
    struct moment asked = at(1, 1);
    struct name_lookup *lookup = casebook_add_name_lookup(&f->casebook, 0, &asked);
    lookup->name = "sql.test";
    lookup->exchange.client = end4(1, 50000);
    lookup->exchange.server = end4(9, 53);
    lookup->exchange.asked = lookup->exchange.last_asked = asked;
    lookup->exchange.answered = at(5001, 3);
    lookup->exchange.tries = lookup->exchange.answers = 1;
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    renderer_by_name("text")->diagnosis(&f->report, &sink);
    assert_non_null(strstr(text_string(&out), "sql.test"));
    assert_non_null(strstr(text_string(&out), "answered after 5.0 s (frame 3)"));
    text_close(&out);
}

static void text_shows_no_control_characters(void **state)
{
    struct fixture *f = *state;
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    renderer_by_name("text")->diagnosis(&f->report, &sink);
    assert_null(strchr(text_string(&out), '\x1b'));
    assert_non_null(strstr(text_string(&out), "[31m.pcap"));
    text_close(&out);
}

static void rows_have_one_cell_a_column(void **state)
{
    struct fixture *f = *state;
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    renderer_by_name("text")->conversations(&f->report, &sink);
    unsigned cells[4] = {0}, line = 0;
    bool inside = false;
    for (const char *c = text_string(&out); *c; c++) {
        cells[line] += *c != ' ' && *c != '\n' && !inside;
        inside = *c != ' ' && *c != '\n';
        line += *c == '\n';
        assert_in_range(line, 0, 3);
    }
    assert_int_equal(line, 3);
    assert_int_equal(cells[0], 21);
    assert_int_equal(cells[1], cells[0]);
    assert_int_equal(cells[2], cells[0]);
    text_close(&out);
}

/* RFC 4180: quotes are doubled, and commas and line ends stand within them. What a spreadsheet would run is text. */
static void rows_of_csv_are_whole_and_harmless(void **state)
{
    struct fixture *f = *state;
    struct tds_facts *tds = casebook_conversation(&f->casebook, 1)->tds;
    tds->application = "=HYPERLINK(\"http://x\")";
    tds->database = "a,\"b\"\r\nc";
    tds->client_host = "-1+1";
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    renderer_by_name("csv")->conversations(&f->report, &sink);
    unsigned commas[4] = {0}, rows = 0;
    bool quoted = false;
    for (const char *c = text_string(&out); *c; c++) {
        quoted ^= *c == '"';
        commas[rows] += *c == ',' && !quoted;
        rows += *c == '\n' && !quoted;
        assert_in_range(rows, 0, 3);
    }
    assert_int_equal(rows, 3);
    assert_in_range(commas[0], 20, 100);
    assert_int_equal(commas[1], commas[0]);
    assert_int_equal(commas[2], commas[0]);
    assert_non_null(strstr(text_string(&out), ",\"'=HYPERLINK(\"\"http://x\"\")\","));
    assert_non_null(strstr(text_string(&out), ",\"a,\"\"b\"\"\r\nc\","));
    assert_non_null(strstr(text_string(&out), ",\"'-1+1\","));
    assert_null(renderer_by_name("csv")->packets);
    text_close(&out);
}

static void filters_name_both_ends(void **state)
{
    struct fixture *f = *state;
    char text[WIRESHARK_FILTER_SIZE];
    struct conversation c = *casebook_conversation(&f->casebook, 0);
    const char *plain = "ip.addr == 10.0.0.1 && tcp.port == 50000 && ip.addr == 10.0.0.2 && tcp.port == 1433";
    assert_string_equal(wireshark_conversation_filter(&c, false, text), plain);
    assert_string_equal(wireshark_conversation_filter(&c, true, text) + strlen(plain),
                        " && frame.number >= 1 && frame.number <= 3");
    c.capture_last = 1;
    assert_string_equal(wireshark_conversation_filter(&c, true, text) + strlen(plain),
                        " && frame.time_epoch >= 1795340523.001000123 && frame.time_epoch <= 1795340523.003000123");
    assert_string_equal(wireshark_frame_filter(&c.first, text), "frame.number == 1");

    memset(&c.ends, 0xff, sizeof c.ends);
    c.ends[SIDE_CLIENT].address.version = c.ends[SIDE_SERVER].address.version = 6;
    c.first.time_ns = c.last.time_ns = INT64_MAX;
    wireshark_conversation_filter(&c, true, text);
    assert_non_null(strstr(text, "ipv6.addr == ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff && tcp.port == 65535"));
    assert_non_null(strstr(text, "<= 9223372036.854775807"));
}

static void every_user_of_a_reused_tuple_is_known(void **state)
{
    struct fixture *f = *state;
    struct conversation *again = add_conversation(&f->casebook, 50000, 7);
    again->tuple_reused = true;
    struct endpoint client = again->ends[SIDE_CLIENT]; /* its roles were learnt the other way round */
    again->ends[SIDE_CLIENT] = again->ends[SIDE_SERVER];
    again->ends[SIDE_SERVER] = client;
    struct reused_tuples tuples;
    reused_tuples_open(&tuples, &f->casebook, 1);
    assert_true(reused_tuples_have(&tuples, casebook_conversation(&f->casebook, 0)));
    assert_false(reused_tuples_have(&tuples, casebook_conversation(&f->casebook, 1)));
    assert_true(reused_tuples_have(&tuples, again));
    reused_tuples_close(&tuples);
}

static void names_are_the_contracts(void **state)
{
    (void)state;
    char tls[TLS_NAME_SIZE], version[VERSION_TEXT_SIZE];
    assert_string_equal(tls_version_name(0x0304, tls), "TLS 1.3");
    assert_string_equal(tls_version_name(0x7f17, tls), "0x7f17");
    assert_string_equal(tls_cipher_suite_name(0x1302, tls), "TLS_AES_256_GCM_SHA384");
    assert_string_equal(tls_cipher_suite_name(0xfafa, tls), "0xfafa");
    assert_string_equal(tds_version_text(0x730b0003, version), "7.3");
    assert_string_equal(tds_version_text(0x07010000, version), "7.1");
    assert_string_equal(tds_version_text(0x08000000, version), "8.0");
    assert_string_equal(tds_version_text(0x05000000, version), "5.0");
    assert_string_equal(server_version_text(UINT32_MAX, version), "255.255.65535");
    assert_string_equal(ending_name(ENDING_NO_ANSWER), "no-answer");
    assert_string_equal(login_stage_name(LOGIN_STAGE_AUTHENTICATING), "authenticating");
    assert_null(encryption_name(LOGIN_ENCRYPTION_UNKNOWN));
}

static void times_and_amounts_in_words(void **state)
{
    (void)state;
    struct sink sink = {.utc_offset_s = -(5 * 3600 + 30 * 60)};
    char text[CLOCK_TEXT_SIZE], amount[QUANTITY_TEXT_SIZE];
    assert_string_equal(layout_instant(&sink, START_NS, text), "2026-11-22T04:12:03.000-05:30");
    assert_string_equal(layout_zone(&sink, text), "UTC-05:30");
    sink.utc_offset_s = 14 * 3600;
    assert_string_equal(layout_instant(&sink, START_NS, text), "2026-11-22T23:42:03.000+14:00");
    assert_string_equal(layout_day(&sink, INT64_MAX, text), "2262-04-11");
    sink.utc_offset_s = 0;
    assert_string_equal(layout_instant(&sink, START_NS, text), "2026-11-22T09:42:03.000Z");
    assert_string_equal(layout_duration(4200000, amount), "4.2 ms");
    assert_string_equal(layout_duration(200 * NS_PER_SECOND, amount), "3 min 20 s");
    assert_string_equal(layout_duration(47 * 3600 * NS_PER_SECOND, amount), "47 h 0 min");
    assert_string_equal(layout_duration(73 * 3600 * NS_PER_SECOND, amount), "3 days 1 h");
    assert_string_equal(layout_bytes(999, amount), "999 bytes");
    assert_string_equal(layout_bytes(12345678, amount), "12.3 MB");
    assert_string_equal(layout_bytes(UINT64_MAX, amount), "18.4 EB");
}

static void paragraphs_wrap_between_words(void **state)
{
    (void)state;
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    char words[400];
    for (unsigned i = 0; i < sizeof words; i++)
        words[i] = i % 10 == 9 ? ' ' : 'x';
    words[sizeof words - 1] = '\0';
    layout_paragraph(&sink, 0, 6, words);
    for (const char *line = text_string(&out); *line; line = strchr(line, '\n') + 1) {
        assert_memory_equal(line, "      x", 7);
        assert_in_range((size_t)(strchr(line, '\n') - line), 10, REPORT_COLUMNS);
    }
    text_close(&out);
}

static void commands_stay_whole(void **state)
{
    (void)state;
    struct text out = {0};
    struct sink sink = {.write = write_to_text, .context = &out};
    layout_paragraph(&sink, 0, 2,
                     "Then run `netsh trace start scenario=netconnection capture=yes tracefile=c:\\temp\\my.etl "
                     "filemode=circular`, and ` alone.");
    assert_string_equal(text_string(&out),
                        "  Then run\n"
                        "  `netsh trace start scenario=netconnection capture=yes tracefile=c:\\temp\\my.etl "
                        "filemode=circular`,\n"
                        "  and ` alone.\n");
    text_close(&out);
}

int main(void)
{
#define WITH_CASEBOOK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_renderers),
        WITH_CASEBOOK(a_refused_write_is_the_last),
        WITH_CASEBOOK(json_has_the_contracts_frame),
        WITH_CASEBOOK(json_leaves_out_what_is_not_known),
        WITH_CASEBOOK(json_tells_a_login),
        WITH_CASEBOOK(json_makes_no_zeros_of_what_tls_hides),
        WITH_CASEBOOK(json_tells_findings_with_their_conversations),
        WITH_CASEBOOK(json_lines_are_the_same_objects),
        WITH_CASEBOOK(text_tells_late_names),
        WITH_CASEBOOK(text_shows_no_control_characters),
        WITH_CASEBOOK(rows_have_one_cell_a_column),
        WITH_CASEBOOK(rows_of_csv_are_whole_and_harmless),
        WITH_CASEBOOK(filters_name_both_ends),
        WITH_CASEBOOK(every_user_of_a_reused_tuple_is_known),
        cmocka_unit_test(names_are_the_contracts),
        cmocka_unit_test(times_and_amounts_in_words),
        cmocka_unit_test(paragraphs_wrap_between_words),
        cmocka_unit_test(commands_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
