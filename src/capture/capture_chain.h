/*
 * The files of one capture point, read in order of time as one stream, whatever their names: a ring buffer's pieces, or
 * captures that overlap.
 *
 * Files are opened when the stream reaches the time of their first packet, and closed at their end, so that thousands of
 * pieces need one descriptor. Inside a file packets keep their order, even where its clock goes backwards.
 */
#ifndef TDSCOPE_CAPTURE_CHAIN_H
#define TDSCOPE_CAPTURE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture_facts.h"
#include "capture_file.h"
#include "error.h"
#include "frame.h"

/* Open at once. When more files overlap in time, the others wait until one ends; their packets come late, and a note of
 * such a file says so. Keeps memory (256 KiB a window) and descriptors bounded. */
enum { CHAIN_OPEN_MAX = 64 };

struct chain_file;
struct os_file;
struct window_keeper;

struct capture_chain {
    struct chain_file **files; /* sorted by the time of their first packet once reading has begun */
    size_t count;
    size_t capacity;
    size_t opened;                           /* files before this one were opened already */
    struct chain_file *heap[CHAIN_OPEN_MAX]; /* open files with a packet at hand, the earliest first */
    size_t heap_size;
    const struct window_keeper *keeper; /* of the windows; NULL: none */
    bool reading;
    bool delivered;          /* a packet was delivered: heap[0] has to move on before the next one */
    int64_t delivered_ns;    /* the time of the latest packet delivered */
    uint64_t consumed_bytes; /* of the files that are closed again */
    uint64_t total_bytes;
    bool total_known;
};

void capture_chain_open(struct capture_chain *chain);

/* Adds a file, before the first call of capture_chain_next(). capture is what its frames carry in moment.capture. facts
 * must stay at its address until the chain is closed; its statistics are filled while the stream is read. Anything but
 * CAPTURE_OPENED: nothing was added, *error names file and reason, and facts->failed is set. Pipes and standard input are
 * held open from here on. */
enum capture_opening capture_chain_add(struct capture_chain *chain, const char *path, uint32_t capture,
                                       struct capture_facts *facts, struct error *error);

/* The same for a file that is open already; owns it from here on, even if it fails. */
enum capture_opening capture_chain_add_over(struct capture_chain *chain, struct os_file *source, uint32_t capture,
                                            struct capture_facts *facts, struct error *error);

/* The time of the earliest first packet of the files added so far; INT64_MIN when one of them has none. */
int64_t capture_chain_first_ns(const struct capture_chain *chain);

/* From here on the bytes of all frames stay where they are, and the keeper says until when (see window.h); NULL: until the next frame.
 * Not owned. */
void capture_chain_keep_bytes(struct capture_chain *chain, const struct window_keeper *keeper);

/* The next packet of all files, valid until the next call; NULL at the end of the last. What cannot be read is in the facts of its
 * file (failed or incomplete, with a note); the other files go on. */
const struct frame *capture_chain_next(struct capture_chain *chain);

/* Bytes consumed so far, and of how many; *total is 0 when that is not known (a pipe). */
void capture_chain_progress(const struct capture_chain *chain, uint64_t *consumed, uint64_t *total);

void capture_chain_close(struct capture_chain *chain);

#endif
