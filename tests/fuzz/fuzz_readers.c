/* Fuzz target: any bytes through the window and the reader that recognises them; checks what the readers promise. */
#include <stdlib.h>

#include "capture_file.h"
#include "os_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t touched; /* so that every byte is really read */

static void check_frame(const struct frame *frame)
{
    if (frame->bytes.size > READER_FRAME_MAX_BYTES || frame->wire_length < frame->bytes.size || !frame->moment.frame)
        abort();
    for (size_t i = 0; i < frame->bytes.size; i++)
        touched = frame->bytes.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct capture_file capture;
    struct capture_facts facts = {0};
    struct error error = {0};
    struct frame frame;
    struct os_file *file = os_file_from_memory((struct span){data, size});
    enum capture_opening opening = capture_file_open_over(&capture, file, &facts, &error);
    if ((opening == CAPTURE_OPENED) == facts.failed || (facts.failed && !error.text[0]))
        abort();
    uint64_t packets = 0;
    while (capture_file_next(&capture, &frame)) {
        check_frame(&frame);
        packets++;
    }
    if (packets != facts.packets || (packets > 0 && facts.first_ns > facts.last_ns))
        abort();
    capture_file_close(&capture);
    notes_close(&facts.notes);
    return 0;
}
