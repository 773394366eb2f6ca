/* Reads one file that is no capture into the evidence. */
#ifndef TDSCOPE_EVIDENCE_FILE_H
#define TDSCOPE_EVIDENCE_FILE_H

#include "capture_facts.h"
#include "error.h"
#include "evidence_facts.h"
#include "os_file.h"

/* Whether a reader recognises the file by its content: then it was read, and its facts are the last of evidence->sources. role: of the
 * machine, as the user said; CAPTURE_ROLE_UNKNOWN: did not. The path is copied. */
bool evidence_file_read(struct evidence *evidence, const char *path, enum capture_role role);

/* The same of an open file, which is closed. */
bool evidence_file_read_open(struct evidence *evidence, struct os_file *file, enum capture_role role);

#endif
