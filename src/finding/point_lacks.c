/* What a capture point leaves out. */
#include "point_lacks.h"

#include "moment.h"

/* A capture misses single packets now and then, the last one's acknowledgement, too. One that cuts connections short leaves few that close. */
enum { CLOSED_FOR_EACH = 10 };

/* Nobody has acknowledged its last data, and its sender did not send them again, as TCP does until somebody closes: what came next was not
 * captured. */
static bool is_left_alone(const struct tcp_side *sender, const struct tcp_side *receiver)
{
    return sender->unacknowledged_bytes > 0 && sender->data_run.count == 0 && !receiver->zero_window_at_end;
}

/* Its data acknowledged what had come before an acknowledgement alone was due, past what the way takes; or it is a client whose handshake has
 * no end. */
static bool owes_acknowledgement(const struct conversation *c, enum side side)
{
    const struct round_trips *trips = &c->sides[side].round_trips;
    bool handshake = side == SIDE_CLIENT && c->starts_with_syn && conversation_established(c);
    return c->sides[side].bare == 0 &&
           (handshake || (trips->count > 0 && trips->longest_ns - trips->shortest_ns > ACK_DELAY_MOST_NS));
}

void point_lacks_see(struct point_lacks *lacks, const struct conversation *c, int64_t watched_ns)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        lacks->bare[side] += c->sides[side].bare;
        lacks->owed[side] += owes_acknowledgement(c, side);
        lacks->data[side] += c->sides[side].data_packets;
        lacks->unseen[side] += c->sides[side].unseen_segments;
    }
    if (client->packets == 0 || server->packets == 0)
        return;
    lacks->closed += c->closed;
    if (c->ending != ENDING_OPEN || c->let_go || watched_ns < LEFT_ALONE_NS ||
        !(is_left_alone(client, server) || is_left_alone(server, client)))
        return;
    if (c->tds && watched_ns >= UNPROBED_NS)
        lacks->cut_short++;
    else
        lacks->perhaps_cut_short++;
}

/* Devices may draw initial sequence numbers anew. */
static int32_t bytes_beyond(const struct tcp_side *here, const struct tcp_side *there)
{
    uint32_t shift = here->isn_known && there->isn_known ? there->isn - here->isn : 0;
    return here->seqs_known && there->seqs_known ? (int32_t)(there->seq_end - here->seq_end - shift) : 0;
}

/* It was acknowledged, so it arrived. A single number may be a FIN. No more is looked for than what a connection has sent meanwhile, far less
 * than what renumbering adds. */
static bool goes_on(const struct tcp_side *here, const struct tcp_side *there)
{
    enum { BYTES_MOST = 1 << 20 };
    int32_t beyond = bytes_beyond(here, there);
    bool acknowledged = moment_seen(&there->last_progress) && there->unacknowledged_bytes == 0;
    return acknowledged && beyond > 1 && beyond < BYTES_MOST;
}

enum further point_lacks_end(const struct conversation *view, const struct conversation *other, int64_t *at_ns)
{
    const struct tcp_side *client = &other->sides[SIDE_CLIENT], *server = &other->sides[SIDE_SERVER];
    if (view->ending != ENDING_OPEN || view->let_go)
        return FURTHER_NOT;
    if (moment_seen(&client->fin) && moment_seen(&server->fin)) {
        *at_ns = client->fin.time_ns > server->fin.time_ns ? client->fin.time_ns : server->fin.time_ns;
        return FURTHER_CLOSE;
    }
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (goes_on(&view->sides[side], &other->sides[side])) {
            *at_ns = other->sides[side].last_data.time_ns;
            return FURTHER_DATA;
        }
    return FURTHER_NOT;
}

void point_lacks_add(struct point_lacks *lacks, enum further further)
{
    lacks->cut_short += further == FURTHER_CLOSE;
    lacks->perhaps_cut_short += further == FURTHER_DATA;
}

bool point_lacks_ends(const struct point_lacks *lacks)
{
    return lacks->cut_short > 0 ||
           (lacks->perhaps_cut_short > 0 && lacks->closed < (uint64_t)lacks->perhaps_cut_short * CLOSED_FOR_EACH);
}

bool point_lacks_acknowledgements(const struct point_lacks *lacks, enum side sender)
{
    return lacks->bare[sender] == 0 && (lacks->owed[sender] > 0 || lacks->bare[side_other(sender)] == 0);
}
