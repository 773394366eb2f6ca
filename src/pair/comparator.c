/*
 * What became of each packet.
 *
 * Theory of operation. Packets are matched first (packet_matching.h).
 *
 * What is left over on the sending side was lost; on the receiving side, made by a device - unless the captures themselves are at
 * fault, which the other packets tell: bytes that were acknowledged did arrive, bytes that the sender later went beyond were sent.
 */
#include "comparator.h"

#include "hash_index.h"
#include "memory.h"
#include "packet_matching.h"
#include "seq_shift.h"

/* Packets are judged once they are older than any delay a connection survives; the drivers' time-outs end at 30 s. */
#define IN_FLIGHT_NS (60 * NS_PER_SECOND)

/* Of bulk data so many packets would be at hand; there, what is not there within seconds was lost. */
#define CROWDED_IN_FLIGHT_NS (2 * NS_PER_SECOND)

/* Packets of one direction at hand: looked at when there are so many; crowded; and the most that are kept, about 10 MB. */
enum { LANE_LOOK = 1024, LANE_CROWDED = 4096, LANE_FULL = 131072 };

/* Bytes of the payload that are compared: what a capture cut to 180 bytes a packet still has. */
enum { PAYLOAD_COMPARED = 64 };

static unsigned lost_options(const struct tcp_side *sent, const struct tcp_side *arrived)
{
    unsigned changes = 0;
    if (!moment_seen(&sent->syn) || !moment_seen(&arrived->syn))
        return 0;
    if (sent->mss != 0 && sent->mss != arrived->mss)
        changes |= CHANGED_MSS;
    if (sent->offers_window_scale != arrived->offers_window_scale || sent->sack_permitted != arrived->sack_permitted ||
        sent->timestamps != arrived->timestamps)
        changes |= CHANGED_OPTIONS;
    return changes;
}

static unsigned changed_ends(const struct conversation *client, const struct conversation *server)
{
    unsigned changes = 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        if (!address_equal(&client->ends[side].address, &server->ends[side].address))
            changes |= CHANGED_ADDRESSES;
        if (client->ends[side].port != server->ends[side].port)
            changes |= CHANGED_PORTS;
    }
    return changes;
}

void comparator_open(struct comparator *comparator, struct comparison *comparison, const struct conversation *client,
                     const struct conversation *server, const struct clock_facts *clock)
{
    *comparator = (struct comparator){.comparison = comparison, .clock = clock};
    *comparison = (struct comparison){0};
    unsigned ends = changed_ends(client, server);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *here = &client->sides[side], *there = &server->sides[side];
        struct passage *passage = &comparison->passages[side];
        comparator->look_at[side] = LANE_LOOK;
        comparator->reset_left_ns[side] = comparator->reset_came_ns[side] = INT64_MAX;
        seq_shift_known(client, server, side, &comparator->seq_shift[side]);
        comparator->mss[side] = client->sides[side_other(side)].mss;
        passage->changes = ends | (comparator->seq_shift[side] != 0 ? CHANGED_SEQUENCE_NUMBERS : 0) |
                           (side == SIDE_CLIENT ? lost_options(here, there) : lost_options(there, here));
    }
}

static struct compared_packet *lane_add(struct packet_lane *lane)
{
    if (lane->count == lane->capacity) {
        lane->capacity = lane->capacity ? lane->capacity * 2 : 16;
        lane->list = memory_grow(lane->list, lane->capacity, sizeof *lane->list);
    }
    return &lane->list[lane->count++];
}

static uint32_t payload_hash(const struct packet *p)
{
    uint32_t wanted = p->payload_length < PAYLOAD_COMPARED ? p->payload_length : PAYLOAD_COMPARED;
    return wanted > 0 && p->payload.size >= wanted ? hash_words(p->payload.data, wanted) : 0;
}

static bool covers(const struct comparator *comparator, enum side at, int64_t time_ns)
{
    const struct coverage *coverage = &comparator->coverage[at];
    int64_t margin_ns = slack_ns(comparator);
    return time_ns - margin_ns > coverage->from_ns && time_ns + margin_ns < coverage->to_ns;
}

static int64_t longest_way_ns(const struct comparator *comparator, enum side sender)
{
    return comparator->longest_way_ns[sender];
}

/* When a packet should have been recorded at that side: one that the other side sent, or one of its own that reached the other. */
static struct coverage due_at(const struct comparator *comparator, enum side at, const struct compared_packet *p,
                              bool is_own)
{
    int64_t way_ns = longest_way_ns(comparator, is_own ? at : side_other(at)), margin_ns = slack_ns(comparator),
            from_ns = p->time_ns - (is_own ? way_ns : 0) - margin_ns,
            to_ns = p->time_ns + (is_own ? 0 : way_ns) + margin_ns;
    return (struct coverage){clock_at(comparator, at, from_ns), clock_at(comparator, at, to_ns)};
}

static void note_unclear(const struct comparator *comparator, enum side sender, const struct compared_packet *p)
{
    comparator->comparison->passages[sender].unclear_at_end += p->time_ns >= comparator->lost_from_ns[sender];
}

static bool is_stray(const struct comparator *comparator, enum side at, struct coverage due)
{
    return !comparator->silences[at] || !capture_silences_hide(comparator->silences[at], due.from_ns, due.to_ns);
}

static void note_missed(const struct comparator *comparator, enum side at, const struct compared_packet *p, bool is_own)
{
    struct coverage due = due_at(comparator, at, p, is_own);
    if (comparator->silences[at])
        capture_silences_miss(comparator->silences[at], due.from_ns, due.to_ns);
    comparator->comparison->strays[at] += is_stray(comparator, at, due);
    comparator->comparison->missed_syns[at] += (p->flags & TCP_SYN) != 0;
    note_unclear(comparator, is_own ? at : side_other(at), p);
}

/* The hole of the capture at that side in which the packet may have passed. NULL: there is none. */
static struct capture_silence *hole_for(const struct comparator *comparator, enum side at,
                                        const struct compared_packet *p, bool is_own)
{
    struct coverage due = due_at(comparator, at, p, is_own);
    return comparator->silences[at] ? capture_silences_hole(comparator->silences[at], due.from_ns, due.to_ns) : NULL;
}

static void note_unseen(const struct comparator *comparator, enum side at, const struct compared_packet *p, bool is_own)
{
    struct capture_silence *hole = hole_for(comparator, at, p, is_own);
    if (hole) {
        hole->hidden++;
        comparator->comparison->hidden[at]++;
        comparator->comparison->strays[at] += !capture_silence_is_hole(hole);
        note_unclear(comparator, is_own ? at : side_other(at), p);
    } else if (!covers(comparator, at, p->time_ns)) {
        comparator->comparison->uncovered[at]++;
    }
}

/* Another transmission brought bytes of it: then this one was lost, and not all of them. */
static bool bytes_arrived_otherwise(const struct comparator *comparator, enum side sender,
                                    const struct compared_packet *sent)
{
    const struct packet_lane *lane = &comparator->sent[sender];
    for (uint32_t i = 0; i < lane->count; i++) {
        const struct compared_packet *other = &lane->list[i];
        if (other != sent && other->partner != NO_PARTNER && has_bytes(other) &&
            distance(other->seq, end_of(sent)) < 0 && distance(sent->seq, end_of(other)) < 0)
            return true;
    }
    return seq_mark_is_past(&comparator->arrived_until[sender], end_of(sent)) &&
           seq_mark_is_past(&comparator->sent_until[sender], end_of(sent));
}

/* Its receiver had reset the connection when it was due, and its sender did not know that yet. Nobody asks for it again, so what the
 * capture missed looks like what was lost. */
static bool is_due_after_reset(const struct comparator *comparator, enum side sender,
                               const struct compared_packet *sent)
{
    enum side receiver = side_other(sender);
    int64_t way_ns = longest_way_ns(comparator, sender) + slack_ns(comparator),
            came_ns = comparator->reset_came_ns[receiver];
    return came_ns != INT64_MAX && sent->time_ns <= came_ns + slack_ns(comparator) &&
           sent->time_ns + way_ns >= comparator->reset_left_ns[receiver];
}

static enum packet_fate fate_of_sent(const struct comparator *comparator, enum side sender,
                                     const struct compared_packet *sent)
{
    if (sent->partner != NO_PARTNER)
        return FATE_ARRIVED;
    /* As late as the latest that did arrive, it may come yet. */
    int64_t due_ns = sent->time_ns + longest_way_ns(comparator, sender);
    if (!covers(comparator, side_other(sender), sent->time_ns) || !covers(comparator, side_other(sender), due_ns))
        return FATE_OPEN;
    if (is_due_after_reset(comparator, sender, sent))
        return FATE_OPEN;
    bool acknowledged = seq_mark_is_past(&comparator->acked_until[sender], end_of(sent));
    if (has_bytes(sent) && acknowledged && !bytes_arrived_otherwise(comparator, sender, sent))
        return FATE_MISSED;
    return hole_for(comparator, side_other(sender), sent, false) ? FATE_OPEN : FATE_LOST;
}

/* Whether the sender sent these bytes at some time, as its own capture shows or as what it sent later implies. */
static bool bytes_sent(const struct comparator *comparator, enum side sender, const struct compared_packet *arrived,
                       bool *seen)
{
    const struct packet_lane *lane = &comparator->sent[sender];
    bool beyond = seq_mark_is_past(&comparator->sent_until[sender], end_of(arrived));
    *seen = beyond;
    for (uint32_t i = 0; i < lane->count; i++) {
        const struct compared_packet *s = &lane->list[i];
        if (has_bytes(s) && distance(arrived->seq, s->seq) >= 0 && distance(arrived->seq, end_of(s)) < 0) {
            *seen = true;
            return true;
        }
        beyond = beyond || distance(s->seq, end_of(arrived)) >= 0;
    }
    return beyond;
}

/* Nothing that could be it had left by then. */
static bool is_early(const struct comparator *comparator, enum side sender, const struct compared_packet *arrived)
{
    const struct packet_lane *lane = &comparator->sent[sender];
    if (seq_mark_is_past(&comparator->sent_until[sender], end_of(arrived)))
        return false;
    for (uint32_t i = 0; i < lane->count; i++) {
        const struct compared_packet *s = &lane->list[i];
        bool covers_it = has_bytes(s) && distance(arrived->seq, s->seq) >= 0 && distance(arrived->seq, end_of(s)) < 0;
        if (covers_it && s->time_ns <= arrived->time_ns + slack_ns(comparator))
            return false;
    }
    return true;
}

/* Its sender's capture has the repetitions only. */
static bool began_in_hole(const struct comparator *comparator, enum side sender, const struct compared_packet *arrived)
{
    return is_early(comparator, sender, arrived) && hole_for(comparator, sender, arrived, true);
}

static enum packet_fate fate_of_arrival(const struct comparator *comparator, enum side sender,
                                        const struct compared_packet *arrived)
{
    if (!covers(comparator, sender, arrived->time_ns))
        return FATE_OPEN;
    bool seen = false;
    if (has_bytes(arrived) && bytes_sent(comparator, sender, arrived, &seen))
        return seen && !began_in_hole(comparator, sender, arrived) ? FATE_DUPLICATED : FATE_MISSED;
    /* An acknowledgement of what reached the sender may have been its own, and its capture missed it. */
    if (!has_bytes(arrived) && !(arrived->flags & TCP_RST) &&
        seq_mark_is_past(&comparator->reached_until[side_other(sender)], arrived->ack))
        return FATE_MISSED;
    if (hole_for(comparator, sender, arrived, true))
        return FATE_OPEN;
    /* Devices close, answer and acknowledge in somebody's name; they have no data to send. */
    return arrived->payload > 1 && !(arrived->flags & TCP_RST) ? FATE_MISSED : FATE_INJECTED;
}

/* A keep-alive bears the number of a byte that was sent and acknowledged before (RFC 9293, 3.8.4), with that byte or none. */
static bool is_probe(const struct comparator *comparator, enum side sender, const struct compared_packet *p)
{
    const struct seq_mark *judged = &comparator->judged_until[sender];
    return p->payload <= 1 && !(p->flags & (TCP_SYN | TCP_FIN | TCP_RST)) && judged->known &&
           judged->until - p->seq == 1;
}

/* What cards and drivers hand over as one large segment travels in pieces of the receiver's MSS at most. */
static uint32_t size_on_wire(const struct comparator *comparator, enum side sender, const struct compared_packet *sent)
{
    uint32_t mss = comparator->mss[sender];
    return mss != 0 && sent->payload > mss ? mss : sent->payload;
}

static void note_lost_bytes(const struct comparator *comparator, enum side sender, const struct compared_packet *sent)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    uint32_t size = size_on_wire(comparator, sender, sent);
    if (!moment_seen(&passage->first_lost))
        passage->first_lost = sent->moment;
    passage->last_lost = sent->moment;
    passage->lost_data += has_bytes(sent);
    if (size > 1 && (passage->smallest_lost == 0 || size < passage->smallest_lost))
        passage->smallest_lost = size;
}

/* Of a packet of which some bytes arrived: the others were sent again, or never acknowledged. */
static bool was_in_vain(const struct comparator *comparator, enum side sender, const struct compared_packet *sent)
{
    const struct packet_lane *lane = &comparator->sent[sender];
    for (const struct compared_packet *later = sent + 1; later < lane->list + lane->count; later++)
        if (has_bytes(later) && distance(later->seq, end_of(sent)) < 0 && distance(sent->seq, end_of(later)) < 0)
            return true;
    return !seq_mark_is_past(&comparator->acked_until[sender], end_of(sent));
}

/* What keeps a capture from recording often does so several times in a row. */
static bool is_near_hole(const struct comparator *comparator, enum side at, const struct compared_packet *p)
{
    struct coverage due = due_at(comparator, at, p, false);
    return comparator->silences[at] &&
           capture_silences_hole(comparator->silences[at], due.from_ns - NS_PER_SECOND, due.to_ns + NS_PER_SECOND);
}

/* A connection counts once for each silence. */
static void note_lacking(struct comparator *comparator, enum side at, const struct compared_packet *p)
{
    struct coverage due = due_at(comparator, at, p, false);
    struct capture_silence *silence =
        comparator->silences[at] ? capture_silences_lack(comparator->silences[at], due.from_ns, due.to_ns) : NULL;
    if (!silence || silence->to_ns == comparator->lacked_to_ns[at])
        return;
    silence->lacking++;
    comparator->lacked_to_ns[at] = silence->to_ns;
}

static void note_lost(struct comparator *comparator, enum side sender, const struct compared_packet *sent)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    bool probe = is_probe(comparator, sender, sent);
    passage->lost++;
    passage->open_at_end = 0;
    note_lost_bytes(comparator, sender, sent);
    note_lacking(comparator, side_other(sender), sent);
    if (passage->lost_at_end++ == 0) {
        passage->lost_at_end_first = sent->moment;
        comparator->lost_from_ns[sender] = sent->time_ns;
        passage->probes_lost_at_end = passage->bare_lost_at_end = passage->unclear_at_end = 0;
        passage->probe_first = probe;
    }
    passage->probes_lost_at_end += probe;
    passage->bare_lost_at_end += sent->size == 0;
    passage->unclear_at_end += is_near_hole(comparator, side_other(sender), sent);
}

/* The first bytes of both are known, and are no keep-alive's, which may be anything. */
static void note_payload(struct passage *passage, const struct compared_packet *sent,
                         const struct compared_packet *arrived)
{
    if (!sent->payload_hash || !arrived->payload_hash || sent->payload <= 1)
        return;
    passage->payloads_compared++;
    if (sent->payload_hash == arrived->payload_hash)
        return;
    if (passage->payloads_changed++ == 0)
        passage->first_changed = arrived->moment;
    passage->changes |= CHANGED_PAYLOAD;
}

/* The block speaks of the other side's bytes: under other numbers there it must bear others, too. */
static void note_sack(const struct comparator *comparator, enum side sender, const struct compared_packet *sent,
                      const struct compared_packet *arrived)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    if (comparator->seq_shift[side_other(sender)] == 0 || sent->sack_left == 0 || sent->sack_left != arrived->sack_left)
        return;
    if (passage->sack_untranslated++ == 0)
        passage->first_sack_untranslated = arrived->moment;
}

/* A packet that was not cut in pieces or joined with others must be the same at both ends. */
static void note_changes(const struct comparator *comparator, enum side sender, const struct compared_packet *sent,
                         const struct compared_packet *arrived)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    if (sent->payload != arrived->payload || sent->seq != arrived->seq)
        return;
    if (sent->window != arrived->window)
        passage->changes |= CHANGED_WINDOW;
    note_payload(passage, sent, arrived);
    note_sack(comparator, sender, sent, arrived);
}

static bool is_identified(const struct compared_packet *sent, const struct compared_packet *arrived)
{
    return (sent->ip_id != 0 && sent->ip_id == arrived->ip_id) ||
           (sent->timestamp != 0 && sent->timestamp == arrived->timestamp);
}

/* Acknowledgements and keep-alives are alike: where captures miss one, the next is taken for it, unless its IP ID or TCP timestamp says which
 * it is. Then it cannot be told that it was long on the way. */
static bool is_told_apart(const struct compared_packet *sent, const struct compared_packet *arrived)
{
    return sent->payload > 1 || (sent->flags & (TCP_SYN | TCP_FIN)) || is_identified(sent, arrived);
}

static void note_first_and_last(struct passage *passage, const struct moment *sent, const struct moment *arrived,
                                bool in_time)
{
    passage->last_arrival_sent = *sent;
    passage->last_arrival = *arrived;
    if (!moment_seen(&passage->first_arrival))
        passage->first_arrival = *arrived;
    if (!in_time)
        return;
    passage->last_in_time_sent = *sent;
    if (!moment_seen(&passage->first_in_time_sent))
        passage->first_in_time_sent = *sent;
}

static void note_arrived(struct comparator *comparator, enum side sender, const struct compared_packet *sent,
                         const struct compared_packet *arrived)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    int64_t took_ns = arrived->time_ns - sent->time_ns;
    /* Of a packet that was sent several times it may be another copy that arrived: only the first cannot seem too fast. */
    bool first_transmission =
        has_bytes(sent) && sent->payload == arrived->payload &&
        (!comparator->judged_until[sender].known || distance(sent->seq, comparator->judged_until[sender].until) >= 0);
    passage->arrived++;
    if (first_transmission) {
        if (passage->timed++ == 0 || took_ns < passage->shortest_ns)
            passage->shortest_ns = took_ns;
        if (comparator->ways)
            way_times_add(comparator->ways, sender, sent->moment.time_ns, arrived->moment.time_ns);
    }
    /* A copy left when its packet did. */
    bool told_apart = is_told_apart(sent, arrived) && !sent->copy,
         late = told_apart && passage->timed > 0 &&
                took_ns - passage->shortest_ns >= PASSAGE_LATE_NS + comparator->ticks_ns;
    if (late)
        note_lacking(comparator, side_other(sender), sent);
    if (took_ns > comparator->longest_way_ns[sender])
        comparator->longest_way_ns[sender] = took_ns;
    if (told_apart && (!moment_seen(&passage->longest_sent) || took_ns >= passage->longest_ns)) {
        passage->longest_ns = took_ns;
        passage->longest_sent = sent->moment;
        passage->longest_arrival = arrived->moment;
        passage->longest_identified = is_identified(sent, arrived);
    }
    passage->late += late;
    if (late)
        passage->last_late = arrived->moment;
    passage->open_at_end = 0;
    vouching_arrived(passage, sent);
    /* Whoever gives a dead connection up says so to the other end, and that may arrive when all is well again. */
    if (!(sent->flags & (TCP_RST | TCP_FIN)))
        passage->lost_at_end = passage->bare_lost_at_end = 0;
    note_first_and_last(passage, &sent->moment, &arrived->moment, took_ns < PASSAGE_LATE_NS + comparator->ticks_ns);
    if (arrived->payload > passage->largest_arrived)
        passage->largest_arrived = arrived->payload;
    if (sent->consumed < sent->size && !sent->copy && was_in_vain(comparator, sender, sent))
        note_lost_bytes(comparator, sender, sent);
    note_changes(comparator, sender, sent, arrived);
}

static void note_open(struct passage *passage)
{
    passage->open++;
    passage->open_at_end++;
}

static void note_lacking_reset(const struct comparator *comparator, enum side at, const struct compared_packet *p)
{
    struct coverage due = due_at(comparator, at, p, true);
    if (comparator->silences[at])
        capture_silences_lack_reset(comparator->silences[at], due.from_ns, due.to_ns);
}

static void note_injected(const struct comparator *comparator, enum side sender, const struct compared_packet *arrived)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    if (arrived->flags & TCP_RST && !moment_seen(&passage->injected_reset))
        note_lacking_reset(comparator, sender, arrived);
    if (passage->injected++ == 0)
        passage->first_injected = arrived->moment;
    struct moment *kind = arrived->flags & TCP_RST   ? &passage->injected_reset
                          : arrived->flags & TCP_SYN ? &passage->injected_syn
                          : arrived->flags & TCP_FIN ? &passage->injected_fin
                                                     : NULL;
    if (kind && !moment_seen(kind))
        *kind = arrived->moment;
}

static void tell(const struct comparator *comparator, enum side sender, const struct compared_packet *sent,
                 const struct compared_packet *arrived, enum packet_fate fate)
{
    if (comparator->observe)
        comparator->observe(comparator->observe_context, comparator->stretch, sender, sent, arrived, fate);
}

static void judge_sent(struct comparator *comparator, enum side sender, const struct compared_packet *sent)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    enum packet_fate fate = fate_of_sent(comparator, sender, sent);
    if (sent->copy && fate != FATE_ARRIVED)
        return;
    const struct compared_packet *arrived =
        fate == FATE_ARRIVED ? &comparator->arrived[sender].list[sent->partner] : NULL;
    if (fate == FATE_ARRIVED)
        note_arrived(comparator, sender, sent, arrived);
    else if (fate == FATE_LOST)
        note_lost(comparator, sender, sent);
    else if (fate == FATE_MISSED)
        passage->missed++;
    else
        note_open(passage);
    if (fate == FATE_MISSED) {
        note_missed(comparator, side_other(sender), sent, false);
        vouching_missed(&comparator->vouching[sender], passage, sent);
    } else if (fate == FATE_OPEN) {
        note_unseen(comparator, side_other(sender), sent, false);
    }
    tell(comparator, sender, sent, arrived, fate);
    seq_mark_reach(&comparator->judged_until[sender], end_of(sent));
}

static void judge_arrival(struct comparator *comparator, enum side sender, const struct compared_packet *arrived)
{
    struct passage *passage = &comparator->comparison->passages[sender];
    if (arrived->partner != NO_PARTNER || arrived->copy)
        return;
    enum packet_fate fate = fate_of_arrival(comparator, sender, arrived);
    if (fate == FATE_INJECTED)
        note_injected(comparator, sender, arrived);
    else if (fate == FATE_DUPLICATED && is_early(comparator, sender, arrived))
        passage->early++;
    else if (fate == FATE_DUPLICATED)
        passage->duplicated++;
    else if (fate == FATE_MISSED)
        passage->unsent++;
    else
        passage->open++;
    if (fate == FATE_MISSED)
        note_missed(comparator, sender, arrived, true);
    else if (fate == FATE_OPEN)
        note_unseen(comparator, sender, arrived, true);
    tell(comparator, sender, NULL, arrived, fate);
}

static void count_reordered(struct comparator *comparator, enum side sender, uint32_t until)
{
    const struct packet_lane *lane = &comparator->arrived[sender];
    uint32_t latest = 0;
    for (uint32_t i = 0; i < lane->count; i++) {
        uint32_t partner = lane->list[i].partner;
        if (partner == NO_PARTNER || partner >= until || lane->list[i].copy)
            continue;
        comparator->comparison->passages[sender].reordered += partner < latest;
        if (partner > latest)
            latest = partner;
    }
}

/* Lets go of the first sent packets, of the arrivals that are theirs, and of unmatched ones from before that time. */
static void release(struct comparator *comparator, enum side sender, uint32_t until, int64_t before_ns)
{
    struct packet_lane *sent = &comparator->sent[sender], *arrived = &comparator->arrived[sender];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < arrived->count; i++) {
        struct compared_packet *a = &arrived->list[i];
        if (a->partner == NO_PARTNER ? a->time_ns < before_ns : a->partner < until)
            seq_mark_reach(&comparator->arrived_until[sender], end_of(a));
        else
            arrived->list[kept++] = *a;
    }
    arrived->count = kept;
    for (uint32_t i = 0; i < until; i++)
        seq_mark_reach(&comparator->sent_until[sender], end_of(&sent->list[i]));
    for (uint32_t i = until; i < sent->count; i++)
        sent->list[i - until] = sent->list[i];
    sent->count -= until;
}

/*
 * Two connections that a device has joined carry the same bytes under other numbers. So do those through a firewall that draws
 * initial sequence numbers anew, but it leaves the rest of a SYN alone: window, timestamp, options, IP ID.
 */
static bool is_relayed(const struct comparator *comparator)
{
    const struct compared_packet *here = &comparator->syn[SIDE_CLIENT], *there = &comparator->syn[SIDE_SERVER];
    if (comparator->seq_shift[SIDE_CLIENT] == 0 || comparator->seq_shift[SIDE_SERVER] == 0 || !here->flags ||
        !there->flags)
        return false;
    if (here->timestamp && there->timestamp)
        return here->timestamp != there->timestamp;
    unsigned ends = comparator->comparison->passages[SIDE_CLIENT].changes & (CHANGED_ADDRESSES | CHANGED_PORTS);
    if (here->ip_id == 0 && there->ip_id == 0) /* IPv6 has none: who changes all that is left has made its own */
        return ends & CHANGED_ADDRESSES;
    return here->ip_id != there->ip_id &&
           (here->window != there->window || !here->timestamp != !there->timestamp || ends != 0);
}

/* Judges the packets from before that time. */
static void judge_before(struct comparator *comparator, enum side sender, int64_t before_ns)
{
    struct packet_lane *sent = &comparator->sent[sender], *arrived = &comparator->arrived[sender];
    if (is_relayed(comparator)) {
        comparator->comparison->relayed = true;
        sent->count = arrived->count = 0;
        return;
    }
    packet_matching_run(comparator, sender);
    uint32_t until = 0;
    while (until < sent->count && sent->list[until].time_ns < before_ns)
        until++;
    for (uint32_t i = 0; i < until; i++)
        judge_sent(comparator, sender, &sent->list[i]);
    for (uint32_t i = 0; i < arrived->count; i++)
        if (arrived->list[i].time_ns < before_ns)
            judge_arrival(comparator, sender, &arrived->list[i]);
    count_reordered(comparator, sender, until);
    release(comparator, sender, until, before_ns);
}

static uint32_t at_hand(const struct comparator *comparator, enum side sender)
{
    return comparator->sent[sender].count + comparator->arrived[sender].count;
}

/* Looks again only when there is twice as much, so that a packet is looked at a few times at most. */
static void let_go(struct comparator *comparator, enum side sender, int64_t now_ns)
{
    if (at_hand(comparator, sender) < comparator->look_at[sender])
        return;
    judge_before(comparator, sender, now_ns - IN_FLIGHT_NS);
    if (at_hand(comparator, sender) >= LANE_CROWDED)
        judge_before(comparator, sender, now_ns - CROWDED_IN_FLIGHT_NS);
    if (at_hand(comparator, sender) >= LANE_FULL)
        judge_before(comparator, sender, INT64_MAX);
    uint32_t left = at_hand(comparator, sender);
    comparator->look_at[sender] = left < LANE_LOOK / 2 ? LANE_LOOK : 2 * left;
}

void comparator_add(struct comparator *comparator, enum side at, enum side sender, const struct packet *packet,
                    bool copy)
{
    bool sent = at == sender;
    struct packet_lane *lane = sent ? &comparator->sent[sender] : &comparator->arrived[sender];
    enum side other = side_other(sender);
    bool has_ack = (packet->tcp.flags & TCP_ACK) != 0;
    uint32_t shift = at == SIDE_SERVER ? comparator->seq_shift[sender] : 0,
             ack_shift = at == SIDE_SERVER ? comparator->seq_shift[other] : 0;
    struct compared_packet *p = lane_add(lane);
    *p = (struct compared_packet){
        .moment = packet->moment,
        .time_ns =
            at == SIDE_SERVER ? clock_to_client(comparator->clock, packet->moment.time_ns) : packet->moment.time_ns,
        .seq = packet->tcp.seq - shift,
        .ack = has_ack ? packet->tcp.ack - ack_shift : 0,
        .size = packet->payload_length + ((packet->tcp.flags & TCP_SYN) != 0) + ((packet->tcp.flags & TCP_FIN) != 0),
        .payload = packet->payload_length,
        .payload_hash = payload_hash(packet),
        .timestamp = packet->tcp.has_timestamp ? packet->tcp.timestamp_value : 0,
        .sack_left = packet->tcp.sack_count > 0 ? packet->tcp.sack[0].left : 0,
        .ip_id = packet->ip_id,
        .window = packet->tcp.window,
        .flags = packet->tcp.flags,
        .copy = copy,
    };
    /* Devices reset and answer in somebody's name, and acknowledge what they have swallowed. */
    bool forgeable = (packet->tcp.flags & (TCP_SYN | TCP_RST)) != 0;
    if (has_ack && !forgeable)
        seq_mark_reach(&comparator->acked_until[other], p->ack);
    if (has_ack && (sent || !forgeable))
        vouching_acknowledged(&comparator->vouching[other], &comparator->comparison->passages[other], p, sent);
    int64_t *reset_ns = sent ? &comparator->reset_left_ns[sender] : &comparator->reset_came_ns[sender];
    if (p->flags & TCP_RST && p->time_ns < *reset_ns)
        *reset_ns = p->time_ns;
    if (sender == SIDE_CLIENT && p->flags & TCP_SYN)
        comparator->syn[at] = *p;
    if (!sent)
        seq_mark_reach(&comparator->reached_until[sender], end_of(p));
    let_go(comparator, sender, p->time_ns);
}

void comparator_close(struct comparator *comparator)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        judge_before(comparator, side, INT64_MAX);
        vouching_close(&comparator->vouching[side], &comparator->comparison->passages[side]);
        memory_give(comparator->sent[side].list);
        memory_give(comparator->arrived[side].list);
    }
}
