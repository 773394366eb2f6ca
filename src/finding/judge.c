/* Judges each conversation and groups the judgements into findings: by cause, culprit and server endpoint. */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "error_words.h"
#include "finding_list.h"
#include "memory.h"
#include "pair_judge.h"
#include "parallel_connect.h"
#include "path_place.h"
#include "settling.h"
#include "signs.h"
#include "survey.h"
#include "verdict.h"

/* Only the marks are reset, not the room for proofs: this runs for each detector and conversation. */
static void preset(struct judgement *judgement, const struct detector *detector)
{
    judgement->detector = detector;
    judgement->severity = detector->severity;
    judgement->culprit = detector->culprit;
    judgement->rests_on_absence = detector->rests_on_absence;
    judgement->confidence = 0;
    judgement->says[0] = '\0';
    judgement->would_settle = NULL;
    judgement->proof_count = 0;
}

/* Something happened, and who did it is not known. */
static void leave_open(struct judgement *judgement)
{
    judgement_doubt(judgement, 0.45);
}

static enum side side_of_view(const struct conversation *c, const struct pair_view *view)
{
    return c == view->client ? SIDE_CLIENT : SIDE_SERVER;
}

static bool missed_packets(const struct conversation *c, const struct pair_view *view)
{
    return signs_of_missed_packets(c) ||
           (view && view->compared && pair_view_capture_misses(view, side_of_view(c, view)));
}

/* The first packet that the judgement rests on; no later than the conversation's last one in that capture. */
static int64_t rests_from_ns(const struct conversation *c, const struct judgement *judgement)
{
    int64_t from_ns = c->last.time_ns;
    for (unsigned i = 0; i < judgement->proof_count; i++)
        if (judgement->proofs[i].moment.time_ns < from_ns)
            from_ns = judgement->proofs[i].moment.time_ns;
    return from_ns;
}

static bool spans_hole(const struct surroundings *s, const struct conversation *c, const struct judgement *judgement)
{
    return surroundings_hole(s, c->point, rests_from_ns(c, judgement), c->last.time_ns) != NULL;
}

static bool has_no_time(const struct surroundings *s, const struct conversation *c, const struct judgement *judgement)
{
    return c->point < s->casebook->point_count &&
           capture_silences_had_no_time(&s->casebook->points[c->point].silences, rests_from_ns(c, judgement),
                                        c->last.time_ns);
}

static bool has_hole(const struct surroundings *s, const struct conversation *c, const struct pair_view *view,
                     const struct judgement *judgement)
{
    return spans_hole(s, c, judgement) || (view && view->compared && pair_view_has_hole(view, side_of_view(c, view)));
}

/* The conversation has packets from before and from after that, though their times may look as if nothing had happened. */
static bool spans_setting(const struct surroundings *s, const struct conversation *c)
{
    const struct capture_facts *captures = s->casebook->captures;
    if (c->first.capture != c->last.capture)
        return captures[c->first.capture].time_backwards + captures[c->last.capture].time_backwards > 0;
    const struct capture_facts *facts = &captures[c->first.capture];
    return facts->time_backwards > 0 && c->first.frame < facts->last_backwards &&
           c->last.frame >= facts->first_backwards;
}

/* Across a clock that was set back, and from there to the capture's end, no time that passed is known. */
static bool has_no_times(const struct surroundings *s, const struct conversation *c)
{
    return surroundings_set_back(s, c->point) && (c->goes_back || !c->closed || spans_setting(s, c));
}

/* What looks lost, sent again or late may only have been written out of order, and what looks like a connection that uses the ports of
 * another one anew may be the rest of that. */
static bool has_no_order(const struct surroundings *s, const struct conversation *c)
{
    return surroundings_disordered(s, c->point) && (c->out_of_order || c->tuple_reused);
}

static void leave_open_to_sorting(struct judgement *judgement)
{
    leave_open(judgement);
    judgement->would_settle = "The same capture in order of time: `reordercap IN OUT` of Wireshark sorts it.";
}

/* A capture that provably missed packets of this conversation may have missed the one that a rule finds lacking; what happened in a hole
 * of it nobody knows. */
static void withhold(const struct surroundings *s, const struct conversation *c, const struct pair_view *view,
                     struct judgement *judgement)
{
    if (judgement->culprit == CULPRIT_NONE)
        return;
    if (judgement->culprit != CULPRIT_UNKNOWN && has_no_times(s, c)) {
        leave_open(judgement);
        judgement->would_settle = settle_by_steady_clock;
        return;
    }
    if (judgement->culprit != CULPRIT_UNKNOWN && has_no_order(s, c)) {
        leave_open_to_sorting(judgement);
        return;
    }
    bool rests = judgement->rests_on_absence && missed_packets(c, view);
    if (!rests && !has_hole(s, c, view, judgement))
        return;
    leave_open(judgement);
    judgement->would_settle = has_no_time(s, c, judgement) ? settle_by_steady_clock : settle_by_complete_capture;
}

static int64_t common_ns(const struct surroundings *s, const struct moment *moment)
{
    return casebook_moment_ns(s->casebook, moment);
}

/* Of its proofs, on the clock that captures have in common. */
static struct time_span proven_span(const struct surroundings *s, const struct judgement *judgement)
{
    struct time_span span = {INT64_MAX, INT64_MIN};
    for (unsigned i = 0; i < judgement->proof_count; i++) {
        int64_t time_ns = common_ns(s, &judgement->proofs[i].moment);
        span.from_ns = time_ns < span.from_ns ? time_ns : span.from_ns;
        span.to_ns = time_ns > span.to_ns ? time_ns : span.to_ns;
    }
    return span;
}

/* What came after it took longer than it and its repair: the fault has other reasons. */
static bool has_passed(const struct surroundings *s, struct time_span slow, int64_t repair_ns,
                       const struct judgement *fault)
{
    int64_t lasted_ns = slow.to_ns - slow.from_ns > repair_ns ? slow.to_ns - slow.from_ns : repair_ns;
    return slow.from_ns <= slow.to_ns && fault->proof_count > 0 && proven_span(s, fault).to_ns - slow.to_ns > lasted_ns;
}

static bool accuses_an_end(const struct judgement *judgement, double least)
{
    return judgement->severity == SEVERITY_FAULT && judgement->confidence >= least && !judgement->detector->yields &&
           !judgement->detector->passes &&
           (judgement->culprit == CULPRIT_CLIENT || judgement->culprit == CULPRIT_SERVER);
}

/* The fault that one end accounts for, long after what made the connection slow. */
static bool comes_after(const struct surroundings *s, const struct conversation *c, const struct judgement *fault,
                        const struct judgement *slow)
{
    static const double least = 0.7;
    int64_t repair_ns = 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        if (c->sides[side].data_run.count > 0)
            return false;
        if (c->sides[side].longest_recovery_ns > repair_ns)
            repair_ns = c->sides[side].longest_recovery_ns;
    }
    return slow->detector->passes && accuses_an_end(fault, least) &&
           has_passed(s, proven_span(s, slow), repair_ns, fault);
}

static bool outweighs(const struct surroundings *s, const struct conversation *c, const struct judgement *a,
                      const struct judgement *b)
{
    if (comes_after(s, c, a, b) != comes_after(s, c, b, a))
        return comes_after(s, c, a, b);
    bool a_yields = a->detector->yields && b->severity != SEVERITY_NOTE;
    bool b_yields = b->detector->yields && a->severity != SEVERITY_NOTE;
    return a_yields != b_yields ? b_yields : a->confidence > b->confidence;
}

/*
 * The last detector of the list is the absence of all others: it is asked when none of them holds. What comparing both
 * captures can tell (view; NULL: there is one capture) was told; one of them alone says no more about that.
 */
static void judge_view(const struct judge *judge, const struct conversation *conversation, const struct pair_view *view,
                       struct judgement *judgement)
{
    bool complete = view && pair_view_is_complete(view),
         compared = view && pair_view_tells_way(view, side_of_view(conversation, view));
    struct judgement candidate = {0};
    bool found = false;
    for (unsigned i = 0; i + 1 < detector_count; i++) {
        if (detectors[i]->judge_pair && (complete || (compared && detectors[i]->comparing_suffices)))
            continue;
        preset(&candidate, detectors[i]);
        if (!detectors[i]->judge || !detectors[i]->judge(conversation, &judge->surroundings, &candidate))
            continue;
        withhold(&judge->surroundings, conversation, view, &candidate);
        if (found && !outweighs(&judge->surroundings, conversation, &candidate, judgement))
            continue;
        *judgement = candidate;
        found = true;
    }
    if (found)
        return;
    *judgement = (struct judgement){0};
    preset(judgement, detectors[detector_count - 1]);
    judgement->detector->judge(conversation, &judge->surroundings, judgement);
}

/* The server's ring buffer has a record of a connection in trouble: it is proof of what the server knew. */
static void tell_ring_buffer(const struct casebook *casebook, const struct conversation *c, struct judgement *judgement)
{
    uint32_t count;
    const struct evidence_join *joins = casebook_joined(casebook, c, JOINED_RING, &count);
    if (count == 0 || judgement->severity == SEVERITY_NOTE)
        return;
    const struct log_record *record = evidence_log(&casebook->evidence, joins[0].record);
    judgement_prove(judgement, &record->at, "the server's ring buffer: error %u, system error %u, login of %d ms",
                    record->number, record->system_error, (int)(record->times.total > 0 ? record->times.total : 0));
}

/* What the application was told of a connection in trouble: it shows that the two speak of the same failure, and accuses nobody. */
static void tell_application(const struct casebook *casebook, const struct conversation *c, struct judgement *judgement)
{
    uint32_t count;
    const struct evidence_join *joins = casebook_joined(casebook, c, JOINED_ERROR, &count);
    bool named = count > 0;
    if (!named)
        joins = casebook_joined(casebook, c, JOINED_ERROR_NEAR, &count);
    if (count == 0 || judgement->severity == SEVERITY_NOTE)
        return;
    const struct error_record *error = evidence_error(&casebook->evidence, joins[0].record);
    char words[ERROR_WORDS_SIZE];
    judgement_prove(judgement, &error->at, "%s: %s", named ? "the application reports" : "an application reports then",
                    error_words(error, words));
}

/* The server's capture, which was running, has nothing of the connection: its machine did nothing to it, or is captured in part only. */
static void clear_server(struct judgement *judgement)
{
    if (judgement->culprit != CULPRIT_SERVER)
        return;
    leave_open(judgement);
    judgement_say_more(judgement, "The server's capture, which was running, has nothing of this connection: what came "
                                  "with the server's address was made by a device on the way, or went to another "
                                  "machine.");
}

/* Who waits for an answer holds that his packet was acknowledged. The other end's capture, which was running, has neither. */
static void doubt_vouched(const struct pair_view *view, enum side told_by, struct judgement *judgement)
{
    enum culprit other = told_by == SIDE_CLIENT ? CULPRIT_SERVER : CULPRIT_CLIENT;
    if (!view->compared || judgement->culprit != other || view->compared->passages[told_by].vouched_at_end == 0)
        return;
    leave_open(judgement);
    judgement->would_settle = told_by == SIDE_CLIENT ? settle_by_all_cards_of_server : settle_by_all_cards_of_client;
    judgement_say_more(judgement,
                       told_by == SIDE_CLIENT
                           ? "But the server's capture has neither what the client sent last nor what acknowledged it: "
                             "a device took it in the server's name, or that capture does not see all of its cards."
                           : "But the client's capture has neither what the server sent last nor what acknowledged it: "
                             "a device took it in the client's name, or that capture does not see all of its cards.");
}

static void judge_ends(const struct judge *judge, const struct pair_view *view, struct judgement *judgement)
{
    judge_view(judge, view->client, view, judgement);
    if (!view->server) {
        clear_server(judgement);
        return;
    }
    struct judgement by_server;
    judge_view(judge, view->server, view, &by_server);
    const struct judgement *chosen = pair_judge_choose(view, judgement, &by_server);
    enum side told_by = chosen == judgement ? SIDE_CLIENT : SIDE_SERVER;
    *judgement = *chosen;
    doubt_vouched(view, told_by, judgement);
}

static bool views_have_no_order(const struct surroundings *s, const struct pair_view *view)
{
    return has_no_order(s, view->client) || (view->server && has_no_order(s, view->server));
}

/* An end at which packets were sent again meanwhile leaves the fault open. The other one, which got them once, does not see that. */
static bool is_open_at_an_end(const struct surroundings *s, const struct pair_view *view, const struct judgement *fault)
{
    struct judgement seen = {0};
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        preset(&seen, fault->detector);
        if (fault->detector->judge && fault->detector->judge(pair_view_at(view, side), s, &seen) &&
            seen.culprit == CULPRIT_UNKNOWN)
            return true;
    }
    return false;
}

/* Whether what comparing found on the way was over long before the fault; and no loss goes on to the end. */
static bool is_over(const struct surroundings *s, const struct pair_view *view, const struct judgement *slow,
                    const struct judgement *fault)
{
    struct time_span span = proven_span(s, slow);
    int64_t repair_ns = 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *own = &(side == SIDE_CLIENT ? view->client : view->server)->sides[side];
        const struct passage *passage = &view->compared->passages[side];
        if (own->data_run.count > 0 || passage->lost_at_end > 0)
            return false;
        repair_ns = own->longest_recovery_ns > repair_ns ? own->longest_recovery_ns : repair_ns;
        const struct moment *ends[] = {&passage->last_late, &own->last_retransmit};
        for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
            if (moment_seen(ends[i]) && common_ns(s, ends[i]) > span.to_ns)
                span.to_ns = common_ns(s, ends[i]);
    }
    return slow->detector->passes && has_passed(s, span, repair_ns, fault) && !is_open_at_an_end(s, view, fault);
}

/* What comparing found made the connection slow, and one of its ends did something worse, of which that is no reason: it acted on what it
 * had got, or long after. */
static void prefer_what_ended_it(const struct judge *judge, const struct pair_view *view, struct judgement *judgement)
{
    static const double least = 0.8;
    struct judgement by_ends = {0};
    bool at_once = judgement->detector->slows_only && view->compared && pair_view_is_repaired(view);
    if (!judgement->detector->passes || !view->server || !view->compared)
        return;
    judge_ends(judge, view, &by_ends);
    if (accuses_an_end(&by_ends, least) && (at_once || is_over(&judge->surroundings, view, judgement, &by_ends)))
        *judgement = by_ends;
}

/* Whoever refused or lost an attempt that the client let be, because another one had been accepted, harmed nobody. */
static bool judge_lost_attempt(const struct judge *judge, const struct conversation *c, struct judgement *judgement)
{
    if (!parallel_connect_of(c, &judge->surroundings).kept)
        return false;
    preset(judgement, detector_by_cause("none.probe"));
    return judgement->detector->judge(c, &judge->surroundings, judgement);
}

static void judge_views(const struct judge *judge, const struct conversation *conversation, struct judgement *judgement)
{
    struct pair_view view;
    if (judge_lost_attempt(judge, conversation, judgement))
        return;
    if (!pair_view_of(&judge->surroundings, conversation, &view)) {
        judge_view(judge, conversation, NULL, judgement);
        settling_reconsider_alone(conversation, &judge->surroundings, judgement);
        return;
    }
    if (!pair_judge_compare(&view, &judge->surroundings, judgement))
        judge_ends(judge, &view, judgement);
    else if (judgement->culprit != CULPRIT_NONE && views_have_no_order(&judge->surroundings, &view))
        leave_open_to_sorting(judgement);
    else {
        prefer_what_ended_it(judge, &view, judgement);
        path_place_tell(&view, &judge->surroundings, judgement);
    }
    if (view.relayed && judgement->severity != SEVERITY_NOTE)
        judgement_say_more(judgement,
                           "Between the captures a device ends the client's connection and opens its own to the "
                           "server: each end talks to that device.");
    settling_reconsider(&view, &judge->surroundings, judgement);
}

void judge_conversation(const struct judge *judge, const struct conversation *conversation, struct judgement *judgement)
{
    conversation = casebook_standing_view(judge->surroundings.casebook, conversation);
    judge_views(judge, conversation, judgement);
    tell_ring_buffer(judge->surroundings.casebook, conversation, judgement);
    tell_application(judge->surroundings.casebook, conversation, judgement);
}

bool judge_in_trouble(const struct judge *judge, uint32_t number)
{
    return judge->marks[number].severity == SEVERITY_FAULT;
}

struct grouping {
    struct judge *judge;
    struct hash_index index;
};

/* What the conversations of one finding have in common. */
static struct endpoint subject_of(const struct judgement *judgement, const struct conversation *c)
{
    if (judgement->detector->by_client)
        return (struct endpoint){.address = c->ends[SIDE_CLIENT].address};
    return c->ends[SIDE_SERVER];
}

static uint32_t finding_hash(const struct judgement *judgement, const struct endpoint *subject)
{
    uint8_t key[24] = {(uint8_t)judgement->culprit, subject->address.version};
    memcpy(key + 2, subject->address.bytes, sizeof subject->address.bytes);
    key[18] = (uint8_t)subject->port;
    key[19] = (uint8_t)(subject->port >> 8);
    return hash_bytes(key, sizeof key) ^
           hash_bytes(judgement->detector->cause, (uint32_t)strlen(judgement->detector->cause));
}

static struct finding *need_finding(struct grouping *grouping, const struct judgement *judgement,
                                    const struct conversation *c)
{
    struct judge *judge = grouping->judge;
    struct endpoint subject = subject_of(judgement, c);
    uint32_t hash = finding_hash(judgement, &subject);
    struct hash_probe probe = hash_index_probe(&grouping->index, hash);
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        struct finding *finding = &judge->findings[n];
        bool same = judgement->detector->by_client ? address_equal(&finding->client, &subject.address)
                                                   : endpoint_equal(&finding->server, &subject);
        if (same && finding->detector == judgement->detector && finding->culprit == judgement->culprit &&
            finding->severity == judgement->severity)
            return finding;
    }
    hash_index_add(&grouping->index, hash, judge->finding_count);
    struct finding *finding = judge_add_finding(judge, judgement->detector);
    finding->culprit = judgement->culprit;
    finding->severity = judgement->severity;
    finding->server = c->ends[SIDE_SERVER];
    finding->client = c->ends[SIDE_CLIENT].address;
    return finding;
}

static void add_conversation(struct finding *finding, const struct judgement *judgement, const struct conversation *c)
{
    finding_add_conversation(finding, c);
    if (!address_equal(&finding->client, &c->ends[SIDE_CLIENT].address))
        finding->client = (struct address){0};
    if (!endpoint_equal(&finding->server, &c->ends[SIDE_SERVER]))
        finding->server = (struct endpoint){0};
    if (finding->conversation_count == 1 || judgement->confidence > finding->confidence) {
        finding->confidence = judgement->confidence;
        finding->example = *judgement;
        finding->example_conversation = c->id;
    }
}

static enum finding_scope scope_of(const struct finding *finding)
{
    if (finding->conversation_count == 1)
        return SCOPE_CONVERSATION;
    if (finding->detector->by_client)
        return SCOPE_CLIENT;
    switch (finding->culprit) {
    case CULPRIT_CLIENT:
        return finding->client.version ? SCOPE_CLIENT : SCOPE_SERVER;
    case CULPRIT_NETWORK:
    case CULPRIT_UNKNOWN:
        return SCOPE_PATH;
    default:
        return SCOPE_SERVER;
    }
}

/* Faults first, then what concerns more conversations; the rest only makes the order the same every time. */
static int compare_findings(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->concerned != b->concerned)
        return a->concerned > b->concerned ? -1 : 1;
    unsigned number_a = detector_number(a->detector), number_b = detector_number(b->detector);
    if (number_a != number_b)
        return number_a < number_b ? -1 : 1;
    if (a->capture != b->capture)
        return a->capture < b->capture ? -1 : 1;
    uint32_t first_a = a->conversations ? a->conversations[0] : 0, first_b = b->conversations ? b->conversations[0] : 0;
    return (first_a > first_b) - (first_a < first_b);
}

static void judge_one(struct grouping *grouping, const struct conversation *c, struct judgement *judgement)
{
    struct judge *judge = grouping->judge;
    struct mark *mark = &judge->marks[c->id - 1];
    *mark =
        (struct mark){.detector = (uint8_t)(detector_count - 1), .culprit = CULPRIT_NONE, .severity = SEVERITY_NOTE};
    if (c->secondary)
        return;
    judge_conversation(judge, c, judgement);
    unsigned number = detector_number(judgement->detector);
    *mark = (struct mark){.detector = (uint8_t)number,
                          .culprit = (uint8_t)judgement->culprit,
                          .severity = (uint8_t)judgement->severity,
                          .one_sided = number + 1 == detector_count &&
                                       signs_of_one_direction(casebook_standing_view(judge->surroundings.casebook, c))};
    judge->one_sided_count += mark->one_sided;
    if (number < sizeof judge->cause_counts / sizeof *judge->cause_counts)
        judge->cause_counts[number]++;
    if (number + 1 < detector_count)
        add_conversation(need_finding(grouping, judgement, c), judgement, c);
}

/* The one passage over all conversations once the surroundings are known. */
static void judge_all(struct judge *judge, struct survey *survey)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    struct grouping grouping = {.judge = judge};
    hash_index_open(&grouping.index);
    server_times_open(&judge->server_times);
    struct judgement judgement = {0};
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        judge_one(&grouping, c, &judgement);
        survey_see(survey, c);
        server_times_add(&judge->server_times, c);
    }
    hash_index_close(&grouping.index);
    server_times_settle(&judge->server_times);
    for (uint32_t i = 0; i < judge->finding_count; i++)
        judge->findings[i].scope = scope_of(&judge->findings[i]);
}

void judge_open(struct judge *judge, const struct casebook *casebook, const struct thresholds *thresholds)
{
    struct survey survey;
    *judge = (struct judge){0};
    surroundings_open(&judge->surroundings, casebook, thresholds);
    judge->marks = memory_take_array(casebook_conversations(casebook) + 1u, sizeof *judge->marks);
    survey_open(&survey, judge);
    judge_all(judge, &survey);
    survey_run(&survey);
    survey_close(&survey);
    if (judge->finding_count > 1)
        qsort(judge->findings, judge->finding_count, sizeof *judge->findings, compare_findings);
    verdict_weigh(judge);
}

void judge_close(struct judge *judge)
{
    for (uint32_t i = 0; i < judge->finding_count; i++)
        memory_give(judge->findings[i].conversations);
    memory_give(judge->findings);
    memory_give(judge->marks);
    server_times_close(&judge->server_times);
    surroundings_close(&judge->surroundings);
    *judge = (struct judge){0};
}
