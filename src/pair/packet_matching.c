/*
 * Which packet here is which packet there.
 *
 * Theory of operation. Time-outs, addresses and IP IDs may change on the way, bytes of the stream do not: an arrival that carries
 * bytes is a sent packet that covers them. Cards split and join segments, so one sent packet may arrive in pieces and several
 * sent ones in one; each sent packet can give each byte once. Among several that fit (retransmissions), the one with the same IP
 * ID and TCP timestamp is it; among equals the latest that left before the arrival, and arrivals choose from the last to the
 * first, so that order is kept. An arrival without bytes (ACK, RST) fits a sent packet with the same numbers and flags.
 */
#include "packet_matching.h"

/* So many arrivals with the IP ID that they left with are no coincidence. */
enum { IDS_LEAST = 4 };

/* Retransmissions of one segment are not farther apart than this many packets while the capture is crowded. */
enum { ALTERNATIVES = 256, SAME_LOOKED_AT = 256 };

enum {
    FIT_NUMBERS = 1,
    FIT_TIMESTAMP = 2,
    FIT_IP_ID = 4,
    FIT_COPY = 8, /* both, or neither, are held for a copy that the capture made */
    FIT_BEST = FIT_NUMBERS + FIT_TIMESTAMP + FIT_IP_ID + FIT_COPY
};

/* Routers and most translators leave the IP ID alone: then it tells one transmission of the same bytes from the next. */
static bool has_other_id(const struct compared_packet *sent, const struct compared_packet *arrived)
{
    bool whole = sent->payload == arrived->payload && sent->seq == arrived->seq;
    return whole && sent->ip_id != 0 && arrived->ip_id != 0 && sent->ip_id != arrived->ip_id;
}

/* How well an arrival fits a sent packet that covers the byte at seq (or, without bytes, has its numbers); 0: not at all. */
static unsigned fit(const struct comparator *comparator, const struct compared_packet *sent,
                    const struct compared_packet *arrived, uint32_t seq)
{
    enum { KIND = TCP_SYN | TCP_RST };
    if ((sent->flags & KIND) != (arrived->flags & KIND) || has_bytes(sent) != has_bytes(arrived))
        return 0;
    if (sent->time_ns > arrived->time_ns + slack_ns(comparator))
        return 0;
    if (has_bytes(sent)
            ? distance(seq, sent->seq) < 0 || distance(seq, end_of(sent)) >= 0 || sent->consumed >= sent->size
            : sent->seq != arrived->seq || sent->ack != arrived->ack)
        return 0;
    if (!has_bytes(sent) && sent->partner != NO_PARTNER)
        return 0;
    if (comparator->ids_tell && has_other_id(sent, arrived))
        return 0;
    unsigned fits = FIT_NUMBERS;
    if (sent->timestamp == arrived->timestamp)
        fits += FIT_TIMESTAMP;
    if (sent->ip_id == arrived->ip_id)
        fits += FIT_IP_ID;
    if (sent->copy == arrived->copy)
        fits += FIT_COPY;
    return fits;
}

/* Among the first sent packets, those that left before the arrival. */
static uint32_t best_partner(const struct comparator *comparator, enum side sender,
                             const struct compared_packet *arrived, uint32_t seq, uint32_t before, unsigned at_least)
{
    const struct packet_lane *lane = &comparator->sent[sender];
    uint32_t best = NO_PARTNER;
    unsigned how_well = at_least - 1;
    for (uint32_t i = before, patience = UINT32_MAX; i-- > 0 && how_well < FIT_BEST && patience > 0; patience--) {
        unsigned fits = fit(comparator, &lane->list[i], arrived, seq);
        if (fits <= how_well)
            continue;
        how_well = fits;
        best = i;
        patience = ALTERNATIVES;
    }
    return best;
}

static void match_arrival(struct comparator *comparator, enum side sender, uint32_t number, uint32_t before,
                          unsigned at_least)
{
    struct compared_packet *arrived = &comparator->arrived[sender].list[number];
    uint32_t seq = arrived->seq;
    do {
        /* What a card joined before it was recorded bears the IP ID and the timestamp of one of its pieces. */
        bool is_rest = seq != arrived->seq;
        uint32_t at = best_partner(comparator, sender, arrived, seq, before, is_rest ? FIT_NUMBERS : at_least);
        if (at == NO_PARTNER)
            return;
        struct compared_packet *sent = &comparator->sent[sender].list[at];
        if (arrived->partner == NO_PARTNER)
            arrived->partner = at;
        sent->partner = number; /* from the last to the first: its first arrival is what stays */
        uint32_t left_there = end_of(sent) - seq, left_here = end_of(arrived) - seq;
        uint32_t size = left_there < left_here ? left_there : left_here;
        sent->consumed += size;
        seq += size;
    } while (has_bytes(arrived) && seq != end_of(arrived));
}

/* Among the latest, up to the last index: packets with the same numbers. */
static uint32_t count_same(const struct packet_lane *lane, uint32_t until, const struct compared_packet *p)
{
    uint32_t count = 0;
    for (uint32_t i = until, looked = 0; i-- > 0 && looked < SAME_LOOKED_AT; looked++) {
        const struct compared_packet *other = &lane->list[i];
        count += other->seq == p->seq && other->ack == p->ack && other->size == p->size && other->flags == p->flags;
    }
    return count;
}

/* A transmission is known by its IP ID or its TCP timestamp, where they are used and nobody changes them. */
static bool is_identified(const struct packet_lane *sent, const struct compared_packet *p)
{
    for (uint32_t i = sent->count, looked = 0; i-- > 0 && looked < SAME_LOOKED_AT; looked++) {
        const struct compared_packet *s = &sent->list[i];
        if (s->seq == p->seq &&
            ((p->ip_id != 0 && s->ip_id == p->ip_id) || (p->timestamp != 0 && s->timestamp == p->timestamp)))
            return true;
    }
    return false;
}

/* Whatever the sender's capture has of it would be late: it had a hole by then, and has it still. */
static bool left_in_hole(const struct comparator *comparator, enum side sender, const struct compared_packet *p)
{
    const struct capture_silences *silences = comparator->silences[sender];
    int64_t time_ns = clock_at(comparator, sender, p->time_ns);
    const struct capture_silence *hole =
        silences ? capture_silences_hole(silences, time_ns - PASSAGE_LATE_NS, time_ns - PASSAGE_LATE_NS) : NULL;
    return hole && hole->to_ns >= time_ns;
}

/* Keep-alives and acknowledgements repeat each other. Of those that arrive when the sender's capture was over, as many left after its end
 * as there are more of them than it has. And data that was already being repeated goes on being repeated. So it is in a hole. */
static bool left_unseen(const struct comparator *comparator, enum side sender, uint32_t number)
{
    const struct packet_lane *sent = &comparator->sent[sender], *arrived = &comparator->arrived[sender];
    const struct compared_packet *p = &arrived->list[number];
    bool in_hole = left_in_hole(comparator, sender, p);
    if (!in_hole && p->time_ns + slack_ns(comparator) <= comparator->coverage[sender].to_ns)
        return false;
    uint32_t copies = count_same(sent, sent->count, p);
    if (in_hole)
        return (p->payload <= 1 || copies > 1) && !is_identified(sent, p);
    if (p->payload <= 1)
        return count_same(arrived, number + 1, p) > copies;
    return copies > 1 && p->time_ns - PASSAGE_LATE_NS > comparator->coverage[sender].to_ns && !is_identified(sent, p);
}

/* Arrivals that the flow floor holds for copies of one packet, made by the capture, choose after all others. */
static void match_arrivals(struct comparator *comparator, enum side sender, bool copies, unsigned at_least)
{
    const struct packet_lane *sent = &comparator->sent[sender], *arrived = &comparator->arrived[sender];
    uint32_t before = sent->count;
    for (uint32_t i = arrived->count; i-- > 0;) {
        while (before > 0 && sent->list[before - 1].time_ns > arrived->list[i].time_ns + slack_ns(comparator))
            before--;
        if (arrived->list[i].copy == copies && arrived->list[i].partner == NO_PARTNER &&
            !left_unseen(comparator, sender, i))
            match_arrival(comparator, sender, i, before, at_least);
    }
}

/* Of the arrivals so far, how many have their partner's IP ID: most of them, when nobody changes it. */
static bool ids_tell(const struct comparator *comparator, enum side sender)
{
    const struct packet_lane *sent = &comparator->sent[sender], *arrived = &comparator->arrived[sender];
    uint32_t matched = 0, with_id = 0;
    for (uint32_t i = 0; i < arrived->count; i++) {
        const struct compared_packet *a = &arrived->list[i];
        with_id += a->ip_id != 0;
        matched += a->ip_id != 0 && a->partner != NO_PARTNER && sent->list[a->partner].ip_id == a->ip_id;
    }
    return matched >= IDS_LEAST && matched * 4 >= with_id * 3;
}

void packet_matching_run(struct comparator *comparator, enum side sender)
{
    struct packet_lane *sent = &comparator->sent[sender], *arrived = &comparator->arrived[sender];
    for (uint32_t i = 0; i < sent->count; i++) {
        sent->list[i].partner = NO_PARTNER;
        sent->list[i].consumed = 0;
    }
    for (uint32_t i = 0; i < arrived->count; i++)
        arrived->list[i].partner = NO_PARTNER;
    comparator->ids_tell = false;
    match_arrivals(comparator, sender, false, FIT_BEST);
    match_arrivals(comparator, sender, true, FIT_BEST);
    comparator->ids_tell = ids_tell(comparator, sender);
    match_arrivals(comparator, sender, false, FIT_NUMBERS);
    match_arrivals(comparator, sender, true, FIT_NUMBERS);
}
