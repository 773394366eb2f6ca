/*
 * A text file of any of the encodings that Windows and Linux programs write, as UTF-8.
 *
 * cmd.exe redirects in an OEM code page, Windows PowerShell 5 in UTF-16LE, PowerShell 7 and Linux in UTF-8; SQL Server writes its
 * ERRORLOG in UTF-16LE. The byte order mark tells, else the zeros of the first bytes. What is not UTF-8 is read as Windows-1252:
 * letters beyond ASCII may then be wrong, which no reader rests on.
 */
#ifndef TDSCOPE_DECODED_TEXT_H
#define TDSCOPE_DECODED_TEXT_H

#include <stdbool.h>

#include "os_file.h"
#include "span.h"
#include "text.h"

enum text_encoding { TEXT_UTF8, TEXT_UTF16LE, TEXT_UTF16BE, TEXT_WINDOWS_1252, TEXT_BINARY, TEXT_ENCODINGS };

extern const char *const text_encoding_names[TEXT_ENCODINGS];

enum { TEXT_CHUNK_BYTES = 65536 };

struct decoded_text {
    struct os_file *file;
    enum text_encoding encoding;
    uint8_t raw[TEXT_CHUNK_BYTES]; /* as in the file */
    size_t raw_size;               /* bytes in raw that are not decoded yet */
    bool at_end;
    bool broken;        /* it ends where it should not: */
    struct error error; /* why */
    struct text utf8;   /* the chunk that was handed on last */
};

/* Takes the file over and reads its first chunk. False with *error when the system refuses: then the file is closed. */
bool decoded_text_open(struct decoded_text *text, struct os_file *file, struct error *error);
void decoded_text_close(struct decoded_text *text);

/* The bytes at the file's begin, as they are. */
struct span decoded_text_head(const struct decoded_text *text);

/* The next chunk as UTF-8 without byte order mark, valid until the next call; size 0: the end. Broken sequences become U+FFFD. False with
 * *error when the system refuses to read on. */
bool decoded_text_next(struct decoded_text *text, struct span *chunk, struct error *error);

#endif
