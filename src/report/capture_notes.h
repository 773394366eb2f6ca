/* What a reader of the report has to know about a capture file, or another source, before trusting it, a sentence each. */
#ifndef TDSCOPE_CAPTURE_NOTES_H
#define TDSCOPE_CAPTURE_NOTES_H

#include "capture_facts.h"
#include "evidence_facts.h"
#include "text.h"

/* Called with sentences that are safe to show. */
typedef void take_sentence(void *context, const char *sentence);

void capture_notes_each(const struct capture_facts *capture, take_sentence *take, void *context);

void source_notes_each(const struct source_facts *source, take_sentence *take, void *context);

/* The sentences of notes; one that stands for several says how many. */
void notes_each(const struct notes *notes, take_sentence *take, void *context);

#endif
