/* MARS: SMP packets on the main lane, TDS inside each session (MC-SMP 2.2, MS-TDS 2.2.1). */
#include "memory.h"
#include "tds_state.h"

static struct smp_session **find_slot(struct tds_state *s, uint16_t id)
{
    for (unsigned i = 0; i < TDS_SMP_SESSIONS; i++)
        if (s->smp->slots[i] && s->smp->slots[i]->id == id)
            return &s->smp->slots[i];
    return NULL;
}

static struct smp_session *find_session(struct tds_state *s, uint16_t id)
{
    struct smp_session **slot = find_slot(s, id);
    return slot ? *slot : NULL;
}

static struct smp_session **free_slot(struct tds_state *s)
{
    for (unsigned i = 0; i < TDS_SMP_SESSIONS; i++)
        if (!s->smp->slots[i])
            return &s->smp->slots[i];
    return NULL;
}

/* A message is under way that the window does not let go on. */
static bool data_waits(const struct smp_session *session, unsigned lane)
{
    return moment_seen(&session->flows[lane].used_up) && session->channel.lanes[lane].in_message;
}

static void close_session(struct tds_state *s, struct smp_session **slot)
{
    struct smp_session *session = *slot;
    for (unsigned i = 0; i < SIDES; i++) {
        if (data_waits(session, i) && !moment_seen(&s->facts->smp->open_stall))
            s->facts->smp->open_stall = session->flows[i].used_up;
        if (s->smp->target[i] == session)
            s->smp->target[i] = NULL;
    }
    tds_channel_close(&session->channel);
    if (s->last_request == &session->channel)
        s->last_request = NULL;
    memory_give(session);
    *slot = NULL;
}

/* The session has no slot yet. known_begin: its SYN was seen, so its first byte begins a TDS packet. NULL: more sessions
 * than are followed. */
static struct smp_session *open_session(struct tds_state *s, uint16_t id, bool known_begin)
{
    struct smp_session **slot = free_slot(s);
    if (!slot)
        return NULL;
    struct smp_session *session = *slot = memory_take(sizeof *session);
    session->id = id;
    for (unsigned i = 0; i < SIDES; i++)
        session->channel.lanes[i] = (struct tds_lane){.number = (uint8_t)i,
                                                      .role = s->main.lanes[i].role,
                                                      .nested = true,
                                                      .started = true,
                                                      .unit = known_begin ? UNIT_HEADER : UNIT_LOST,
                                                      .tentative = !known_begin};
    if (known_begin)
        for (unsigned i = 0; i < SIDES; i++)
            session->flows[i] = (struct smp_flow){.window = SMP_WINDOW_FIRST, .window_known = true};
    return session;
}

static void on_syn(struct tds_state *s, uint16_t id)
{
    struct smp_facts *smp = s->facts->smp;
    if (find_session(s, id))
        return;
    smp->opened++;
    if (open_session(s, id, true))
        return;
    smp->not_followed++;
    s->smp->beyond_open++;
}

/* A session that found no slot at its SYN is followed from here on when one has become free. */
static struct smp_session *on_data(struct tds_state *s, uint16_t id)
{
    struct smp_facts *smp = s->facts->smp;
    struct smp_session *known = find_session(s, id);
    if (known)
        return known;
    struct smp_session *session = open_session(s, id, false);
    if (session && s->smp->beyond_open > 0)
        s->smp->beyond_open--;
    else if (session)
        smp->opened++;
    else if (smp->not_followed == 0)
        smp->not_followed = 1;
    return session;
}

static void fin_beyond(struct tds_state *s, unsigned lane)
{
    struct smp_sessions *smp = s->smp;
    if (smp->beyond_open == 0)
        return;
    smp->beyond_fins[lane]++;
    if (smp->beyond_fins[0] == 0 || smp->beyond_fins[1] == 0)
        return;
    smp->beyond_fins[0]--;
    smp->beyond_fins[1]--;
    smp->beyond_open--;
    s->facts->smp->closed++;
}

static void on_fin(struct tds_state *s, const struct tds_lane *lane, uint16_t id)
{
    s->facts->smp_fin[lane->role] = lane->unit_begin;
    if (!moment_seen(&s->facts->smp->first_fin[lane->role]))
        s->facts->smp->first_fin[lane->role] = lane->unit_begin;
    struct smp_session **slot = find_slot(s, id);
    if (!slot) {
        fin_beyond(s, lane->number);
        return;
    }
    struct smp_session *session = *slot;
    session->fin[lane->number] = true;
    if (!session->fin[0] || !session->fin[1])
        return;
    s->facts->smp->closed++;
    close_session(s, slot);
}

/* What a side may send is told by every packet of the other (3.1.5.2.1). */
static void learn_window(struct tds_state *s, struct smp_session *session, unsigned lane, uint32_t window)
{
    struct smp_flow *flow = &session->flows[lane];
    bool waited = data_waits(session, lane);
    flow->window = window;
    flow->window_known = true;
    if (!moment_seen(&flow->used_up) || flow->sent == window)
        return;
    struct smp_facts *smp = s->facts->smp;
    int64_t stall_ns = s->at->time_ns - flow->used_up.time_ns;
    if (waited && stall_ns >= 0) {
        smp->stalls++;
        if (stall_ns > smp->longest_stall_ns)
            smp->longest_stall_ns = stall_ns;
    }
    flow->used_up = (struct moment){0};
}

static void follow_flow(struct tds_state *s, const struct tds_lane *lane, const struct smp_header *header)
{
    struct smp_session *session = find_session(s, header->session);
    if (!session)
        return;
    learn_window(s, session, 1u - lane->number, header->window);
    if (header->kind != SMP_DATA)
        return;
    struct smp_flow *flow = &session->flows[lane->number];
    flow->sent = header->sequence;
    flow->used_up = (struct moment){0};
    if (flow->window_known && flow->sent == flow->window)
        flow->used_up = lane->unit_begin;
}

/* The lane's header is that of an SMP packet. */
bool tds_smp_open(struct tds_state *s, struct tds_lane *lane)
{
    struct smp_header header;
    if (!smp_header_read((struct span){lane->header, SMP_HEADER}, &header))
        return false;
    if (!s->smp)
        s->smp = memory_take(sizeof *s->smp);
    if (!s->facts->smp)
        s->facts->smp = arena_take(&s->stream->casebook->texts, sizeof *s->facts->smp);
    lane->left = header.length - SMP_HEADER;
    s->smp->target[lane->number] = NULL;
    s->facts->mars = true;
    if (header.kind == SMP_SYN) {
        if (!s->recognised && !tds_learn_role(s, lane, SIDE_CLIENT))
            return false;
        on_syn(s, header.session);
    } else if (header.kind == SMP_FIN) {
        on_fin(s, lane, header.session);
    } else if (header.kind == SMP_DATA) {
        s->smp->target[lane->number] = on_data(s, header.session);
    }
    follow_flow(s, lane, &header);
    if (!s->recognised && lane->units_in_row > 1)
        tds_recognise(s, PROTOCOL_TDS);
    return true;
}

void tds_smp_data(struct tds_state *s, struct tds_lane *lane, struct span bytes)
{
    struct smp_session *session = s->smp->target[lane->number];
    if (session)
        tds_lane_data(s, &session->channel, &session->channel.lanes[lane->number], bytes);
}

void tds_smp_gap(struct tds_state *s, struct tds_lane *lane, uint64_t n)
{
    struct smp_session *session = s->smp->target[lane->number];
    if (session)
        tds_lane_gap(s, &session->channel, &session->channel.lanes[lane->number], n);
}

void tds_smp_set_roles(struct tds_state *s)
{
    for (unsigned i = 0; s->smp && i < TDS_SMP_SESSIONS; i++)
        for (unsigned lane = 0; s->smp->slots[i] && lane < SIDES; lane++)
            s->smp->slots[i]->channel.lanes[lane].role = s->main.lanes[lane].role;
}

void tds_smp_close(struct tds_state *s)
{
    if (!s->smp)
        return;
    for (unsigned i = 0; i < TDS_SMP_SESSIONS; i++)
        if (s->smp->slots[i])
            close_session(s, &s->smp->slots[i]);
    memory_give(s->smp);
    s->smp = NULL;
}
