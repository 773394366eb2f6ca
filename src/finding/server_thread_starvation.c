/*
 * server.thread-starvation: logins that came one after the other wait, and are answered at one moment.
 *
 * Theory of operation: a slow login by itself may wait for its own disk, lock or domain controller, each for as long as that takes. Logins
 * that wait in one queue - for a worker thread - go on together when threads get free: their waits begin when they came, and end at
 * once. So many ends within a fraction of the time over which the begins are spread is no chance.
 */
#include <stdlib.h>

#include "actions.h"
#include "finding_list.h"
#include "memory.h"
#include "signs.h"
#include "survey.h"

/* Two may be answered together by chance. */
enum { TOGETHER_LEAST = 3 };
#define TOGETHER_NS (NS_PER_SECOND / 2)
/* The begins lie so many times farther apart than the ends: and by at least two seconds, which no burst of one client makes. */
enum { SPREAD_TIMES = 4 };
#define SPREAD_LEAST_NS (2 * NS_PER_SECOND)

struct held_login {
    const struct endpoint *server;
    struct moment asked, answered;
    int64_t asked_ns, answered_ns; /* on the common clock */
    uint32_t number;
};

/* The client's last word before the answer to its login. */
static struct moment last_asked(const struct tds_facts *tds, const struct moment *answer)
{
    struct moment login = tds->steps[LOGIN_STEP_LOGIN], sspi = tds->steps[LOGIN_STEP_SSPI_RESPONSE];
    return moment_seen(&sspi) && sspi.time_ns <= answer->time_ns ? sspi : login;
}

static bool was_held_up(const struct conversation *c, const struct surroundings *surroundings)
{
    if (c->secondary || !c->tds)
        return false;
    const struct moment *answer = &c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    struct moment asked = last_asked(c->tds, answer);
    return moment_seen(answer) && moment_seen(&asked) &&
           answer->time_ns - asked.time_ns >= surroundings->thresholds->slow_login_ns && !signs_of_one_direction(c) &&
           signs_of_loss(c, surroundings) == 0;
}

static struct held_login held_login_of(const struct casebook *casebook, const struct conversation *c)
{
    const struct moment *answer = &c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    struct moment asked = last_asked(c->tds, answer);
    return (struct held_login){.asked = asked,
                               .answered = *answer,
                               .asked_ns = casebook_moment_ns(casebook, &asked),
                               .answered_ns = casebook_moment_ns(casebook, answer),
                               .number = c->id - 1};
}

static int compare_answers(const void *left, const void *right)
{
    const struct held_login *a = left, *b = right;
    if (a->answered_ns != b->answered_ns)
        return a->answered_ns < b->answered_ns ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Held-up logins of the same server that are answered from `first` on, within the time; returns how many. */
static uint32_t answered_together(const struct held_login *list, uint32_t count, uint32_t first)
{
    uint32_t end = first;
    while (end < count && list[end].answered_ns - list[first].answered_ns <= TOGETHER_NS)
        end++;
    return end - first;
}

static bool begin_apart(const struct held_login *list, uint32_t count)
{
    int64_t least_ns = list[0].asked_ns, most_ns = list[0].asked_ns;
    for (uint32_t i = 1; i < count; i++) {
        least_ns = list[i].asked_ns < least_ns ? list[i].asked_ns : least_ns;
        most_ns = list[i].asked_ns > most_ns ? list[i].asked_ns : most_ns;
    }
    int64_t ends_ns = list[count - 1].answered_ns - list[0].answered_ns;
    return most_ns - least_ns >= SPREAD_LEAST_NS && most_ns - least_ns >= ends_ns * SPREAD_TIMES;
}

static int compare_numbers(const void *left, const void *right)
{
    const struct held_login *a = left, *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void tell(struct survey *survey, struct held_login *list, uint32_t count)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    struct finding *finding = survey_add(survey, SCOPE_SERVER);
    struct judgement *example = &finding->example;
    double ends_s = seconds(list[count - 1].answered_ns - list[0].answered_ns);
    qsort(list, count, sizeof *list, compare_numbers);
    int64_t first_ns = list[0].asked_ns, last_ns = list[0].asked_ns;
    for (uint32_t i = 0; i < count; i++) {
        first_ns = list[i].asked_ns < first_ns ? list[i].asked_ns : first_ns;
        last_ns = list[i].asked_ns > last_ns ? list[i].asked_ns : last_ns;
        const struct conversation *c = casebook_conversation(casebook, list[i].number);
        finding->server = c->ends[SIDE_SERVER];
        survey_concern(finding, c);
        if (i < PROOFS_MAX / 2) {
            judgement_prove(example, &list[i].asked, "a client sends its login");
            judgement_prove(example, &list[i].answered, "the server answers it, after %.1f s",
                            seconds(list[i].answered_ns - list[i].asked_ns));
        }
    }
    example->confidence = 0.85;
    finding_measure(finding, "logins", count);
    finding_measure(finding, "sent_over_s", seconds(last_ns - first_ns));
    finding_measure(finding, "answered_over_s", ends_s);
    judgement_say(example,
                  "%u logins that came over %.1f s were all answered within %.2f s: they waited for one thing.", count,
                  seconds(last_ns - first_ns), ends_s);
}

/* The list is of one server's, in order of the answers. */
static void examine(struct survey *survey, struct held_login *list, uint32_t count)
{
    qsort(list, count, sizeof *list, compare_answers);
    for (uint32_t first = 0; first + TOGETHER_LEAST <= count;) {
        uint32_t together = answered_together(list, count, first);
        bool tells = together >= TOGETHER_LEAST && begin_apart(list + first, together);
        if (tells)
            tell(survey, list + first, together);
        first += tells ? together : 1;
    }
}

static int compare_servers(const void *left, const void *right)
{
    const struct held_login *a = left, *b = right;
    int order = memcmp(&a->server->address, &b->server->address, sizeof a->server->address);
    return order ? order : (a->server->port > b->server->port) - (a->server->port < b->server->port);
}

static void survey_servers(struct survey *survey)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    const struct numbers *suspects = survey_suspects(survey);
    uint32_t count = suspects->count;
    struct held_login *list = memory_take_array((size_t)count + 1, sizeof *list);
    struct endpoint *servers = memory_take_array((size_t)count + 1, sizeof *servers);
    for (uint32_t i = 0; i < count; i++) {
        const struct conversation *c = casebook_conversation(casebook, suspects->list[i]);
        servers[i] = c->ends[SIDE_SERVER];
        list[i] = held_login_of(casebook, c);
        list[i].server = &servers[i];
    }
    if (count > 0)
        qsort(list, count, sizeof *list, compare_servers);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && endpoint_equal(list[end].server, list[first].server);)
            end++;
        examine(survey, list + first, end - first);
    }
    memory_give(list);
    memory_give(servers);
}

static const char *const actions[] = {
    ACTION_WORKERS,
    ACTION_RING_BUFFER,
    ACTION_MAXDOP,
    "See who blocked whom at that time: the blocked process report, or `SELECT session_id, wait_type, wait_time, "
    "blocking_session_id FROM sys.dm_exec_requests WHERE session_id > 50 ORDER BY wait_time DESC` while it lasts.",
    "With Windows authentication see whether the domain controller was slow then: its answers release logins together, "
    "too (see `tdscope explain server.slow-domain-controller`).",
    NULL,
};

const struct detector server_thread_starvation = {
    .cause = "server.thread-starvation",
    .title = "Logins queue on the server, and go on at one moment",
    .holds_when =
        "Three or more logins to one server, of which no packet was lost, wait two seconds or more (`--slow-login`) "
        "for their answer and are answered within half a second of each other, although they were sent over two "
        "seconds or more, and over at least four times the time in which they were answered.",
    .means =
        "Each login needs a worker thread, and with Windows authentication a word of the domain controller. Logins "
        "that wait for themselves end at times of their own; those that queue end together, when threads get free. So "
        "it is no single login's fault: blocking, large parallel queries or slow disks took the threads, or the domain "
        "controller did not answer. (Article, 1.5.6: many login time-outs that end together.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_RISK,
    .suspects = was_held_up,
    .survey = survey_servers,
};
