/*
 * Readers of capture files: one file each, ending in a `const struct capture_reader`, and one line in readers.def.
 *
 * A reader sees the file through a window (window.h) only, so files, pipes and compressed files are the same to it. It never fails on damaged input that it can step over: it notes (kind and sentence with offset) and goes on.
 */
#ifndef TDSCOPE_READER_H
#define TDSCOPE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture_facts.h"
#include "error.h"
#include "frame.h"
#include "span.h"
#include "window.h"

enum { READER_PROBE_BYTES = 96 };

/* No more can be captured of one packet: libpcap's MAXIMUM_SNAPLEN, which Wireshark keeps, too. A longer one is damage. */
enum { READER_FRAME_MAX_BYTES = 262144 };

enum reader_result {
    READER_FRAME, /* *frame is filled */
    READER_END,   /* the file ended where it should */
    READER_BROKEN /* *error says where and why reading could not go on; what came before stands */
};

struct capture_reader {
    const char *name;  /* "pcapng", as in the report */
    size_t state_size; /* bytes of private state, zeroed before open() */
    bool jumps;        /* it reads here and there (window_read_at()), which no pipe allows */
    /* Whether a file that begins so is of this format. head may be shorter than READER_PROBE_BYTES: the file is. */
    bool (*recognises)(struct span head);
    /* Reads the file header. facts->notes takes what is odd; false with *error when nothing can be read. */
    bool (*open)(void *state, struct window *window, struct capture_facts *facts, struct error *error);
    enum reader_result (*next)(void *state, struct window *window, struct capture_facts *facts, struct frame *frame,
                               struct error *error);
    void (*close)(void *state); /* frees what state holds; may be NULL */
};

/* What a reader says, with READER_BROKEN, when a peek or skip came back short: the system's refusal, or "the file ends
 * in the middle of <what> <number> at offset <offset>: <there> of <wanted> bytes are there". what is "packet", "block". */
struct reader_cut {
    const char *what;
    uint64_t number;
    uint64_t offset;
    uint64_t there;
    uint64_t wanted;
};
enum reader_result reader_broken_by_end(const struct window *window, struct reader_cut cut, struct error *error);

/* The format of a file that begins with head, or NULL. */
const struct capture_reader *capture_reader_for(struct span head);

#endif
