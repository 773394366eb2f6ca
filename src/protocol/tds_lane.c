/* One side's bytes, measured into units: TDS packets (MS-TDS 2.2.3), TLS records, SMP packets; over any cutting, with gaps. */
#include <string.h>

#include "memory.h"
#include "tds_state.h"

static void drop_gather(struct gather *gather)
{
    if (gather->bytes)
        memset(gather->bytes, 0, gather->want); /* a LOGIN7 holds a password */
    memory_give(gather->bytes);
    *gather = (struct gather){.want = gather->want};
}

static void drop_tail(struct tds_lane *lane)
{
    memory_give(lane->tail);
    lane->tail = NULL;
    lane->tail_have = 0;
}

void tds_lane_close(struct tds_lane *lane)
{
    struct token_sink deaf = {0};
    drop_gather(&lane->gather);
    drop_tail(lane);
    lane->walker.untold = false;
    token_walker_end(&lane->walker, &deaf);
}

/* What of the message was gathered is all there will be. */
static void finish_gather(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    struct gather gather = lane->gather;
    lane->gather = (struct gather){.want = gather.want};
    lane->body = BODY_SKIP;
    tds_gathered(s, channel, lane, (struct span){gather.bytes, gather.size});
    drop_gather(&gather);
}

static void finish_message(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    if (lane->body == BODY_GATHER)
        finish_gather(s, channel, lane);
    else if (lane->body == BODY_TOKENS) {
        struct token_sink sink = tds_token_sink(s);
        token_walker_end(&lane->walker, &sink);
        s->facts->rows += lane->walker.rows;
        lane->walker.rows = 0;
    }
    lane->body = BODY_SKIP;
}

/* It is not known any more where the next unit begins. */
void tds_lane_lose(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    if (lane->in_message || lane->unit == UNIT_TDS)
        finish_message(s, channel, lane);
    if (!lane->nested)
        tls_reader_lose(&s->tls[lane->number]);
    lane->unit = UNIT_LOST;
    lane->in_message = false;
    lane->tentative = true;
    lane->header_have = 0;
    lane->units_in_row = 0;
    lane->left = 0;
}

/* What answers the client speaks another language from its first byte on: it is no SQL Server. */
static void note_foreign_answer(struct tds_state *s, const struct tds_lane *lane)
{
    bool first = s->from_start && !lane->nested && lane->units_in_row == 0 && lane->role == SIDE_SERVER;
    if (first && !tds_step_seen(s, LOGIN_STEP_PRELOGIN_ANSWER) && !tds_step_seen(s, LOGIN_STEP_SERVER_HELLO) &&
        s->facts->messages[TDS_RESPONSE] == 0 && !moment_seen(&s->facts->foreign_answer))
        s->facts->foreign_answer = lane->unit_begin;
}

static void senseless_header(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    bool still_open = s->facts->strict && lane->tentative;
    if (!s->recognised && !still_open) {
        tds_candidate_fail(s, lane);
        return;
    }
    if (!lane->tentative) {
        s->facts->malformed++;
        note_foreign_answer(s, lane);
    }
    tds_lane_lose(s, channel, lane);
}

static void end_packet(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    lane->unit = UNIT_HEADER;
    lane->header_have = 0;
    lane->in_message = !(lane->status & TDS_STATUS_EOM);
    if (lane->in_message)
        return;
    bool walked = lane->body == BODY_TOKENS;
    bool stopped = lane->walker.stopped;
    finish_message(s, channel, lane);
    if (walked && stopped)
        tds_tail_end(s, lane);
    drop_tail(lane);
    tds_message_end(s, channel, lane);
}

static bool goes_on(const struct tds_lane *lane, const struct tds_header *header)
{
    if (!lane->in_message)
        return false;
    /* TDS 5.0: the last packet of a LOGIN has a type of its own. */
    return header->type == lane->type || (lane->type == 0x02 && header->type == TDS_TYPE_OLD_NORMAL);
}

static void open_packet(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    struct tds_header header = tds_header_read(lane->header);
    if (!s->recognised) {
        tds_candidate_packet(s, lane, &header);
        if (tds_stopped(s))
            return;
    }
    bool new_message = !goes_on(lane, &header);
    /* After a loss a later packet of a message may come first: that is not its begin. */
    bool begin_missed = new_message && lane->tentative && header.packet_id > 1;
    lane->tentative = false;
    if (header.type == TDS_TYPE_RESPONSE && header.spid != 0)
        s->spid = s->facts->spid = header.spid;
    lane->unit = UNIT_TDS;
    lane->status = header.status;
    lane->packet_size = (uint16_t)(header.length - TDS_HEADER);
    lane->left = lane->packet_size;
    if (new_message) {
        if (lane->in_message)
            finish_message(s, channel, lane);
        lane->type = header.type;
        lane->message_size = 0;
        lane->message_begin = lane->unit_begin;
        drop_tail(lane);
        lane->body = BODY_SKIP;
        lane->walker.stopped = true;
    }
    lane->message_size += lane->packet_size;
    if (new_message && !begin_missed)
        tds_message_begin(s, channel, lane);
    else if (begin_missed && header.type == TDS_TYPE_RESPONSE)
        lane->body = BODY_TOKENS;
    if (!tds_stopped(s) && lane->unit == UNIT_TDS && lane->left == 0)
        end_packet(s, channel, lane);
}

static void open_smp(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    lane->units_in_row++;
    lane->unit = UNIT_SMP;
    if (!tds_smp_open(s, lane)) {
        senseless_header(s, channel, lane);
        return;
    }
    lane->tentative = false;
    if (lane->left > 0)
        return;
    lane->unit = UNIT_HEADER;
    lane->header_have = 0;
}

static bool header_can_be(const struct tds_state *s, const struct tds_lane *lane, bool smp)
{
    struct smp_header header;
    struct span bytes = {lane->header, lane->header_have};
    if (smp)
        return smp_header_read(bytes, &header);
    return lane->tentative ? tds_may_begin(s, lane, bytes) : tds_header_plausible(s, lane, bytes);
}

/* Takes bytes into the header that is under way; opens the unit when it is complete. */
static struct span take_header(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane,
                               struct span bytes)
{
    if (lane->header_have == 0) {
        lane->unit_begin = *s->at;
        if (!lane->nested && tls_record_plausible(span_part(bytes, 0, 1))) {
            lane->unit = UNIT_TLS;
            return bytes;
        }
        lane->header[0] = bytes.data[0];
    }
    bool smp = !lane->nested && lane->header[0] == SMP_ID;
    size_t want = smp ? SMP_HEADER : TDS_HEADER;
    struct span part = span_part(bytes, 0, want - lane->header_have);
    memcpy(lane->header + lane->header_have, part.data, part.size);
    lane->header_have = (uint8_t)(lane->header_have + part.size);
    if (!header_can_be(s, lane, smp))
        senseless_header(s, channel, lane);
    else if (lane->header_have == want && smp)
        open_smp(s, channel, lane);
    else if (lane->header_have == want)
        open_packet(s, channel, lane);
    return span_from(bytes, part.size);
}

static void gather_bytes(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, struct span part)
{
    struct gather *gather = &lane->gather;
    bool whole_here = gather->size == 0 && part.size == lane->message_size && lane->status & TDS_STATUS_EOM;
    if (whole_here) {
        lane->body = BODY_SKIP;
        tds_gathered(s, channel, lane, span_part(part, 0, gather->want));
        return;
    }
    part = span_part(part, 0, gather->want - gather->size);
    if (part.size == 0)
        return;
    if (!gather->bytes)
        gather->bytes = memory_take(gather->want);
    memcpy(gather->bytes + gather->size, part.data, part.size);
    gather->size += (uint32_t)part.size;
}

/* Keeps the last bytes of a message that is not walked: of its last packet as much as there is room for; of another,
 * which may be followed by nothing but a part of the final DONE, so much. after: how many of the packet follow part. */
static void keep_tail(struct tds_lane *lane, struct span part, uint32_t after)
{
    size_t keep = lane->status & TDS_STATUS_EOM ? TDS_TAIL : 1 + DONE_BODY;
    if (part.size == 0 || after >= keep)
        return;
    size_t fresh = part.size < keep - after ? part.size : keep - after;
    size_t old = lane->tail_have;
    if (!lane->tail)
        lane->tail = memory_take(TDS_TAIL);
    if (old + fresh > keep) {
        size_t drop = old + fresh - keep;
        memmove(lane->tail, lane->tail + drop, old - drop);
        old -= drop;
    }
    memcpy(lane->tail + old, part.data + part.size - fresh, fresh);
    lane->tail_have = (uint16_t)(old + fresh);
}

static void walk_tokens(struct tds_state *s, struct tds_lane *lane, struct span part)
{
    struct span rest = part;
    if (!lane->walker.stopped) {
        struct token_sink sink = tds_token_sink(s);
        rest = token_walker_data(&lane->walker, part, s->at, &sink);
    }
    keep_tail(lane, rest, lane->left);
}

static void wrapped_tls(struct tds_state *s, struct tds_lane *lane, struct span part)
{
    while (part.size > 0 && lane->body == BODY_TLS) {
        size_t taken = tds_tls_data(s, lane, part);
        if (taken == 0)
            lane->body = BODY_SKIP;
        part = span_from(part, taken);
    }
}

static struct span take_packet(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane,
                               struct span bytes)
{
    struct span part = span_part(bytes, 0, lane->left);
    if (lane->body == BODY_UNDECIDED)
        tds_body_begin(s, channel, lane, part.data[0]);
    lane->left -= (uint32_t)part.size;
    if (lane->body == BODY_TOKENS) {
        walk_tokens(s, lane, part);
    } else if (lane->body == BODY_GATHER) {
        gather_bytes(s, channel, lane, part);
    } else if (lane->body == BODY_TLS) {
        wrapped_tls(s, lane, part);
    }
    if (!tds_stopped(s) && lane->unit == UNIT_TDS && lane->left == 0)
        end_packet(s, channel, lane);
    return span_from(bytes, part.size);
}

static struct span take_record(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane,
                               struct span bytes)
{
    size_t taken = tds_tls_data(s, lane, bytes);
    if (lane->role == SIDE_SERVER)
        tds_answer_goes_on(s, channel);
    if (tds_stopped(s))
        return span_from(bytes, bytes.size);
    if (taken == 0) {
        senseless_header(s, channel, lane);
        return span_from(bytes, 1);
    }
    if (tls_reader_between(&s->tls[lane->number])) {
        lane->unit = UNIT_HEADER;
        lane->header_have = 0;
        lane->tentative = false;
    }
    return span_from(bytes, taken);
}

static struct span take_smp(struct tds_state *s, struct tds_lane *lane, struct span bytes)
{
    struct span part = span_part(bytes, 0, lane->left);
    lane->left -= (uint32_t)part.size;
    tds_smp_data(s, lane, part);
    if (lane->left == 0 && lane->unit == UNIT_SMP) {
        lane->unit = UNIT_HEADER;
        lane->header_have = 0;
    }
    return span_from(bytes, part.size);
}

/* In the midst of a TDS packet, or before the last one of a message: known by what was captured of it without a loss. */
bool tds_lane_amid_message(const struct tds_lane *lane)
{
    bool known = lane->started && !lane->tentative && lane->unit != UNIT_LOST;
    return known && (lane->left > 0 || lane->header_have > 0 || lane->in_message);
}

/* A response that cannot be told apart is still an answer. */
static void note_lost_bytes(struct tds_state *s, struct tds_channel *channel, const struct tds_lane *lane)
{
    if (s->recognised && lane->role == SIDE_SERVER && channel->awaiting)
        tds_answer_begins(s, channel, s->at);
}

void tds_lane_data(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, struct span bytes)
{
    if (lane->unit == UNIT_LOST) {
        note_lost_bytes(s, channel, lane);
        if (!tds_may_begin(s, lane, bytes)) {
            tds_candidate_nothing(s);
            return;
        }
        lane->unit = UNIT_HEADER;
        lane->header_have = 0;
        lane->tentative = true;
    }
    while (bytes.size > 0 && !tds_stopped(s)) {
        switch ((enum tds_unit)lane->unit) {
        case UNIT_LOST:
            return;
        case UNIT_HEADER:
            bytes = take_header(s, channel, lane, bytes);
            break;
        case UNIT_TDS:
            bytes = take_packet(s, channel, lane, bytes);
            break;
        case UNIT_TLS:
            bytes = take_record(s, channel, lane, bytes);
            break;
        case UNIT_SMP:
            bytes = take_smp(s, lane, bytes);
            break;
        }
    }
}

static void tokens_gap(struct tds_state *s, struct tds_lane *lane, uint32_t n)
{
    struct token_sink sink = tds_token_sink(s);
    bool walked = !lane->walker.stopped;
    token_walker_gap(&lane->walker, n, &sink);
    if (walked && lane->walker.stopped)
        tds_answer_lost(s);
}

static void packet_gap(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint32_t n)
{
    switch ((enum tds_body)lane->body) {
    case BODY_SKIP:
        break;
    case BODY_UNDECIDED:
        tds_body_begin(s, channel, lane, 0);
        if (lane->body == BODY_TOKENS)
            tokens_gap(s, lane, n);
        else
            lane->body = BODY_SKIP;
        break;
    case BODY_GATHER:
        finish_gather(s, channel, lane);
        break;
    case BODY_TOKENS:
        tokens_gap(s, lane, n);
        break;
    case BODY_TLS:
        for (uint64_t rest = n, taken; rest > 0; rest -= taken) {
            taken = tds_tls_gap(s, lane, rest);
            if (taken == 0)
                break;
        }
        break;
    }
    lane->tail_have = 0;
}

static uint64_t gap_in_packet(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint64_t n)
{
    uint32_t part = n < lane->left ? (uint32_t)n : lane->left;
    lane->left -= part;
    packet_gap(s, channel, lane, part);
    if (!tds_stopped(s) && lane->unit == UNIT_TDS && lane->left == 0)
        end_packet(s, channel, lane);
    return part;
}

static uint64_t gap_in_record(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint64_t n)
{
    uint64_t part = tds_tls_gap(s, lane, n);
    if (lane->role == SIDE_SERVER)
        tds_answer_goes_on(s, channel);
    if (part > 0 && tls_reader_between(&s->tls[lane->number])) {
        lane->unit = UNIT_HEADER;
        lane->header_have = 0;
    }
    return part;
}

static uint64_t gap_in_smp(struct tds_state *s, struct tds_lane *lane, uint64_t n)
{
    uint32_t part = n < lane->left ? (uint32_t)n : lane->left;
    lane->left -= part;
    tds_smp_gap(s, lane, part);
    if (lane->left == 0 && lane->unit == UNIT_SMP) {
        lane->unit = UNIT_HEADER;
        lane->header_have = 0;
    }
    return part;
}

void tds_lane_gap(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint64_t n)
{
    while (n > 0 && !tds_stopped(s)) {
        uint64_t part = 0;
        switch ((enum tds_unit)lane->unit) {
        case UNIT_LOST:
            note_lost_bytes(s, channel, lane);
            return;
        case UNIT_HEADER:
            break;
        case UNIT_TDS:
            part = gap_in_packet(s, channel, lane, n);
            break;
        case UNIT_TLS:
            part = gap_in_record(s, channel, lane, n);
            break;
        case UNIT_SMP:
            part = gap_in_smp(s, lane, n);
            break;
        }
        if (part == 0 && !tds_stopped(s)) {
            tds_lane_lose(s, channel, lane);
            note_lost_bytes(s, channel, lane);
            return;
        }
        n -= part;
    }
}
