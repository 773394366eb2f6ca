/* What went wrong while reading, counted by kind: the first of a kind keeps its sentence, later ones only count. */
#ifndef TDSCOPE_NOTES_H
#define TDSCOPE_NOTES_H

#include <stdint.h>

enum { NOTES_MAX = 32, NOTE_TEXT_SIZE = 256 };

struct note {
    const char *kind; /* a string literal: same pointer text, same kind */
    uint64_t count;
    char text[NOTE_TEXT_SIZE];
};

struct notes {
    struct note *list; /* NULL until the first note */
    uint32_t count;
    uint64_t dropped; /* of a further kind when the list was full */
};

/* Counts one of this kind; the first one is told by the sentence (printf rules, cut to fit). */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void notes_add(struct notes *notes, const char *kind, const char *format, ...);
void notes_append(struct notes *notes, struct notes *others); /* which are closed */
void notes_close(struct notes *notes);

#endif
