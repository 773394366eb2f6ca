/*
 * Weighs findings into one verdict: severity first, then what explains most conversations in trouble.
 *
 * A finding weighs the confidence of its best judgement times its conversations. First the culprit is found that most weighs against:
 * a server in trouble shows it in several ways. Then the heaviest cause of that culprit speaks for it. Findings of one cause and culprit
 * with several servers weigh together. Traffic that is not SQL Server's weighs little, whatever is wrong with it: the
 * question is about SQL Server.
 *
 * What a survey finds comes first when it is a fault and the reason of half of the conversations in trouble: those are its symptoms. A
 * risk that a survey finds accuses nobody; it is mentioned when there is nothing else. What is known of a machine is mentioned, too, where
 * it may be the reason of what the packets show: as what to look at first.
 */
#include "verdict.h"

#include <stdio.h>
#include <string.h>

#include "count_words.h"
#include "error_words.h"
#include "memory.h"
#include "signs.h"
#include "text.h"

#define WEIGHT_OF_OTHER_TRAFFIC 0.01

struct weight {
    const struct finding *finding; /* the first of its cause and culprit: the one with most conversations */
    double sum;
    uint32_t conversations, servers;
    bool sql;
};

static bool concerns_sql(const struct judge *judge, const struct finding *finding)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    if (finding->example_conversation == 0 || finding->example_conversation > casebook_conversations(casebook))
        return true;
    return signs_of_sql(casebook_conversation(casebook, finding->example_conversation - 1), &judge->surroundings);
}

/* At most one weight for each detector and culprit. Findings come in order, so the first one of a cause is its
 * largest. */
static void put_on_scales(const struct judge *judge, struct weight *weights)
{
    for (uint32_t i = 0; i < judge->finding_count; i++) {
        const struct finding *finding = &judge->findings[i];
        if (finding->surveyed)
            continue;
        struct weight *weight = &weights[detector_number(finding->detector) * CULPRITS + finding->culprit];
        bool sql = concerns_sql(judge, finding);
        if (!weight->finding || (sql && !weight->sql)) {
            weight->finding = finding;
            weight->sql = sql;
        }
        weight->sum += finding->confidence * finding->conversation_count * (sql ? 1 : WEIGHT_OF_OTHER_TRAFFIC);
        weight->conversations += finding->conversation_count;
        weight->servers++;
    }
}

/* The heaviest of those of this severity, with the culprit that most weighs against. NULL: there is none of this severity. */
static const struct weight *heaviest_of(const struct weight *weights, enum severity severity)
{
    double against[CULPRITS] = {0};
    const struct weight *heaviest = NULL;
    for (unsigned i = 0; i < detector_count * CULPRITS; i++)
        if (weights[i].finding && weights[i].finding->severity == severity)
            against[i % CULPRITS] += weights[i].sum;
    for (unsigned i = 0; i < detector_count * CULPRITS; i++) {
        const struct weight *weight = &weights[i];
        if (!weight->finding || weight->finding->severity != severity)
            continue;
        double more = heaviest ? against[i % CULPRITS] - against[heaviest->finding->culprit] : 1;
        if (more > 0 || (weight->finding->culprit == heaviest->finding->culprit && weight->sum > heaviest->sum))
            heaviest = weight;
    }
    return heaviest;
}

static const struct weight *weigh(const struct judge *judge, struct weight *weights)
{
    put_on_scales(judge, weights);
    const struct weight *heaviest = heaviest_of(weights, SEVERITY_FAULT);
    return heaviest ? heaviest : heaviest_of(weights, SEVERITY_RISK);
}

/* What a survey found that explains most of the trouble; NULL: nothing does. */
static const struct finding *find_reason(const struct judge *judge)
{
    uint32_t in_trouble = 0;
    for (uint32_t i = 0; i < judge->finding_count; i++)
        if (!judge->findings[i].surveyed && judge->findings[i].severity == SEVERITY_FAULT)
            in_trouble += judge->findings[i].concerned;
    const struct finding *reason = NULL;
    for (uint32_t i = 0; i < judge->finding_count; i++) {
        const struct finding *finding = &judge->findings[i];
        if (!finding->surveyed || finding->severity != SEVERITY_FAULT || finding->explained * 2ULL < in_trouble)
            continue;
        if (!reason || finding->explained > reason->explained ||
            (finding->explained == reason->explained && finding->confidence > reason->confidence))
            reason = finding;
    }
    return reason;
}

/* A connection that both ends captured counts once. */
static uint32_t connections_of(const struct judge *judge, const struct finding *finding)
{
    const struct slab *pairs = &judge->surroundings.pairs;
    uint32_t count = 0;
    for (uint32_t i = 0; i < pairs->in_use; i++) {
        const struct pair_record *pair = slab_at(pairs, i);
        count += endpoint_equal(&pair->server, &finding->server) ? pair->connections : 0;
    }
    return count ? count : casebook_connections(judge->surroundings.casebook);
}

static void say_title(char *text, const char *title)
{
    size_t length = strlen(title);
    if (length >= JUDGEMENT_TEXT_SIZE / 2)
        length = JUDGEMENT_TEXT_SIZE / 2 - 1;
    memcpy(text, title, length);
    text[length] = '\0';
    if (length > 1 && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z'))
        text[0] = (char)(text[0] - 'A' + 'a');
}

static void say_heaviest(const struct judge *judge, const struct weight *heaviest, struct verdict *verdict)
{
    const struct finding *finding = heaviest->finding;
    char name[ENDPOINT_TEXT_SIZE], title[JUDGEMENT_TEXT_SIZE];
    endpoint_text(&finding->server, name);
    say_title(title, finding->detector->title);
    uint32_t all = connections_of(judge, finding);
    if (heaviest->servers == 1)
        snprintf(verdict->summary, sizeof verdict->summary, "%u of %s to %s: %.200s.", finding->conversation_count,
                 count_words(all, "connection").text, name, title);
    else
        snprintf(verdict->summary, sizeof verdict->summary,
                 "%u connections to %u addresses and ports, %u of %u to %s among them: %.200s.",
                 heaviest->conversations, heaviest->servers, finding->conversation_count, all, name, title);
}

static void say_reason(const struct finding *reason, struct verdict *verdict)
{
    char subject[ENDPOINT_TEXT_SIZE] = "", title[JUDGEMENT_TEXT_SIZE], symptoms[COUNT_TEXT_SIZE + 24] = "";
    if (reason->client.version != 0)
        address_text(&reason->client, subject);
    else if (reason->server.address.version != 0)
        endpoint_text(&reason->server, subject);
    if (subject[0])
        say_title(title, reason->detector->title);
    else
        snprintf(title, sizeof title, "%s", reason->detector->title);
    if (reason->explained > 0)
        snprintf(symptoms, sizeof symptoms, " %s failed for it.", count_words(reason->explained, "connection").text);
    snprintf(verdict->summary, sizeof verdict->summary, "%s%s%.200s.%s", subject, subject[0] ? ": " : "", title,
             symptoms);
}

static const char *subject_text(const struct finding *finding, char text[static ADDRESS_TEXT_SIZE])
{
    if (finding->scope != SCOPE_HOST)
        return address_text(&finding->client, text);
    if (finding->machine)
        snprintf(text, ADDRESS_TEXT_SIZE, "%s", finding->machine);
    else
        address_text(&finding->machine_address, text);
    return text;
}

/* Appends what of a machine may be the reason of the verdict's cause. */
static void mention_suspects(const struct judge *judge, struct verdict *verdict)
{
    struct text text = {.ceiling = sizeof verdict->summary - 1};
    for (uint32_t i = 0; i < judge->finding_count; i++) {
        const struct finding *finding = &judge->findings[i];
        if (finding->scope != SCOPE_HOST || finding->severity != SEVERITY_RISK || !finding->explains ||
            strcmp(finding->explains->cause, verdict->cause) != 0)
            continue;
        char subject[ADDRESS_TEXT_SIZE];
        subject_text(finding, subject);
        text_format(&text, "%s%s%s%s", text.size ? ", " : " Look first at ", finding->detector->cause,
                    subject[0] ? " on " : "", subject);
    }
    size_t length = strlen(verdict->summary);
    if (text.size > 0)
        snprintf(verdict->summary + length, sizeof verdict->summary - length, "%s.", text_string(&text));
    text_close(&text);
}

/* Appends the risks that surveys found. */
static void mention_risks(const struct judge *judge, struct verdict *verdict)
{
    struct text text = {.ceiling = sizeof verdict->summary - 1};
    for (unsigned number = 0; number < detector_count; number++) {
        const struct finding *first = NULL;
        uint32_t others = 0;
        for (uint32_t i = 0; detectors[number]->survey && i < judge->finding_count; i++) {
            const struct finding *finding = &judge->findings[i];
            if (finding->detector != detectors[number] || finding->severity != SEVERITY_RISK || !finding->surveyed)
                continue;
            others += first != NULL;
            first = first ? first : finding;
        }
        if (!first)
            continue;
        char subject[ADDRESS_TEXT_SIZE];
        subject_text(first, subject);
        text_format(&text, " Risk: %s%s%s", first->detector->cause, subject[0] ? " (" : "", subject);
        if (others > 0)
            text_format(&text, "%s%s", subject[0] ? " and " : " (and ", count_words(others, "other").text);
        text_add(&text, subject[0] || others > 0 ? ")." : ".");
    }
    size_t length = strlen(verdict->summary);
    snprintf(verdict->summary + length, sizeof verdict->summary - length, "%s", text_string(&text));
    text_close(&text);
}

static uint32_t count_of(const struct judge *judge, const char *cause)
{
    for (unsigned i = 0; i < detector_count && i < sizeof judge->cause_counts / sizeof *judge->cause_counts; i++)
        if (strcmp(detectors[i]->cause, cause) == 0)
            return judge->cause_counts[i];
    return 0;
}

/* How far its conversations are SQL Server's: by their bytes, or at least by their ports and neighbours. */
enum sql_sign { SQL_NOT_AT_ALL, SQL_BY_PORT, SQL_SPOKEN };

static enum sql_sign sql_in(const struct judge *judge)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    enum sql_sign sign = SQL_NOT_AT_ALL;
    for (uint32_t i = 0; i < casebook_conversations(casebook) && sign != SQL_SPOKEN; i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        sign = c->tds ? SQL_SPOKEN : signs_of_sql(c, &judge->surroundings) ? SQL_BY_PORT : sign;
    }
    return sign;
}

static void say_other_services(uint32_t all, struct verdict *verdict)
{
    verdict->other_services = true;
    snprintf(verdict->summary, sizeof verdict->summary,
             "%s recognised as SQL Server's; of other services it is only judged whether they could be reached. If SQL "
             "Server listens on another port, name it: --server-port PORT.",
             all == 1 ? "The only connection is not" : "None of the connections is");
}

/* What can be judged, and what not: cut off, or with packets of one side only. */
static void say_normal(const struct judge *judge, uint32_t all, uint32_t cut_off, enum sql_sign sql, struct text *text)
{
    uint32_t one_sided = judge->one_sided_count, judged = all - cut_off - one_sided,
             probes = count_of(judge, "none.probe");
    if (judged == 0)
        text_format(text, "Whether anything is wrong with the %s cannot be told%s",
                    all == 1 ? "only connection" : count_words(all, "connection").text,
                    one_sided == all ? ": only one side's packets were captured" : "");
    else
        text_format(text, "Nothing is wrong with the %s%s",
                    judged == 1 ? "only connection" : count_words(judged, "connection").text,
                    judged < all ? " that can be judged" : "");
    if (judged > 0 && sql != SQL_SPOKEN)
        text_add(text, judged == 1 ? ", which was not seen to speak TDS" : ", none of which was seen to speak TDS");
    if (probes > 0)
        text_format(text,
                    probes == judged ? judged == 1 ? "; it is a probe" : "; all are probes"
                    : probes == 1    ? "; %u of them is a probe"
                                     : "; %u of them are probes",
                    probes);
    text_add(text, ".");
    if (cut_off > 0 && judged > 0)
        text_format(text, " %u more cannot: the trace begins or ends too late for %s, or lacks packets.", cut_off,
                    cut_off == 1 ? "it" : "them");
    if (one_sided > 0 && one_sided < all)
        text_format(text, " Of %s only one side's packets were captured.", count_words(one_sided, "other").text);
}

/* Who gets no answer from SQL Server Browser does not learn the instance's port, and never connects (driver errors 26 and -1). */
static const struct instance_lookup *unanswered_lookup(const struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->instance_lookups.in_use; i++) {
        const struct instance_lookup *lookup = casebook_instance_lookup(casebook, i);
        bool of_one = lookup->question == INSTANCE_QUESTION_ONE || lookup->question == INSTANCE_QUESTION_DAC;
        if (of_one && exchange_open(&lookup->exchange) &&
            casebook->points[lookup->exchange.point].last_ns - lookup->exchange.asked.time_ns >= NS_PER_SECOND)
            return lookup;
    }
    return NULL;
}

static bool say_unanswered_lookup(const struct casebook *casebook, struct verdict *verdict)
{
    const struct instance_lookup *lookup = unanswered_lookup(casebook);
    if (!lookup)
        return false;
    char server[ADDRESS_TEXT_SIZE];
    verdict->culprit = CULPRIT_UNKNOWN;
    verdict->cause = "unknown.cut-off";
    verdict->confidence = 0.5;
    snprintf(verdict->summary, sizeof verdict->summary,
             "SQL Server Browser at %s did not answer %s for %s%s, so the client cannot know the port: its service is "
             "stopped, or UDP port 1434 is blocked there or on the way. A capture of the server's side would tell.",
             address_text(&lookup->exchange.server.address, server),
             count_words(lookup->exchange.tries, "question").text, lookup->instance ? "the instance " : "an instance",
             lookup->instance ? lookup->instance : "");
    return true;
}

/* Of an application's text alone: what its last error means, and which evidence is wanted. Whose fault it was no such text tells. */
static void say_error_text(const struct casebook *casebook, struct verdict *verdict)
{
    const struct slab *errors = &casebook->evidence.errors;
    char words[ERROR_WORDS_SIZE];
    if (errors->in_use == 0)
        return;
    const struct error_record *error = evidence_error(&casebook->evidence, errors->in_use - 1);
    snprintf(verdict->summary, sizeof verdict->summary,
             "An application %sreports: %s%s%s. %s No capture shows it. What would tell: %s.",
             errors->in_use > 1 ? "last " : "", error_words(error, words), error->server_name[0] ? ", to " : "",
             error->server_name, error_meaning(error), error_settled_by(error));
}

static void say_nothing_found(const struct judge *judge, struct verdict *verdict)
{
    uint32_t all = casebook_connections(judge->surroundings.casebook);
    uint32_t cut_off = count_of(judge, "unknown.cut-off");
    enum sql_sign sql = sql_in(judge);
    if (sql == SQL_NOT_AT_ALL && say_unanswered_lookup(judge->surroundings.casebook, verdict)) {
        mention_risks(judge, verdict);
        return;
    }
    if (all == 0 || cut_off == all) {
        verdict->culprit = CULPRIT_UNKNOWN;
        verdict->cause = "unknown.cut-off";
        verdict->confidence = 0.5;
        snprintf(verdict->summary, sizeof verdict->summary,
                 all == 0 ? "There is no TCP conversation in the evidence, so nothing can be said."
                          : "The trace does not hold enough to say anything about its %s.",
                 all == 1 ? "only connection" : count_words(all, "connection").text);
        if (all == 0)
            say_error_text(judge->surroundings.casebook, verdict);
        mention_risks(judge, verdict);
        return;
    }
    verdict->culprit = CULPRIT_NONE;
    verdict->cause = "none.normal";
    verdict->confidence = sql != SQL_SPOKEN ? 0.6 : cut_off > 0 ? 0.75 : 0.9;
    if (sql == SQL_NOT_AT_ALL) {
        say_other_services(all, verdict);
        mention_risks(judge, verdict);
        return;
    }
    if (judge->one_sided_count + cut_off >= all)
        verdict->confidence = 0.4;
    struct text text = {.ceiling = sizeof verdict->summary - 1};
    say_normal(judge, all, cut_off, sql, &text);
    snprintf(verdict->summary, sizeof verdict->summary, "%s", text_string(&text));
    text_close(&text);
    mention_risks(judge, verdict);
}

static void accuse(struct verdict *verdict, const struct finding *finding)
{
    verdict->culprit = finding->culprit;
    verdict->cause = finding->detector->cause;
    verdict->confidence = finding->confidence;
}

void verdict_weigh(struct judge *judge)
{
    struct verdict *verdict = &judge->verdict;
    struct weight *weights = memory_take_array((size_t)detector_count * CULPRITS, sizeof *weights);
    const struct weight *heaviest = weigh(judge, weights);
    const struct finding *reason = find_reason(judge);
    if (reason) {
        accuse(verdict, reason);
        say_reason(reason, verdict);
    } else if (heaviest) {
        accuse(verdict, heaviest->finding);
        say_heaviest(judge, heaviest, verdict);
    } else {
        say_nothing_found(judge, verdict);
    }
    if (reason || heaviest)
        mention_suspects(judge, verdict);
    memory_give(weights);
}
