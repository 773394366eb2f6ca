/* Fuzzes the packet floor: one byte picks the link type, then frames follow, each with a header of its own, so that
 * fragments can meet. */
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "packet_decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t link_types[] = {1, 101, 113, 276, 0, 108, 12, 9, 50, 51, 104, 105, 127, 192, 10, 239, 4711};

enum { FRAMES_MAX = 400 };

/* What the header of packet.h promises, whatever the input. */
static void check_packet(const struct packet *packet)
{
    if (packet->payload.size > packet->payload_length || packet->tcp.sack_count > 4 || packet->tcp.window_scale > 14)
        abort();
    if ((packet->kind == PACKET_TCP || packet->kind == PACKET_UDP) && packet->source.address.version == 0)
        abort();
    if (packet->kind == PACKET_ICMP_ERROR && packet->icmp.reporter.version != packet->icmp.version)
        abort();
    size_t sum = 0; /* so that the sanitizer sees whether the payload is memory that may be read */
    for (size_t i = 0; i < packet->payload.size; i++)
        sum += packet->payload.data[i];
    if (sum > packet->payload.size * UINT8_MAX)
        abort();
}

/* Each frame: captured length, and what the wire had more (two bytes each), and seconds since the one before. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor input = {data, size, false};
    struct packet_decoder decoder;
    packet_decoder_open(&decoder);
    struct capture_facts facts = {0};
    struct frame frame = {.link_type = link_types[cursor_u8(&input) % (sizeof link_types / sizeof *link_types)]};
    while (input.left > 0 && frame.moment.frame < FRAMES_MAX) {
        uint16_t captured = cursor_u16le(&input);
        uint16_t beyond = cursor_u16le(&input);
        uint8_t seconds = cursor_u8(&input);
        if (input.failed)
            break;
        struct span bytes = cursor_take(&input, captured < input.left ? captured : input.left);
        uint8_t *copy = malloc(bytes.size ? bytes.size : 1);
        if (bytes.size)
            memcpy(copy, bytes.data, bytes.size);
        frame.bytes = (struct span){copy, bytes.size};
        frame.wire_length = (uint32_t)bytes.size + beyond;
        frame.moment.frame++;
        frame.moment.time_ns += seconds * NS_PER_SECOND;
        struct packet packet;
        packet_decode(&decoder, &frame, &facts, &packet);
        check_packet(&packet);
        free(copy);
    }
    packet_decoder_close(&decoder);
    notes_close(&facts.notes);
    return 0;
}
