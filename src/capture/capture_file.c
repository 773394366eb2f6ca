/* One capture file, from opening to the last packet. */
#include "capture_file.h"

#include "foreign_format.h"
#include "memory.h"
#include "os_file.h"

/* Why no reader took the file. */
static enum capture_opening explain_unknown(struct capture_file *capture, struct error *error)
{
    const char *path = os_file_path(capture->file);
    struct span head = window_peek(&capture->window, FOREIGN_FORMAT_PROBE_BYTES);
    if (capture->window.error.text[0]) {
        error_set(error, "%s: %s", path, capture->window.error.text);
        return CAPTURE_ABSENT;
    }
    const struct foreign_format *format = foreign_format_of(head);
    if (head.size == 0)
        error_set(error, "%s is empty", path);
    else if (!format)
        error_set(error, "%s is not a packet capture that is known (pcap, pcapng, etl and netmon are)", path);
    else if (format->advice)
        error_set(error, "%s looks like %s: %s", path, format->looks_like, format->advice);
    else
        error_set(error, "%s looks like %s: no packet capture, and no log or report that can be read", path,
                  format->looks_like);
    return format && format->may_hold_capture ? CAPTURE_UNREADABLE : CAPTURE_NOT_A_CAPTURE;
}

static enum capture_opening open_reader(struct capture_file *capture, struct error *error)
{
    capture->reader = capture_reader_for(window_peek(&capture->window, READER_PROBE_BYTES));
    if (!capture->reader)
        return explain_unknown(capture, error);
    capture->facts->format = capture->reader->name;
    if (capture->reader->jumps && !os_file_can_seek(capture->file)) {
        error_set(error, "%s is a capture of the format %s, which cannot be read from a pipe: save it as a file",
                  os_file_path(capture->file), capture->reader->name);
        return CAPTURE_UNREADABLE;
    }
    capture->state = memory_take(capture->reader->state_size);
    struct error reason = {0};
    if (capture->reader->open(capture->state, &capture->window, capture->facts, &reason))
        return CAPTURE_OPENED;
    error_set(error, "%s is a %s file that cannot be read: %s", os_file_path(capture->file), capture->reader->name,
              reason.text);
    return CAPTURE_UNREADABLE;
}

enum capture_opening capture_file_open_over(struct capture_file *capture, struct os_file *file,
                                            struct capture_facts *facts, struct error *error)
{
    *capture = (struct capture_file){.file = file, .facts = facts};
    window_open(&capture->window, file);
    enum capture_opening opening = open_reader(capture, error);
    if (opening != CAPTURE_OPENED) {
        facts->failed = true;
        capture_file_close(capture);
    }
    return opening;
}

enum capture_opening capture_file_open(struct capture_file *capture, const char *path, struct capture_facts *facts,
                                       struct error *error)
{
    *capture = (struct capture_file){0};
    struct os_file *file = os_file_open(path, error);
    if (!file) {
        facts->failed = true;
        return CAPTURE_ABSENT;
    }
    return capture_file_open_over(capture, file, facts, error);
}

static void count_jump(struct capture_facts *facts)
{
    facts->last_backwards = (uint32_t)facts->packets;
    if (facts->time_backwards++ == 0)
        facts->first_backwards = facts->last_backwards;
}

static void count_backwards(struct capture_facts *facts, int64_t time_ns, int64_t by_ns)
{
    if (by_ns > NS_PER_SECOND)
        count_jump(facts);
    else if (by_ns > DISORDER_LEAST_NS)
        facts->out_of_order++;
    if (time_ns < facts->first_ns)
        facts->first_ns = time_ns;
}

static void count_time(struct capture_file *capture, int64_t time_ns)
{
    struct capture_facts *facts = capture->facts;
    if (!capture->timed)
        facts->first_ns = facts->last_ns = time_ns;
    else if (time_ns < capture->last_ns)
        count_backwards(facts, time_ns, capture->last_ns - time_ns);
    else if (time_ns > facts->last_ns)
        facts->last_ns = time_ns;
    capture->last_ns = time_ns;
    capture->timed = true;
}

static void count_frame(struct capture_file *capture, const struct frame *frame)
{
    struct capture_facts *facts = capture->facts;
    facts->packets++;
    facts->wire_bytes += frame->wire_length;
    if (frame->bytes.size < frame->wire_length) {
        facts->cut_packets++;
        if (frame->bytes.size > facts->longest_cut)
            facts->longest_cut = (uint32_t)frame->bytes.size;
    }
    if (!frame->timeless)
        count_time(capture, frame->moment.time_ns);
}

/* See TIME_EARLIEST_NS: only a damaged file goes beyond. */
static void clamp_time(struct capture_file *capture, struct frame *frame)
{
    int64_t time_ns = frame->moment.time_ns;
    if (time_ns >= TIME_EARLIEST_NS && time_ns <= TIME_LATEST_NS)
        return;
    frame->moment.time_ns = time_ns < TIME_EARLIEST_NS ? TIME_EARLIEST_NS : TIME_LATEST_NS;
    notes_add(&capture->facts->notes, "time out of range",
              "packet %u has a time before 1970 or after 2116; the nearest of them is used", frame->moment.frame);
}

bool capture_file_next(struct capture_file *capture, struct frame *frame)
{
    if (!capture->file || capture->ended)
        return false;
    struct error error;
    enum reader_result result = capture->reader->next(capture->state, &capture->window, capture->facts, frame, &error);
    if (result == READER_FRAME) {
        clamp_time(capture, frame);
        count_frame(capture, frame);
        return true;
    }
    capture->ended = true;
    if (result == READER_BROKEN) {
        capture->facts->incomplete = true;
        notes_add(&capture->facts->notes, CAPTURE_BROKEN_NOTE, "%s", error.text);
    }
    return false;
}

uint64_t capture_file_consumed(const struct capture_file *capture)
{
    return os_file_is_packed(capture->file) ? os_file_stored_read(capture->file) : capture->window.offset;
}

void capture_file_close(struct capture_file *capture)
{
    if (!capture->file)
        return;
    if (capture->state && capture->reader->close)
        capture->reader->close(capture->state);
    memory_give(capture->state);
    window_close(&capture->window);
    os_file_close(capture->file);
    *capture = (struct capture_file){0};
}

enum capture_opening capture_file_peek(const char *path, struct capture_glimpse *glimpse, struct error *error)
{
    struct capture_facts facts = {0};
    struct capture_file capture;
    struct frame frame;
    *glimpse = (struct capture_glimpse){0};
    enum capture_opening opening = capture_file_open(&capture, path, &facts, error);
    glimpse->format = facts.format;
    if (opening == CAPTURE_OPENED && capture_file_next(&capture, &frame)) {
        glimpse->has_packet = true;
        glimpse->first_ns = frame.moment.time_ns;
    }
    capture_file_close(&capture);
    notes_close(&facts.notes);
    return opening;
}
