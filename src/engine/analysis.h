/* The one function that runs the line: from evidence to a verdict. */
#ifndef TDSCOPE_ANALYSIS_H
#define TDSCOPE_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "casebook.h"
#include "judge.h"
#include "os_files.h"
#include "packet_watch.h"
#include "set_clocks.h"
#include "spooled_pipes.h"
#include "text.h"

struct evidence_item {
    char *path;             /* as given: a file, a folder, a pattern, "-"; owned */
    enum capture_role role; /* CAPTURE_ROLE_UNKNOWN: to be inferred */
};

struct analysis {
    struct evidence_item *items;
    uint32_t item_count;
    struct thresholds thresholds;
    unsigned threads;      /* at most; 0: as many as there are processors, a few at most, where there is much to read */
    uint64_t memory_bytes; /* about the most to be taken; 0: no ceiling */
    bool may_fold;         /* what is folded at one capture point would be missed at no other one */
    void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
    void *progress_context;
    struct packet_watch watch;
    bool watching; /* packets of chosen conversations are kept */

    struct os_files paths; /* the files that the items mean; filled by analysis_run() */
    struct spooled_pipes pipes;
    struct set_clocks set_clocks; /* known once the captures were read */
    struct casebook casebook;
    struct judge judge;
    bool judged;
    char **warnings; /* sentences, owned */
    uint32_t warning_count;
};

enum analysis_result { ANALYSIS_DONE, ANALYSIS_INCOMPLETE, ANALYSIS_NOTHING };

void analysis_open(struct analysis *analysis);
void analysis_add(struct analysis *analysis, const char *path, enum capture_role role);
enum analysis_result analysis_run(struct analysis *analysis);
unsigned analysis_threads(const struct analysis *analysis); /* that it works with, at most */
void analysis_close(struct analysis *analysis);

#endif
