/* network.mtu-black-hole: small packets arrive, full-size ones do not (RFC 2923, 2.1). */
#include "detector.h"
#include "settling.h"
#include "signs.h"

/* With both captures: a first transmission and its repetition, at least; and no link carries packets of less than 576 bytes (RFC 791)
 * in fragments only, so what is smaller than that without headers was not too large. */
enum { LOST_LEAST = 2, SMALLEST_LARGE = 536 };

/* Where other connections between the two do carry packets of that size, chance has to be excluded: Windows repeats five times. */
enum { LOST_CLEARLY = 6 };

struct stuck {
    enum side sender;
    uint32_t size;     /* of what does not arrive */
    uint32_t passed;   /* of the largest that did */
    bool small_passes; /* smaller packets that were sent later arrived */
    bool not_seen;     /* nothing but that they were not captured tells that large ones did not arrive */
};

/* Cards join packets before they are captured, and a hole may be of several: none is larger than the MSS. */
static uint32_t one_packet(const struct tcp_side *sender, uint32_t bytes)
{
    return sender->mss != 0 && bytes > sender->mss ? sender->mss : bytes;
}

/* What the sender repeats to the end is larger than all that was acknowledged. */
static bool repeats_large(const struct conversation *c, enum side sender, struct stuck *stuck)
{
    const struct tcp_side *self = &c->sides[sender];
    if (!signs_of_stuck_large(c, sender))
        return false;
    *stuck = (struct stuck){.sender = sender,
                            .size = one_packet(self, self->larger_unacknowledged),
                            .passed = self->largest_acknowledged,
                            .small_passes = self->beyond_hole_bytes > 0 && self->beyond_hole_bytes < LARGE_PAYLOAD};
    return true;
}

/* The receiver lacks bytes to the end and has got a smaller packet behind them, with data (its SACK tells of both) or without. Its
 * sender owes it the repetition, which would come within a round trip or a time-out. */
static bool lacks_large(const struct conversation *c, const struct surroundings *s, enum side sender,
                        struct stuck *stuck)
{
    const struct tcp_side *self = &c->sides[sender];
    bool sacked = self->hole_bytes >= LARGE_PAYLOAD && self->beyond_hole_bytes < LARGE_PAYLOAD;
    bool ahead = signs_of_lacking(c, sender) && self->ahead_bytes >= LARGE_PAYLOAD;
    if (!sacked && !ahead)
        return false;
    const struct moment *since = sacked ? &self->hole : &self->ahead;
    uint32_t size = one_packet(self, sacked ? self->hole_bytes : self->ahead_bytes);
    if (self->largest_payload >= size || surroundings_end_ns(s, c) - since->time_ns < FIRST_RTO_NS)
        return false;
    *stuck = (struct stuck){
        .sender = sender, .size = size, .passed = self->largest_payload, .small_passes = true, .not_seen = !sacked};
    return true;
}

static void prove(const struct conversation *c, const struct stuck *stuck, struct judgement *judgement)
{
    const struct tcp_side *self = &c->sides[stuck->sender];
    const char *name = side_name(stuck->sender), *peer = side_name(side_other(stuck->sender));
    judgement_prove(judgement, &self->last_progress, "the last packet of the %s that acknowledges something new", peer);
    judgement_prove(judgement, &self->data_run.first, "the %s repeats a packet of %u bytes", name, stuck->size);
    judgement_prove(judgement, &self->hole, "the %s has what came after it, and still lacks %u bytes", peer,
                    self->hole_bytes);
    judgement_prove(judgement, &self->ahead, "a packet of the %s without data stands %u bytes beyond all that came",
                    name, self->ahead_bytes);
    judgement_prove(judgement, &c->icmp.first, "a router reports by ICMP that the packet is too big");
    judgement_prove(judgement, &self->data_run.last, "the last of %u repetitions", self->data_run.count);
}

static void say(const struct stuck *stuck, bool told, uint32_t alike, struct judgement *judgement)
{
    const char *name = side_name(stuck->sender);
    const char *why =
        told                  ? "A router says that it is too big for the next link; the sender goes on sending it"
        : stuck->small_passes ? "A smaller packet behind it arrived, so the path lives and only large ones vanish"
        : alike > 1
            ? "Other connections between the two ended at their first large packet, too, and none got one through"
            : "Whether smaller ones would still arrive is not in the capture";
    if (stuck->passed > 0)
        judgement_say(judgement,
                      "A packet of %u bytes of the %s never arrives, while packets of up to %u bytes did. %s.",
                      stuck->size, name, stuck->passed, why);
    else
        judgement_say(judgement, "A packet of %u bytes of the %s never arrives. %s.", stuck->size, name, why);
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!conversation_established(c) || signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        struct stuck stuck;
        if (!repeats_large(c, side, &stuck) && !lacks_large(c, s, side, &stuck))
            continue;
        const struct pair_record *pair = surroundings_pair(s, c);
        if (pair->largest_passed[side] >= stuck.size)
            return false; /* the path has room for them */
        bool told = signs_of_packet_too_big(c), alone = !told && !stuck.small_passes && pair->stuck_large[side] < 2;
        judgement->confidence = told ? 0.93 : stuck.small_passes ? 0.88 : alone ? 0.5 : 0.8;
        if (alone)
            judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settle_by_large_packets;
        judgement->rests_on_absence = stuck.not_seen;
        prove(c, &stuck, judgement);
        say(&stuck, told, pair->stuck_large[side], judgement);
        return true;
    }
    return false;
}

/* Of one side, nothing as large as what was lost got through, to the end, and smaller packets did after it. */
static bool loses_large_only(const struct pair_view *view, const struct surroundings *s, enum side sender)
{
    const struct passage *passage = &view->compared->passages[sender];
    const struct conversation *own = pair_view_at(view, sender);
    bool fits_else = surroundings_pair(s, own)->largest_passed[sender] >= passage->smallest_lost;
    return passage->lost_data >= (fits_else ? LOST_CLEARLY : LOST_LEAST) && passage->smallest_lost >= SMALLEST_LARGE &&
           passage->smallest_lost > passage->largest_arrived &&
           own->sides[sender].unacknowledged_bytes >= passage->smallest_lost &&
           passage->last_arrival_sent.time_ns > passage->first_lost.time_ns;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (!view->compared || pair_view_misses_packets(view) || signs_of_one_direction(view->client) ||
        signs_of_one_direction(view->server))
        return false;
    for (enum side sender = SIDE_CLIENT; sender < SIDES; sender++) {
        if (!loses_large_only(view, s, sender))
            continue;
        const struct passage *passage = &view->compared->passages[sender];
        const char *name = side_name(sender), *peer = side_name(side_other(sender));
        judgement->confidence = 0.96;
        judgement_prove(judgement, &passage->first_lost, "a large packet leaves the %s and does not reach the %s", name,
                        peer);
        judgement_prove(judgement, &passage->last_lost, "the last of %u", passage->lost_data);
        judgement_prove(judgement, &passage->last_arrival_sent, "a smaller packet of the %s leaves", name);
        judgement_prove(judgement, &passage->last_arrival, "and reaches the %s", peer);
        judgement_say(judgement,
                      "Of the %s's packets those of %u bytes and more did not arrive, %u in all; those of up to %u "
                      "bytes did, before and after.",
                      name, passage->smallest_lost, passage->lost_data, passage->largest_arrived);
        return true;
    }
    return false;
}

static const char *const actions[] = {
    "Find the largest packet that gets through, from both ends: `ping -f -l 1472 SERVER` and smaller, on Linux "
    "`tracepath SERVER` or `ping -M do -s 1472 SERVER`. 1472 bytes and 28 of headers make 1500.",
    "Let firewalls pass ICMP type 3 code 4 (\"fragmentation needed\") and ICMPv6 type 2 (\"packet too big\"): without "
    "them no sender learns that it has to send smaller packets.",
    "Let the VPN or tunnel device on the way lower the MSS of connections through it (MSS clamping), or set a smaller "
    "MTU: `netsh interface ipv4 set subinterface \"Ethernet\" mtu=1400 store=persistent`, on Linux `ip link set eth0 "
    "mtu 1400`.",
    "See whether jumbo frames are on at one end only: `Get-NetAdapterAdvancedProperty -RegistryKeyword *JumboPacket`, "
    "on Linux `ip link`.",
    "On Linux let TCP find out by itself: `sysctl net.ipv4.tcp_mtu_probing=1`.",
    NULL,
};

const struct detector network_mtu_black_hole = {
    .cause = "network.mtu-black-hole",
    .title = "Large packets vanish on the way, small ones arrive",
    .holds_when =
        "A segment of 1200 bytes or more, larger than any that was acknowledged, is repeated to the end and never "
        "acknowledged, or the receiver lacks it to the end: while it has got a smaller one behind it, with data or "
        "without, or a router reports by ICMP that it is too big. Not when other connections between the two carry "
        "such packets. With neither of the two signs the culprit stays open.",
    .holds_with_both = "Two packets or more of one side did not arrive, each of 536 bytes of payload or more and "
                       "larger than every one that did; a smaller one that left after the first of them arrived; and "
                       "what was lost was never acknowledged. Six or more where other connections between the two "
                       "carry packets of that size. Not when a capture missed packets of this connection.",
    .means = "A link on the way takes smaller packets than the two ends believe - a tunnel, a VPN, a wrong jumbo frame "
             "setting - and the ICMP message that would tell the sender is filtered or ignored. Handshake and small "
             "requests work; the server's certificate, a login with a Kerberos ticket or the first large answer never "
             "arrives. (RFC 1191, RFC 2923; article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
    .judge_pair = judge_pair,
};
