/* Words and numbers in a line of a log or a command's output. Spans are not zero-terminated; letters are compared as ASCII. */
#ifndef TDSCOPE_TEXT_WORDS_H
#define TDSCOPE_TEXT_WORDS_H

#include <stdbool.h>

#include "address.h"
#include "span.h"

bool words_begin(struct span s, const char *word);          /* s begins with word */
bool words_begin_any_case(struct span s, const char *word); /* the same whatever the case of letters */
bool words_equal(struct span s, const char *word);          /* the same, any case, and nothing else */
bool words_find(struct span s, const char *word,
                struct span *from); /* *from: s from word on, which is valid UTF-8 or not */
bool words_after(struct span s, const char *word, struct span *rest); /* *rest: what follows the first word in s */

struct span words_trim(struct span s);     /* without blanks and tabs at both ends */
struct span words_next(struct span *rest); /* cuts the next word off, up to a blank or tab; size 0: none */
struct span words_until(struct span *rest,
                        char end); /* cuts off up to end, which goes, too; all of it when end is not there */

/* The whole span is a number in decimal that fits; nothing else in it. */
bool words_number(struct span s, uint64_t *number);
/* Cuts a decimal number off the front; false, and nothing moved, when there is none or it does not fit. */
bool words_take_number(struct span *rest, uint64_t *number);
/* "0x2746", whole. */
bool words_hex(struct span s, uint64_t *number);

/* "10.0.0.1", "fe80::1%5", "::ffff:10.0.0.1" (as IPv4); the whole span. */
bool words_address(struct span s, struct address *address);
/* "10.0.0.1:1433", "[fe80::1%5]:1433", "[::]:0", "*:*" and "0.0.0.0:0" (version 0 and port 0 where it is open); the whole span. */
bool words_endpoint(struct span s, struct endpoint *endpoint);

/* The same of two spans, both of them told. */
bool words_address_and_port(struct span address, struct span port, struct endpoint *endpoint);

/* "0A1B2C3D-0011-2233-4455-66778899AABB", with or without braces: the bytes in the order of MS-DTYP 2.3.4.1, as PRELOGIN has them. */
bool words_guid(struct span s, uint8_t guid[static 16]);

/* "2026-03-02 09:30:00.12", also with T, / or nothing behind the seconds: as if it were UTC. Cut off the front with what is taken. */
bool words_take_time(struct span *rest, int64_t *time_ns);

/* In which order a date with its year last has day and month. */
enum date_order { DATE_TOLD, DATE_MONTH_FIRST, DATE_DAY_FIRST };

/* As people of many countries write it: "7/21/2019 2:27:40 PM", "21.07.2019 14:27:40", "2019/07/21 14:27:40", without leading zeros, too;
 * otherwise as words_take_time(). usual: for "3/4/2019"; *order: what the date itself proves, DATE_TOLD: nothing or no need. */
bool words_take_local_time(struct span *rest, enum date_order usual, int64_t *time_ns, enum date_order *order);

#endif
