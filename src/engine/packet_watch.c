/*
 * Packets of chosen conversations. What a packet meant is read off the facts that it changed, so the floors below need
 * not know that anybody looks.
 */
#include "packet_watch.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* The facts that are compared, summed over both sides: roles may be exchanged by any packet. */
struct counted {
    uint64_t retransmits, keep_alives, duplicates, out_of_order, zero_windows, unseen, icmp;
    uint64_t messages[TDS_MESSAGES], encrypted_requests, encrypted_responses, tls_records, errors, attentions_done;
};

struct watched {
    struct counted before;
    uint32_t base[2]; /* sequence number that counts as 0: of the first sender, of the other one */
    bool base_known[2];
};

bool packet_watch_choose(struct packet_watch *watch, const char *choice)
{
    size_t digits = strspn(choice, "0123456789");
    if (digits > 0 && digits <= 9 && !choice[digits]) {
        watch->id = (uint32_t)strtoul(choice, NULL, 10);
        return watch->id != 0;
    }
    const char *colon = strrchr(choice, ':');
    if (!colon || colon == choice || strlen(choice) >= sizeof watch->end)
        return false;
    size_t port = strspn(colon + 1, "0123456789");
    if (port == 0 || port > 5 || colon[1 + port] || (strchr(choice, ':') != colon && choice[0] != '['))
        return false;
    memcpy(watch->end, choice, strlen(choice) + 1);
    return true;
}

static bool is_end(const struct packet_watch *watch, const struct endpoint *end)
{
    char text[ENDPOINT_TEXT_SIZE];
    return strcmp(endpoint_text(end, text), watch->end) == 0;
}

static bool is_other(const struct packet_watch *watch, uint32_t id)
{
    for (unsigned i = 0; i < watch->other_count; i++)
        if (watch->others[i] == id)
            return true;
    return false;
}

static bool chosen(const struct packet_watch *watch, const struct conversation *c)
{
    if (is_other(watch, c->id))
        return true;
    if (watch->id != 0)
        return c->id == watch->id;
    return is_end(watch, &c->ends[SIDE_CLIENT]) || is_end(watch, &c->ends[SIDE_SERVER]);
}

static struct counted count_facts(const struct conversation *c)
{
    struct counted counted = {.icmp = c->icmp.count};
    for (unsigned i = 0; i < SIDES; i++) {
        const struct tcp_side *side = &c->sides[i];
        counted.retransmits += side->retransmits;
        counted.keep_alives += side->keep_alives;
        counted.duplicates += side->capture_duplicates;
        counted.out_of_order += side->out_of_order;
        counted.zero_windows += side->zero_windows;
        counted.unseen += side->unseen_segments;
    }
    const struct tds_facts *tds = c->tds;
    if (!tds)
        return counted;
    for (unsigned i = 0; i < TDS_MESSAGES; i++)
        counted.messages[i] = tds->messages[i];
    counted.encrypted_requests = tds->encrypted_requests;
    counted.encrypted_responses = tds->encrypted_responses;
    counted.tls_records = tds->tls_records;
    counted.attentions_done = tds->attention_acknowledgements;
    counted.errors = tds->errors_beyond;
    for (unsigned i = 0; i < tds->error_kinds && i < TDS_ERROR_NUMBERS_MAX; i++)
        counted.errors += tds->errors[i].count;
    return counted;
}

static uint16_t marks_of(const struct counted *before, const struct counted *now)
{
    const struct {
        uint64_t before, now;
        enum shown_mark mark;
    } rows[] = {
        {before->retransmits, now->retransmits, SHOWN_RETRANSMISSION},
        {before->keep_alives, now->keep_alives, SHOWN_KEEP_ALIVE},
        {before->duplicates, now->duplicates, SHOWN_RECORDED_TWICE},
        {before->out_of_order, now->out_of_order, SHOWN_OUT_OF_ORDER},
        {before->zero_windows, now->zero_windows, SHOWN_ZERO_WINDOW},
        {before->unseen, now->unseen, SHOWN_AFTER_A_HOLE},
        {before->icmp, now->icmp, SHOWN_ICMP_ERROR},
        {before->encrypted_requests, now->encrypted_requests, SHOWN_ENCRYPTED_REQUEST},
        {before->encrypted_responses, now->encrypted_responses, SHOWN_ENCRYPTED_RESPONSE},
        {before->tls_records, now->tls_records, SHOWN_TLS_RECORD},
        {before->errors, now->errors, SHOWN_ERROR},
        {before->attentions_done, now->attentions_done, SHOWN_ATTENTION_DONE},
    };
    unsigned marks = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].now > rows[i].before)
            marks |= (unsigned)rows[i].mark;
    return (uint16_t)marks;
}

static uint32_t messages_of(const struct counted *before, const struct counted *now)
{
    uint32_t messages = 0;
    for (unsigned i = 0; i < TDS_MESSAGES; i++)
        if (now->messages[i] > before->messages[i])
            messages |= 1u << i;
    return messages;
}

/* A SYN takes number 0, so the stream begins with 1; without it, what comes first does. */
static void learn_bases(struct watched *w, unsigned sender, const struct packet *p)
{
    const struct tcp_header *tcp = &p->tcp;
    if (!w->base_known[sender]) {
        w->base[sender] = tcp->flags & TCP_SYN ? tcp->seq : tcp->seq - 1;
        w->base_known[sender] = true;
    }
    if (!w->base_known[1 - sender] && tcp->flags & TCP_ACK) {
        w->base[1 - sender] = tcp->ack - 1;
        w->base_known[1 - sender] = true;
    }
}

static struct shown_packet *next_place(struct shown_conversation *shown)
{
    shown->total++;
    if (shown->first_count < SHOWN_FIRST)
        return &shown->first[shown->first_count++];
    if (!shown->last)
        shown->last = memory_take_array(SHOWN_LAST, sizeof *shown->last);
    struct shown_packet *place = &shown->last[shown->last_at];
    shown->last_at = (shown->last_at + 1) % SHOWN_LAST;
    if (shown->last_count < SHOWN_LAST)
        shown->last_count++;
    return place;
}

static void keep_packet(struct shown_conversation *shown, struct watched *w, const struct conversation *c,
                        const struct packet *p)
{
    struct counted now = count_facts(c);
    bool from_first = endpoint_equal(&p->source, &shown->first_sender);
    unsigned sender = from_first ? 0 : 1;
    bool tcp = p->kind == PACKET_TCP;
    if (tcp)
        learn_bases(w, sender, p);
    *next_place(shown) = (struct shown_packet){
        .moment = p->moment,
        .seq = tcp ? p->tcp.seq - w->base[sender] : 0,
        .ack = tcp && p->tcp.flags & TCP_ACK ? p->tcp.ack - w->base[1 - sender] : 0,
        .payload_length = tcp ? p->payload_length : 0,
        .messages = messages_of(&w->before, &now),
        .window = tcp ? p->tcp.window : 0,
        .marks = marks_of(&w->before, &now),
        .flags = tcp ? p->tcp.flags : 0,
        .from_first = from_first,
    };
    w->before = now;
}

static unsigned place_of(struct packet_watch *watch, const struct conversation *c, const struct packet *p)
{
    struct shown_packets *shown = &watch->shown;
    for (unsigned i = 0; i < shown->count; i++)
        if (shown->conversations[i].id == c->id)
            return i;
    bool first_packet = c->packets == 1;
    if (!first_packet || p->kind != PACKET_TCP || !chosen(watch, c))
        return SHOWN_CONVERSATIONS;
    if (shown->count == SHOWN_CONVERSATIONS) {
        shown->beyond++;
        return SHOWN_CONVERSATIONS;
    }
    shown->conversations[shown->count] = (struct shown_conversation){
        .id = c->id, .first_sender = p->source, .first = memory_take_array(SHOWN_FIRST, sizeof(struct shown_packet))};
    watch->watched[shown->count] = memory_take(sizeof(struct watched));
    return shown->count++;
}

void packet_watch_see(void *context, const struct conversation *conversation, const struct packet *packet)
{
    struct packet_watch *watch = context;
    unsigned place = place_of(watch, conversation, packet);
    if (place < SHOWN_CONVERSATIONS)
        keep_packet(&watch->shown.conversations[place], watch->watched[place], conversation, packet);
}

static void drop(struct packet_watch *watch, unsigned place)
{
    struct shown_packets *shown = &watch->shown;
    memory_give(shown->conversations[place].first);
    memory_give(shown->conversations[place].last);
    memory_give(watch->watched[place]);
    shown->count--;
    for (unsigned i = place; i < shown->count; i++) {
        shown->conversations[i] = shown->conversations[i + 1];
        watch->watched[i] = watch->watched[i + 1];
    }
}

void packet_watch_settle(struct packet_watch *watch, const struct casebook *casebook)
{
    for (unsigned i = watch->shown.count; i-- > 0;) {
        const struct conversation *c = casebook_conversation(casebook, watch->shown.conversations[i].id - 1);
        if (watch->id == 0 && !is_other(watch, c->id) && !is_end(watch, &c->ends[SIDE_CLIENT]))
            drop(watch, i);
    }
    packet_crossings_join(&watch->crossings, casebook, &watch->shown.crossings);
}

static bool is_shown(const struct shown_packets *shown, uint32_t id)
{
    for (unsigned i = 0; i < shown->count; i++)
        if (shown->conversations[i].id == id)
            return true;
    return false;
}

bool packet_watch_choose_others(struct packet_watch *watch, const struct casebook *casebook)
{
    const struct shown_packets *shown = &watch->shown;
    for (unsigned i = 0; i < shown->count; i++) {
        const struct conversation *view =
            casebook_standing_view(casebook, casebook_conversation(casebook, shown->conversations[i].id - 1));
        for (uint32_t next = view->id; next && watch->other_count < PATH_POINTS_MOST;) {
            if (!is_shown(shown, next) && !is_other(watch, next))
                watch->others[watch->other_count++] = next;
            next = casebook_conversation(casebook, next - 1)->next_view;
        }
    }
    return watch->other_count > 0;
}

void packet_watch_empty(struct packet_watch *watch)
{
    while (watch->shown.count > 0)
        drop(watch, watch->shown.count - 1);
    memory_give(watch->shown.crossings.list);
    packet_crossings_close(&watch->crossings);
    watch->shown = (struct shown_packets){0};
}

void packet_watch_close(struct packet_watch *watch)
{
    packet_watch_empty(watch);
}
