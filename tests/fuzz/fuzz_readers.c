/* Fuzz target: these bytes are a capture that comes through a pipe, compressed or not, and are read to the end. */
#include <stdint.h>
#include <stdlib.h>

#include "capture_file.h"
#include "notes.h"
#include "os_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sum; /* keeps the reading of bytes from being left out */

/* No frame is longer than can be captured, and its numbers hold what frame.h promises. */
static void check_frame(const struct frame *frame)
{
    if (frame->bytes.size > READER_FRAME_MAX_BYTES || frame->wire_length < frame->bytes.size ||
        frame->moment.frame == 0)
        abort();
    for (size_t i = 0; i < frame->bytes.size; i++)
        sum += frame->bytes.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct capture_facts facts = {0};
    struct capture_file capture;
    struct error error = {{0}};
    struct os_file *file = os_file_unpack(os_file_from_memory((struct span){data, size}));
    if (capture_file_open_over(&capture, file, &facts, &error) == CAPTURE_OPENED) {
        struct frame frame;
        uint64_t packets = 0;
        while (capture_file_next(&capture, &frame)) {
            check_frame(&frame);
            packets++;
        }
        capture_file_close(&capture);
        if (packets != facts.packets)
            abort();
    } else if (error.text[0] == '\0' || !facts.failed) {
        abort();
    }
    notes_close(&facts.notes);
    return 0;
}
