/* One capture file: opened by path, recognised by content, read packet by packet, and what is known of it. */
#ifndef TDSCOPE_CAPTURE_FILE_H
#define TDSCOPE_CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture_facts.h"
#include "error.h"
#include "frame.h"
#include "reader.h"
#include "window.h"

enum capture_opening {
    CAPTURE_OPENED,
    CAPTURE_ABSENT,        /* the system refuses to open or read it */
    CAPTURE_NOT_A_CAPTURE, /* empty, text, or of a content that is nothing known */
    CAPTURE_UNREADABLE     /* a capture, or packed so that it may be one, that cannot be read: damaged, not supported */
};

struct os_file;

struct capture_file {
    struct os_file *file; /* NULL: closed */
    struct window window;
    const struct capture_reader *reader;
    void *state;                 /* of the reader */
    struct capture_facts *facts; /* not owned */
    int64_t last_ns;             /* of the packet before */
    bool timed;                  /* a packet with a time was there before */
    bool ended;
};

/* Opens path ("-" is standard input) and reads the file header. facts gets its format, takes the statistics while the
 * file is read, and must outlive the capture_file; its file, role and point are left alone. Unless CAPTURE_OPENED,
 * *error is a sentence that names the file, facts->failed is set, and there is nothing to close. */
enum capture_opening capture_file_open(struct capture_file *capture, const char *path, struct capture_facts *facts,
                                       struct error *error);

/* The same for a file that is open already; owns it from here on, even if it fails. */
enum capture_opening capture_file_open_over(struct capture_file *capture, struct os_file *file,
                                            struct capture_facts *facts, struct error *error);

/* The next packet, counted in facts. False at the end: the file's own, or where it is broken (then facts->incomplete
 * is set, and the sentence is a note of the kind CAPTURE_BROKEN_NOTE). frame->bytes are valid until the next call; the
 * frame's moment.capture is 0. */
bool capture_file_next(struct capture_file *capture, struct frame *frame);

/* Bytes of the file, as it is stored, that were read so far. */
uint64_t capture_file_consumed(const struct capture_file *capture);

void capture_file_close(struct capture_file *capture); /* a closed one is fine */

struct capture_glimpse {
    const char *format;
    bool has_packet;
    int64_t first_ns; /* of the first packet in the file; 0 when there is none */
};

/* Format and first packet of a file, which is closed again: not for standard input and pipes, whose bytes would be lost.
 * Results and *error as capture_file_open(). */
enum capture_opening capture_file_peek(const char *path, struct capture_glimpse *glimpse, struct error *error);

#endif
