/* Where the report is written: standard output, or a file that appears only when it is complete. */
#ifndef TDSCOPE_OUTPUT_H
#define TDSCOPE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output {
    const char *path; /* NULL: standard output */
    char *temporary;  /* beside path; NULL: written directly (a device, a pipe, a symbolic link) */
    FILE *stream;
    int error;        /* errno of the first refused write */
    bool reader_gone; /* standard output is a pipe that nobody reads any more: no reason to complain */
};

/* Whether output_open() can be expected to work, asked before the long work. Leaves nothing behind. */
bool output_check(const char *path);

/* Whether path (NULL: standard output) may be written although evidence ("-": standard input) was read: not when they are the
 * same file, by whatever names. False with a sentence on standard error. */
bool output_spares(const char *path, const char *evidence);

/* path NULL: standard output. False (and a sentence on standard error) when the file can not be made. */
bool output_open(struct output *output, const char *path);
bool output_write(void *output, const char *bytes, size_t size); /* a tdscope_write */
/* Puts the file in its place. False (and a sentence) when something could not be written; then path is as before. */
bool output_finish(struct output *output);
void output_discard(struct output *output); /* leaves path as it was */

/* Whether what was printed to standard output got there; false with a sentence. */
bool output_printed(void);

#endif
