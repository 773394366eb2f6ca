/* Following TCP in sequence space: who sent what again, who did not answer, who closed. */
#include "tcp_follow.h"

#include <string.h>

#include "tcp_copies.h"
#include "tcp_opening.h"
#include "tcp_places.h"
#include "tcp_resets.h"
#include "tcp_sizes.h"
#include "tcp_ticks.h"
#include "tcp_traces.h"
#include "tcp_unseen.h"

/* Reordered segments arrive within a fraction of a round trip; a retransmission needs at least a whole one. Without a
 * known round trip, 3 ms (the figure Wireshark uses, too). */
#define REORDER_NS (3 * NS_PER_MS)

/* No stack sends less than it may while there is more to send (RFC 1122, 4.2.3.4): who does cuts everything so small. */
enum { PIECE_BYTES = 16 };

static void note_burst(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    if (flow->last_origin == origin && d->burst_ns != 0)
        return;
    d->burst_seq = d->next_seq;
    d->burst_ns = p->moment.time_ns;
    d->burst_segments = 0;
}

/* Of a keep-alive or a repetition the other side's acknowledgement tells that it is one. But what left before it knew of that, and stands
 * shortly after it, may be the only copy, recorded out of order or stamped late: no stack repeats anything so soon. */
static bool is_in_order(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_side *heard = &flow->conversation->sides[flow_side(flow, 1 - origin)];
    bool answered = heard->payload_bytes > 0 &&
                    seq_distance(flow->directions[origin].answered, p->tcp.seq + p->payload_length) >= 0,
         knew = answered && seq_distance(p->tcp.ack, flow->directions[1 - origin].next_seq) >= 0;
    return knew || p->moment.time_ns - heard->last.time_ns > HELD_TOGETHER_NS;
}

static void start_direction(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    if (d->started)
        return;
    d->started = true;
    d->next_seq = p->tcp.seq;
    int32_t old = d->acked_known && !(p->tcp.flags & (TCP_SYN | TCP_FIN)) ? seq_distance(d->acked, p->tcp.seq) : 0;
    if (old > 0 && old >= (int32_t)p->payload_length && (old == 1 || is_in_order(flow, origin, p)))
        d->next_seq = d->acked;
}

static void count_copies(struct tcp_direction *d, struct tcp_side *facts, const struct packet *p)
{
    if (d->copies == 0 || p->tcp.seq != d->copy_seq || p->moment.time_ns - d->copied_ns > HELD_TOGETHER_NS) {
        d->copy_seq = p->tcp.seq;
        d->copied_ns = p->moment.time_ns;
        d->copies = 0;
    }
    if (++d->copies <= facts->copies_at_once)
        return;
    facts->copies_at_once = d->copies;
    facts->copied_at_once = p->moment;
}

static void count_retry(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    facts->retransmits++;
    count_copies(d, facts, p);
    facts->run_acknowledged = d->acked_known && seq_distance(d->acked, p->tcp.seq + p->payload_length) >= 0;
    tcp_sizes_again(flow, origin, p);
    uint32_t end = p->tcp.seq + p->payload_length;
    bool first = tcp_never_captured(d, p->tcp.seq, end);
    if (p->payload_length > 0 && first) {
        d->late_firsts[d->late_first_at] = p->tcp.seq;
        d->late_first_at = (uint8_t)((d->late_first_at + 1) % LATE_FIRSTS);
    }
    if (p->payload_length > 0 && !first && !facts->run_acknowledged) {
        d->held_copies = (uint8_t)(d->held_copies + (d->held_copies < UINT8_MAX));
        facts->held_total = (uint16_t)(facts->held_total + (facts->held_total < UINT16_MAX));
    }
    if (!moment_seen(&facts->first_retransmit))
        facts->first_retransmit = p->moment;
    facts->last_retransmit = p->moment;
    if (facts->data_run.count == 0 || seq_distance(p->tcp.seq, d->run_seq) < 0)
        d->run_seq = p->tcp.seq;
    if (facts->data_run.count++ == 0) {
        facts->data_run.first = p->moment;
        d->heard_since_run = false;
        facts->run_unchecked = true;
        facts->run_heard_whole = false;
    }
    facts->run_unchecked = facts->run_unchecked && p->checksum == CHECKSUM_UNCHECKED;
    facts->data_run.last = p->moment;
    facts->silent_run = !d->heard_since_run;
    d->round_trip_open = false; /* Karn (RFC 6298, 3): no round trip from a segment that was sent twice */
}

static void note_options(struct tcp_side *facts, const struct packet *p)
{
    facts->isn = p->tcp.seq;
    facts->isn_known = true;
    facts->mss = p->tcp.mss;
    facts->offers_window_scale = p->tcp.has_window_scale;
    facts->window_scale = p->tcp.window_scale;
    facts->sack_permitted = p->tcp.sack_permitted;
    facts->timestamps = p->tcp.has_timestamp;
}

static void open_round_trip(struct tcp_direction *d, uint32_t end, int64_t now_ns)
{
    if (d->round_trip_open)
        return;
    d->round_trip_open = true;
    d->round_trip_seq = end;
    d->round_trip_ns = now_ns;
}

static void follow_syn(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    facts->syns++;
    if (!moment_seen(&facts->syn_last) || p->moment.time_ns > facts->syn_last.time_ns)
        facts->syn_last = p->moment;
    bool first = !moment_seen(&facts->syn);
    if (first || p->moment.time_ns < facts->syn.time_ns)
        facts->syn = p->moment;
    if (first) {
        tcp_forget_refusal(flow, origin, p);
        note_options(facts, p);
        tcp_traces_stamp(flow, origin, p);
        if (seq_distance(p->tcp.seq, d->next_seq) != 0 && tcp_begins_there(d, p->tcp.seq)) {
            flow->conversation->starts_with_syn = true; /* recorded after what came next */
            return;
        }
        d->next_seq = p->tcp.seq + 1 + p->payload_length;
        open_round_trip(d, p->tcp.seq + 1, p->moment.time_ns);
        return;
    }
    facts->syn_retransmits++;
    /* To a SYN that is repeated a listener that keeps nothing (SYN cookies) may answer with another number. */
    const struct tcp_side *asker = flow_facts(flow, 1 - origin);
    facts->answers_differ |=
        p->tcp.flags & TCP_ACK && p->tcp.seq != facts->isn && asker->syns > 0 && facts->syns > asker->syns;
    count_retry(flow, origin, p);
}

/* A byte sent at a closed window asks whether it is still closed (RFC 9293, 3.8.6.1): Windows sends the next new byte, Linux
 * none at the sequence number before. Neither is data, a retransmission or a keep-alive. */
static bool is_window_probe(const struct tcp_direction *d, const struct tcp_direction *other, const struct packet *p)
{
    if (!other->zero_window || p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST))
        return false;
    int32_t ahead = seq_distance(p->tcp.seq, tcp_sent_until(d));
    return (p->payload_length == 1 && (ahead == 0 || ahead == -1)) || (p->payload_length == 0 && ahead == -1);
}

static bool is_keep_alive(const struct tcp_direction *d, const struct packet *p)
{
    if (p->payload_length > 1 || p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST) || !(p->tcp.flags & TCP_ACK))
        return false;
    uint32_t until = tcp_sent_until(d);
    if (p->tcp.seq + 1 != until)
        return false;
    /* What the other side acknowledged beyond all data is the FIN, recorded later than that: before it, its number is the next. */
    if (p->tcp.seq == d->next_seq)
        return false;
    /* One byte that the other side has not acknowledged yet is data sent again, not a probe. */
    return p->payload_length == 0 || !d->acked_known || seq_distance(d->acked, until) >= 0;
}

static enum tcp_verdict follow_keep_alive(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    const struct tcp_side *heard = flow_facts(flow, 1 - origin);
    facts->keep_alives++;
    if (d->keep_alives.count++ == 0) {
        d->keep_alives.first = p->moment;
        int64_t idle_ns = moment_seen(&heard->last) ? p->moment.time_ns - heard->last.time_ns : 0;
        if (idle_ns > facts->probes_after_ns)
            facts->probes_after_ns = idle_ns;
    }
    d->keep_alives.last = p->moment;
    if (d->keep_alives.count >= facts->keep_alive_run.count) {
        facts->keep_alive_run = d->keep_alives;
        facts->probes_answered = false;
    }
    facts->silent_run = true;
    tcp_traces_stamp(flow, origin, p);
    return TCP_PACKET_PROBE;
}

/* A probe is answered by an acknowledgement. What the other side sends of its own accord, its probes and what it repeats, it sends
 * whether or not ours arrived; a reset ends both. After the prober's own reset nothing is an answer any more: it had given up. */
static void note_answer(struct flow *flow, unsigned origin)
{
    struct tcp_direction *prober = &flow->directions[1 - origin];
    struct tcp_side *probing = flow_facts(flow, 1 - origin);
    if (prober->keep_alives.count == 0)
        return;
    if (!moment_seen(&probing->reset))
        probing->probes_answered = true;
    prober->keep_alives = (struct retry_run){0};
}

/* Windows and Linux count the IP IDs of a connection upwards: whether this packet left before or after the one at the edge. 0: not known. */
static int sent_after_edge(const struct tcp_direction *d, const struct packet *p)
{
    if (!tcp_ip_ids_are_near(p->ip_id, d->edge_ip_id))
        return 0;
    return (int16_t)(p->ip_id - d->edge_ip_id) < 0 ? -1 : 1;
}

/* As long as the receiver's word of a hole takes to the sender, and what is sent again back here. */
static bool before_it_could_be_asked(const struct flow *flow, const struct tcp_direction *d, const struct packet *p)
{
    const struct tcp_side *sides = flow->conversation->sides;
    bool timed = flow->handshake_ns > 0 && moment_seen(&sides[SIDE_CLIENT].syn) && moment_seen(&sides[SIDE_SERVER].syn);
    int64_t patience_ns = timed ? flow->handshake_ns * 9 / 10 : REORDER_NS;
    return d->hole_ns != 0 && p->moment.time_ns - d->hole_ns < patience_ns;
}

/* Old by its number but never seen: it was overtaken on its way here, or in the capture itself (then the other side's
 * acknowledgement of it is recorded before it). */
static bool was_reordered(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin];
    uint32_t end = p->tcp.seq + p->payload_length;
    if (d->positioned && p->payload_length > 0 && seq_distance(end, d->start) <= 0)
        return true; /* older than the capture: nobody knows whether it was sent before */
    if (p->payload_length > 0 && !d->positioned && !is_in_order(flow, origin, p))
        return true; /* its acknowledgements tell of it, and were recorded first */
    if (p->payload_length == 0 || !tcp_never_captured(d, p->tcp.seq, end))
        return false;
    if (d->acked_known && seq_distance(d->acked, end) >= 0)
        return true;
    if (d->hole_ns == 0)
        return false;
    int after = sent_after_edge(d, p);
    return after < 0 || (after == 0 && before_it_could_be_asked(flow, d, p));
}

/* A hole is filled by smaller packets, at once: a router dropped the large ones and told the sender so (RFC 1191, RFC 8201), which did
 * not wait for the receiver. */
static bool was_resent_smaller(const struct flow *flow, const struct tcp_direction *d, const struct tcp_side *facts,
                               const struct packet *p)
{
    return p->payload_length > 0 && p->payload_length < facts->mss && sent_after_edge(d, p) > 0 &&
           tcp_never_captured(d, p->tcp.seq, p->tcp.seq + p->payload_length) && before_it_could_be_asked(flow, d, p);
}

/* A packet without data stands where its sender's next byte will, and a FIN behind its last one (RFC 9293, 3.4). What lies before was
 * lost, or the capture missed it: the receiver's next packets tell, for each acknowledges all that has come. Of a connection that was
 * under way when the capture began, the first that is seen may be a repetition, and what lies before came earlier. A single number may
 * be a FIN that the capture missed. */
static void note_ahead(const struct flow *flow, struct tcp_direction *d, struct tcp_side *facts, const struct packet *p)
{
    if (!flow->conversation->starts_with_syn || p->tcp.seq - d->next_seq < 2)
        return;
    if (!d->acked_known || seq_distance(d->acked, p->tcp.seq) >= 0 || moment_seen(&facts->ahead))
        return;
    facts->ahead = p->moment;
    facts->ahead_bytes = p->tcp.seq - d->next_seq;
    facts->ahead_lacking = false;
    d->ahead_seq = p->tcp.seq;
}

/* Two captures that have different parts of a connection often mark the same segment: the one whose end has the least hash. */
static void mark_segment(struct tcp_side *facts, const struct packet *p, uint32_t end)
{
    enum { MULTIPLIER = 0x1e3779b1 };
    if (moment_seen(&facts->marked) && end * (uint32_t)MULTIPLIER >= facts->marked_seq * (uint32_t)MULTIPLIER)
        return;
    facts->marked = p->moment;
    facts->marked_seq = end;
}

/* It goes beyond all that was captured before, perhaps with a hole in between. */
static void note_edge(struct tcp_direction *d, const struct packet *p)
{
    if (seq_distance(p->tcp.seq, d->next_seq) > 0 && !d->held)
        d->hole_ns = p->moment.time_ns;
    d->edge_ip_id = p->ip_id;
}

static void note_answer_time(struct conversation *c, const struct packet *p)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t for_ns = p->moment.time_ns - client->last_data.time_ns;
    if (for_ns < PAUSE_NS || !moment_seen(&client->last_data) || client->data_packets > OPENING_PACKETS ||
        server->last_data.time_ns > client->last_data.time_ns || for_ns / NS_PER_MS <= c->slow_answer.lasted_ms)
        return;
    c->slow_answer = (struct slow_answer){client->last_data, (uint32_t)(for_ns / NS_PER_MS), client->data_packets};
}

static void follow_new_data(struct flow *flow, unsigned origin, const struct packet *p, uint32_t end)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    facts->payload_bytes +=
        (uint32_t)seq_distance(end, seq_distance(p->tcp.seq, d->next_seq) > 0 ? p->tcp.seq : d->next_seq);
    if (!moment_seen(&facts->first_data))
        facts->first_data = p->moment;
    struct tcp_direction *other = &flow->directions[1 - origin];
    if (p->tcp.flags & TCP_ACK)
        other->answered = p->tcp.ack;
    if (flow_side(flow, origin) == SIDE_SERVER)
        note_answer_time(flow->conversation, p);
    facts->last_data = p->moment;
    mark_segment(facts, p, end);
    tcp_sizes_new(flow, origin, p);
    tcp_traces_data(flow, origin, p);
    if (d->acked_known && seq_distance(d->acked, end) >= 0) {
        facts->ack_of_last_data = facts->last_progress; /* recorded before what it acknowledges */
    } else {
        d->data_unacked = true;
    }
    d->unpushed = !(p->tcp.flags & TCP_PSH);
    d->in_pieces = p->payload_length <= PIECE_BYTES && (d->unpushed || d->in_pieces);
}

/* Recorded first, the other side's FIN may acknowledge this one: then it left after it had come. */
static void follow_second_fin(const struct tcp_direction *first, struct tcp_side *facts, uint32_t end)
{
    if (!moment_seen(&facts->fin) || !first->fin_acks || seq_distance(first->fin_ack, end) < 0)
        return;
    facts->fin_answers = true;
    facts->fin_order_open = false;
}

static void follow_first_fin(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    const struct tcp_direction *other = &flow->directions[1 - origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    facts->fin = p->moment;
    follow_second_fin(other, flow_facts(flow, 1 - origin), p->tcp.seq + p->payload_length + 1);
    if (!(p->tcp.flags & TCP_ACK))
        return;
    d->fin_acks = true;
    d->fin_ack = p->tcp.ack;
    if (!other->started && !other->acked_known)
        return;
    int32_t beyond = seq_distance(p->tcp.ack, other->started ? other->next_seq : other->acked);
    bool other_closed =
        moment_seen(&flow_facts(flow, 1 - origin)->fin) || (other->fin_unseen && facts->zero_windows == 0);
    facts->fin_answers = other_closed ? beyond >= 0 : beyond == 1;
    facts->fin_order_open = !other_closed && beyond > 1;
}

static void follow_payload_and_fin(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    bool fin = p->tcp.flags & TCP_FIN;
    uint32_t data_end = p->tcp.seq + p->payload_length, end = data_end + fin;
    bool has_new = seq_distance(end, d->next_seq) > 0;
    bool has_old = seq_distance(p->tcp.seq, d->next_seq) < 0;
    if (p->payload_length > 0)
        facts->data_packets++;
    if (fin) {
        facts->fins++;
        if (!moment_seen(&facts->fin))
            follow_first_fin(flow, origin, p);
        else if (!has_new)
            facts->fin_retransmits++;
    }
    if (has_old && p->payload_length + fin > 0) {
        if (!has_new && was_reordered(flow, origin, p))
            facts->out_of_order++;
        else if (has_new || !was_resent_smaller(flow, d, facts, p))
            count_retry(flow, origin, p);
    }
    if (!has_new)
        return;
    if (tcp_is_pure_ack(p)) {
        d->fin_unseen = p->tcp.seq - d->next_seq == 1;
        note_ahead(flow, d, facts, p);
    } else {
        d->fin_unseen = false;
        if (p->payload_length == 0)
            note_ahead(flow, d, facts, p);
    }
    if (p->payload_length + fin > 0)
        note_edge(d, p);
    if (p->payload_length > 0 && seq_distance(data_end, d->next_seq) > 0)
        follow_new_data(flow, origin, p, data_end);
    if (d->oldest_unacked_ns == 0 && (!d->acked_known || seq_distance(d->acked, end) < 0))
        d->oldest_unacked_ns = p->moment.time_ns;
    d->next_seq = end;
    if (d->burst_segments < 2)
        d->burst_segments++;
    if (!has_old && tcp_sent_until(d) == end)
        open_round_trip(d, end, p->moment.time_ns);
}

/* Packets that were sent before a reset may arrive after it, by as much as the path differs; a stack that waits for nothing
 * sends its next one after its least time-out. */
static void note_alive(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_side *facts = flow_facts(flow, origin);
    if (!moment_seen(&facts->reset) || moment_seen(&facts->alive_after_reset))
        return;
    /* Its packets have IP IDs, though a SYN+ACK may have none (Linux), and the reset that overtook this one has none. */
    if (p->ip_id != 0 && facts->reset_ip_id == 0 && !facts->reset_goes_on)
        facts->reset_breaks_off = true;
    int64_t path_ns = flow->handshake_ns > LEAST_RTO_NS ? flow->handshake_ns : LEAST_RTO_NS;
    if (p->moment.time_ns - facts->reset.time_ns <= path_ns)
        return;
    facts->alive_after_reset = p->moment;
    facts->disowned_reset = facts->reset;
    facts->disowned_ttl = facts->reset_ttl;
}

static void note_sender_state(struct tcp_direction *d, const struct packet *p)
{
    if (!(p->tcp.flags & TCP_SYN))
        d->window = p->tcp.window;
    if (!p->tcp.has_timestamp)
        return;
    d->timestamp = p->tcp.timestamp_value;
    tcp_ticks_see(&d->ticks, p);
}

static void add_round_trip(struct round_trips *trips, int64_t ns)
{
    if (ns < 0)
        return;
    if (trips->count == 0 || ns < trips->shortest_ns)
        trips->shortest_ns = ns;
    if (ns > trips->longest_ns)
        trips->longest_ns = ns;
    trips->sum_ns += ns;
    trips->count++;
}

/* origin acknowledges what the other one sent. */
static void follow_ack(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *other = &flow->directions[1 - origin];
    struct tcp_side *facts = flow_facts(flow, 1 - origin);
    uint32_t ack = p->tcp.ack;
    if (p->tcp.flags & TCP_RST && !other->started) {
        other->acked = ack; /* which SYN it refuses */
        other->acked_known = true;
        return;
    }
    if (moment_seen(&facts->ahead) && seq_distance(ack, other->ahead_seq) < 0)
        facts->ahead_lacking = true;
    if (other->acked_known && seq_distance(ack, other->acked) <= 0)
        return;
    bool first = !other->acked_known;
    if (!other->started) /* of who was not captured yet a single number is a FIN, too */
        other->fin_unseen = !first && ack - other->acked == 1;
    other->acked = ack;
    other->acked_known = true;
    /* Only what nobody acknowledged is sent again: the capture missed this acknowledgement when it came first. */
    if (facts->data_run.count > 1 && seq_distance(ack, other->run_seq) <= 0)
        return;
    if (other->round_trip_open && seq_distance(ack, other->round_trip_seq) >= 0) {
        int64_t trip_ns = p->moment.time_ns - other->round_trip_ns;
        add_round_trip(&flow_facts(flow, origin)->round_trips, trip_ns);
        if (moment_seen(&facts->syn) && flow_facts(flow, origin)->round_trips.count == 1 && trip_ns > 0)
            flow->handshake_ns += trip_ns;
        other->round_trip_open = false;
    }
    /* The first in a capture that began later may tell only of what came before. */
    if (first &&
        (!other->started || (other->positioned && !moment_seen(&facts->syn) && seq_distance(ack, other->start) <= 0)))
        return;
    if (facts->data_run.count > 0 && other->oldest_unacked_ns != 0) {
        int64_t recovery_ns = facts->data_run.last.time_ns - other->oldest_unacked_ns,
                wait_ns = p->moment.time_ns - other->oldest_unacked_ns;
        if (recovery_ns > facts->longest_recovery_ns)
            facts->longest_recovery_ns = recovery_ns;
        if (wait_ns > facts->longest_repeated_wait_ns)
            facts->longest_repeated_wait_ns = wait_ns;
    }
    if (moment_seen(&facts->ahead) && seq_distance(ack, other->ahead_seq) >= 0)
        facts->ahead = (struct moment){0};
    facts->last_progress = p->moment;
    if (facts->data_run.count > 0)
        facts->data_run = (struct retry_run){0};
    if (other->held_copies > facts->held_copies) {
        facts->held_copies = other->held_copies;
        facts->held_unchecked = facts->run_unchecked;
    }
    other->held_copies = 0;
    facts->silent_run = false;
    if (seq_distance(ack, other->next_seq) < 0) {
        other->oldest_unacked_ns = p->moment.time_ns;
        return;
    }
    other->oldest_unacked_ns = 0;
    if (!other->data_unacked)
        return;
    facts->ack_of_last_data = p->moment;
    other->data_unacked = false;
    other->hole_ns = 0;
}

/* What came late, and was taken for a repetition, came once more: it was only overtaken, and nothing of it was lost. */
static bool came_twice(struct tcp_direction *d, uint32_t seq)
{
    bool came = false;
    for (unsigned i = 0; i < LATE_FIRSTS; i++) {
        if (d->late_firsts[i] != seq || seq == 0)
            continue;
        d->late_firsts[i] = 0;
        came = true;
    }
    return came;
}

/* A first SACK block at or below the acknowledgement, or inside the second block, reports data that arrived twice (RFC 2883, 4). */
static void follow_duplicate_sack(struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    if (t->sack_count == 0)
        return;
    bool below_ack = seq_distance(t->sack[0].right, t->ack) <= 0;
    bool inside_second = t->sack_count > 1 && seq_distance(t->sack[0].left, t->sack[1].left) >= 0 &&
                         seq_distance(t->sack[0].right, t->sack[1].right) <= 0;
    struct tcp_side *sender = flow_facts(flow, 1 - origin);
    if ((!below_ack && !inside_second) || sender->spurious_retransmits >= sender->retransmits)
        return;
    sender->spurious_retransmits++;
    sender->spurious_retransmits += sender->spurious_retransmits < sender->retransmits &&
                                    came_twice(&flow->directions[1 - origin], t->sack[0].left);
    /* Repeated less than a round trip after the first copy was acknowledged, or before: that acknowledgement was late, not lost. */
    bool acknowledged_before = sender->last_progress.frame != p->moment.frame;
    sender->late_acknowledged +=
        acknowledged_before && sender->last_retransmit.time_ns - sender->last_progress.time_ns < flow->handshake_ns;
}

static void follow_window(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    if (!(p->tcp.flags & TCP_ACK) || p->tcp.flags & (TCP_SYN | TCP_RST))
        return;
    bool zero = p->tcp.window == 0; /* scaling a zero gives a zero */
    if (!zero && !d->zero_window)
        return;
    if (zero) {
        facts->zero_windows++;
        if (!moment_seen(&facts->first_zero_window))
            facts->first_zero_window = p->moment;
        facts->last_zero_window = p->moment;
    }
    if (zero && !d->zero_window)
        d->zero_window_ns = p->moment.time_ns;
    if (d->zero_window && p->moment.time_ns - d->zero_window_ns > facts->zero_window_longest_ns)
        facts->zero_window_longest_ns = p->moment.time_ns - d->zero_window_ns;
    d->zero_window = zero;
    facts->zero_window_at_end = zero;
}

static void count_packet(struct tcp_side *facts, const struct packet *p)
{
    facts->wire_bytes += p->wire_length;
    if (p->checksum == CHECKSUM_GOOD)
        facts->sound = true;
    else if (p->checksum == CHECKSUM_BAD && facts->damaged < UINT8_MAX)
        facts->damaged++;
    if (facts->packets++ == 0)
        facts->first = facts->last = p->moment;
}

static void note_heard(struct tcp_side *facts, const struct packet *p)
{
    facts->paused |= p->moment.time_ns - facts->last.time_ns >= PAUSE_NS;
    facts->last = p->moment;
}

static void note_ttl(struct tcp_side *facts, const struct packet *p)
{
    if (facts->ttl_max == 0)
        facts->ttl_first = facts->ttl_min = facts->ttl_max = p->ttl;
    if (p->ttl < facts->ttl_min)
        facts->ttl_min = p->ttl;
    if (p->ttl > facts->ttl_max)
        facts->ttl_max = p->ttl;
}

/* Far from what the SYN counts from: more than a client can have sent that nobody captured. An older connection's numbers are anywhere. */
static bool is_far_from(uint32_t ack, uint32_t next_seq)
{
    enum { UNSEEN_MOST = 1 << 20 };
    return ack - next_seq > UNSEEN_MOST;
}

/* RFC 9293, 3.10.7.3: a server that still knows an older connection on these ports answers the SYN with that one's
 * acknowledgement, and may repeat that one's data. The client, which has sent nothing but SYNs, resets that one and sends its SYN
 * again. */
static bool is_of_older_connection(struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_side *self = flow_facts(flow, origin), *other = flow_facts(flow, 1 - origin);
    if (moment_seen(&self->syn) && moment_seen(&other->syn))
        return false;
    if (p->tcp.flags & TCP_RST)
        return !(p->tcp.flags & TCP_ACK) && moment_seen(&self->syn) && !moment_seen(&other->syn) &&
               other->packets > other->resets;
    uint32_t next_seq = flow->directions[1 - origin].next_seq;
    bool answers = !moment_seen(&self->syn) && (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_ACK;
    return answers && moment_seen(&other->syn) && other->packets == (uint32_t)other->syns + other->resets &&
           (p->payload_length == 0 ? p->tcp.ack != next_seq : is_far_from(p->tcp.ack, next_seq));
}

/* The other side is heard again. */
static void note_comeback(struct tcp_side *facts)
{
    const struct retry_run *run = &facts->data_run;
    if (!facts->silent_run)
        return;
    if (run->count > facts->broken_silence.repeated)
        facts->broken_silence = (struct broken_silence){
            run->first.time_ns, (uint32_t)((run->last.time_ns - run->first.time_ns) / NS_PER_MS), run->count};
    facts->silent_run = false;
}

bool tcp_expects_data(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin];
    return d->started && d->in_pieces && (d->unpushed || p->tcp.seq != d->next_seq);
}

enum tcp_verdict tcp_follow(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_direction *other = &flow->directions[1 - origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    tcp_unseen_before(flow, origin, p);
    count_packet(facts, p);
    if (tcp_is_copy(flow, origin, p)) {
        facts->capture_duplicates++;
        if (!tcp_is_merged(flow))
            note_heard(facts, p);
        return TCP_PACKET_DUPLICATE;
    }
    note_heard(facts, p);
    if (is_of_older_connection(flow, origin, p)) {
        if (p->tcp.flags & TCP_RST) {
            facts->resets++;
            facts->older_reset = p->moment;
        }
        return TCP_PACKET_OF_OLDER_CONNECTION;
    }
    enum tcp_verdict verdict = TCP_PACKET_NEW;
    start_direction(flow, origin, p);
    note_burst(flow, origin, p);
    other->heard_since_run = true;
    note_comeback(flow_facts(flow, 1 - origin));
    uint32_t repeated = facts->retransmits;
    if (p->tcp.flags & TCP_RST) {
        tcp_note_reset(flow, origin, p);
    } else {
        note_ttl(facts, p);
        note_alive(flow, origin, p);
        note_sender_state(d, p);
        if (p->tcp.flags & TCP_SYN)
            follow_syn(flow, origin, p);
        else if (!is_window_probe(d, other, p) && is_keep_alive(d, p))
            verdict = follow_keep_alive(flow, origin, p);
        else if (!is_window_probe(d, other, p))
            follow_payload_and_fin(flow, origin, p);
    }
    facts->bare += verdict != TCP_PACKET_PROBE && tcp_is_pure_ack(p);
    flow_facts(flow, 1 - origin)->run_heard_whole |= p->checksum != CHECKSUM_UNCHECKED;
    if (p->tcp.flags & TCP_ACK) {
        tcp_sizes_acknowledged(flow, origin, p);
        follow_ack(flow, origin, p);
        follow_duplicate_sack(flow, origin, p);
    }
    follow_window(flow, origin, p);
    if (verdict != TCP_PACKET_PROBE && facts->retransmits == repeated && !(p->tcp.flags & TCP_RST))
        note_answer(flow, origin);
    flow->last_origin = (uint8_t)origin;
    return verdict;
}
