/*
 * The report as a SQLite database, to be asked by SQL: tables of the verdict, captures, other sources, conversations, findings, what each rests
 * on, and the steps of the workflow. Times are RFC 3339 in UTC, as in JSON; what is not known is NULL. It is made in memory and then written,
 * so memory follows the number of conversations.
 */
#include <sqlite3.h>
#include <string.h>

#include "capture_notes.h"
#include "conversation_columns.h"
#include "fact_names.h"
#include "json_conversation.h"
#include "memory.h"
#include "report_choices.h"
#include "settling.h"
#include "text.h"

static const char schema[] =
    "CREATE TABLE verdict(culprit, cause, confidence, summary);"
    "CREATE TABLE captures(id INTEGER PRIMARY KEY, file, format, role, packets, bytes, first, last);"
    "CREATE TABLE sources(id INTEGER PRIMARY KEY, file, kind, machine, encoding, records, joined, first, last);"
    "CREATE TABLE notes(capture REFERENCES captures, source REFERENCES sources, says);"
    "CREATE TABLE findings(id INTEGER PRIMARY KEY, cause, scope, culprit, severity, confidence, title, says, means, "
    "server, client, "
    "concerned, first, last, would_settle);"
    "CREATE TABLE finding_conversations(finding REFERENCES findings, conversation);"
    "CREATE TABLE actions(finding REFERENCES findings, number, says);"
    "CREATE TABLE proofs(finding REFERENCES findings, conversation, number, capture REFERENCES captures, frame, source "
    "REFERENCES sources, "
    "line, time, says);"
    "CREATE TABLE workflow(step, title, state, says);";

/* Rows of one table all take the same statement. */
struct prepared {
    const char *table; /* NULL: no more */
    sqlite3_stmt *statement;
};
enum { TABLES_MOST = 16 };

struct database {
    sqlite3 *handle;
    struct prepared prepared[TABLES_MOST];
    sqlite3_stmt *statement; /* of the row at hand */
    int bound;
};

/* Memory is all that SQLite can lack here. */
static void require(bool done)
{
    if (!done)
        memory_require(NULL);
}

static void run(struct database *db, const char *sql)
{
    require(sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3_stmt *prepare(struct database *db, const char *table, unsigned columns)
{
    sqlite3_stmt *statement;
    struct text sql = {0};
    text_format(&sql, "INSERT INTO %s VALUES(", table);
    for (unsigned i = 0; i < columns; i++)
        text_add(&sql, i > 0 ? ",?" : "?");
    text_add(&sql, ")");
    require(sqlite3_prepare_v2(db->handle, text_string(&sql), -1, &statement, NULL) == SQLITE_OK);
    text_close(&sql);
    return statement;
}

/* A row: its values follow, in the order of the columns. */
static void begin_row(struct database *db, const char *table, unsigned columns)
{
    struct prepared *prepared = db->prepared;
    while (prepared->table && strcmp(prepared->table, table) != 0)
        prepared++;
    if (!prepared->table)
        *prepared = (struct prepared){table, prepare(db, table, columns)};
    db->statement = prepared->statement;
    db->bound = 0;
}

static void end_row(struct database *db)
{
    require(sqlite3_step(db->statement) == SQLITE_DONE);
    require(sqlite3_reset(db->statement) == SQLITE_OK);
    sqlite3_clear_bindings(db->statement); /* what is not put is NULL */
}

static void close_database(struct database *db)
{
    for (const struct prepared *prepared = db->prepared; prepared->table; prepared++)
        sqlite3_finalize(prepared->statement);
    sqlite3_close(db->handle);
}

static void put_null(struct database *db)
{
    db->bound++;
}

/* NULL or empty: not known. */
static void put_text(struct database *db, const char *text)
{
    db->bound++;
    if (text && text[0])
        require(sqlite3_bind_text(db->statement, db->bound, text, -1, SQLITE_TRANSIENT) == SQLITE_OK);
}

static void put_untrusted(struct database *db, const char *bytes)
{
    struct text safe = {0};
    text_add_untrusted(&safe, (struct span){(const uint8_t *)bytes, strlen(bytes)});
    put_text(db, text_string(&safe));
    text_close(&safe);
}

static void put_count(struct database *db, uint64_t count)
{
    require(sqlite3_bind_int64(db->statement, ++db->bound, (sqlite3_int64)count) == SQLITE_OK);
}

static void put_real(struct database *db, double value)
{
    require(sqlite3_bind_double(db->statement, ++db->bound, value) == SQLITE_OK);
}

static void put_time(struct database *db, bool known, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    put_text(db, known ? time_text(time_ns, text) : NULL);
}

static void put_json(struct database *db, const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        put_text(db, json_string_value(value));
        break;
    case JSON_INTEGER:
        put_count(db, (uint64_t)json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(db, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        put_count(db, json_is_true(value));
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL:
        put_null(db);
        break;
    }
}

static void add_verdict(struct database *db, const struct verdict *verdict)
{
    begin_row(db, "verdict", 4);
    put_text(db, culprit_names[verdict->culprit]);
    put_text(db, verdict->cause);
    put_real(db, verdict->confidence);
    put_text(db, verdict->summary);
    end_row(db);
}

/* Notes belong to a capture or to another source. */
struct noting {
    struct database *db;
    bool of_source;
    uint32_t id;
};

static void add_note(void *context, const char *sentence)
{
    const struct noting *noting = context;
    begin_row(noting->db, "notes", 3);
    if (noting->of_source)
        put_null(noting->db);
    put_count(noting->db, noting->id);
    if (!noting->of_source)
        put_null(noting->db);
    put_text(noting->db, sentence);
    end_row(noting->db);
}

static void add_capture(struct database *db, const struct casebook *casebook, uint32_t id)
{
    const struct capture_facts *capture = &casebook->captures[id];
    enum capture_role role = capture_role_told(casebook, capture);
    begin_row(db, "captures", 8);
    put_count(db, id);
    put_untrusted(db, capture->file);
    put_text(db, capture->format);
    put_text(db, capture_role_name(role));
    put_count(db, capture->packets);
    put_count(db, capture->wire_bytes);
    put_time(db, capture->packets > 0, capture->first_ns);
    put_time(db, capture->packets > 0, capture->last_ns);
    end_row(db);
    capture_notes_each(capture, add_note, &(struct noting){db, false, id});
}

static void add_source(struct database *db, const struct evidence *evidence, uint32_t id)
{
    const struct source_facts *source = &evidence->sources[id];
    begin_row(db, "sources", 9);
    put_count(db, id);
    put_untrusted(db, source->file);
    put_text(db, source_kind_name(source->kind));
    put_text(db, source->machine);
    put_text(db, source->encoding);
    put_count(db, source->records);
    put_count(db, source->joined);
    put_time(db, source->first_ns <= source->last_ns, source->first_ns);
    put_time(db, source->first_ns <= source->last_ns, source->last_ns);
    end_row(db);
    source_notes_each(source, add_note, &(struct noting){db, true, id});
}

/* finding 0: of the conversation; conversation 0: of the finding. */
static void add_proofs(struct database *db, uint32_t finding, uint32_t conversation, const struct judgement *judgement)
{
    for (unsigned i = 0; i < judgement->proof_count; i++) {
        const struct moment *moment = &judgement->proofs[i].moment;
        bool in_source = moment_is_in_source(moment);
        begin_row(db, "proofs", 9);
        finding ? put_count(db, finding) : put_null(db);
        conversation ? put_count(db, conversation) : put_null(db);
        put_count(db, i + 1u);
        in_source ? put_null(db) : put_count(db, moment->capture);
        in_source ? put_null(db) : put_count(db, moment->frame);
        in_source ? put_count(db, moment_source(moment)) : put_null(db);
        in_source ? put_count(db, moment->frame) : put_null(db);
        put_time(db, !in_source || moment->time_ns != 0, moment->time_ns);
        put_text(db, judgement->proofs[i].says);
        end_row(db);
    }
}

static void add_actions(struct database *db, const struct judge *judge, const struct finding *finding, uint32_t id)
{
    uint32_t number = 0;
    for (const char *const *action = finding->detector->actions; action && *action; action++) {
        if (settling_is_done(judge, finding, *action))
            continue;
        begin_row(db, "actions", 3);
        put_count(db, id);
        put_count(db, ++number);
        put_text(db, *action);
        end_row(db);
    }
}

static void add_finding(struct database *db, const struct judge *judge, uint32_t id)
{
    const struct finding *finding = &judge->findings[id - 1];
    char server[ENDPOINT_TEXT_SIZE], client[ADDRESS_TEXT_SIZE];
    begin_row(db, "findings", 15);
    put_count(db, id);
    put_text(db, finding->detector->cause);
    put_text(db, scope_name(finding->scope));
    put_text(db, culprit_names[finding->culprit]);
    put_text(db, severity_name(finding->severity));
    put_real(db, finding->confidence);
    put_text(db, finding->detector->title);
    put_text(db, finding->example.says);
    put_text(db, finding->detector->means);
    put_text(db, finding->server.address.version ? endpoint_text(&finding->server, server) : NULL);
    put_text(db, finding->client.version ? address_text(&finding->client, client) : NULL);
    put_count(db, finding->concerned);
    put_time(db, finding->first_ns <= finding->last_ns, finding->first_ns);
    put_time(db, finding->first_ns <= finding->last_ns, finding->last_ns);
    put_text(db, finding->example.would_settle);
    end_row(db);
    for (uint32_t i = 0; i < finding->conversation_count; i++) {
        begin_row(db, "finding_conversations", 2);
        put_count(db, id);
        put_count(db, finding->conversations[i]);
        end_row(db);
    }
    add_actions(db, judge, finding, id);
    add_proofs(db, id, 0, &finding->example);
}

/* Dots would have to be quoted in SQL. */
static void create_conversations(struct database *db)
{
    struct text sql = {0};
    for (unsigned i = 0; i < conversation_column_count; i++) {
        text_format(&sql, "%s", i > 0 ? ", " : "");
        for (const char *c = conversation_columns[i]; *c; c++)
            text_add_bytes(&sql, *c == '.' ? "_" : c, 1);
        text_add(&sql, i == 0 ? " INTEGER PRIMARY KEY" : "");
    }
    struct text create = {0};
    text_format(&create, "CREATE TABLE conversations(%s);", text_string(&sql));
    run(db, text_string(&create));
    text_close(&create);
    text_close(&sql);
}

static void add_conversation(struct database *db, const struct report *report, const struct reused_tuples *reused,
                             const struct conversation *conversation)
{
    json_t *object = json_conversation(report, reused, conversation);
    begin_row(db, "conversations", conversation_column_count);
    for (unsigned i = 0; i < conversation_column_count; i++)
        put_json(db, conversation_member(object, conversation_columns[i]));
    end_row(db);
    json_decref(object);
    struct judgement judgement;
    judge_conversation(report->judge, conversation, &judgement);
    if (judgement.severity != SEVERITY_NOTE)
        add_proofs(db, 0, conversation->id, &judgement);
}

static void add_conversations(struct database *db, const struct report *report)
{
    const struct casebook *casebook = report->casebook;
    struct reused_tuples reused;
    reused_tuples_open(&reused, casebook, report->judge->surroundings.reused_tuples);
    create_conversations(db);
    for (uint32_t number = 0; number < casebook_conversations(casebook); number++) {
        const struct conversation *conversation = casebook_conversation(casebook, number);
        if (!conversation->secondary)
            add_conversation(db, report, &reused, conversation);
    }
    reused_tuples_close(&reused);
}

static void add_workflow(struct database *db, const struct judge *judge)
{
    struct workflow_step *steps = memory_take_array(WORKFLOW_STEPS_MAX, sizeof *steps);
    uint32_t count = judge_workflow(judge, steps, WORKFLOW_STEPS_MAX);
    for (uint32_t i = 0; i < count && i < WORKFLOW_STEPS_MAX; i++) {
        begin_row(db, "workflow", 4);
        put_text(db, steps[i].step);
        put_text(db, steps[i].title);
        put_text(db, workflow_state_name(steps[i].state));
        put_text(db, steps[i].says);
        end_row(db);
    }
    memory_give(steps);
}

static void write_out(struct database *db, struct sink *sink)
{
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(db->handle, "main", &size, 0);
    require(bytes != NULL);
    sink_put_bytes(sink, (const char *)bytes, (size_t)size);
    sqlite3_free(bytes);
}

static void write_diagnosis(const struct report *report, struct sink *sink)
{
    const struct casebook *casebook = report->casebook;
    struct database db = {0};
    require(sqlite3_open(":memory:", &db.handle) == SQLITE_OK);
    run(&db, schema);
    run(&db, "BEGIN");
    add_verdict(&db, &report->judge->verdict);
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        add_capture(&db, casebook, i);
    for (uint32_t i = 0; i < casebook->evidence.source_count; i++)
        add_source(&db, &casebook->evidence, i);
    add_conversations(&db, report);
    for (uint32_t i = 0; i < report->judge->finding_count; i++)
        add_finding(&db, report->judge, i + 1);
    add_workflow(&db, report->judge);
    run(&db, "COMMIT");
    write_out(&db, sink);
    close_database(&db);
}

const struct renderer render_sqlite = {
    .name = "sqlite",
    .binary = true,
    .diagnosis = write_diagnosis,
    .conversations = write_diagnosis,
};
