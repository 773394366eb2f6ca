/*
 * Which program a process of a list of sockets is, by a list of processes of the same machine.
 *
 * A process ID is one machine's, and only while the process runs. So a list of processes speaks of a list of sockets only when nothing says that they are of two
 * machines, something says that they are of one (the same side, or the same folder, as SQLTrace leaves them), and it has every process
 * that has a socket. Where two such lists differ, no program is named.
 */
#ifndef TDSCOPE_PROCESS_NAMES_H
#define TDSCOPE_PROCESS_NAMES_H

#include "evidence_facts.h"
#include "hash_index.h"

struct process_names {
    const struct evidence *evidence;
    struct hash_index index; /* of its lists of processes */
    bool *speaks;            /* by source: of the list of sockets that is looked at */
};

/* process_names_close() gives back what it takes. */
void process_names_open(struct process_names *names, const struct evidence *evidence);
void process_names_close(struct process_names *names);

/* From here on names are those of this list of sockets, by the number of its source; processes: those that it has, each once. */
void process_names_choose(struct process_names *names, uint32_t sockets, const uint32_t *processes, uint32_t count);

/* NULL: not known. */
const char *process_names_of(const struct process_names *names, uint32_t process);

#endif
