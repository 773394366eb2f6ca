/* Where the captures of both ends hold a connection, another capture settles what these lack, or nothing. */
#include "settling.h"

const char settle_by_client_capture[] = "A capture taken on the client at the same time.";
const char settle_by_server_capture[] = "A capture taken on the server at the same time.";
const char settle_by_both_captures[] = "Captures taken on client and server at the same time.";

const char settle_by_earlier_captures[] = "Captures of both ends that begin before the connection does.";

#define PING_LARGE                                                                                                     \
    "test with packets of that size that must not be fragmented: `ping -f -l 1472 SERVER`, on Linux `ping -M do "      \
    "-s 1472 SERVER`."
const char settle_by_large_packets[] = "Captures of both ends; or a " PING_LARGE;

static bool is_at(const struct casebook *casebook, const struct conversation *c, enum capture_role role)
{
    for (c = casebook_standing_view(casebook, c); casebook->points[c->point].role != role;) {
        if (!c->next_view)
            return false;
        c = casebook_conversation(casebook, c->next_view - 1);
    }
    return true;
}

/* The server's capture may have been running without it. */
static bool is_there(const struct pair_view *view, const struct casebook *casebook, enum capture_role role)
{
    return is_at(casebook, view->client, role) || (!view->server && casebook->points[view->pair->far].role == role);
}

static bool is_open(const struct comparison *compared)
{
    return compared->passages[SIDE_CLIENT].open_at_end > 0 || compared->passages[SIDE_SERVER].open_at_end > 0;
}

/* NULL: nothing that a capture could show. */
static const char *what_is_lacking(const struct pair_view *view)
{
    if (!view->server)
        return "A capture on the way: the server's, which was running, does not have this connection.";
    if (view->relayed)
        return "The log of the device that ends the client's connection and opens its own to the server, or a capture "
               "on it.";
    if (!view->compared)
        return "Captures that can be compared packet by packet: read from files, not from a pipe, with clocks that "
               "nobody sets meanwhile.";
    if (pair_view_misses_packets(view))
        return "Captures that miss no packets: on the machines themselves, with a larger buffer, written to a fast "
               "disk.";
    if (is_open(view->compared))
        return "Captures of both ends that go on until after the error: one of these ends before it.";
    return NULL;
}

void settling_reconsider(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    const char *asked = judgement->would_settle;
    bool client = asked == settle_by_client_capture, server = asked == settle_by_server_capture,
         both = asked == settle_by_both_captures || asked == settle_by_large_packets;
    if ((!client && !server && !both) || (!server && !is_there(view, s->casebook, CAPTURE_ROLE_CLIENT)) ||
        (!client && !is_there(view, s->casebook, CAPTURE_ROLE_SERVER)))
        return;
    judgement->would_settle = asked == settle_by_large_packets ? "A " PING_LARGE : what_is_lacking(view);
}

bool settling_is_done(const struct judge *judge, const struct finding *finding, const char *action)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    if (action != action_trace_both && action != action_trace_server)
        return false;
    if (finding->example_conversation == 0)
        return casebook->clock.known;
    const struct conversation *c = casebook_conversation(casebook, finding->example_conversation - 1);
    return is_at(casebook, c, CAPTURE_ROLE_SERVER) &&
           (action == action_trace_server || is_at(casebook, c, CAPTURE_ROLE_CLIENT));
}
