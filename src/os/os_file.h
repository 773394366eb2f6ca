/* Reads a file, a pipe, standard input or plain memory from front to back, and what is compressed as what it unpacks to. */
#ifndef TDSCOPE_OS_FILE_H
#define TDSCOPE_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "span.h"

struct os_file;

/* Compressed again and again is nothing that people do. */
enum { OS_FILE_LAYERS_MOST = 3 };

/* Opens for reading; "-" is standard input. NULL with *error when the system refuses or path is a folder. What is compressed, by its
 * content, is unpacked on the way, up to OS_FILE_LAYERS_MOST times. */
struct os_file *os_file_open(const char *path, struct error *error);

/* A file that holds these bytes; they are not copied and must outlive it. Behaves as a pipe. */
struct os_file *os_file_from_memory(struct span bytes);

/* What a file that is open, and was not read yet, unpacks to; the file itself when it is not compressed. Owns it from here on. */
struct os_file *os_file_unpack(struct os_file *file);

/* Closes (standard input stays open) and frees; NULL is fine. */
void os_file_close(struct os_file *file);

/* Reads at least one and at most size bytes; *got is 0 only at the end of the file. False with *error, which does not name the file, when
 * the system refuses, or no more can be unpacked. size must not be 0. */
bool os_file_read(struct os_file *file, void *buffer, size_t size, size_t *got, struct error *error);

/* Reads the bytes at that offset, as many as there are of size; where os_file_read() goes on does not change. False with *error when the
 * system refuses, or for what cannot seek. */
bool os_file_read_at(struct os_file *file, uint64_t offset, void *buffer, size_t size, size_t *got,
                     struct error *error);

/* Whether os_file_read_at() can: regular files, and memory, unless they are compressed. */
bool os_file_can_seek(const struct os_file *file);

/* Gives bytes that were just read once more, before all others. */
void os_file_put_back(struct os_file *file, struct span bytes);

/* Moves past bytes without reading them. False, with nothing moved, for what cannot seek or has no more than that many
 * bytes left: then they have to be read. */
bool os_file_skip(struct os_file *file, uint64_t bytes);

/* The size now, for regular files and memory; false for all that is only known at its end. */
bool os_file_size(const struct os_file *file, uint64_t *bytes);

/* Whether it is unpacked on the way. */
bool os_file_is_packed(const struct os_file *file);

/* Bytes of the file as it is stored that were read so far, and of how many. */
uint64_t os_file_stored_read(const struct os_file *file);
bool os_file_stored_size(const struct os_file *file, uint64_t *bytes);

/* Whether the same path can be opened again and gives the same bytes: regular files, not pipes or standard input. */
bool os_file_can_reopen(const struct os_file *file);

/* The path as given to os_file_open(); "memory" for memory. */
const char *os_file_path(const struct os_file *file);

#endif
