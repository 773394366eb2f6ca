/* The options of all commands: one table of rows is parser, --help and check at once. */
#ifndef TDSCOPE_OPTIONS_H
#define TDSCOPE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <tdscope/tdscope.h>

#include "command.h"
#include "terminal.h"

struct evidence {
    const char *path;
    enum tdscope_role role;
};

struct options {
    struct evidence *evidence; /* in the order given */
    size_t evidence_count;
    const char *format;
    const char *output; /* NULL: standard output */
    uint16_t server_port;
    uint64_t memory_bytes;                /* 0: no ceiling */
    unsigned threads;                     /* 0: two, where there are two processors */
    struct tdscope_thresholds thresholds; /* zero: the usual one */
    int32_t utc_offset_s;
    enum when progress, colour;
    const char *system; /* that commands are asked for; NULL: not said */
    bool exit_code, quiet, marks;
    bool help;
};

/* Which commands take an option. */
enum { FOR_ANALYSIS = 1, FOR_EXPLAIN = 2, FOR_CONVERSATIONS = 4, FOR_COLLECT = 8 };

/* Reads the arguments; everything that is no option becomes evidence. On a wrong one says on standard error which and
 * what to do instead, and returns false. command names the one to ask for help. Close it in either case. */
bool options_parse(struct options *options, const struct command *command, unsigned takes, int argc, char **argv);
void options_close(struct options *options);

/* The help of a command: usage, its options, examples. */
void options_help(const struct command *command, unsigned takes, FILE *to);

#endif
