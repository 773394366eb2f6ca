/*
 * Readers of everything that is not packets: one file each, ending in a `const struct evidence_reader`, and one line in
 * evidence_readers.def.
 *
 * A reader recognises its format by the content, never by the file's name, and reads line by line (text_lines.h), as UTF-8. It never fails:
 * what it does not understand it steps over; what is damaged it notes. Words for people that differ from one language of Windows to
 * the next are never what a reader rests on, where numbers, order and shape tell the same.
 *
 * Nothing is kept that may be a secret: no statement's text, no password, no connection string.
 */
#ifndef TDSCOPE_EVIDENCE_READER_H
#define TDSCOPE_EVIDENCE_READER_H

#include "evidence_facts.h"
#include "text_lines.h"
#include "text_words.h"

enum { EVIDENCE_HEAD_BYTES = 16384 };

struct evidence_input {
    struct text_lines *lines;
    struct evidence *evidence;
    uint32_t source; /* index of its facts */
};

struct evidence_reader {
    enum source_kind kind;
    /* Whether a file that begins so is of this format: head is its begin as UTF-8, at most EVIDENCE_HEAD_BYTES; the last line may be cut.
     * NULL: no begin tells; it is of this format if records are found in it. Such a reader stands last. */
    bool (*recognises)(struct span head);
    void (*read)(struct evidence_input *input);
};

/* The reader of a file that begins so; NULL: none. */
const struct evidence_reader *evidence_reader_for(struct span head);

static inline struct source_facts *evidence_input_source(const struct evidence_input *input)
{
    return &input->evidence->sources[input->source];
}

/* The line that was read last, at that time (0: none). */
static inline struct moment evidence_input_moment(const struct evidence_input *input, int64_t time_ns)
{
    return (struct moment){time_ns, input->lines->number, input->source | MOMENT_IN_SOURCE};
}

/* A copy that lives as long as the evidence, made safe to show. */
const char *evidence_input_text(const struct evidence_input *input, struct span text);

/* Adds what the line that was read last says is set; text is cut to SETTING_TEXT_MAX bytes and made safe to show; size 0: none. */
enum { SETTING_TEXT_MAX = 160 };
void evidence_input_set(const struct evidence_input *input, enum machine_setting setting, int64_t value,
                        struct span text);

#endif
