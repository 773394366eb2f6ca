/* Counted notes. */
#include "notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

void notes_add(struct notes *notes, const char *kind, const char *format, ...)
{
    for (uint32_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->list[i].kind, kind) == 0) {
            notes->list[i].count++;
            return;
        }
    }
    if (notes->count == NOTES_MAX) {
        notes->dropped++;
        return;
    }
    if (!notes->list)
        notes->list = memory_take_array(NOTES_MAX, sizeof *notes->list);
    struct note *note = &notes->list[notes->count++];
    note->kind = kind;
    note->count = 1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note->text, sizeof note->text, format, arguments);
    va_end(arguments);
}

void notes_close(struct notes *notes)
{
    memory_give(notes->list);
    *notes = (struct notes){0};
}
