/* Names, instances and tickets that gave trouble, with their frames. */
#include "text_around.h"

#include <inttypes.h>

#include "around_names.h"
#include "text.h"
#include "text_layout.h"

/* SQL Server's clients wait 15 s for a connection by default; a second lost before its first packet is worth a line. */
#define SLOW_NS NS_PER_SECOND

/* Asked less than this before the capture ends: the answer may have come after it. */
#define PATIENCE_NS NS_PER_SECOND

enum { TROUBLES_SHOWN = 12 };

struct section {
    const struct casebook *casebook;
    struct sink *sink;
    uint32_t shown, beyond;
};

static bool unanswered(const struct casebook *casebook, const struct exchange_facts *e)
{
    if (!exchange_open(e) || e->refusal.count > 0 || e->point >= casebook->point_count)
        return false;
    return casebook->points[e->point].last_ns - e->last_asked.time_ns >= PATIENCE_NS;
}

/* What went wrong with any exchange; false: nothing. */
static bool tell_trouble(const struct casebook *casebook, const struct exchange_facts *e, struct text *line)
{
    char wait[QUANTITY_TEXT_SIZE], address[ADDRESS_TEXT_SIZE];
    if (exchange_open(e) && e->refusal.count > 0)
        text_format(line, "was refused by ICMP from %s (frame %" PRIu32 ")",
                    address_text(&e->refusal.reporter, address), e->refusal.first.frame);
    else if (unanswered(casebook, e))
        text_format(line, "got no answer to %" PRIu32 " tr%s", e->tries, e->tries == 1 ? "y" : "ies");
    else if (exchange_wait_ns(e) >= SLOW_NS)
        text_format(line, "was answered after %s (frame %" PRIu32 ")", layout_duration(exchange_wait_ns(e), wait),
                    e->answered.frame);
    else
        return false;
    return true;
}

static void put_line(struct section *section, const struct exchange_facts *e, const char *what, const char *trouble)
{
    if (section->shown == TROUBLES_SHOWN) {
        section->beyond++;
        return;
    }
    if (section->shown++ == 0)
        layout_heading(section->sink, "Names, instances and tickets");
    char clock[CLOCK_TEXT_SIZE], client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    const struct moment *at = moment_seen(&e->asked) ? &e->asked : &e->answered;
    struct text line = {0};
    text_format(&line, "%s, asked by %s at %s%s, %s.", what, address_text(&e->client.address, client),
                endpoint_text(&e->server, server), e->over_tcp ? " over TCP" : "", trouble);
    sink_format(section->sink, "  frame %-8" PRIu32 "  %s  ", at->frame,
                layout_clock(section->sink, at->time_ns, clock));
    layout_paragraph(section->sink, 32, 32, text_string(&line));
    text_close(&line);
}

/* LLMNR and mDNS ask everybody, and mostly nobody answers. */
static bool name_trouble(const struct casebook *casebook, const struct name_lookup *lookup, struct text *line)
{
    char rcode[AROUND_NAME_SIZE];
    if (lookup->service != NAME_SERVICE_DNS)
        return false;
    if (tell_trouble(casebook, &lookup->exchange, line))
        return true;
    if (lookup->exchange.answers == 0 || lookup->rcode == 0)
        return false;
    text_format(line, "failed: %s (frame %" PRIu32 ")", dns_rcode_name(lookup->rcode, rcode),
                lookup->exchange.answered.frame);
    return true;
}

static void put_names(struct section *section)
{
    struct text trouble = {0}, what = {0};
    for (uint32_t number = 0; number < section->casebook->name_lookups.in_use; number++) {
        const struct name_lookup *lookup = casebook_name_lookup(section->casebook, number);
        char type[AROUND_NAME_SIZE];
        text_clear(&trouble);
        if (!name_trouble(section->casebook, lookup, &trouble))
            continue;
        text_clear(&what);
        text_format(&what, "DNS name %s (%s)", lookup->name ? lookup->name : "(not captured)",
                    lookup->name ? dns_type_name(lookup->type, type) : "?");
        put_line(section, &lookup->exchange, text_string(&what), text_string(&trouble));
    }
    text_close(&trouble);
    text_close(&what);
}

static void put_instances(struct section *section)
{
    struct text trouble = {0}, what = {0};
    for (uint32_t number = 0; number < section->casebook->instance_lookups.in_use; number++) {
        const struct instance_lookup *lookup = casebook_instance_lookup(section->casebook, number);
        text_clear(&trouble);
        if (!tell_trouble(section->casebook, &lookup->exchange, &trouble))
            continue;
        text_clear(&what);
        bool dac = lookup->question == INSTANCE_QUESTION_DAC;
        text_format(&what, "SQL Server Browser: %s%s", dac ? "dedicated administrator connection of " : "",
                    lookup->instance ? lookup->instance
                    : dac            ? "the default instance"
                                     : "all instances");
        put_line(section, &lookup->exchange, text_string(&what), text_string(&trouble));
    }
    text_close(&trouble);
    text_close(&what);
}

static bool ticket_trouble(const struct casebook *casebook, const struct ticket_request *ticket, struct text *line)
{
    char name[AROUND_NAME_SIZE];
    if (tell_trouble(casebook, &ticket->exchange, line))
        return true;
    bool usual = ticket->error_code == KERBEROS_PREAUTH_REQUIRED ||
                 (ticket->error_code == KERBEROS_RESPONSE_TOO_BIG && ticket->retried_over_tcp);
    if (!ticket->failed || usual)
        return false;
    text_format(line, "failed: %s (frame %" PRIu32 ")", kerberos_error_name(ticket->error_code, name),
                ticket->exchange.answered.frame);
    return true;
}

static void put_tickets(struct section *section)
{
    struct text trouble = {0}, what = {0};
    for (uint32_t number = 0; number < section->casebook->tickets.in_use; number++) {
        const struct ticket_request *ticket = casebook_ticket(section->casebook, number);
        text_clear(&trouble);
        if (!ticket_trouble(section->casebook, ticket, &trouble))
            continue;
        text_clear(&what);
        text_format(&what, "Kerberos ticket for %s", ticket->service ? ticket->service : "(not captured)");
        put_line(section, &ticket->exchange, text_string(&what), text_string(&trouble));
    }
    text_close(&trouble);
    text_close(&what);
}

void text_around(const struct report *report, struct sink *sink)
{
    struct section section = {.casebook = report->casebook, .sink = sink};
    put_instances(&section);
    put_tickets(&section);
    put_names(&section);
    if (section.beyond > 0)
        sink_format(sink, "  and %" PRIu32 " more: the JSON report lists them all.\n", section.beyond);
}
