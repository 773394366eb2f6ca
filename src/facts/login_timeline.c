/* The steps of TCP and TDS put in order of time. */
#include "login_timeline.h"

#include <assert.h>

static const struct {
    enum login_step step;
    enum side sender;
    enum timeline_step entry;
} login_steps[] = {
    {LOGIN_STEP_PRELOGIN, SIDE_CLIENT, TIMELINE_PRELOGIN},
    {LOGIN_STEP_PRELOGIN_ANSWER, SIDE_SERVER, TIMELINE_PRELOGIN_ANSWER},
    {LOGIN_STEP_CLIENT_HELLO, SIDE_CLIENT, TIMELINE_CLIENT_HELLO},
    {LOGIN_STEP_SERVER_HELLO, SIDE_SERVER, TIMELINE_SERVER_HELLO},
    {LOGIN_STEP_KEY_EXCHANGE, SIDE_CLIENT, TIMELINE_KEY_EXCHANGE},
    {LOGIN_STEP_TLS_DONE, SIDE_SERVER, TIMELINE_TLS_DONE},
    {LOGIN_STEP_LOGIN, SIDE_CLIENT, TIMELINE_LOGIN},
    {LOGIN_STEP_SSPI_CHALLENGE, SIDE_SERVER, TIMELINE_SSPI_CHALLENGE},
    {LOGIN_STEP_SSPI_RESPONSE, SIDE_CLIENT, TIMELINE_SSPI_RESPONSE},
    {LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, TIMELINE_LOGIN_ANSWER},
    {LOGIN_STEP_LOGIN_ACK, SIDE_SERVER, TIMELINE_LOGIN_ACK},
    {LOGIN_STEP_LOGIN_ERROR, SIDE_SERVER, TIMELINE_LOGIN_ERROR},
    {LOGIN_STEP_FIRST_REQUEST, SIDE_CLIENT, TIMELINE_FIRST_REQUEST},
};
static_assert(sizeof login_steps / sizeof *login_steps == LOGIN_STEPS, "an entry for each step of a login");

/* One packet may end the handshake of TDS 8 and begin with TDS: PRELOGIN comes behind the key then. */
static unsigned rank(enum timeline_step step)
{
    return step == TIMELINE_PRELOGIN ? 2 * TIMELINE_KEY_EXCHANGE + 1 : 2 * step;
}

static bool after(const struct timeline_entry *a, const struct timeline_entry *b)
{
    if (a->moment.time_ns != b->moment.time_ns)
        return a->moment.time_ns > b->moment.time_ns;
    if (a->moment.capture == b->moment.capture && a->moment.frame != b->moment.frame)
        return a->moment.frame > b->moment.frame;
    return rank(a->step) > rank(b->step);
}

static void insert(struct login_timeline *timeline, const struct timeline_entry *entry)
{
    unsigned at = timeline->count++;
    for (; at > 0 && after(&timeline->entries[at - 1], entry); at--)
        timeline->entries[at] = timeline->entries[at - 1];
    timeline->entries[at] = *entry;
}

static void add(struct login_timeline *timeline, enum timeline_step step, enum side sender, const struct moment *moment)
{
    struct timeline_entry entry = {.step = step, .sender = sender, .moment = *moment, .duration_ns = -1};
    if (moment_seen(moment))
        insert(timeline, &entry);
}

static bool same_packet(const struct moment *a, const struct moment *b)
{
    return moment_seen(a) && a->frame == b->frame && a->capture == b->capture;
}

/* The same packet under a name that says more. */
static bool told_better(const struct moment *steps, enum login_step step)
{
    if (step == LOGIN_STEP_TLS_DONE)
        return same_packet(&steps[LOGIN_STEP_SERVER_HELLO], &steps[step]);
    if (step != LOGIN_STEP_LOGIN_ANSWER)
        return false;
    return same_packet(&steps[LOGIN_STEP_SSPI_CHALLENGE], &steps[step]) ||
           same_packet(&steps[LOGIN_STEP_LOGIN_ACK], &steps[step]) ||
           same_packet(&steps[LOGIN_STEP_LOGIN_ERROR], &steps[step]);
}

static bool login_is_over(const struct conversation *c)
{
    enum login_stage stage = conversation_login_stage(c);
    return stage == LOGIN_STAGE_DONE || stage == LOGIN_STAGE_REFUSED;
}

bool login_half_captured(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return (moment_seen(&client->first_data) && client->packets > 0 && server->packets == 0) ||
           (moment_seen(&server->first_data) && server->packets > 0 && client->packets == 0);
}

static bool precedes(const struct moment *a, const struct moment *b)
{
    return moment_seen(a) && (!moment_seen(b) || a->time_ns <= b->time_ns);
}

static void add_login(const struct conversation *c, struct login_timeline *timeline)
{
    const struct tds_facts *tds = c->tds;
    for (unsigned i = 0; i < LOGIN_STEPS; i++)
        if (!told_better(tds->steps, login_steps[i].step))
            add(timeline, login_steps[i].entry, login_steps[i].sender, &tds->steps[login_steps[i].step]);
    const struct tls_alert *alert = tds->tls && tds->tls->alert_count > 0 ? &tds->tls->alerts[0] : NULL;
    bool in_handshake =
        moment_seen(&tds->steps[LOGIN_STEP_CLIENT_HELLO]) || moment_seen(&tds->steps[LOGIN_STEP_SERVER_HELLO]);
    if (alert && in_handshake && precedes(&alert->moment, &tds->steps[LOGIN_STEP_LOGIN_ANSWER]))
        add(timeline, TIMELINE_TLS_ALERT, (enum side)alert->side, &alert->moment);
}

static bool lies_between(const struct moment *moment, const struct moment *from, const struct moment *to)
{
    return moment_seen(moment) && moment->time_ns > from->time_ns && moment->time_ns <= to->time_ns;
}

/* Something was lost and sent again between the two. */
static bool network_delayed(const struct conversation *c, const struct moment *from, const struct moment *to)
{
    for (unsigned i = 0; i < SIDES; i++)
        if (lies_between(&c->sides[i].first_retransmit, from, to) ||
            lies_between(&c->sides[i].last_retransmit, from, to))
            return true;
    return false;
}

static enum waited_for waited_for(const struct conversation *c, const struct timeline_entry *before,
                                  const struct timeline_entry *entry)
{
    if (network_delayed(c, &before->moment, &entry->moment))
        return WAITED_FOR_NETWORK;
    enum side side = entry->sender;
    /* Who closes does so because the other one's turn did not come to an end; but for an alert nobody waits. */
    if (entry->step == TIMELINE_CLOSED && before->step != TIMELINE_TLS_ALERT)
        side = side_other(before->sender);
    return side == SIDE_CLIENT ? WAITED_FOR_CLIENT : WAITED_FOR_SERVER;
}

static void measure(const struct conversation *c, struct login_timeline *timeline)
{
    int64_t slowest_ns = 0;
    for (unsigned i = 1; i < timeline->count; i++) {
        struct timeline_entry *entry = &timeline->entries[i];
        const struct timeline_entry *before = entry - 1;
        entry->duration_ns = entry->moment.time_ns - before->moment.time_ns;
        entry->waited_for = waited_for(c, before, entry);
        if (entry->step == TIMELINE_FIRST_REQUEST)
            continue;
        timeline->total_ns = entry->moment.time_ns - timeline->entries[0].moment.time_ns;
        if (entry->duration_ns <= slowest_ns)
            continue;
        slowest_ns = entry->duration_ns;
        timeline->slowest = (int)i;
    }
}

static void add_close(const struct conversation *c, struct login_timeline *timeline)
{
    struct moment close = conversation_first_close(c);
    if (timeline->over) {
        const struct moment *steps = c->tds->steps;
        const struct moment *end = &steps[LOGIN_STEP_LOGIN_ACK];
        if (!moment_seen(end))
            end = &steps[LOGIN_STEP_LOGIN_ERROR];
        if (!moment_seen(end) || close.time_ns >= end->time_ns)
            return;
    }
    add(timeline, TIMELINE_CLOSED, c->closed_first_by, &close);
}

/* Whose word is missing after the last entry: further packets may have gone to and fro since. */
static enum side awaited(const struct conversation *c, const struct timeline_entry *last)
{
    const struct moment *client = &c->sides[SIDE_CLIENT].last_data, *server = &c->sides[SIDE_SERVER].last_data;
    bool client_later = moment_seen(client) && client->time_ns > last->moment.time_ns;
    bool server_later = moment_seen(server) && server->time_ns > last->moment.time_ns;
    if (!client_later && !server_later)
        return side_other(last->sender);
    if (client_later && server_later)
        return client->time_ns > server->time_ns ? SIDE_SERVER : SIDE_CLIENT;
    return client_later ? SIDE_SERVER : SIDE_CLIENT;
}

/*
 * What lies between the last step and the end of all that is known belongs to the login, too: most logins that hang show
 * nothing else. Who retries in vain leaves without a word, so that its wait ends with its last packet; all others wait
 * until the capture ends. After an alert, and after an answer that cannot be read, nobody is known to wait.
 */
static void add_wait(const struct conversation *c, int64_t end_ns, struct login_timeline *timeline)
{
    const struct timeline_entry *last = &timeline->entries[timeline->count - 1];
    struct moment close = conversation_first_close(c);
    if (timeline->over || moment_seen(&close))
        return;
    if (last->step == TIMELINE_TLS_ALERT || last->step == TIMELINE_LOGIN_ANSWER)
        return;
    bool gave_up = c->ending == ENDING_TIMEOUT || c->ending == ENDING_NO_ANSWER;
    struct timeline_entry wait = {.step = gave_up ? TIMELINE_UNANSWERED : TIMELINE_WAITING,
                                  .sender = awaited(c, last),
                                  .moment = gave_up ? c->last : (struct moment){.time_ns = end_ns},
                                  .duration_ns = -1};
    if (wait.moment.time_ns > last->moment.time_ns)
        insert(timeline, &wait);
}

int64_t login_timeline_end_ns(const struct casebook *casebook, const struct conversation *c)
{
    const struct point_facts *point = c->point < casebook->point_count ? &casebook->points[c->point] : NULL;
    return point && point->has_packets && point->last_ns > c->last.time_ns ? point->last_ns : c->last.time_ns;
}

void login_timeline_read(const struct conversation *c, int64_t end_ns, struct login_timeline *timeline)
{
    *timeline = (struct login_timeline){.slowest = -1, .total_ns = -1, .over = login_is_over(c)};
    add(timeline, TIMELINE_SYN, SIDE_CLIENT, &c->sides[SIDE_CLIENT].syn);
    add(timeline, TIMELINE_SYN_ACK, SIDE_SERVER, &c->sides[SIDE_SERVER].syn);
    if (c->tds)
        add_login(c, timeline);
    if (timeline->count == 0)
        return;
    bool recognised = c->tds && !c->tds->recognised_mid_stream;
    bool silent = !moment_seen(&c->sides[SIDE_CLIENT].first_data) && !moment_seen(&c->sides[SIDE_SERVER].first_data);
    bool end_known = !login_half_captured(c);
    if (end_known && (recognised || !c->tds))
        add_close(c, timeline);
    if (end_known && (recognised || (!c->tds && silent)))
        add_wait(c, end_ns, timeline);
    measure(c, timeline);
}
