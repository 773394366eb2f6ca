/* Groups of views, as lists by number of the conversation. */
#include "view_groups.h"

#include "memory.h"

void view_groups_open(struct view_groups *groups, uint32_t count)
{
    groups->count = count;
    groups->head = memory_take_array((size_t)count + 1, sizeof *groups->head);
    groups->next = memory_take_array((size_t)count + 1, sizeof *groups->next);
    groups->doubtful = memory_take_array((size_t)count + 1, sizeof *groups->doubtful);
    for (uint32_t i = 0; i < count; i++) {
        groups->head[i] = i;
        groups->next[i] = VIEWS_END;
    }
}

void view_groups_close(struct view_groups *groups)
{
    memory_give(groups->head);
    memory_give(groups->next);
    memory_give(groups->doubtful);
}

bool view_groups_have(const struct casebook *casebook, const struct view_groups *groups, uint32_t number,
                      uint32_t point)
{
    for (uint32_t i = groups->head[number]; i != VIEWS_END; i = groups->next[i])
        if (view_numbered(casebook, i)->point == point)
            return true;
    return false;
}

/* A machine sees a connection from one place: two captures that were both taken at the client are not its two ends. One that only
 * seems to be the client's, beside one that was said to be, is on the way. */
bool points_may_share(const struct casebook *casebook, uint32_t a, uint32_t b)
{
    const struct point_facts *here = &casebook->points[a], *there = &casebook->points[b];
    bool at_an_end = here->role == CAPTURE_ROLE_CLIENT || here->role == CAPTURE_ROLE_SERVER;
    return a != b && !(at_an_end && there->role == here->role && there->role_given == here->role_given);
}

bool view_groups_may_unite(const struct casebook *casebook, const struct view_groups *groups, uint32_t a, uint32_t b)
{
    uint32_t size = 0;
    for (uint32_t i = groups->head[b]; i != VIEWS_END; i = groups->next[i])
        size++;
    for (uint32_t i = groups->head[a]; i != VIEWS_END; i = groups->next[i], size++)
        for (uint32_t j = groups->head[b]; j != VIEWS_END; j = groups->next[j])
            if (!points_may_share(casebook, view_numbered(casebook, i)->point, view_numbered(casebook, j)->point))
                return false;
    return size <= PATH_POINTS_MOST;
}

static void note_match(struct conversation *c, struct match match)
{
    c->matched_by = match.evidence;
    c->match_bits = (uint8_t)(match.bits < UINT8_MAX ? match.bits : UINT8_MAX);
    c->match_traces = (uint8_t)match.by;
}

void view_groups_unite(struct casebook *casebook, struct view_groups *groups, uint32_t a, uint32_t b,
                       struct match match)
{
    uint32_t last = groups->head[a];
    while (groups->next[last] != VIEWS_END)
        last = groups->next[last];
    groups->next[last] = groups->head[b];
    for (uint32_t i = groups->head[b]; i != VIEWS_END; i = groups->next[i]) {
        groups->head[i] = groups->head[a];
        note_match(casebook_conversation(casebook, i), match);
    }
    note_match(casebook_conversation(casebook, a), match);
}

static bool is_end_to_end(const struct casebook *casebook, uint32_t a, uint32_t b)
{
    enum capture_role here = casebook->points[a].role, there = casebook->points[b].role;
    return (here == CAPTURE_ROLE_CLIENT && there == CAPTURE_ROLE_SERVER) ||
           (here == CAPTURE_ROLE_SERVER && there == CAPTURE_ROLE_CLIENT);
}

bool points_are_related(const struct casebook *casebook, uint32_t a, uint32_t b)
{
    return points_may_share(casebook, a, b) &&
           (is_end_to_end(casebook, a, b) || point_pairs_find(&casebook->pairs, a, b));
}

void view_groups_doubt(const struct casebook *casebook, struct view_groups *groups, const uint32_t *numbers,
                       uint32_t count)
{
    uint32_t first = UINT32_MAX;
    bool several = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!view_is_single(groups, numbers[i]))
            continue;
        uint32_t point = view_numbered(casebook, numbers[i])->point;
        if (first == UINT32_MAX)
            first = point;
        several = several || points_are_related(casebook, first, point);
    }
    for (uint32_t i = 0; several && i < count; i++)
        groups->doubtful[numbers[i]] = true;
}

/* From the SYN on, in sequence numbers; after the FIN nothing comes. */
static bool is_longer(const struct tcp_side *side, const struct tcp_side *whole)
{
    bool known = side->isn_known && side->seqs_known && whole->isn_known && whole->seqs_known;
    return known && whole->fins > 0 && side->seq_end - side->isn > whole->seq_end - whole->isn;
}

static bool has_random_heads(const struct tcp_side *side)
{
    return side->traces.heads[0] != 0 && !(side->traces.heads[0] & TRACE_PLAIN);
}

static bool is_whole(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return client->isn_known && server->isn_known && client->fins > 0 && server->fins > 0 && has_random_heads(client) &&
           has_random_heads(server);
}

static bool share_heads(const struct side_traces *a, const struct side_traces *b)
{
    for (unsigned i = 0; i < TRACE_HEADS && a->heads[i] != 0; i++)
        for (unsigned j = 0; j < TRACE_HEADS; j++)
            if (a->heads[i] == b->heads[j])
                return true;
    return false;
}

bool views_contradict(const struct conversation *a, const struct conversation *b)
{
    if (is_whole(a) && is_whole(b) && !share_heads(&a->sides[SIDE_CLIENT].traces, &b->sides[SIDE_CLIENT].traces) &&
        !share_heads(&a->sides[SIDE_SERVER].traces, &b->sides[SIDE_SERVER].traces))
        return true;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (is_longer(&a->sides[side], &b->sides[side]) || is_longer(&b->sides[side], &a->sides[side]))
            return true;
    return false;
}

/* For conversations known by little else. Clocks may differ by hours: while they are not known, only the captures of a client and a
 * server are trusted to show the same network. */
bool view_times_fit(const struct casebook *casebook, const struct conversation *a, const struct conversation *b)
{
    const struct point_pair *pair = point_pairs_find(&casebook->pairs, a->point, b->point);
    if (!pair || !pair->clock.known)
        return is_end_to_end(casebook, a->point, b->point);
    const struct conversation *near = pair->near == a->point ? a : b, *far = pair->near == a->point ? b : a;
    int64_t slack_ns = pair->clock.uncertainty_ns + VIEWS_APART_NS;
    return clock_to_client(&pair->clock, far->first.time_ns) <= near->last.time_ns + slack_ns &&
           clock_to_client(&pair->clock, far->last.time_ns) >= near->first.time_ns - slack_ns;
}

bool view_times_contradict(const struct casebook *casebook, const struct conversation *a, const struct conversation *b)
{
    const struct point_pair *pair = point_pairs_find(&casebook->pairs, a->point, b->point);
    return pair && pair->clock.known && !view_times_fit(casebook, a, b);
}

bool views_may_be_new(const struct casebook *casebook, const struct view_groups *groups, uint32_t a, uint32_t b)
{
    uint32_t here = view_numbered(casebook, a)->point, there = view_numbered(casebook, b)->point;
    return points_may_share(casebook, here, there) && (view_is_single(groups, a) || view_is_single(groups, b)) &&
           !view_groups_have(casebook, groups, a, there) && !view_groups_have(casebook, groups, b, here);
}
