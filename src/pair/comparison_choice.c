/*
 * The facts of a healthy connection leave nothing to find by comparing packets: the same packets at both ends, nothing sent again,
 * closed by FIN or still open. Everything else is compared.
 */
#include "comparison_choice.h"

/* A pause in the answers that people notice; the network may have had a part in it. */
#define LONG_PAUSE_NS NS_PER_SECOND

static bool side_is_troubled(const struct tcp_side *side)
{
    return side->retransmits > 0 || side->resets > 0 || side->keep_alive_run.count > 1 || side->zero_windows > 0 ||
           side->out_of_order > 0 || side->unseen_segments > 0 || side->unacknowledged_bytes > 0;
}

static bool view_is_troubled(const struct conversation *c)
{
    return side_is_troubled(&c->sides[SIDE_CLIENT]) || side_is_troubled(&c->sides[SIDE_SERVER]) ||
           (c->ending != ENDING_FIN && c->ending != ENDING_OPEN) || c->icmp.count > 0;
}

static bool waited_long(const struct conversation *c)
{
    return conversation_login_duration_ns(c) >= LONG_PAUSE_NS ||
           (c->tds && c->tds->slowest_response_ns >= LONG_PAUSE_NS);
}

/* Cards join and split packets with data, so only their absence on one side says something. */
static bool packets_differ(const struct conversation *client, const struct conversation *server)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (client->sides[side].packets - client->sides[side].capture_duplicates !=
            server->sides[side].packets - server->sides[side].capture_duplicates)
            return true;
    return false;
}

bool comparison_is_worth(const struct conversation *client, const struct conversation *server)
{
    return view_is_troubled(client) || view_is_troubled(server) || waited_long(client) || waited_long(server) ||
           packets_differ(client, server);
}
