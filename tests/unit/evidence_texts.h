/* What the tests of readers of evidence share. */
#ifndef TDSCOPE_EVIDENCE_TEXTS_H
#define TDSCOPE_EVIDENCE_TEXTS_H

#include "evidence_file.h"

int open_evidence(void **state);
int close_evidence(void **state);

bool read_text(struct evidence *evidence, const char *text);
bool read_bytes(struct evidence *evidence, const void *bytes, size_t size);

/* The text in UTF-16LE with a byte order mark, ASCII only; LF becomes CR LF. */
bool read_utf16(struct evidence *evidence, const char *text);

/* The n-th record of that setting, from 0; NULL: there are no more. */
const struct setting_record *setting_at(const struct evidence *evidence, enum machine_setting setting, uint32_t n);

/* The value of the only one; fails the test when there is none or several. */
int64_t only_value(const struct evidence *evidence, enum machine_setting setting);

const struct address *address_of(const struct evidence *evidence, uint32_t n);

#endif
