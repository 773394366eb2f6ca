/* What facts add up to: readings that several detectors share, so that they mean the same thing everywhere. */
#ifndef TDSCOPE_SIGNS_H
#define TDSCOPE_SIGNS_H

#include <stdbool.h>

#include "conversation.h"
#include "count_words.h"
#include "name_waits.h"
#include "surroundings.h"

/* TDS was recognised, or the server's endpoint speaks it in other conversations, or it is SQL Server's own port, one that the user
 * named or one that SQL Server Browser told this client of. */
bool signs_of_sql(const struct conversation *conversation, const struct surroundings *surroundings);

/* No sign of SQL, and a system port (RFC 6335, 6), which belongs to another service. A connection to any other port that never came to
 * be may have been meant for a SQL Server: its bytes would have told. */
bool signs_of_other_service(const struct conversation *conversation, const struct surroundings *surroundings);

/* Only one side's packets were captured, although the other side was there: nothing can be said of who did what. */
bool signs_of_one_direction(const struct conversation *conversation);

/* The capture missed packets of this conversation: what is not seen may have happened. */
bool signs_of_missed_packets(const struct conversation *conversation);

/* It missed some until then. */
bool signs_of_missed_packets_by(const struct conversation *conversation, int64_t time_ns);

/* That side's reset ends a connection on which packets did not get through: what it had sent last was not acknowledged, for longer than
 * a sender waits before it repeats it, its probes were not answered, it does not acknowledge what the other side repeats, or it got it
 * a second later. It gave up, and why is not its own doing. */
bool signs_of_giving_up(const struct conversation *conversation, enum side side);

/* That side's reset answers a packet of a connection that its machine does not know (any more): it has no ACK (RFC 9293, 3.10.7.1). */
bool signs_of_forgotten(const struct conversation *conversation, enum side side);

/* That side had sent more than arrived, or than was captured, to the end: its close or a packet without data stands beyond it, or the
 * other side's SACK tells that it lacks it. What that side seems not to have said, it may have. */
bool signs_of_more_sent(const struct conversation *conversation, enum side side);

/* What that side sent before a packet that came is lacking at the other side, which spoke after it and acknowledged none of that. */
bool signs_of_lacking(const struct conversation *conversation, enum side sender);

/* The login succeeded, or it lies before the capture. */
bool signs_of_login_done(const struct conversation *conversation);

/* A session was in use: requests after the login, or data of a connection that was there before the capture. */
bool signs_of_session(const struct conversation *conversation);

/* The server said no in clear. */
bool signs_of_login_refused(const struct conversation *conversation);

/* Where a login that was neither answered nor refused came to a halt. */
struct login_halt {
    bool halted;
    enum login_step last_step; /* before anybody closed */
    enum side turn;            /* whose word was awaited; SIDE_CLIENT also when the last word is not known */
    struct moment since;       /* the last word of the other side */
    bool unfinished;           /* it is the server's turn only by the step: a part of the client's message never came */
    bool acknowledged;         /* the machine of the side whose turn it was acknowledged that word */
    bool closed;               /* by FIN or reset; otherwise the capture ends */
    enum side closed_by;
    struct moment close;
    /* Who broke it off: who closed - or, of a TLS handshake, who sent the alert that the close followed at once, since an alert obliges both
     * to close (RFC 8446, 6). Valid with closed. */
    enum side stopped_by;
    const struct tls_alert *alert; /* that alert; NULL: there was none */
    int64_t waited_ns; /* from since to that alert or the close, whoever closed first, or to the end of the capture */
};
struct login_halt signs_of_login_halt(const struct conversation *conversation, const struct surroundings *surroundings);

/* The server answers PRELOGIN within milliseconds. Who leaves within a second did not wait for it. */
#define LEAVES_AT_ONCE_NS NS_PER_SECOND

/* "TLS alert 48 (unknown_ca)", "an encrypted TLS alert". Return text. */
enum { ALERT_WORDS_SIZE = 64 };
const char *signs_alert_number_words(uint8_t number, char text[static ALERT_WORDS_SIZE]);
const char *signs_alert_words(const struct tls_alert *alert, char text[static ALERT_WORDS_SIZE]);

/* A client may ask for a revocation list while it looks at a certificate; longer than that, it was a time-out as likely. */
#define CERTIFICATE_LOOKED_AT_NS (5 * NS_PER_SECOND)

/* The TLS handshake was complete, and the client closed in good order without a login, although the certificate that it had been shown
 * has a fault that anybody can see: some clients look at it only then. */
bool signs_of_certificate_disliked(const struct conversation *conversation, const struct login_halt *halt);

/* A step of the login in a sentence: "the login packet". */
const char *login_step_words(enum login_step step);

/* A sentence to add, when it is the answer to this step that the server owes: " It was checking Windows credentials..."; empty
 * for all others. */
const char *signs_of_credentials_checked(enum login_step step);

/* Every IPv6 link carries 1280 bytes (RFC 8200, 5), and IPv4 links in use carry no less: headers off, that is 1220 and 1240 bytes of
 * payload. A smaller packet is not too large for anything. */
enum { LARGE_PAYLOAD = 1200 };

/* This side repeats a large segment to the end, larger than all that was acknowledged. */
bool signs_of_stuck_large(const struct conversation *conversation, enum side side);

/* Three retries in a row without an answer. Timers double (RFC 6298, 5.5), so they span well over a second; at a loss of one packet in ten
 * that happens by chance once in a thousand times. */
enum { RETRIES_OF_A_SILENCE = 3 };
#define SILENCE_LEAST_NS NS_PER_SECOND

/* What a run of retries to the end tells about whose packets no longer arrive. */
enum silence_kind {
    SILENCE_NONE,
    SILENCE_TOTAL,   /* the other side sends nothing any more: packets of either side, or the other machine, are gone */
    SILENCE_UNHEARD, /* the other side goes on talking, but never acknowledges: it does not get the retrier's packets */
    SILENCE_DEAF /* the other side acknowledges, and the retrier goes on: it does not get the other side's packets */
};

struct silence {
    bool held;
    enum silence_kind kind;
    enum side retrier;
    enum side lost_from; /* whose packets do not arrive, unless the kind is SILENCE_TOTAL */
    uint32_t retries;
    struct moment first, last; /* retry */
    bool keep_alives;          /* it was probing an idle connection */
    int64_t quiet_before_ns;   /* of a total one: from the other side's last packet to the first retry */
};

/* Of both sides' runs of retries the longer one. */
struct silence signs_of_silence(const struct conversation *conversation);

/* Packets that were lost and sent again: retransmissions without the needless ones and without a run that ends it
 * all. At the receiver's machine, what had come before and not been answered was not lost on the way there. */
uint32_t signs_of_loss(const struct conversation *conversation, const struct surroundings *surroundings);

/* All of that loss is SYNs without an answer. Who lacks it does not know whether it was lost or ignored: a full queue, or a firewall that is
 * loaded anew, ignores it, too. network.syn-lost weighs that. */
bool signs_of_only_asking_again(const struct conversation *conversation, const struct surroundings *surroundings,
                                uint64_t lost);

/* Until that moment packets were repeated for a second and more before they got through: a time-out may have run out over it. */
bool signs_of_held_up(const struct conversation *conversation, const struct moment *until);

/* Packets with data that this side put on the wire, at least: a card that cuts large ones up shows the capture a single one. */
uint64_t signs_of_segments(const struct tcp_side *side);

/* Some of that time lies between the first and the last retransmission of either side. */
bool signs_of_retransmits_within(const struct conversation *conversation, int64_t from_ns, int64_t to_ns);

/* It is known whose reset that was: the capture was taken where it left, or it goes on where that side's own packets were. */
bool signs_of_own_reset(const struct conversation *conversation, const struct surroundings *surroundings,
                        enum side side);

/* From so many handshakes on their shortest time is the path's. */
enum { HANDSHAKES_TO_COMPARE = 3 };

/* Of one handshake or two nobody knows how much of their time was chance: a neighbour's address that had to be found first (ARP), a queue, a
 * machine that was busy. That is milliseconds even where the path takes less. */
#define HANDSHAKE_CHANCE_NS (2 * NS_PER_MS)

/* By how much the SYN+ACK came sooner than the quickest of those after which the server spoke; 0: it took half as long or longer, or the server
 * did speak. At the server's own machine none is too soon. */
int64_t signs_of_lead_ns(const struct conversation *conversation, const struct surroundings *surroundings);

/* That is too much to be chance: it is not the server's. */
bool signs_of_quick_answer(const struct conversation *conversation, const struct surroundings *surroundings);

/* The SYN+ACK came over another number of hops than the server's packets do where it spoke, and the server says no byte after it. */
bool signs_of_answer_elsewhere(const struct conversation *conversation, const struct surroundings *surroundings);

/* The server, which still waits for the handshake's end and repeats its SYN+ACK, refused what the client sent: that acknowledges a number
 * the server never had (RFC 9293, 3.10.7.4). Something else had answered the client's SYN, too. */
bool signs_of_mistaken_answer(const struct conversation *conversation);

/* Something stands in for the server: by its answer's time or hops, or because two answers came. */
bool signs_of_stand_in(const struct conversation *conversation, const struct surroundings *surroundings);

/* Of this side's packets several arrived damaged: TCP throws those away without a word (RFC 9293, 3.1). In a capture that was edited, (nearly)
 * all are, whoever sent them. */
bool signs_of_damage(const struct conversation *conversation, const struct surroundings *surroundings,
                     enum side sender);

/* Of that side's packets to the other one, in any connection, one arrived damaged. */
bool signs_of_damage_between(const struct conversation *conversation, const struct surroundings *surroundings,
                             enum side sender);

/* That side's machine, at which the capture was taken, got a packet again and again, and acknowledged it only long after its first copy: something
 * in it held the packet. No way of the network is in that time. */
bool signs_of_holding(const struct conversation *conversation, const struct surroundings *surroundings, enum side here);

/* The server's reset acknowledges what the client sent less than half of a way before, there and back: it cannot have come from there. */
bool signs_of_hasty_reset(const struct conversation *conversation, const struct surroundings *surroundings);

/* It was closed first by a reset that came too soon, or has not what that side's machine would have put into it: a device may have made it. */
bool signs_of_doubtful_close(const struct conversation *conversation, const struct surroundings *surroundings);

/* That side lives on after its reset, which a side that had reset could not: the reset was made by somebody else. */
bool signs_of_disowned_reset(const struct conversation *conversation, const struct surroundings *surroundings,
                             enum side side);

/* A router said that a packet was too big for the next link: ICMP type 3, code 4 (RFC 1191), ICMPv6 type 2 (RFC 4443, 3.2). */
bool signs_of_packet_too_big(const struct conversation *conversation);

/* An unanswered request may take its time. But devices that stand in a server's place, or keep a table of connections, count their idle
 * limit from the last packet, whoever is to speak: HAProxy 50 s as its manual advises, others a minute and more. */
#define DEVICE_PATIENCE_NS (30 * NS_PER_SECOND)

/* The client's last word is a request that has no byte of an answer. */
bool signs_of_pending_request(const struct conversation *conversation);

/* Whether the client waited noticeably for its server's address before it connected, and how. */
bool signs_of_name_wait(const struct conversation *conversation, const struct surroundings *surroundings,
                        struct name_wait *wait);

/* Timers of Windows tick every 16 ms, and the path and a busy machine add theirs: one work time in twenty falls in here. */
#define TIMER_SLACK_NS (50 * NS_PER_MS)

/* A wait of a whole number of seconds, and at least one: a program's timer set it (a time-out, WAITFOR), not its work. */
bool signs_of_set_time(int64_t wait_ns);
/* Such a wait for an answer, after which somebody leaves, and not too short for a time-out. */
bool signs_of_time_out(int64_t wait_ns);

/* For sentences. */
double seconds(int64_t ns);

/* A time that passed: "0.250 s", "less than 0.001 s", "3.4 hours", "12 days". */
struct count_words seconds_words(int64_t ns);

#endif
