/*
 * client.port-exhaustion: the client runs out of ephemeral ports.
 *
 * Theory of operation: what fails for want of a port sends no packet. What packets do show is how many ports of the client's range
 * are taken or in TIME_WAIT at once, that ports are taken again as soon as they may be, and that new connections stop when
 * none is left.
 */
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "count_words.h"
#include "finding_list.h"
#include "host_survey.h"
#include "log_survey.h"
#include "port_use.h"
#include "signs.h"
#include "socket_survey.h"
#include "ttl_hops.h"

/* From here on it is worth telling; from there on a burst takes the rest. */
enum { WARN_PERCENT = 80, FULL_PERCENT = 95 };

/* Connections stop when none comes for this many times their usual interval, and a second: programs pause for shorter, too. */
enum { PAUSE_INTERVALS = 10 };
#define PAUSE_LEAST_NS NS_PER_SECOND

/* So many ports that were taken again in TIME_WAIT tell how long their system really waits (TcpTimedWaitDelay, tcp_tw_reuse); one or two may
 * be a program that binds its port itself. */
enum { REUSED_LEAST = 3 };

/* A few ports are bound by programs themselves, wherever they like. */
enum { OWN_RANGE_PERCENT = 95 };

/* The ranges and waits that systems have when nobody changed them. */
struct port_system {
    const char *name;
    uint8_t initial_ttl;
    bool each_destination; /* a port may serve several destinations at once: only one destination's connections count */
    struct port_range range;
    uint8_t shortest_wait_s, longest_wait_s; /* in TIME_WAIT */
};

static const struct port_system systems[] = {
    /* Article, 1.6.1: 240 s; newer builds wait 120 s. */
    {"Windows (Vista, 2008 and later)", 128, false, {49152, 65535}, 120, 240},
    {"Windows 2003 and XP", 128, false, {1025, 5000}, 240, 240},
    /* ip_local_port_range; TCP_TIMEWAIT_LEN is compiled in. */
    {"Linux", 64, true, {32768, 60999}, 60, 60},
    /* net.inet.tcp.msl is 15 s, TIME_WAIT is twice that. */
    {"macOS", 64, false, {49152, 65535}, 30, 30},
};

struct exhaustion {
    const struct port_system *system;
    struct port_range range;
    enum range_evidence narrow; /* narrower than the system's default, as the ports show */
    int64_t wait_ns; /* TIME_WAIT: the shortest that is plausible, or less when ports were taken again sooner */
    struct port_peak least, most; /* by the shortest and the longest plausible TIME_WAIT */
    struct port_reuse reuse;
    int64_t interval_ns, pause_ns; /* between connections before the peak, and after it; pause 0: none */
};

static unsigned initial_ttl_of(const struct conversation *c)
{
    uint8_t ttl = c->sides[SIDE_CLIENT].ttl_max;
    return ttl == 0 ? 0 : initial_ttl(ttl);
}

static bool reaches(const struct exhaustion *e, const struct port_peak *peak, uint32_t percent)
{
    return peak->ports * 100 >= port_range_size(&e->range) * percent;
}

/* How long no connection of the range came after the one that took the last port; the capture's end counts as one. */
static void find_pause(struct exhaustion *e, const struct port_holds *holds, int64_t end_ns)
{
    uint32_t before = 0, position = e->least.position;
    int64_t first_ns = 0, full_ns = holds->list[position].from_ns, next_ns = end_ns;
    for (uint32_t i = 0; i <= position; i++) {
        if (!port_range_has(&e->range, holds->list[i].port))
            continue;
        if (before++ == 0)
            first_ns = holds->list[i].from_ns;
    }
    for (uint32_t i = position + 1; i < holds->count; i++)
        if (port_range_has(&e->range, holds->list[i].port)) {
            next_ns = holds->list[i].from_ns;
            break;
        }
    if (before < 2)
        return;
    e->interval_ns = (full_ns - first_ns) / (before - 1);
    int64_t pause_ns = next_ns - full_ns;
    if (pause_ns >= PAUSE_LEAST_NS && pause_ns >= e->interval_ns * PAUSE_INTERVALS)
        e->pause_ns = pause_ns;
}

static bool assess(struct exhaustion *e, const struct port_holds *holds, int64_t end_ns)
{
    int64_t shortest_ns = e->system->shortest_wait_s * NS_PER_SECOND;
    e->most = port_holds_peak(holds, &e->range, e->system->longest_wait_s * NS_PER_SECOND);
    if (!reaches(e, &e->most, WARN_PERCENT))
        return false;
    e->reuse = port_holds_reuse(holds, &e->range, shortest_ns);
    e->wait_ns = e->reuse.count >= REUSED_LEAST ? e->reuse.usual_ns : shortest_ns;
    e->least = port_holds_peak(holds, &e->range, e->wait_ns);
    find_pause(e, holds, end_ns);
    return true;
}

static bool fits(const struct port_system *system, const struct port_holds *holds)
{
    uint32_t own = 0;
    for (uint32_t i = 0; i < holds->count; i++)
        own += port_range_has(&system->range, holds->list[i].port);
    return own * 100ULL >= holds->count * (uint64_t)OWN_RANGE_PERCENT &&
           own * 100ULL >= port_range_size(&system->range) * (uint64_t)WARN_PERCENT;
}

/* The system whose ports these are. A narrowed range does not tell: then the first of its TTL is taken. */
static bool examine(struct exhaustion *e, const struct port_holds *holds, const struct conversation *sample,
                    const struct port_range *told, bool each_destination, int64_t end_ns)
{
    struct port_range range;
    enum range_evidence narrow = port_holds_narrow_range(holds, &range);
    if (told) {
        narrow = RANGE_TOLD;
        range = *told;
    }
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        const struct port_system *system = &systems[i];
        if (system->initial_ttl != initial_ttl_of(sample))
            continue;
        *e = (struct exhaustion){.system = system, .range = narrow ? range : system->range, .narrow = narrow};
        if (system->each_destination == each_destination && (narrow || fits(system, holds)) && assess(e, holds, end_ns))
            return true;
        if (narrow)
            break;
    }
    return false;
}

static bool is_full(const struct exhaustion *e)
{
    return reaches(e, &e->least, FULL_PERCENT) && e->pause_ns > 0 && e->narrow != RANGE_LIKELY;
}

static void say(struct judgement *example, const struct exhaustion *e)
{
    char has[120], taken[80], after[COUNT_TEXT_SIZE + 100] = "";
    if (e->narrow == RANGE_TOLD)
        snprintf(has, sizeof has, "The client is set to %u source ports, %u to %u", port_range_size(&e->range),
                 e->range.first, e->range.last);
    else if (e->narrow)
        snprintf(has, sizeof has, "The client %s only %u source ports, as they show by themselves: %u to %u",
                 e->narrow == RANGE_LIKELY ? "seems to have" : "has", port_range_size(&e->range), e->range.first,
                 e->range.last);
    else
        snprintf(has, sizeof has, "%s has %u source ports, %u to %u", e->system->name, port_range_size(&e->range),
                 e->range.first, e->range.last);
    if (e->most.ports == e->least.ports)
        snprintf(taken, sizeof taken, "%u of them", e->most.ports);
    else
        snprintf(taken, sizeof taken, "%u of them (if TIME_WAIT lasts %u s) or %u (%.1f s)", e->most.ports,
                 e->system->longest_wait_s, e->least.ports, seconds(e->wait_ns));
    if (e->pause_ns > 0)
        snprintf(after, sizeof after, " Then no new connection came for %.1f s, after one every %.3f s.",
                 seconds(e->pause_ns), seconds(e->interval_ns));
    else if (e->reuse.count > 0)
        snprintf(after, sizeof after, " %s %s taken again within TIME_WAIT, usually %.1f s after the close.",
                 count_words(e->reuse.count, "port").text, e->reuse.count == 1 ? "was" : "were",
                 seconds(e->reuse.usual_ns));
    judgement_say(example, "%s. %s were taken or in TIME_WAIT at once%s.%s", has, taken,
                  e->system->each_destination ? ", towards this server" : "", after);
}

static void prove(struct judgement *example, const struct exhaustion *e, const struct port_holds *holds,
                  const struct casebook *casebook)
{
    const struct port_hold *last = &holds->list[e->least.position];
    judgement_prove(example, &casebook_conversation(casebook, holds->list[0].number)->first,
                    "the first connection of this client, from port %u", holds->list[0].port);
    judgement_prove(example, &casebook_conversation(casebook, last->number)->first,
                    "with port %u, %u ports are taken or in TIME_WAIT", last->port, e->least.ports);
    if (e->least.position + 1 < holds->count)
        judgement_prove(example, &casebook_conversation(casebook, holds->list[e->least.position + 1].number)->first,
                        "the next connection, from port %u", holds->list[e->least.position + 1].port);
    if (e->reuse.count == 0)
        return;
    const struct port_hold *again = &holds->list[e->reuse.position];
    judgement_prove(example, &casebook_conversation(casebook, again->number)->first,
                    "port %u is taken again within TIME_WAIT", again->port);
}

/* A program that waited for a port has spent its time before the SYN. */
static bool is_explained(const struct survey *survey, const struct port_hold *hold, int64_t since_ns)
{
    const struct mark *mark = &survey->judge->marks[hold->number];
    return hold->from_ns >= since_ns && judge_in_trouble(survey->judge, hold->number) &&
           strcmp(detectors[mark->detector]->cause, "client.gave-up-before-login") == 0;
}

static void measure(struct finding *finding, const struct exhaustion *e)
{
    finding_measure(finding, "range_first", e->range.first);
    finding_measure(finding, "range_last", e->range.last);
    finding_measure(finding, "ports_in_range", port_range_size(&e->range));
    finding_measure(finding, "ports_used_peak", e->least.ports);
    finding_measure(finding, "time_wait_s", seconds(e->wait_ns));
    finding_measure(finding, "ports_used_peak_with_longest_wait", e->most.ports);
    finding_measure(finding, "longest_time_wait_s", e->system->longest_wait_s);
    finding_measure(finding, "ports_taken_again_in_time_wait", e->reuse.count);
    if (e->pause_ns > 0)
        finding_measure(finding, "pause_s", seconds(e->pause_ns));
}

static void add_finding(struct survey *survey, const struct exhaustion *e, const struct port_holds *holds)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    const struct conversation *sample = casebook_conversation(casebook, holds->list[0].number);
    struct finding *finding = survey_add(survey, SCOPE_CLIENT);
    finding->client = sample->ends[SIDE_CLIENT].address;
    if (e->system->each_destination)
        finding->server = sample->ends[SIDE_SERVER];
    finding->severity = is_full(e) ? SEVERITY_FAULT : SEVERITY_RISK;
    finding->example.confidence = is_full(e) ? 0.85 : 0.7;
    finding->example_conversation = casebook_conversation(casebook, holds->list[e->least.position].number)->id;
    for (uint32_t i = 0; i < holds->count; i++) {
        survey_concern(finding, casebook_conversation(casebook, holds->list[i].number));
        finding->explained += is_explained(survey, &holds->list[i], e->least.time_ns);
    }
    say(&finding->example, e);
    prove(&finding->example, e, holds, casebook);
    measure(finding, e);
}

/* The question is about SQL Server: a client that does not speak to one is not looked at. */
static bool knows_sql(const struct survey *survey, const struct port_holds *holds)
{
    for (uint32_t i = 0; i < holds->count; i++)
        if (signs_of_sql(casebook_conversation(survey->surroundings->casebook, holds->list[i].number),
                         survey->surroundings))
            return true;
    return false;
}

/* The range that is set on the client's machine, which the captures know by this address. */
static bool find_told_range(const struct survey *survey, const struct address *client, struct port_range *range)
{
    for (uint32_t i = 0; i < survey->hosts->count; i++) {
        const struct host *host = &survey->hosts->list[i];
        const struct setting_record *first = host_setting(survey, host, SETTING_PORTS_FIRST, 0),
                                    *count = host_setting(survey, host, SETTING_PORTS_COUNT, 0);
        if (host->side != SIDE_CLIENT || !address_equal(&host->address, client) || !first || !count)
            continue;
        *range = (struct port_range){(uint16_t)first->value, (uint16_t)(first->value + count->value - 1)};
        return true;
    }
    return false;
}

static void survey_groups(struct survey *survey, const struct groups *groups, bool each_destination)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    for (uint32_t group = 0; group < groups->count; group++) {
        if (groups->first[group + 1] - groups->first[group] < PORT_HOLDS_LEAST)
            continue;
        struct port_holds holds;
        struct exhaustion exhaustion;
        struct port_range told;
        port_holds_open(&holds, survey->surroundings, groups, group);
        const struct conversation *sample = casebook_conversation(casebook, holds.list[0].number);
        int64_t end_ns = surroundings_point_end_ns(survey->surroundings, sample->point);
        bool is_told = find_told_range(survey, &sample->ends[SIDE_CLIENT].address, &told);
        if (examine(&exhaustion, &holds, sample, is_told ? &told : NULL, each_destination, end_ns) &&
            knows_sql(survey, &holds))
            add_finding(survey, &exhaustion, &holds);
        port_holds_close(&holds);
    }
}

/* A list or a log of a machine that is known to be a client of these captures; of any other it tells nothing about them. */
static bool is_of_client(const struct survey *survey, uint32_t source)
{
    return survey->surroundings->casebook->evidence.sources[source].role == CAPTURE_ROLE_CLIENT;
}

static void take_sockets(struct survey *survey, const struct socket_use *use)
{
    uint32_t ports = use->range_last - use->range_first + 1;
    uint64_t percent = use->ports_used * 100ULL / ports;
    if (percent < WARN_PERCENT || !is_of_client(survey, use->source))
        return;
    struct finding *finding = survey_add(survey, SCOPE_CLIENT);
    finding->client = use->own;
    finding->severity = percent >= FULL_PERCENT ? SEVERITY_FAULT : SEVERITY_RISK;
    finding->example.confidence = percent >= FULL_PERCENT ? 0.85 : 0.7;
    judgement_say(&finding->example,
                  "The client's list of sockets has %u of the %u ports from %u to %u in use or in TIME_WAIT, %u of "
                  "them by connections to SQL Server.",
                  use->ports_used, ports, use->range_first, use->range_last,
                  use->to_sql_established + use->to_sql_time_wait);
    socket_survey_tell_program(&finding->example, &use->holder, "those that a process holds");
    judgement_prove(&finding->example, &use->first_used, "the first socket with such a port");
    finding_measure(finding, "ports_in_range", ports);
    finding_measure(finding, "ports_used_peak", use->ports_used);
}

/* Windows' own word that a connection found no port: 4227 none that was free of TIME_WAIT, 4231 none at all. */
static bool proves_it(const struct survey *survey, const struct log_record *record)
{
    enum { NO_FREE_PORT_TO_THAT_END = 4227, NO_PORT = 4231 };
    return record->event == LOG_NO_PORTS && is_of_client(survey, moment_source(&record->at)) &&
           (record->number == NO_FREE_PORT_TO_THAT_END || record->number == NO_PORT);
}

/* A program that waited for a port has spent its time before the SYN. */
static uint32_t explained_by_event(const struct survey *survey, const struct log_record *record)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    int64_t at_ns = casebook_moment_ns(casebook, &record->at);
    uint32_t explained = 0;
    for (uint32_t i = 0; record->at.time_ns != 0 && i < casebook_conversations(casebook); i++) {
        if (!judge_in_trouble(survey->judge, i))
            continue;
        const struct conversation *c = casebook_conversation(casebook, i);
        int64_t apart_ns = casebook_moment_ns(casebook, &c->first) - at_ns;
        explained += !c->secondary && apart_ns > -LOG_NEAR_NS && apart_ns < LOG_NEAR_NS &&
                     strcmp(detectors[survey->judge->marks[i].detector]->cause, "client.gave-up-before-login") == 0;
    }
    return explained;
}

static void survey_events(struct survey *survey)
{
    const struct evidence *evidence = &survey->surroundings->casebook->evidence;
    struct finding *finding = NULL;
    uint32_t events = 0, explained_in_all = 0;
    for (uint32_t i = 0; i < evidence->log.in_use; i++) {
        const struct log_record *record = evidence_log(evidence, i);
        if (!proves_it(survey, record))
            continue;
        uint32_t explained = explained_by_event(survey, record);
        if (events++ == 0 || (explained > 0 && explained_in_all == 0)) {
            finding = finding ? finding : survey_add(survey, SCOPE_CLIENT);
            finding->example.proof_count = 0;
            judgement_prove(&finding->example, &record->at, "event %u of Tcpip: no port was left for a connection",
                            record->number);
        }
        explained_in_all = explained > explained_in_all ? explained : explained_in_all;
    }
    if (!finding)
        return;
    finding->explained = explained_in_all;
    finding->severity = explained_in_all > 0 ? SEVERITY_FAULT : SEVERITY_RISK;
    finding->example.confidence = explained_in_all > 0 ? 0.95 : 0.6;
    finding_measure(finding, "events", events);
    judgement_say(
        &finding->example,
        "Windows itself says in %s (4227 or 4231) that a connection could not be opened for want of a port%s.",
        count_words(events, "event").text,
        explained_in_all > 0 ? "" : ", but at no time at which a captured connection failed for it");
}

static void survey_clients(struct survey *survey)
{
    survey_groups(survey, &survey->by_client, false);
    survey_groups(survey, &survey->by_pair, true);
    socket_survey_each(survey, take_sockets);
    survey_events(survey);
}

static const char *const actions[] = {
    ACTION_PORT_RANGE,
    "On Windows look for the events that prove it: `Get-WinEvent -FilterHashtable @{LogName='System'; "
    "ProviderName='Tcpip'; Id=4227,4231}`. On Linux the application's log has EADDRNOTAVAIL (99), \"Cannot assign "
    "requested address\".",
    "Find the program that uses them up: `netstat -abon > c:\\ports.txt` (as administrator), on Linux `ss -tanp`.",
    ACTION_POOLING,
    ACTION_WIDEN_RANGE,
    ACTION_SHORTEN_TIME_WAIT,
    "If the address is that of a translating gateway, look at its ports instead: it may give each machine only some "
    "dozens.",
    NULL,
};

const struct detector client_port_exhaustion = {
    .cause = "client.port-exhaustion",
    .title = "The client runs out of ephemeral ports",
    .holds_when =
        "Of the client's port range - the one that its SQLCHECK report or other settings tell, its system's, or a "
        "narrower one that the ports show by filling it - at least 95 % are taken or in TIME_WAIT at once, and then "
        "new connections stop for a while. From 80 % on it is a risk. All destinations count, except for Linux, where "
        "each destination has the range for itself. The client's netstat or ss tells the same: from 80 % of the range "
        "on a risk, from 95 % on a fault. Events 4227 and 4231 of Tcpip prove it.",
    .means = "Whoever closes a connection first keeps its port for a while: 240 s (or 120 s) on Windows, 60 s on "
             "Linux. Windows has 16384 ports (3976 before Vista), so 68 connections a second (17) use them up in four "
             "minutes. Then connects fail or wait without a packet on the wire. (Article, 1.5.7, 1.5.9 and 1.6.1.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .survey = survey_clients,
};
