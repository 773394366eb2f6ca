/* Where the captures of both ends hold a connection, another capture settles what these lack, or nothing. */
#include "settling.h"

const char settle_by_client_capture[] = "A capture taken on the client at the same time.";
const char settle_by_server_capture[] = "A capture taken on the server at the same time.";
const char settle_by_both_captures[] = "Captures taken on client and server at the same time.";

const char *settle_by_capture_at(enum side side)
{
    return side == SIDE_CLIENT ? settle_by_client_capture : settle_by_server_capture;
}

const char settle_by_place[] = "To know that the capture was taken on the machine itself and not on a mirror port near "
                               "it: then give it with --client or --server.";
const char settle_by_complete_capture[] =
    "A capture that misses no packets: on the machine itself, with a larger buffer, written to a fast disk.";
const char settle_by_complete_captures[] =
    "Captures that miss no packets: on the machines themselves, with a larger buffer, written to a fast disk.";
const char settle_by_host_of_guest[] =
    "Whether that end is a container or a virtual machine behind its host's address translation; then a capture of all "
    "interfaces of that host, which shows what the host itself sends, and `conntrack -S` or `Get-NetNatSession` there.";
const char settle_by_address_owner[] =
    "Which machine had that address then: the cluster's log, or `arp -a` on its network.";
const char settle_by_all_cards_of_client[] = "A capture of all network cards of the client machine.";
const char settle_by_all_cards_of_server[] = "A capture of all network cards of the server machine.";
const char settle_by_steady_clock[] = "A capture of a machine whose clock nobody sets meanwhile.";
const char settle_by_whole_packets[] =
    "The same capture of whole packets (`tcpdump -s 0`, `dumpcap -s 0`): of those only the checksum can be looked at.";
const char settle_by_listener[] = "Which program has the port on the server machine: `netstat -abno`, on Linux `ss "
                                  "-ltnp`; and whether a proxy or firewall on the way answers for it.";
const char settle_by_earlier_captures[] = "Captures of both ends that begin before the connection does.";

#define PING_LARGE                                                                                                     \
    "test with packets of that size that must not be fragmented: `ping -f -l 1472 SERVER`, on Linux `ping -M do "      \
    "-s 1472 SERVER`."
const char settle_by_large_packets[] = "Captures of both ends; or a " PING_LARGE;

void settling_doubt_capture(struct judgement *judgement)
{
    judgement->culprit = CULPRIT_UNKNOWN;
    judgement->confidence = judgement->confidence < 0.5 ? judgement->confidence : 0.5;
    judgement->would_settle = settle_by_complete_capture;
}

/* The capture point of that role that has the connection; NULL: none. */
static const struct point_facts *place_of(const struct casebook *casebook, const struct conversation *c,
                                          enum capture_role role)
{
    for (c = casebook_standing_view(casebook, c); casebook->points[c->point].role != role;) {
        if (!c->next_view)
            return NULL;
        c = casebook_conversation(casebook, c->next_view - 1);
    }
    return &casebook->points[c->point];
}

static bool is_at(const struct casebook *casebook, const struct conversation *c, enum capture_role role)
{
    return place_of(casebook, c, role) != NULL;
}

/* The end that the judgement asks for; CAPTURE_ROLE_UNKNOWN: not one of them. */
static enum capture_role asked_end(const struct judgement *judgement)
{
    return judgement->would_settle == settle_by_client_capture   ? CAPTURE_ROLE_CLIENT
           : judgement->would_settle == settle_by_server_capture ? CAPTURE_ROLE_SERVER
                                                                 : CAPTURE_ROLE_UNKNOWN;
}

/* What looks like a capture of the end that is asked for may be one. */
static bool asks_for_place(const struct conversation *c, const struct surroundings *s,
                           const struct judgement *judgement)
{
    enum capture_role role = asked_end(judgement);
    const struct point_facts *place = role == CAPTURE_ROLE_UNKNOWN ? NULL : place_of(s->casebook, c, role);
    return place && !place->role_given;
}

/* The server's capture may have been running without it. */
static bool is_there(const struct pair_view *view, const struct casebook *casebook, enum capture_role role)
{
    return is_at(casebook, view->client, role) || (!view->server && casebook->points[view->pair->far].role == role);
}

/* The capture of an end, and a conversation. */
enum end_capture { END_NOT_CAPTURED, END_HAS_IT, END_LACKS_IT, END_OF_OTHER_TIME };

static bool covers(const struct casebook *casebook, uint32_t point, const struct conversation *c)
{
    const struct point_facts *facts = &casebook->points[point];
    int64_t ahead_ns = casebook_common_ns(casebook, point, 0) - casebook_common_ns(casebook, c->point, 0),
            from_ns = c->first.time_ns - ahead_ns, to_ns = c->last.time_ns - ahead_ns;
    return facts->has_packets && facts->first_ns <= from_ns && facts->last_ns >= to_ns &&
           !capture_silences_hole(&facts->silences, from_ns, to_ns);
}

/* Only captures that have other connections in common with the conversation's are of the ends of its way. */
static enum end_capture end_capture(const struct casebook *casebook, const struct conversation *c,
                                    enum capture_role role)
{
    enum end_capture found = is_at(casebook, c, role) ? END_HAS_IT : END_NOT_CAPTURED;
    for (uint32_t i = 0; found != END_HAS_IT && found != END_LACKS_IT && i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        uint32_t other = pair->near == c->point ? pair->far : pair->near;
        if (pair->clock.known && (pair->near == c->point || pair->far == c->point) &&
            casebook->points[other].role == role)
            found = covers(casebook, other, c) ? END_LACKS_IT : END_OF_OTHER_TIME;
    }
    return found;
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
        return settle_by_complete_captures;
    if (is_open(view->compared))
        return "Captures of both ends that go on until after the error: one of these ends before it.";
    return NULL;
}

void settling_reconsider(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (asks_for_place(view->client, s, judgement))
        judgement->would_settle = settle_by_place;
    const char *asked = judgement->would_settle;
    bool client = asked == settle_by_client_capture, server = asked == settle_by_server_capture,
         both = asked == settle_by_both_captures || asked == settle_by_large_packets;
    if ((!client && !server && !both) || (!server && !is_there(view, s->casebook, CAPTURE_ROLE_CLIENT)) ||
        (!client && !is_there(view, s->casebook, CAPTURE_ROLE_SERVER)))
        return;
    judgement->would_settle = asked == settle_by_large_packets ? "A " PING_LARGE : what_is_lacking(view);
}

static bool lacks_others(const struct surroundings *s, const struct conversation *c, enum capture_role role)
{
    const struct point_pair *pair = role == CAPTURE_ROLE_SERVER ? surroundings_pair_without(s, c) : NULL;
    return pair && surroundings_lacks_connections(s, pair->far, &c->ends[SIDE_SERVER].address);
}

void settling_reconsider_alone(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (asks_for_place(c, s, judgement))
        judgement->would_settle = settle_by_place;
    enum capture_role role = asked_end(judgement);
    if (judgement->would_settle == settle_by_both_captures)
        role = is_at(s->casebook, c, CAPTURE_ROLE_CLIENT) ? CAPTURE_ROLE_SERVER : CAPTURE_ROLE_CLIENT;
    if (role == CAPTURE_ROLE_UNKNOWN)
        return;
    enum end_capture capture = end_capture(s->casebook, c, role);
    if (capture == END_OF_OTHER_TIME)
        judgement->would_settle = "A capture of the other end that covers this time: the one given does not.";
    else if (capture == END_LACKS_IT && c->doubtful)
        judgement->would_settle = "Captures that begin before this connection: which one of the other capture it is "
                                  "could not be told.";
    else if (capture == END_LACKS_IT && lacks_others(s, c, role))
        judgement->would_settle = "A capture of all network cards of the other end, and of all machines that share its "
                                  "address: the one given lacks this connection, and others that were there.";
    else if (capture == END_LACKS_IT)
        judgement->would_settle = "A capture on the way: the other end's, which was running, does not have this "
                                  "connection.";
}

/* Another capture of that end at the same time would show no more. */
static bool was_captured(const struct casebook *casebook, const struct conversation *c, enum capture_role role)
{
    enum end_capture capture = end_capture(casebook, c, role);
    return capture == END_HAS_IT || capture == END_LACKS_IT;
}

bool settling_is_done(const struct judge *judge, const struct finding *finding, const char *action)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    if (action != action_trace_both && action != action_trace_server)
        return false;
    if (finding->example_conversation == 0)
        return casebook->clock.known;
    const struct conversation *c = casebook_conversation(casebook, finding->example_conversation - 1);
    return was_captured(casebook, c, CAPTURE_ROLE_SERVER) &&
           (action == action_trace_server || was_captured(casebook, c, CAPTURE_ROLE_CLIENT));
}
