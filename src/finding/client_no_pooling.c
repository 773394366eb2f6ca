/* client.no-pooling: a client opens one short connection after another where a pool would have kept a few. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "finding_list.h"
#include "memory.h"
#include "signs.h"
#include "socket_survey.h"
#include "survey.h"

/* How long a pool keeps a connection that nobody uses: those of .NET take theirs away after four to eight minutes. */
#define POOL_KEEPS_NS (4 * 60 * NS_PER_SECOND)

/* Logins within a minute that a pool would have saved. A health check that logs in every five seconds makes twelve, and harms
 * nobody; one in three seconds is an application at work. */
#define PEAK_WINDOW_NS (60 * NS_PER_SECOND)
enum { SAVED_LEAST = 20 };

struct short_life {
    int64_t from_ns, to_ns;
    const char *host; /* as the login names it: several machines may share an address behind a translating device */
    uint32_t number;
};

/* What a pool would have done with the same requests. */
struct pool {
    uint32_t size;  /* connections that it would have opened */
    uint32_t saved; /* logins that it would have saved */
    uint32_t peak;  /* of them, at most within PEAK_WINDOW_NS */
    int64_t peak_ns;
};

struct habit {
    struct short_life *lives;
    uint32_t count;
    uint32_t long_lives; /* sessions of the same client that go on meanwhile */
    struct pool pool;
};

static bool is_short(const struct conversation *c, const struct surroundings *s)
{
    uint32_t copies = c->sides[SIDE_CLIENT].capture_duplicates + c->sides[SIDE_SERVER].capture_duplicates;
    return c->starts_with_syn && c->first_close_known && c->closed_first_by == SIDE_CLIENT &&
           c->packets - copies < s->thresholds->short_packets && signs_of_login_done(c) && !signs_of_one_direction(c);
}

static int compare_lives(const void *left, const void *right)
{
    const struct short_life *a = left, *b = right;
    int order = strcmp(a->host, b->host);
    return order ? order : (a->from_ns > b->from_ns) - (a->from_ns < b->from_ns);
}

static int compare_times(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Connections are given back in the order of `ends`; one that lies idle too long is lost to the pool, and all before it. */
static void fill_pool(struct pool *pool, const struct habit *habit, const int64_t *ends, int64_t *saved)
{
    uint32_t ended = 0, idle = 0;
    for (uint32_t i = 0; i < habit->count; i++) {
        int64_t now_ns = habit->lives[i].from_ns;
        for (; ended < habit->count && ends[ended] <= now_ns; ended++)
            idle++;
        if (idle > 0 && now_ns - ends[ended - 1] > POOL_KEEPS_NS)
            idle = 0;
        if (idle == 0) {
            pool->size++;
            continue;
        }
        idle--;
        saved[pool->saved++] = now_ns;
    }
    for (uint32_t from = 0, to = 0; to < pool->saved; to++) {
        while (saved[to] - saved[from] > PEAK_WINDOW_NS)
            from++;
        if (to - from + 1 <= pool->peak)
            continue;
        pool->peak = to - from + 1;
        pool->peak_ns = saved[to];
    }
}

static void imagine_pool(struct habit *habit)
{
    int64_t *ends = memory_take_array(habit->count, sizeof *ends);
    int64_t *saved = memory_take_array(habit->count, sizeof *saved);
    for (uint32_t i = 0; i < habit->count; i++)
        ends[i] = habit->lives[i].to_ns;
    qsort(ends, habit->count, sizeof *ends, compare_times);
    fill_pool(&habit->pool, habit, ends, saved);
    memory_give(saved);
    memory_give(ends);
}

static void gather_lives(const struct survey *survey, uint32_t pair, struct habit *habit)
{
    const struct groups *groups = &survey->by_pair;
    habit->lives = memory_take_array(groups->first[pair + 1] - groups->first[pair], sizeof *habit->lives);
    for (uint32_t i = groups->first[pair]; i < groups->first[pair + 1]; i++) {
        const struct conversation *c = casebook_conversation(survey->surroundings->casebook, groups->numbers[i]);
        if (!is_short(c, survey->surroundings))
            continue;
        struct moment close = conversation_first_close(c);
        const char *host = c->tds->client_host ? c->tds->client_host : "";
        habit->lives[habit->count++] = (struct short_life){c->first.time_ns, close.time_ns, host, groups->numbers[i]};
    }
    qsort(habit->lives, habit->count, sizeof *habit->lives, compare_lives);
}

/* Sessions that are not MARS and were open all the time: with a result still being read, such a connection makes its provider open
 * another one behind the program's back. */
static void count_long_lives(const struct survey *survey, uint32_t pair, struct habit *habit)
{
    const struct groups *groups = &survey->by_pair;
    int64_t from_ns = habit->lives[habit->count / 4].from_ns, to_ns = habit->lives[habit->count * 3 / 4].from_ns;
    for (uint32_t i = groups->first[pair]; i < groups->first[pair + 1]; i++) {
        const struct conversation *c = casebook_conversation(survey->surroundings->casebook, groups->numbers[i]);
        habit->long_lives += signs_of_session(c) && c->tds && !c->tds->mars &&
                             c->packets >= survey->surroundings->thresholds->short_packets &&
                             c->first.time_ns <= from_ns && c->last.time_ns >= to_ns;
    }
}

static void say(struct judgement *example, const struct habit *habit, const struct surroundings *surroundings)
{
    const struct casebook *casebook = surroundings->casebook;
    const struct conversation *first = casebook_conversation(casebook, habit->lives[0].number),
                              *next = casebook_conversation(casebook, habit->lives[1].number),
                              *last = casebook_conversation(casebook, habit->lives[habit->count - 1].number);
    struct moment close = conversation_first_close(first);
    judgement_prove(example, &first->first, "the client opens a connection (SYN)");
    judgement_prove(example, &close, "it closes it again after %u packets", (unsigned)first->packets);
    judgement_prove(example, &next->first, "it opens the next one");
    judgement_prove(example, &last->first, "it opens the last of %u", habit->count);
    judgement_say(example,
                  "%u connections of the client logged in and were closed by it after fewer than %u packets; up to %u "
                  "of them within a minute. A pool would have served them with %u.%s",
                  habit->count, surroundings->thresholds->short_packets, habit->pool.peak, habit->pool.size,
                  habit->long_lives > 0
                      ? " Longer ones of the same client stay open meanwhile: the short ones may be opened in the "
                        "background, by commands on a connection without MARS that still reads a result."
                      : "");
}

static void add_finding(struct survey *survey, uint32_t pair, struct habit *habit)
{
    const struct pair_record *record = slab_at(&survey->surroundings->pairs, pair);
    const struct casebook *casebook = survey->surroundings->casebook;
    struct finding *finding = survey_add(survey, SCOPE_CLIENT);
    finding->client = record->client;
    finding->server = record->server;
    for (uint32_t i = 0; i < habit->count; i++)
        survey_concern(finding, casebook_conversation(casebook, habit->lives[i].number));
    finding->example.confidence = 0.9;
    finding->example_conversation = casebook_conversation(casebook, habit->lives[0].number)->id;
    count_long_lives(survey, pair, habit);
    say(&finding->example, habit, survey->surroundings);
    finding_measure(finding, "short_connections", habit->count);
    finding_measure(finding, "connections", record->conversations);
    finding_measure(finding, "longer_connections_meanwhile", habit->long_lives);
    finding_measure(finding, "saved_by_a_pool", habit->pool.saved);
    finding_measure(finding, "pool_size", habit->pool.size);
    finding_measure(finding, "peak_per_minute", habit->pool.peak);
}

/* Each machine behind the address by itself. */
static void examine(struct survey *survey, uint32_t pair, const struct habit *all)
{
    for (uint32_t first = 0, next = 0; first < all->count; first = next) {
        while (next < all->count && strcmp(all->lives[next].host, all->lives[first].host) == 0)
            next++;
        struct habit habit = {.lives = all->lives + first, .count = next - first};
        if (habit.count >= SAVED_LEAST)
            imagine_pool(&habit);
        if (habit.pool.peak >= SAVED_LEAST)
            add_finding(survey, pair, &habit);
    }
}

/* The article, 1.5.8: what waits after its close outnumbers what is open by far, and is no handful. */
enum { WAITING_FOR_EACH_OPEN = 3 };

static struct finding *finding_of(const struct survey *survey, const struct address *client)
{
    for (uint32_t i = 0; i < survey->judge->finding_count; i++) {
        struct finding *finding = &survey->judge->findings[i];
        if (finding->detector == survey->detector && address_equal(&finding->client, client))
            return finding;
    }
    return NULL;
}

static void take_sockets(struct survey *survey, const struct socket_use *use)
{
    if (use->to_sql_time_wait < SAVED_LEAST ||
        use->to_sql_time_wait <= use->to_sql_established * (uint64_t)WAITING_FOR_EACH_OPEN)
        return;
    struct finding *finding = finding_of(survey, &use->own);
    char sentence[160];
    snprintf(sentence, sizeof sentence,
             "The client's list of sockets has %u connections to SQL Server in TIME_WAIT and %u established.",
             use->to_sql_time_wait, use->to_sql_established);
    if (finding) {
        judgement_say_more(&finding->example, sentence);
    } else {
        finding = survey_add(survey, SCOPE_CLIENT);
        finding->client = use->own;
        finding->example.confidence = 0.7;
        judgement_say(&finding->example, "%s A pool would keep them open and use them again.", sentence);
    }
    socket_survey_tell_program(&finding->example, &use->speaker, "the established ones");
    judgement_prove(&finding->example, &use->first_time_wait, "the first connection to SQL Server in TIME_WAIT");
    finding_measure(finding, "sockets_in_time_wait", use->to_sql_time_wait);
    finding_measure(finding, "sockets_established", use->to_sql_established);
}

static void survey_clients(struct survey *survey)
{
    for (uint32_t pair = 0; pair < survey->by_pair.count; pair++) {
        const struct pair_record *record = slab_at(&survey->surroundings->pairs, pair);
        if (record->logins_done < SAVED_LEAST)
            continue;
        struct habit all = {.count = 0};
        gather_lives(survey, pair, &all);
        examine(survey, pair, &all);
        memory_give(all.lives);
    }
    socket_survey_each(survey, take_sockets);
}

static const char *const actions[] = {
    "Let the developers look at the connection string and at how connections are opened: `Pooling=false`, a connection "
    "string that differs each time, a pool made for each request, or a home-made pool. Pooling is on by default in "
    ".NET; JDBC needs a data source with a pool (HikariCP), ODBC `SQLSetEnvAttr(SQL_ATTR_CONNECTION_POOLING)`.",
    "See how many connections wait to be forgotten: on Windows `Get-NetTCPConnection -RemotePort 1433 | Group-Object "
    "State`, on Linux `ss -tan dport = :1433 | awk '{print $1}' | sort | uniq -c`. Many in TIME_WAIT against few "
    "established confirm it.",
    "Find the program: `netstat -abon > c:\\ports.txt` on the client; on the server `SELECT host_name, program_name, "
    "host_process_id, COUNT(*) FROM sys.dm_exec_sessions GROUP BY host_name, program_name, host_process_id ORDER BY 4 "
    "DESC`.",
    "See how fast logins come, on the server: `SELECT cntr_value FROM sys.dm_os_performance_counters WHERE "
    "counter_name = 'Logins/sec'` (twice, a minute apart).",
    "If longer connections are open meanwhile, look for commands that are run while a reader is open on the same "
    "connection: read the result to its end first, or use `MultipleActiveResultSets=True`.",
    NULL,
};

const struct detector client_no_pooling = {
    .cause = "client.no-pooling",
    .title = "Many short connections of one client: no connection pooling",
    .holds_when =
        "Within a minute at least twenty connections of one client to one server log in, have fewer than 30 packets "
        "and are closed by the client, each opened after an earlier one was given back: a pool would have used that "
        "one again. Probes without a login do not count. (--short-frames sets the 30.) Or the client's netstat or ss "
        "has twenty connections to SQL Servers in TIME_WAIT, and more than three for each that is established.",
    .means = "Each login costs several round trips, a thread of the server and, for minutes, a port of the client. "
             "Without a pool an application runs out of ports sooner or later, and a busy server refuses connections. "
             "Conversations of a pooled application are long. (Article, 1.5.7.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_RISK,
    .survey = survey_clients,
};
