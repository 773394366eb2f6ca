/* Reads a file, a pipe, standard input or plain memory from front to back. */
#ifndef TDSCOPE_OS_FILE_H
#define TDSCOPE_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "span.h"

struct os_file;

/* Opens for reading; "-" is standard input. NULL with *error when the system refuses or path is a folder. */
struct os_file *os_file_open(const char *path, struct error *error);

/* A file that holds these bytes; they are not copied and must outlive it. Behaves as a pipe. */
struct os_file *os_file_from_memory(struct span bytes);

/* Closes (standard input stays open) and frees; NULL is fine. */
void os_file_close(struct os_file *file);

/* Reads at least one and at most size bytes; *got is 0 only at the end of the file. False with *error when the system
 * refuses. size must not be 0. */
bool os_file_read(struct os_file *file, void *buffer, size_t size, size_t *got, struct error *error);

/* Reads the bytes at that offset, as many as there are of size; where os_file_read() goes on does not change. False with *error when the
 * system refuses, or for what cannot seek. */
bool os_file_read_at(struct os_file *file, uint64_t offset, void *buffer, size_t size, size_t *got,
                     struct error *error);

/* Whether os_file_read_at() can: regular files, and memory. */
bool os_file_can_seek(const struct os_file *file);

/* Gives bytes that were just read once more, before all others. */
void os_file_put_back(struct os_file *file, struct span bytes);

/* Moves past bytes without reading them. False, with nothing moved, for what cannot seek or has no more than that many
 * bytes left: then they have to be read. */
bool os_file_skip(struct os_file *file, uint64_t bytes);

/* The size now, for regular files and memory; false for all that is only known at its end. */
bool os_file_size(const struct os_file *file, uint64_t *bytes);

/* Whether the same path can be opened again and gives the same bytes: regular files, not pipes or standard input. */
bool os_file_can_reopen(const struct os_file *file);

/* The path as given to os_file_open(); "memory" for memory. */
const char *os_file_path(const struct os_file *file);

#endif
