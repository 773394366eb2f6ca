/* Packets that a capture recorded twice. */
#include "tcp_copies.h"

#include "tcp_places.h"

/* The same packet recorded twice comes within microseconds (two layers of one stack, two ports of one switch). With an IP
 * ID that tells packets apart, 50 ms are safe: a retransmission carries a new ID. Without one (RFC 6864 allows 0 for
 * unfragmentable packets) only the time tells: SYN and FIN are repeated after a time-out of 200 ms or more, resets are not repeated at
 * all unless something comes for each, and data that is retransmitted within 3 ms on a very short path is better not counted than taken for loss. */
#define DUPLICATE_WITH_ID_NS (50 * NS_PER_MS)
#define DUPLICATE_WITHOUT_ID_NS (3 * NS_PER_MS)
#define DUPLICATE_CONTROL_NS (100 * NS_PER_MS)
#define DUPLICATE_IN_PIECES_NS (2 * NS_PER_MS)
/* Captures of both ends that were merged into one file (tcp_places.h) have each packet twice, as far apart as the path is long and the clocks differ. */
#define DUPLICATE_ELSEWHERE_NS (3 * NS_PER_SECOND)
/* Clocks of one domain differ by up to five minutes (Kerberos asks for no better: RFC 4120, 5.2.6). The first packet of each side tells of that. */
#define FIRST_ELSEWHERE_NS (300 * NS_PER_SECOND)
enum { IP_ID_COUNTS = 4 };

/* Never zero. */
static uint32_t fingerprint_of(const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    uint64_t numbers = (uint64_t)t->seq << 32 | t->ack;
    uint64_t header = (uint64_t)t->timestamp_value << 32 | (uint32_t)t->window << 16 | p->ip_id;
    uint64_t h = (numbers * 0x9e3779b97f4a7c15u ^ header) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 32 ^ (uint64_t)p->payload_length << 8 ^ t->flags) * 0x94d049bb133111ebu;
    return (uint32_t)(h >> 32) | 1;
}

/* A late copy in a burst: a stack that counts its IP IDs upwards never sends data again under an old one. */
static bool is_late_copy(struct tcp_direction *d, const struct packet *p)
{
    int16_t step = (int16_t)(p->ip_id - d->last_ip_id);
    d->ip_id_stays |= step == 0 && p->ip_id != 0 && p->payload_length > 0 && d->started &&
                      seq_distance(p->tcp.seq + p->payload_length, d->next_seq) > 0;
    bool near = tcp_ip_ids_are_near(p->ip_id, d->last_ip_id), counts = d->ip_id_steps == IP_ID_COUNTS;
    d->ip_id_goes_on = near && step > 0 && counts;
    if (near && step <= 0)
        return counts && d->started && p->payload_length > 0 &&
               seq_distance(p->tcp.seq + p->payload_length, d->next_seq) <= 0;
    d->ip_id_steps = (uint8_t)(d->ip_id_steps + (near && !counts));
    d->last_ip_id = p->ip_id;
    return false;
}

/* Data beyond all that was captured: had it been recorded before, that would be known to be captured. Only probes of a closed
 * window bring a new byte that does not count. */
static bool brings_new_data(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin];
    return p->payload_length > 0 && d->started && !(p->tcp.flags & (TCP_SYN | TCP_RST)) &&
           seq_distance(p->tcp.seq + p->payload_length, d->next_seq) > 0 &&
           flow_facts(flow, 1 - origin)->zero_windows == 0;
}

/* 24 bits of these are 18 minutes: far more than any time that counts here. */
#define RECENT_TICK_NS (64 * 1000)
enum { TICKS_KEPT = 0xffffff };

static uint32_t ticks_of(int64_t time_ns)
{
    return (uint32_t)(time_ns / RECENT_TICK_NS);
}

static int64_t age_ns_of(const struct recent_packet *recent, int64_t now_ns)
{
    int32_t age = (int32_t)((ticks_of(now_ns) - recent->ticks) << 8) / 256;
    return (int64_t)(age < 0 ? -age : age) * RECENT_TICK_NS;
}

static void remember_packet(struct tcp_direction *d, uint32_t fingerprint, const struct packet *p)
{
    d->recent_fingerprints[d->recent_at] = fingerprint;
    d->recent[d->recent_at] = (struct recent_packet){.ticks = ticks_of(p->moment.time_ns) & TICKS_KEPT, .ttl = p->ttl};
    /* The first one stays: it is small, and what comes after it may be much before its copy comes. */
    d->recent_at = (uint8_t)(d->recent_at + 1 < RECENT_PACKETS ? d->recent_at + 1 : 1);
}

void tcp_forget_recent(struct flow *flow, int64_t now_ns)
{
    for (unsigned origin = 0; origin < ORIGINS; origin++) {
        struct tcp_direction *d = &flow->directions[origin];
        for (unsigned i = 0; i < RECENT_PACKETS; i++) {
            if (age_ns_of(&d->recent[i], now_ns) <= (i == 0 ? FIRST_ELSEWHERE_NS : DUPLICATE_ELSEWHERE_NS))
                continue;
            d->recent_fingerprints[i] = 0;
            d->recent[i] = (struct recent_packet){0};
        }
    }
}

/* Whether any is: all are looked at, which compilers make a few instructions of. */
static bool may_be_among_recent(const struct tcp_direction *d, uint32_t fingerprint)
{
    uint32_t same = 0;
    for (unsigned i = 0; i < RECENT_PACKETS; i++)
        same |= d->recent_fingerprints[i] == fingerprint;
    return same;
}

/* The same packet, recorded at another place. Routers count the TTL down and leave the rest alone, and what its sender repeats after a time-out
 * bears another IP ID and TCP timestamp, unless all its packets bear the same ID. Where the TTL is the same, that shows only once it has used
 * another ID, or where the other side's packets show that there are two places. */
static bool is_seen_elsewhere(const struct flow *flow, unsigned origin, unsigned at, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin], *other = &flow->directions[1 - origin];
    unsigned ttl = d->recent[at].ttl;
    bool other_ttl = ttl != p->ttl, first = at == 0 && other_ttl;
    if (age_ns_of(&d->recent[at], p->moment.time_ns) > (first ? FIRST_ELSEWHERE_NS : DUPLICATE_ELSEWHERE_NS))
        return false;
    bool two_places = other->ttl_elsewhere != 0 || other->known_twice;
    if (p->ip_id != 0 && !d->ip_id_stays)
        return other_ttl || two_places || d->ip_id_steps > 0 || d->last_ip_id != p->ip_id;
    return other_ttl && (p->tcp.has_timestamp || two_places || tcp_is_before_and_after_router(ttl, p->ttl));
}

static bool is_recorded_again(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    uint32_t fingerprint = fingerprint_of(p);
    bool may_be = !brings_new_data(flow, origin, p) && may_be_among_recent(d, fingerprint);
    for (unsigned i = 0; may_be && i < RECENT_PACKETS; i++) {
        if (d->recent_fingerprints[i] != fingerprint)
            continue;
        int64_t age_ns = age_ns_of(&d->recent[i], p->moment.time_ns);
        bool elsewhere = is_seen_elsewhere(flow, origin, i, p);
        if (elsewhere)
            tcp_learn_places(flow, origin, d->recent[i].ttl, age_ns, p);
        d->known_twice |= elsewhere && age_ns > DUPLICATE_WITH_ID_NS;
        if (elsewhere || (p->ip_id != 0 && age_ns <= DUPLICATE_WITH_ID_NS))
            return true;
        /* Equal pure ACKs without an ID may be duplicate acknowledgements (RFC 5681); they change no fact either way. Equal
         * resets may each answer a packet (RFC 9293, 3.5.2): they are copies only with none in between. */
        bool repeated_ack = tcp_is_pure_ack(p) && d->started && p->tcp.seq == d->next_seq;
        bool answers = p->tcp.flags & TCP_RST && flow->last_origin != origin;
        int64_t patience_ns =
            p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST) ? DUPLICATE_CONTROL_NS : DUPLICATE_WITHOUT_ID_NS;
        if (p->ip_id == 0 && age_ns <= patience_ns && !repeated_ack && !answers)
            return true;
    }
    remember_packet(d, fingerprint, p);
    return false;
}

/* The one segment that was sent since then, again as it was: with another IP ID it is no copy of the capture's. */
static bool is_whole_burst(const struct tcp_direction *d, const struct packet *p)
{
    return d->burst_segments == 1 && p->tcp.seq == d->burst_seq && p->tcp.seq + p->payload_length == d->next_seq &&
           p->ip_id != 0;
}

/*
 * What was sent since the other side was last heard comes again, perhaps in other pieces: a capture that sees packets both before and
 * after the card's driver cut them up. Nobody can have asked for it, and no stack's timer is that short (RFC 8985, 7.2: two round
 * trips; Linux and Windows wait 2 and 10 ms at least).
 */
static bool is_copied_in_pieces(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin];
    if (!d->started || flow->last_origin != origin || p->payload_length == 0)
        return false;
    int64_t age_ns = p->moment.time_ns - d->burst_ns;
    return age_ns >= 0 && age_ns < DUPLICATE_IN_PIECES_NS && seq_distance(p->tcp.seq, d->burst_seq) >= 0 &&
           seq_distance(p->tcp.seq + p->payload_length, d->next_seq) <= 0 && !is_whole_burst(d, p);
}
bool tcp_never_captured(const struct tcp_direction *d, uint32_t seq, uint32_t end)
{
    for (unsigned i = 0; i < RECENT_GAPS; i++)
        if (d->gaps[i].start != d->gaps[i].end && seq_distance(seq, d->gaps[i].start) >= 0 &&
            seq_distance(end, d->gaps[i].end) <= 0)
            return true;
    if (!d->positioned || seq_distance(seq, d->position) < 0)
        return false;
    for (const struct held_segment *s = d->held; s && seq_distance(s->seq, end) < 0; s = s->next)
        if (seq_distance(s->seq + s->length, seq) > 0)
            return false;
    return true;
}

/* A SYN from an end that has sent more than that: it is past the handshake, and does not repeat it (RFC 9293, 3.10.7.3 and 3.10.7.4). */
static bool is_late_syn(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_side *facts = flow_facts(flow, origin);
    return p->tcp.flags & TCP_SYN && facts->isn_known && facts->isn == p->tcp.seq && moment_seen(&facts->syn) &&
           facts->packets - 1 > (uint32_t)facts->syns + facts->resets + facts->capture_duplicates;
}

bool tcp_is_copy(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    if (tcp_is_from_other_place(flow, origin, p, brings_new_data(flow, origin, p)))
        return true;
    bool copy = is_recorded_again(flow, origin, p), late_copy = is_late_copy(d, p);
    return copy || is_late_syn(flow, origin, p) ||
           ((late_copy || is_copied_in_pieces(flow, origin, p)) &&
            !tcp_never_captured(d, p->tcp.seq, p->tcp.seq + p->payload_length));
}
