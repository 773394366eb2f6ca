/*
 * What is known of one TCP conversation: the facts that every floor above shares.
 *
 * The flow floor creates it with the first packet and keeps its two sides in role order; when it learns that it had
 * the roles the wrong way round it exchanges them at once, so sides[SIDE_CLIENT] is always who is held to be the client.
 * Detectors only read it.
 */
#ifndef TDSCOPE_CONVERSATION_H
#define TDSCOPE_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "comparison_facts.h"
#include "icmp_facts.h"
#include "moment.h"
#include "service_facts.h"
#include "tcp_side.h"
#include "tds_facts.h"

enum conversation_protocol { PROTOCOL_TCP, PROTOCOL_TDS, PROTOCOL_TDS8 };

/* How it is known who the client is; a later one is better evidence. */
enum role_evidence { ROLE_FIRST_SENDER, ROLE_PORT, ROLE_TDS, ROLE_SYN };

enum conversation_ending {
    ENDING_OPEN, /* the capture shows no end */
    ENDING_FIN,  /* both or one side closed with FIN, no reset before */
    ENDING_RESET,
    ENDING_TIMEOUT, /* the last thing is retries or keep-alives without an answer, perhaps with a reset by the retrying side */
    ENDING_REFUSED,   /* SYN answered by a reset */
    ENDING_NO_ANSWER, /* SYN never answered */
    ENDINGS
};

/* How it is known that another capture's conversation is the same connection, the strongest first. */
enum match_evidence {
    MATCHED_BY_CONNECTION_ID,    /* the GUID of PRELOGIN */
    MATCHED_BY_SEQUENCE_NUMBERS, /* both initial ones */
    MATCHED_BY_ENDS_AND_SYN,     /* addresses, ports and the client's initial sequence number */
    MATCHED_BY_TRACES,           /* the beginnings of messages, timestamps and IP IDs, taken together */
    MATCHED_BY_ENDS,             /* addresses and ports of the only such conversations, at the same time */
    MATCHED_BY_BYTES_IN_FLIGHT,  /* both directions count through the same sequence numbers */
    MATCH_EVIDENCES
};

/* Which traces tell that; any number of them. */
enum match_trace {
    TRACE_BY_CONTENTS = 1, /* messages begin with the same random bytes */
    TRACE_BY_PLAIN_CONTENTS = 2,
    TRACE_BY_TIMESTAMPS = 4,
    TRACE_BY_IP_IDS = 8,
    TRACE_BY_LENGTHS = 16, /* messages have the same lengths, one after the other, at the same moments */
    TRACES_ALL = 31
};

/*
 * Some messages in a row, of both sides in turn, by their lengths alone: those that pass through every device, and that cut captures have.
 * Where several captures are read. The least hashes are kept, as in tcp_side.h.
 */
enum { TRACE_SERIES = 3 };
#define TRACE_TICK_NS (NS_PER_MS / 10)

struct length_series {
    uint32_t hash;  /* of the lengths; 0: none */
    uint32_t begun; /* in TRACE_TICK_NS after the conversation's first packet */
};

/* Of two packets of a conversation one after the other: the later shows that others of it passed in between, which its capture has not.
 * Where there are several such stretches, the one with most of them. */
struct unseen_stretch {
    int64_t from_ns, to_ns;
    uint32_t packets; /* at least; 0: there is none */
    bool both_ways;   /* both sides sent some of them: it was not one moment */
};

/* Of two packets one after the other: what was under way when the first was recorded, TCP would have repeated or acknowledged before the
 * second. That was not recorded, or the capture's clock was set forward. Or the timestamps of both sides tell that much less time passed
 * than the capture's clock does. The longest such stretch; both zero: there is none. */
struct stretch {
    int64_t from_ns, to_ns;
};

/* A login takes PRELOGIN, two messages of TLS, LOGIN7 and perhaps one of SSPI; a ticket makes one of them some packets long (MaxTokenSize). So
 * many of the client's packets with data may be of it. */
enum { OPENING_PACKETS = 12 };

/* The longest pause of the server in the opening after which its IP IDs had gone on by more than one: so many packets of it were not captured,
 * unless its machine counts those of other connections along. */
struct skipping_pause {
    int64_t to_ns;
    uint32_t lasted_ms; /* 0: there was none */
    uint32_t packets;
};

/* The longest that the client waited in the opening for the server's next data, and then had it. */
struct slow_answer {
    struct moment asked;
    uint32_t lasted_ms; /* 0: no answer took PAUSE_NS */
    uint32_t packets;   /* with data, of the client by then */
};

struct conversation {
    uint32_t id;    /* from 1, in order of first packet */
    uint32_t point; /* capture point */
    enum conversation_protocol protocol;
    enum role_evidence role_evidence;
    struct endpoint ends[SIDES];
    struct tcp_side sides[SIDES];
    struct moment first, last; /* packet by time; a capture's clock may go backwards */
    uint64_t packets, wire_bytes;
    struct length_series series[TRACE_SERIES];
    struct unseen_stretch unseen;
    struct stretch left_alone;
    struct skipping_pause skipping_pause;
    struct slow_answer slow_answer;
    bool stamps_tell;     /* of left_alone: it is the timestamps that tell it */
    bool starts_with_syn; /* the handshake's first packet is in the capture */
    bool tuple_reused;    /* an earlier conversation had the same addresses and ports */
    bool closed;          /* FIN both ways, or a reset */
    bool let_go;          /* followed no further though it was open, because too many were */
    bool goes_back;       /* a packet of it is earlier than one before by more than a second */
    bool out_of_order;    /* likewise, by however little */
    struct icmp_facts icmp;
    struct tds_facts *tds;         /* NULL unless TDS was recognised */
    struct service_facts *service; /* NULL unless it goes to a port of a domain controller */

    /* The same connection in other captures. The view nearest to the client stands for all of them in reports; the others are
     * secondary. */
    bool secondary;
    bool doubtful;        /* another capture may have it, among others that look alike: nothing tells */
    uint8_t match_bits;   /* so much likelier than chance, as a power of two; 0: not reckoned */
    uint8_t match_traces; /* enum match_trace */
    enum match_evidence matched_by;
    uint32_t
        twin; /* id of the view nearest to the server; of secondary ones: of the view that stands; 0: none is known */
    uint32_t
        next_view; /* id of the next view towards the server, which is the twin unless there are more than two; 0: none */
    struct comparison
        *comparison;           /* of this view's packets with the twin's, on the view that stands; NULL: not compared */
    struct comparison *onward; /* likewise with the next view's, where there are more than two; NULL: not compared */

    uint32_t capture_first, capture_last; /* capture files of first and last packet */

    /* Derived by conversation_conclude() when the conversation is over or the capture ends. */
    enum conversation_ending ending;
    bool first_close_known;
    enum side closed_first_by; /* valid with first_close_known: who sent FIN or RST first */
};

/* The client was the server all along: ends and sides change places. */
void conversation_exchange_sides(struct conversation *conversation);

/* Fills the derived members. */
void conversation_conclude(struct conversation *conversation);

/* Whether the three-way handshake completed, or the conversation was running already. */
bool conversation_established(const struct conversation *conversation);

/* The moment of the first FIN or RST of either side; frame 0 when there is none. */
struct moment conversation_first_close(const struct conversation *conversation);

/* Whether who closed first did so by a FIN: seen, or proven by the other side's acknowledgement of it. */
bool conversation_closed_by_fin(const struct conversation *conversation);

/* Nobody calls a login, an answer or a lookup late that took less. */
#define PLAIN_WAIT_NS (500 * NS_PER_MS)

/* Concluded, and nothing in it that any cause but none.normal is made of: it began and ended in the capture, logged in and was answered
 * without delay; or it was let go, and what the capture shows of it until then is like that. Strict: of a healthy conversation it may say
 * no. */
bool conversation_is_plain(const struct conversation *conversation);

/* How far the login came. */
enum login_stage {
    LOGIN_STAGE_UNKNOWN,
    LOGIN_STAGE_SYN,
    LOGIN_STAGE_CONNECTED,
    LOGIN_STAGE_PRELOGIN,
    LOGIN_STAGE_TLS,
    LOGIN_STAGE_LOGIN,
    LOGIN_STAGE_AUTHENTICATING,
    LOGIN_STAGE_DONE,
    LOGIN_STAGE_REFUSED,
    LOGIN_STAGES
};
enum login_stage conversation_login_stage(const struct conversation *conversation);

/* From the client's SYN (or its first login packet, when the SYN is not in the capture) to the login's answer that
 * ended it; -1 when either is not known. */
int64_t conversation_login_duration_ns(const struct conversation *conversation);

#endif
