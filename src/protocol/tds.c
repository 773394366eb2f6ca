/* TDS as a consumer of TCP streams: what a stream's state lives and dies by. The decoding itself is in the files beside it. */
#include "tds.h"

#include "memory.h"
#include "tds_fold.h"
#include "tds_state.h"

/* What protocol_state points at once a stream is known to be no TDS: it costs nothing any more. */
static const char refused_mark;

static void *refused_state(void)
{
    return (void *)(uintptr_t)&refused_mark;
}

void tds_draft_clear(struct tds_state *s)
{
    struct tds_facts *facts = s->facts;
    casebook_drop_tls(s->stream->casebook, facts->tls);
    *facts = (struct tds_facts){.number = facts->number,
                                .errors = facts->errors,
                                .prelogin_client_encryption = PRELOGIN_UNKNOWN,
                                .prelogin_server_encryption = PRELOGIN_UNKNOWN,
                                .fedauth_required = PRELOGIN_UNKNOWN,
                                .fedauth_required_answer = PRELOGIN_UNKNOWN,
                                .last_request_is.message = TDS_MESSAGES,
                                .slowest_request_is.message = TDS_MESSAGES};
}

static struct tds_state *open_state(struct stream *stream)
{
    const struct conversation *c = stream->conversation;
    struct tds_state *s = memory_take(sizeof *s);
    s->stream = stream;
    s->facts = casebook_add_tds(stream->casebook);
    tds_draft_clear(s);
    s->from_start = c->starts_with_syn || c->sides[SIDE_CLIENT].isn_known || c->sides[SIDE_SERVER].isn_known;
    s->talker = SIDES;
    s->talk_phase = TALK_LOGIN;
    for (unsigned i = 0; i < SIDES; i++) {
        s->lane_of[i] = (uint8_t)i;
        s->main.lanes[i].number = s->main.lanes[i].role = (uint8_t)i;
    }
    stream->protocol_state = s;
    return s;
}

static void close_state(struct tds_state *s)
{
    tds_requests_close(s);
    tds_smp_close(s);
    tds_channel_close(&s->main);
    for (unsigned i = 0; i < SIDES; i++)
        tls_reader_close(&s->tls[i]);
    if (!s->recognised)
        casebook_drop_tds(s->stream->casebook, s->facts);
    memory_give(s);
}

/* NULL: it has none. */
static struct tds_state *state_of(struct stream *stream)
{
    return stream->protocol_state == refused_state() ? NULL : stream->protocol_state;
}

/* NULL: nothing is to be done for this stream. */
static struct tds_state *begin_call(void *context, struct stream *stream, const struct moment *at)
{
    if (stream->protocol_state == refused_state())
        return NULL;
    struct tds_state *s = state_of(stream);
    if (!s)
        s = open_state(stream);
    s->stream = stream;
    s->options = context;
    s->at = at;
    return s;
}

static void end_call(struct tds_state *s)
{
    struct stream *stream = s->stream;
    if (s->refused && !s->recognised) {
        close_state(s);
        stream->protocol_state = refused_state();
    } else if (s->failed) {
        tds_candidate_reset(s);
    }
}

/* The first thing of a lane: with bytes that begin the TCP stream it is known where the first unit begins. */
static void start_lane(struct tds_state *s, struct tds_lane *lane, bool with_data)
{
    if (lane->started)
        return;
    bool known = s->from_start && with_data;
    lane->started = true;
    lane->unit = known ? UNIT_HEADER : UNIT_LOST;
    lane->tentative = !known;
}

static void on_data(void *context, struct stream *stream, enum side side, struct span bytes, const struct moment *at)
{
    struct tds_state *s = begin_call(context, stream, at);
    if (!s || bytes.size == 0)
        return;
    struct tds_lane *lane = &s->main.lanes[s->lane_of[side]];
    tds_candidate_place(s);
    start_lane(s, lane, true);
    tds_lane_data(s, &s->main, lane, bytes);
    end_call(s);
}

static void on_gap(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at)
{
    struct tds_state *s = begin_call(context, stream, at);
    if (!s)
        return;
    struct tds_lane *lane = &s->main.lanes[s->lane_of[side]];
    start_lane(s, lane, false);
    tds_lane_gap(s, &s->main, lane, size);
    end_call(s);
}

/* In the midst of a TDS packet or a TLS record, or before the last packet of a message. */
static bool is_unfinished(const struct tds_state *s, const struct tds_lane *lane)
{
    bool known = lane->started && !lane->tentative && lane->unit != UNIT_LOST;
    return tds_lane_amid_message(lane) || (known && !tls_reader_between(&s->tls[lane->number]));
}

static void on_end(void *context, struct stream *stream, enum side side, const struct moment *at)
{
    if (!stream->protocol_state)
        return;
    struct tds_state *s = begin_call(context, stream, at);
    if (!s)
        return;
    tds_candidate_end(s);
    struct tds_lane *lane = &s->main.lanes[s->lane_of[side]];
    if (lane->role == SIDE_CLIENT)
        s->facts->client_unfinished = is_unfinished(s, lane);
    else
        s->facts->server_unfinished = is_unfinished(s, lane);
    tds_lane_lose(s, &s->main, lane);
    end_call(s);
}

static void on_sides_exchanged(void *context, struct stream *stream)
{
    (void)context;
    struct tds_state *s = state_of(stream);
    if (!s)
        return;
    uint8_t client = s->lane_of[SIDE_CLIENT];
    s->lane_of[SIDE_CLIENT] = s->lane_of[SIDE_SERVER];
    s->lane_of[SIDE_SERVER] = client;
}

static void on_release(void *context, struct stream *stream)
{
    (void)context;
    struct tds_state *s = state_of(stream);
    if (s) {
        s->stream = stream;
        close_state(s);
    }
    stream->protocol_state = NULL;
}

static bool on_fold(void *context, struct stream *stream, struct image *image)
{
    (void)context;
    struct tds_state *s = state_of(stream);
    if (!s)
        return true;
    if (!tds_may_fold(s))
        return false;
    tds_fold(s, image);
    return true;
}

static void on_unfold(void *context, struct stream *stream, const struct image *image, uint32_t at)
{
    (void)context;
    struct tds_state *s = tds_unfold(image, at);
    s->facts = stream->conversation->tds;
    stream->protocol_state = s;
}

struct stream_consumer tds_consumer(const struct tds_options *options)
{
    return (struct stream_consumer){.data = on_data,
                                    .gap = on_gap,
                                    .end = on_end,
                                    .sides_exchanged = on_sides_exchanged,
                                    .release = on_release,
                                    .fold = on_fold,
                                    .unfold = on_unfold,
                                    .context = (void *)(uintptr_t)options};
}
