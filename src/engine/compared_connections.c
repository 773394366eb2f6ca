/* Chooses what is compared, knows it again, and hands its packets to the comparators. */
#include "compared_connections.h"

#include <string.h>

#include "ceilings.h"
#include "comparison_choice.h"
#include "memory.h"
#include "seq_shift.h"

/* Healthy connections that are compared, too, to measure the clocks: the first so many, and one of so many after. */
enum { SAMPLE_FIRST = 32, SAMPLE_EVERY = 64 };

static uint32_t hash_first(uint32_t capture, uint32_t frame)
{
    uint32_t key[2] = {capture, frame};
    return hash_bytes(key, sizeof key);
}

uint32_t compared_connections_begun(const struct compared_connections *connections, const struct moment *moment)
{
    struct hash_probe probe = hash_index_probe(&connections->by_first, hash_first(moment->capture, moment->frame));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct moment *first = &connections->views[n].conversation->first;
        if (first->capture == moment->capture && first->frame == moment->frame)
            return n;
    }
    return HASH_NONE;
}

static void add_view(struct compared_connections *connections, uint32_t compared, enum side at)
{
    uint32_t number = connections->view_count++;
    const struct conversation *c = connections->list[compared].views[at];
    uint32_t same = compared_connections_begun(connections, &c->first);
    connections->views[number] = (struct compared_view){compared, at, c, HASH_NONE};
    if (same != HASH_NONE) {
        connections->views[number].next = connections->views[same].next;
        connections->views[same].next = number;
        return;
    }
    hash_index_add(&connections->by_first, hash_first(c->first.capture, c->first.frame), number);
    hash_index_add(&connections->by_ends, endpoints_hash(&c->ends[SIDE_CLIENT], &c->ends[SIDE_SERVER]), number);
}

static bool can_read_again(const struct casebook *casebook, uint32_t point)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].point == point && casebook->captures[i].only_once)
            return false;
    return true;
}

/* Sequence numbers tell packets apart, so their counting must be known to be the same in both, or by how much it differs. */
static bool can_be_compared(const struct compared_connections *connections, const struct conversation *near,
                            const struct conversation *far)
{
    const struct point_pair *pair = point_pairs_find(&connections->casebook->pairs, near->point, far->point);
    if (!pair || !pair->clock.known || !can_read_again(connections->casebook, near->point) ||
        !can_read_again(connections->casebook, far->point))
        return false;
    uint32_t shift;
    return seq_shift_known(near, far, SIDE_CLIENT, &shift) && seq_shift_known(near, far, SIDE_SERVER, &shift);
}

static struct comparison *choose(struct compared_connections *connections, const struct conversation *near,
                                 const struct conversation *far)
{
    if (!can_be_compared(connections, near, far))
        return NULL;
    if (connections->count == connections->capacity) {
        connections->capacity = connections->capacity ? connections->capacity * 2 : 64;
        connections->list = memory_grow(connections->list, connections->capacity, sizeof *connections->list);
        connections->views =
            memory_grow(connections->views, (size_t)connections->capacity * SIDES, sizeof *connections->views);
    }
    near = casebook_hold_conversation(connections->casebook, near->id - 1);
    far = casebook_hold_conversation(connections->casebook, far->id - 1);
    uint32_t number = connections->count++;
    struct compared *compared = &connections->list[number];
    *compared = (struct compared){.comparison = casebook_add_comparison(connections->casebook),
                                  .pair = point_pairs_find(&connections->casebook->pairs, near->point, far->point),
                                  .views = {near, far}};
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        add_view(connections, number, at);
    return compared->comparison;
}

/* The stretches of the way, where a capture stands between its ends. */
static void choose_stretches(struct compared_connections *connections, struct conversation *c)
{
    while (c->next_view) {
        struct conversation *next = casebook_conversation(connections->casebook, c->next_view - 1);
        c->onward = choose(connections, c, next);
        c = next;
    }
}

void compared_connections_choose(struct compared_connections *connections, struct casebook *casebook, uint32_t observed)
{
    uint32_t healthy = 0;
    *connections = (struct compared_connections){.casebook = casebook};
    hash_index_open(&connections->by_first);
    hash_index_open(&connections->by_ends);
    for (uint32_t i = 0; i < casebook_conversations(casebook) && connections->count < LIMIT_COMPARED; i++) {
        struct conversation *c = casebook_conversation(casebook, i);
        if (!c->twin || c->secondary)
            continue;
        const struct conversation *twin = casebook_conversation(casebook, c->twin - 1);
        bool worth = comparison_is_worth(c, twin) || c->id == observed;
        if (!worth && healthy++ >= SAMPLE_FIRST && healthy % SAMPLE_EVERY != 0)
            continue;
        c->comparison = choose(connections, c, twin);
        if (worth && c->next_view != c->twin)
            choose_stretches(connections, c);
    }
}

void compared_connections_close(struct compared_connections *connections)
{
    hash_index_close(&connections->by_first);
    hash_index_close(&connections->by_ends);
    memory_give(connections->list);
    memory_give(connections->views);
}

bool compared_connections_have(const struct compared_connections *connections, uint32_t point, const struct packet *p)
{
    struct hash_probe probe = hash_index_probe(&connections->by_ends, p->ends_hash);
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct conversation *view = connections->views[n].conversation;
        const struct endpoint *client = &view->ends[SIDE_CLIENT], *server = &view->ends[SIDE_SERVER];
        if (view->point == point && ((endpoint_equal(client, &p->source) && endpoint_equal(server, &p->destination)) ||
                                     (endpoint_equal(client, &p->destination) && endpoint_equal(server, &p->source))))
            return true;
    }
    return false;
}

void compared_close(struct compared *compared)
{
    if (compared->open)
        comparator_close(&compared->comparator);
    compared->open = false;
}

/* Whether it was the last that both captures have. */
static bool compare_packet(struct compared *compared, enum side at, const struct packet *p, bool copy)
{
    if (!compared->open)
        return false;
    bool by_client = endpoint_equal(&compared->views[at]->ends[SIDE_CLIENT], &p->source);
    comparator_add(&compared->comparator, at, by_client ? SIDE_CLIENT : SIDE_SERVER, p, copy);
    const struct moment *last = &compared->views[at]->last;
    if (p->moment.frame == last->frame && p->moment.capture == last->capture)
        compared->over[at] = true;
    bool over = compared->over[SIDE_CLIENT] && compared->over[SIDE_SERVER];
    if (over)
        compared_close(compared);
    return over;
}

void compared_connections_packet(struct compared_connections *connections, uint32_t view, const struct packet *p,
                                 bool copy)
{
    for (uint32_t n = view; n != HASH_NONE; n = connections->views[n].next)
        connections->over_count +=
            compare_packet(&connections->list[connections->views[n].compared], connections->views[n].at, p, copy);
}
