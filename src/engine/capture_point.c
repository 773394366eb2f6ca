/* One capture point: each frame goes through decoding and following, in that order. */
#include "capture_point.h"

#include "ceilings.h"
#include "ip.h"

void point_run_open(struct point_run *run, struct analysis *analysis, uint32_t point)
{
    *run = (struct point_run){.casebook = &analysis->casebook, .point = point};
    run->tds = (struct tds_options){.server_port = analysis->casebook.server_port, .servers = &run->servers};
    point_clock_open(&run->clock, &analysis->set_clocks, point);
    packet_decoder_open(&run->decoder);
    protocols_open(&run->protocols, run->casebook, point, &run->tds);
    struct stream_consumer consumer = protocols_consumer(&run->protocols);
    flow_table_open(&run->flows, run->casebook, &consumer);
    run->flows.point = point;
    run->flows.server_port = analysis->casebook.server_port;
    run->flows.ceiling = LIMIT_LIVE_CONVERSATIONS;
    if (analysis->watching) {
        run->flows.observe = packet_watch_see;
        run->flows.observe_context = &analysis->watch;
    }
}

static void hand_on_datagram(struct point_run *run, const struct packet *packet)
{
    struct datagram datagram = {.source = packet->source,
                                .destination = packet->destination,
                                .payload = packet->payload,
                                .length = packet->payload_length,
                                .at = packet->moment};
    protocols_datagram(&run->protocols, &datagram);
}

static void hand_on_refusal(struct point_run *run, const struct packet *packet)
{
    const struct icmp_error *icmp = &packet->icmp;
    struct datagram_refusal refusal = {.source = packet->source,
                                       .destination = packet->destination,
                                       .icmp = {.count = 1,
                                                .first = packet->moment,
                                                .version = icmp->version,
                                                .type = icmp->type,
                                                .code = icmp->code,
                                                .reporter = icmp->reporter}};
    protocols_refused(&run->protocols, &refusal);
}

void point_run_frame(struct point_run *run, const struct frame *read)
{
    struct frame told = *read;
    point_clock_follow(&run->clock, &read->moment);
    told.moment.time_ns += run->clock.shift_ns;
    const struct frame *frame = &told;
    struct capture_facts *facts = &run->casebook->captures[frame->moment.capture];
    struct point_facts *point = &run->casebook->points[run->point];
    facts->point = run->point;
    if (!point->has_packets || frame->moment.time_ns < point->first_ns)
        point->first_ns = frame->moment.time_ns;
    if (!point->has_packets || frame->moment.time_ns > point->last_ns)
        point->last_ns = frame->moment.time_ns;
    point->has_packets = true;
    struct packet packet;
    packet_decode(&run->decoder, frame, facts, &packet);
    if (packet.kind == PACKET_UDP)
        hand_on_datagram(run, &packet);
    else if (packet.kind == PACKET_ICMP_ERROR && packet.icmp.protocol == IP_PROTOCOL_UDP)
        hand_on_refusal(run, &packet);
    else
        flow_table_packet(&run->flows, &packet);
}

void point_run_close(struct point_run *run)
{
    flow_table_close(&run->flows);
    protocols_close(&run->protocols);
    packet_decoder_close(&run->decoder);
    if (run->flows.evicted == 0)
        return;
    for (uint32_t i = 0; i < run->casebook->capture_count; i++)
        if (run->casebook->captures[i].point == run->point)
            notes_add(&run->casebook->captures[i].notes, "conversation ceiling",
                      "more than %d conversations were open at once: %llu were concluded before their end",
                      LIMIT_LIVE_CONVERSATIONS, (unsigned long long)run->flows.evicted);
}
