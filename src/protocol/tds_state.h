/* What following a TDS stream takes beyond its facts. For the files of this floor only. */
#ifndef TDSCOPE_TDS_STATE_H
#define TDSCOPE_TDS_STATE_H

#include "smp.h"
#include "stream.h"
#include "tds.h"
#include "tds_login.h"
#include "tds_tokens.h"
#include "tls.h"

/*
 * Theory of operation. A *lane* follows what one side sends on one channel: it measures units by their headers (TDS
 * packet, TLS record, SMP packet) and knows at each byte how much of the unit is left, so that a gap inside a unit costs
 * nothing. The *main* channel is TCP itself; with MARS each SMP session is a channel of its own inside the main one.
 *
 * A stream is followed from its first byte on as if it were TDS, into a draft of the facts that nobody sees. When the
 * bytes have proved it, the draft becomes the conversation's; when they disprove it, the state is freed and the stream
 * is refused. So the facts are the same whichever packet the proof came with.
 *
 * Lanes have a role (client, server) that TDS itself gives them; it is exchanged freely before the proof. Conversation
 * sides are translated by lane_of[], which is all that changes when the flow floor exchanges its sides.
 */

enum { TDS_HEADER = 8, TDS_TYPE_RESPONSE = 4, TDS_TYPE_PRELOGIN = 0x12, TDS_TYPE_OLD_NORMAL = 0x0f };
enum {
    TDS_STATUS_EOM = 0x01,
    TDS_STATUS_IGNORE = 0x02,
    TDS_STATUS_EVENT = 0x04,
    TDS_STATUS_RESET = 0x08,
    TDS_STATUS_RESET_KEEP = 0x10
};
enum { TDS_SMP_SESSIONS = 32 };

/* What is kept of a message's end that is not walked: room for an ERROR and what follows it. */
enum { TDS_TAIL = 512 };

enum tds_unit { UNIT_LOST, UNIT_HEADER, UNIT_TDS, UNIT_TLS, UNIT_SMP };

/* What becomes of the bytes of a message. */
enum tds_body { BODY_SKIP, BODY_UNDECIDED, BODY_GATHER, BODY_TLS, BODY_TOKENS };

/* A message that is kept until it can be read as a whole. */
struct gather {
    uint8_t *bytes; /* NULL: nothing yet */
    uint32_t size, want;
};

struct tds_lane {
    uint8_t role;   /* enum side */
    uint8_t number; /* its place in the channel */
    uint8_t unit, body;
    bool nested;     /* inside an SMP session */
    bool started;    /* something came */
    bool tentative;  /* the unit's header was looked for after a loss: it may be none */
    bool in_message; /* the message goes on in the next packet */
    uint8_t type, status;
    uint8_t header[SMP_HEADER];
    uint8_t header_have;
    uint8_t units_in_row;
    uint8_t *tail; /* the message's last bytes, once its tokens are not walked any more; NULL: none */
    uint16_t tail_have;
    uint16_t packet_size;  /* of the unit's body */
    uint32_t left;         /* of the unit's body */
    uint32_t message_size; /* of the packets of the message so far */
    struct moment unit_begin, message_begin;
    struct gather gather;
    struct token_walker walker;
};

struct procedure_name {
    uint8_t *bytes; /* UTF-16LE; NULL: none */
    uint16_t size;
};

struct tds_channel {
    struct tds_lane lanes[SIDES];
    bool awaiting;  /* a request has no answer yet */
    bool answering; /* its answer has begun, and its end counts */
    bool request_ended;
    struct tds_request request_is;
    struct procedure_name procedure;
    int64_t answer_last_ns; /* encrypted: of the answer's latest bytes */
    int64_t request_end_ns;
    struct moment request_begin;
};

/* What one side of a session may send (MC-SMP 3.1.1.1): it stops when sent is window. */
struct smp_flow {
    uint32_t sent, window;
    bool window_known;
    struct moment used_up; /* since when it may send no more */
};

struct smp_session {
    bool fin[SIDES]; /* by lane */
    uint16_t id;
    struct smp_flow flows[SIDES]; /* by lane */
    struct tds_channel channel;
};

struct smp_sessions {
    struct smp_session *slots[TDS_SMP_SESSIONS]; /* NULL: free */
    struct smp_session *target[SIDES]; /* whose DATA is under way in each main lane; NULL: of none that is followed */
    /* Of sessions that found no slot: open ones whose SYN was seen, and their FINs that the other side has not matched. */
    uint32_t beyond_open, beyond_fins[SIDES];
};

/* What the next client turn of an encrypted talk is. */
enum talk_phase { TALK_PRELOGIN, TALK_LOGIN, TALK_REQUESTS };

struct tds_state {
    /* Of the call under way. */
    struct stream *stream;
    const struct tds_options *options;
    const struct moment *at;

    struct tds_facts *facts; /* the draft until recognised */
    bool recognised;
    bool refused;      /* surely no TDS */
    bool failed;       /* the candidate under way is none: to be reset when the call unwinds */
    bool from_start;   /* the capture has the beginning of the TCP connection */
    bool role_known;   /* TDS itself told who is who */
    bool request_seen; /* a plausible request, before recognition */
    bool old_dialect;  /* TDS 4.2 or 5.0 */
    bool client_mars;  /* the client's PRELOGIN asks for MARS */
    bool tls13;
    bool server_hello_seen; /* the final one */
    bool client_finished;
    bool login_encrypted;
    bool login_proved; /* the server changed the database, but LOGINACK has not come */
    bool login_read;   /* one login's names are stored; a stream that sends more stores no more */
    uint8_t talk_phase;
    uint8_t talker; /* who spoke last in the encrypted talk; SIDES: nobody */
    uint8_t database_changes;
    uint32_t ticket_size;           /* of the server's latest record behind the client's Finished; 0: none */
    struct moment answer_or_ticket; /* the server's latest record since the PRELOGIN; frame 0: none */
    uint16_t tries;                 /* chunks in which nothing was recognised */
    uint16_t spid;                  /* 0: not known */
    uint8_t lane_of[SIDES];
    struct tls_reader tls[SIDES]; /* by main lane */
    struct token_dialect dialect;
    struct procedure_name last_procedure, slowest_procedure;
    struct tds_channel main;
    struct tds_channel *last_request; /* the channel of facts->last_request */
    struct smp_sessions *smp;         /* NULL until MARS shows */
};

/* tds_lane.c */
void tds_lane_data(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, struct span bytes);
void tds_lane_gap(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint64_t n);
void tds_lane_lose(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane);
void tds_lane_close(struct tds_lane *lane);
bool tds_lane_amid_message(const struct tds_lane *lane);

/* tds_mars.c: units of the main lane that are SMP packets */
bool tds_smp_open(struct tds_state *s, struct tds_lane *lane);
void tds_smp_data(struct tds_state *s, struct tds_lane *lane, struct span bytes);
void tds_smp_gap(struct tds_state *s, struct tds_lane *lane, uint64_t n);
void tds_smp_close(struct tds_state *s);
void tds_smp_set_roles(struct tds_state *s);

/* tds_recognise.c */
struct tds_header {
    uint8_t type, status, packet_id;
    uint16_t length, spid;
};
struct tds_header tds_header_read(const uint8_t bytes[TDS_HEADER]);
bool tds_header_plausible(const struct tds_state *s, const struct tds_lane *lane, struct span bytes);
bool tds_may_begin(const struct tds_state *s, const struct tds_lane *lane, struct span bytes);
bool tds_on_server_port(const struct tds_state *s);
void tds_candidate_packet(struct tds_state *s, struct tds_lane *lane, const struct tds_header *header);
bool tds_learn_role(struct tds_state *s, struct tds_lane *lane, enum side role);
void tds_recognise(struct tds_state *s, enum conversation_protocol protocol);
void tds_candidate_place(struct tds_state *s);
void tds_candidate_strict(struct tds_state *s);
void tds_candidate_end(struct tds_state *s);
void tds_candidate_fail(struct tds_state *s, const struct tds_lane *lane);
void tds_candidate_reset(struct tds_state *s);
void tds_draft_clear(struct tds_state *s);
void tds_candidate_nothing(struct tds_state *s);

/* tds_messages.c */
void tds_message_begin(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane);
void tds_body_begin(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint8_t first);
void tds_message_end(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane);
void tds_gathered(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, struct span body);
void tds_learn_version(struct tds_state *s, uint32_t version);
void tds_learn_mechanism(struct tds_state *s, struct span token);
const char *tds_store_text(struct tds_state *s, struct span bytes, bool wide, bool cut, size_t ceiling);
const char *tds_store_name(struct tds_state *s, struct span bytes, bool wide);

/* tds_requests.c */
void tds_request_begins(struct tds_state *s, struct tds_channel *channel, const struct moment *begin);
void tds_request_goes_on(struct tds_state *s, struct tds_channel *channel);
void tds_answer_begins(struct tds_state *s, struct tds_channel *channel, const struct moment *begin);
void tds_answer_goes_on(struct tds_state *s, struct tds_channel *channel);
void tds_answer_ends(struct tds_state *s, struct tds_channel *channel, int64_t end_ns);
void tds_request_is(struct tds_state *s, struct tds_channel *channel, enum tds_message message, uint16_t procedure_id);
void tds_read_rpc(struct tds_state *s, struct tds_channel *channel, struct span body);
void tds_channel_close(struct tds_channel *channel);
void tds_requests_close(struct tds_state *s);

/* tds_answers.c */
void tds_answer_lost(struct tds_state *s);
struct token_sink tds_token_sink(struct tds_state *s);
void tds_tail_end(struct tds_state *s, const struct tds_lane *lane);

/* tds_handshake.c */
size_t tds_tls_data(struct tds_state *s, struct tds_lane *lane, struct span bytes);
uint64_t tds_tls_gap(struct tds_state *s, struct tds_lane *lane, uint64_t n);

/* Whether the call under way has to unwind. */
static inline bool tds_stopped(const struct tds_state *s)
{
    return s->refused || s->failed;
}

static inline void tds_step(struct tds_state *s, enum login_step step, const struct moment *at)
{
    if (!moment_seen(&s->facts->steps[step]))
        s->facts->steps[step] = *at;
}

static inline bool tds_step_seen(const struct tds_state *s, enum login_step step)
{
    return moment_seen(&s->facts->steps[step]);
}

#endif
