/* Where a capture was taken: what was sent on this very machine has a time to live that no router has lowered yet. */
#include "capture_side.h"

#include "memory.h"
#include "ttl_hops.h"

/* How many times longer the way to one side has to be than to the other before it tells where the capture stands. On the
 * machine itself the answer takes microseconds, across a switch at least ten times that. */
enum { ROUND_TRIP_RATIO = 8 };

/* Routers that its packets crossed; -1: not known. */
static int hops_of(const struct tcp_side *side)
{
    return side->ttl_max == 0 ? -1 : (int)hops_from_ttl(side->ttl_max);
}

static enum capture_role role_by_round_trips(const struct conversation *c)
{
    const struct round_trips *client = &c->sides[SIDE_CLIENT].round_trips, *server = &c->sides[SIDE_SERVER].round_trips;
    if (client->count == 0 || server->count == 0)
        return CAPTURE_ROLE_UNKNOWN;
    if (server->shortest_ns / ROUND_TRIP_RATIO > client->shortest_ns)
        return CAPTURE_ROLE_CLIENT;
    if (client->shortest_ns / ROUND_TRIP_RATIO > server->shortest_ns)
        return CAPTURE_ROLE_SERVER;
    return CAPTURE_ROLE_UNKNOWN;
}

static enum capture_role role_by_conversation(const struct conversation *c)
{
    int client_hops = hops_of(&c->sides[SIDE_CLIENT]), server_hops = hops_of(&c->sides[SIDE_SERVER]);
    if (client_hops == 0 && server_hops > 0)
        return CAPTURE_ROLE_CLIENT;
    if (server_hops == 0 && client_hops > 0)
        return CAPTURE_ROLE_SERVER;
    if (client_hops > 0 && server_hops > 0)
        return CAPTURE_ROLE_MIDDLE;
    return role_by_round_trips(c);
}

enum capture_role capture_side_infer(const struct casebook *casebook, uint32_t point)
{
    uint32_t votes[CAPTURE_ROLE_MIDDLE + 1] = {0}, voters = 0;
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->point != point)
            continue;
        enum capture_role role = role_by_conversation(c);
        votes[role]++;
        voters += role != CAPTURE_ROLE_UNKNOWN;
    }
    for (unsigned role = CAPTURE_ROLE_CLIENT; role <= CAPTURE_ROLE_MIDDLE; role++)
        if (votes[role] * 10 > voters * 8)
            return (enum capture_role)role;
    return CAPTURE_ROLE_UNKNOWN;
}

/* Where the capture was taken if it was not where it was said to be: that side's own packets came through a router, and the other side's
 * machine answers many times sooner. Either alone may be so on the machine itself (containers, a handshake that is not in the capture). */
static enum capture_role role_against(const struct conversation *c, enum capture_role given)
{
    bool client = given == CAPTURE_ROLE_CLIENT;
    enum capture_role other = client ? CAPTURE_ROLE_SERVER : CAPTURE_ROLE_CLIENT;
    int own_hops = hops_of(&c->sides[client ? SIDE_CLIENT : SIDE_SERVER]);
    int other_hops = hops_of(&c->sides[client ? SIDE_SERVER : SIDE_CLIENT]);
    if (!c->starts_with_syn || own_hops <= 0 || other_hops < 0 || role_by_round_trips(c) != other)
        return CAPTURE_ROLE_UNKNOWN;
    return other_hops == 0 ? other : CAPTURE_ROLE_MIDDLE;
}

/* What all connections of the point that were set up in the capture say against what was given; CAPTURE_ROLE_UNKNOWN: one does not. */
static enum capture_role point_against(const struct casebook *casebook, uint32_t point)
{
    const struct point_facts *facts = &casebook->points[point];
    enum capture_role found = CAPTURE_ROLE_UNKNOWN;
    if (!facts->role_given || facts->role == CAPTURE_ROLE_MIDDLE)
        return CAPTURE_ROLE_UNKNOWN;
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->point != point || !c->starts_with_syn || !conversation_established(c))
            continue;
        enum capture_role role = role_against(c, facts->role);
        if (role == CAPTURE_ROLE_UNKNOWN || (found != CAPTURE_ROLE_UNKNOWN && role != found))
            return CAPTURE_ROLE_UNKNOWN;
        found = role;
    }
    return found;
}

/* Neither looks like what it was said to be. */
static bool look_exchanged(const struct casebook *casebook, uint32_t near, uint32_t far)
{
    const struct point_facts *client = &casebook->points[near], *server = &casebook->points[far];
    return client->role_given && server->role_given && client->role == CAPTURE_ROLE_CLIENT &&
           server->role == CAPTURE_ROLE_SERVER && capture_side_infer(casebook, near) != CAPTURE_ROLE_CLIENT &&
           capture_side_infer(casebook, far) != CAPTURE_ROLE_SERVER;
}

static const char *place_of(enum capture_role role)
{
    return role == CAPTURE_ROLE_CLIENT ? "at the client" : role == CAPTURE_ROLE_SERVER ? "at the server" : "on the way";
}

static void put_right(struct casebook *casebook, uint32_t point, enum capture_role role, const char *because)
{
    const char *given = casebook->points[point].role == CAPTURE_ROLE_CLIENT ? "client" : "server";
    casebook->points[point].role = role;
    casebook->points[point].role_given = false;
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        struct capture_facts *capture = &casebook->captures[i];
        if (capture->point != point)
            continue;
        capture->role = role;
        capture->role_given = false;
        notes_add(&capture->notes, "exchanged", "it was given as the %s's, but %s that it was taken %s: taken so",
                  given, because, place_of(role));
    }
}

bool capture_side_exchange(struct casebook *casebook, const struct point_pair *pair)
{
    if (!look_exchanged(casebook, pair->near, pair->far))
        return false;
    static const char because[] = "the packets in both captures tell";
    put_right(casebook, pair->near, CAPTURE_ROLE_SERVER, because);
    put_right(casebook, pair->far, CAPTURE_ROLE_CLIENT, because);
    return true;
}

/* Two captures that may have been given for each other's side are for capture_side_exchange(). */
static bool may_be_exchanged(const struct casebook *casebook, enum capture_role role)
{
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (casebook->points[i].role_given && casebook->points[i].role == role &&
            point_against(casebook, i) == CAPTURE_ROLE_UNKNOWN)
            return true;
    return false;
}

void capture_side_doubt(struct casebook *casebook)
{
    enum capture_role *found = memory_take_array((size_t)casebook->point_count + 1, sizeof *found);
    for (uint32_t i = 0; i < casebook->point_count; i++) {
        enum capture_role role = point_against(casebook, i);
        found[i] = role != CAPTURE_ROLE_UNKNOWN && may_be_exchanged(casebook, role) ? CAPTURE_ROLE_UNKNOWN : role;
    }
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (found[i] != CAPTURE_ROLE_UNKNOWN)
            put_right(casebook, i, found[i], "times to live and round trips tell");
    memory_give(found);
}
