/*
 * Fuzz target: frames of one link type go through the packet decoder, fragments included.
 *
 * The input: two bytes of link type, then for each frame two bytes of captured length, one of what the wire had more
 * (all little-endian), and the captured bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "memory.h"
#include "notes.h"
#include "packet_decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sum; /* keeps the reading of bytes from being left out */

/* What packet.h promises. */
static void check_packet(const struct packet *packet)
{
    if (packet->payload.size > packet->payload_length || packet->tcp.sack_count > 4 || packet->tcp.window_scale > 14)
        abort();
    for (size_t i = 0; i < packet->payload.size; i++)
        sum += packet->payload.data[i];
}

static void decode(struct packet_decoder *decoder, struct frame *frame, struct capture_facts *facts,
                   struct span captured)
{
    /* A block of its own, so that reading past it is noticed. */
    uint8_t *block = memory_take(captured.size > 0 ? captured.size : 1);
    if (captured.size > 0)
        memcpy(block, captured.data, captured.size);
    frame->bytes = (struct span){block, captured.size};
    struct packet packet;
    packet_decode(decoder, frame, facts, &packet);
    check_packet(&packet);
    memory_give(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor input = cursor_over((struct span){data, size});
    struct packet_decoder decoder;
    struct capture_facts facts = {0};
    struct frame frame = {.link_type = cursor_u16le(&input)};
    packet_decoder_open(&decoder);
    while (input.left > 0 && !input.failed) {
        size_t length = cursor_u16le(&input);
        uint8_t more = cursor_u8(&input);
        struct span captured = cursor_take(&input, length < input.left ? length : input.left);
        frame.moment.frame++;
        frame.moment.time_ns += NS_PER_MS;
        frame.wire_length = (uint32_t)captured.size + more;
        decode(&decoder, &frame, &facts, captured);
    }
    packet_decoder_close(&decoder);
    notes_close(&facts.notes);
    return 0;
}
