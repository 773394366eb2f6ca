/* Captures that come through pipes beside others: kept, so that they can be read again for comparing. And compressed ones that are not read
 * from front to back. */
#ifndef TDSCOPE_SPOOLED_PIPES_H
#define TDSCOPE_SPOOLED_PIPES_H

#include "capture_facts.h"
#include "os_spool.h"

struct spooled_pipe {
    char *path; /* as given; owned */
    struct os_spool spool;
    struct error cut; /* why not all of it is kept; empty: it is */
};

struct spooled_pipes {
    struct spooled_pipe **list;
    uint32_t count;
};

/* The spool of that path, filled the first time; NULL: it can be read as it is, or cannot be spooled, and has to be. */
const struct spooled_pipe *spooled_pipes_need(struct spooled_pipes *pipes, const char *path);

/* Likewise of a path that is given alone, but for a capture that can be read as it comes: it may have no end. *source: the open
 * file that has to be read instead; NULL: there is none. */
const struct spooled_pipe *spooled_pipes_need_alone(struct spooled_pipes *pipes, const char *path,
                                                    struct os_file **source);

void spooled_pipes_close(struct spooled_pipes *pipes);

#endif
