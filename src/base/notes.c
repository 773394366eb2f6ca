/* Counted notes. */
#include "notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

/* Of none yet when it is the first; NULL: the list is full. */
static struct note *of_kind(struct notes *notes, const char *kind)
{
    for (uint32_t i = 0; i < notes->count; i++)
        if (strcmp(notes->list[i].kind, kind) == 0)
            return &notes->list[i];
    if (notes->count == NOTES_MAX)
        return NULL;
    if (!notes->list)
        notes->list = memory_take_array(NOTES_MAX, sizeof *notes->list);
    notes->list[notes->count].kind = kind;
    return &notes->list[notes->count++];
}

void notes_add(struct notes *notes, const char *kind, const char *format, ...)
{
    struct note *note = of_kind(notes, kind);
    if (!note) {
        notes->dropped++;
        return;
    }
    if (note->count++ > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note->text, sizeof note->text, format, arguments);
    va_end(arguments);
}

void notes_append(struct notes *notes, struct notes *others)
{
    for (uint32_t i = 0; i < others->count; i++) {
        const struct note *other = &others->list[i];
        struct note *note = of_kind(notes, other->kind);
        if (!note) {
            notes->dropped += other->count;
            continue;
        }
        if (note->count == 0)
            memcpy(note->text, other->text, sizeof note->text);
        note->count += other->count;
    }
    notes->dropped += others->dropped;
    notes_close(others);
}

void notes_close(struct notes *notes)
{
    memory_give(notes->list);
    *notes = (struct notes){0};
}
