/* What a driver told its application, in words: what it was, and what it means by itself. */
#ifndef TDSCOPE_ERROR_WORDS_H
#define TDSCOPE_ERROR_WORDS_H

#include "evidence_facts.h"

/* "error 258 in the pre-login handshake (ms: initialization 23, handshake 14979)". Returns text. */
enum { ERROR_WORDS_SIZE = 140 };
const char *error_words(const struct error_record *error, char text[static ERROR_WORDS_SIZE]);

/* A sentence of what is known by it, and one of what would tell whose fault it is. */
const char *error_meaning(const struct error_record *error);
const char *error_settled_by(const struct error_record *error);

#endif
