/* Requests and the times of their answers (MS-TDS 3.2.5.6, 2.2.6.6), in each channel by itself. */
#include <string.h>

#include "cursor.h"
#include "memory.h"
#include "tds_state.h"

static void drop_name(struct procedure_name *name)
{
    memory_give(name->bytes);
    *name = (struct procedure_name){0};
}

static void copy_name(struct procedure_name *to, const struct procedure_name *from)
{
    if (to->size != from->size) {
        drop_name(to);
        if (from->size > 0)
            to->bytes = memory_take(from->size);
        to->size = from->size;
    }
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, from->size);
}

void tds_channel_close(struct tds_channel *channel)
{
    for (unsigned i = 0; i < SIDES; i++)
        tds_lane_close(&channel->lanes[i]);
    drop_name(&channel->procedure);
}

static const char *stored(struct tds_state *s, const struct procedure_name *name)
{
    return tds_store_name(s, (struct span){name->bytes, name->size}, true);
}

/* Of an encrypted answer nothing but its bytes is seen: it ends with the last of them, when the client speaks
 * again or nothing more comes. */
static void end_encrypted_answer(struct tds_state *s, struct tds_channel *channel)
{
    if (channel->answering && channel->answer_last_ns > 0)
        tds_answer_ends(s, channel, channel->answer_last_ns);
}

void tds_requests_close(struct tds_state *s)
{
    if (s->recognised) {
        end_encrypted_answer(s, &s->main);
        s->facts->last_request_is.procedure = stored(s, &s->last_procedure);
        s->facts->slowest_request_is.procedure = stored(s, &s->slowest_procedure);
    }
    drop_name(&s->last_procedure);
    drop_name(&s->slowest_procedure);
}

static void count_time(struct response_times *times, int64_t wait_ns)
{
    const int64_t ms_ns = 1000000;
    unsigned bin = 0;
    for (int64_t limit_ns = ms_ns; wait_ns >= limit_ns && bin < RESPONSE_TIME_BINS - 1; limit_ns *= 2)
        bin++;
    times->count++;
    times->sum_ns += wait_ns;
    times->bins[bin]++;
}

void tds_request_begins(struct tds_state *s, struct tds_channel *channel, const struct moment *begin)
{
    end_encrypted_answer(s, channel);
    /* Without the login, the first request that is seen is not the first. */
    if (s->from_start || tds_step_seen(s, LOGIN_STEP_LOGIN) || tds_step_seen(s, LOGIN_STEP_LOGIN_ANSWER))
        tds_step(s, LOGIN_STEP_FIRST_REQUEST, begin);
    s->facts->requests++;
    s->facts->last_request = *begin;
    s->facts->request_unanswered = true;
    s->last_request = channel;
    channel->awaiting = true;
    channel->answering = false;
    channel->answer_last_ns = 0;
    channel->request_ended = false;
    channel->request_begin = *begin;
    tds_request_is(s, channel, TDS_MESSAGES, 0);
}

/* What the channel's latest request is. */
void tds_request_is(struct tds_state *s, struct tds_channel *channel, enum tds_message message, uint16_t procedure_id)
{
    channel->request_is = (struct tds_request){.message = (uint8_t)message, .procedure_id = procedure_id};
    drop_name(&channel->procedure);
    if (s->last_request != channel)
        return;
    s->facts->last_request_is = channel->request_is;
    drop_name(&s->last_procedure);
}

void tds_request_goes_on(struct tds_state *s, struct tds_channel *channel)
{
    channel->request_ended = true;
    channel->request_end_ns = s->at->time_ns;
}

void tds_answer_begins(struct tds_state *s, struct tds_channel *channel, const struct moment *begin)
{
    struct tds_facts *facts = s->facts;
    facts->last_response = *begin;
    if (s->last_request == channel)
        facts->request_unanswered = false;
    if (!channel->awaiting)
        return;
    channel->awaiting = false;
    facts->answered++;
    int64_t wait_ns = begin->time_ns - channel->request_end_ns;
    if (!channel->request_ended || wait_ns < 0)
        return;
    channel->answering = true;
    count_time(&facts->first_bytes, wait_ns);
    if (wait_ns <= facts->slowest_response_ns && moment_seen(&facts->slowest_request))
        return;
    facts->slowest_response_ns = wait_ns;
    facts->slowest_request = channel->request_begin;
    facts->slowest_request_is = channel->request_is;
    copy_name(&s->slowest_procedure, &channel->procedure);
}

/* Encrypted bytes of the server, which may or may not be the last of an answer. */
void tds_answer_goes_on(struct tds_state *s, struct tds_channel *channel)
{
    if (channel->answering)
        channel->answer_last_ns = s->at->time_ns;
}

void tds_answer_ends(struct tds_state *s, struct tds_channel *channel, int64_t end_ns)
{
    if (!channel->answering)
        return;
    channel->answering = false;
    int64_t whole_ns = end_ns - channel->request_end_ns;
    if (whole_ns < 0)
        return;
    struct tds_facts *facts = s->facts;
    count_time(&facts->ends, whole_ns);
    if (whole_ns <= facts->slowest_end_ns && moment_seen(&facts->slowest_end_request))
        return;
    facts->slowest_end_ns = whole_ns;
    facts->slowest_end_request = channel->request_begin;
}

/* RPCRequest (2.2.6.6): behind ALL_HEADERS (2.2.5.3, from TDS 7.2 on) the procedure's name, or 0xffff and its number.
 * The parameters that follow are not read. */
void tds_read_rpc(struct tds_state *s, struct tds_channel *channel, struct span body)
{
    enum { BY_NUMBER = 0xffff, HEADERS_MIN = 4, NAME_BYTES_MAX = 512 };
    struct cursor c = cursor_over(body);
    if (!s->dialect.before_72) {
        uint32_t headers = cursor_u32le(&c);
        if (headers < HEADERS_MIN)
            return;
        cursor_skip(&c, headers - HEADERS_MIN);
    }
    uint16_t characters = cursor_u16le(&c);
    if (characters == BY_NUMBER) {
        uint16_t number = cursor_u16le(&c);
        if (!c.failed)
            tds_request_is(s, channel, TDS_RPC, number);
        return;
    }
    struct span name = cursor_take(&c, (size_t)characters * 2);
    if (c.failed || name.size == 0 || name.size > NAME_BYTES_MAX)
        return;
    struct procedure_name seen = {.bytes = memory_take(name.size), .size = (uint16_t)name.size};
    memcpy(seen.bytes, name.data, name.size);
    copy_name(&channel->procedure, &seen);
    if (s->last_request == channel)
        copy_name(&s->last_procedure, &seen);
    drop_name(&seen);
}
