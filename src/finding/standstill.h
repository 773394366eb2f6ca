/* A machine that stands still - asleep, or a virtual one that is paused - looks to others as if the way to it were dead. */
#ifndef TDSCOPE_STANDSTILL_H
#define TDSCOPE_STANDSTILL_H

#include "detector.h"
#include "pair_view.h"

/* For a judgement that packets of that side, from the first to the last of these moments (in its own capture), were lost on the way. Where
 * the other side's capture recorded nothing at all meanwhile, and lacks packets of several connections, that machine may have stood still.
 * A client speaks of its own accord, so that its silence is no less odd than a dead way: the culprit stays open. A server waits to be
 * asked: it is told, and less sure. */
void standstill_doubt(const struct pair_view *view, const struct surroundings *surroundings, enum side sender,
                      const struct moment *first, const struct moment *last, struct judgement *judgement);

/* The same of a judgement that the packet of that side which was longest on the way was held up there: a machine that stands still gets
 * what came meanwhile when it goes on. The culprit stays open, whichever side it is. */
void standstill_doubt_delay(const struct pair_view *view, const struct surroundings *surroundings, enum side sender,
                            struct judgement *judgement);

/* In one capture alone: how often that side repeated itself in the longest stretch of a second or more in which nothing of the other side
 * came, that it outlasted. 0: there is none. */
uint32_t standstill_repeats(const struct conversation *conversation, enum side sender);

/* Nothing was heard of the other side's machine on any connection then: it may have stood still. Another one has to have such a stretch, too,
 * unless copies of the server's packets are seen on the way to the client. */
bool standstill_may_be(const struct conversation *conversation, const struct surroundings *surroundings,
                       enum side sender);

/* Leaves open, in one capture alone, whether the way to that side's peer was dead or the peer stood still. */
void standstill_leave_open(enum side sender, struct judgement *judgement);

/* At some moment of that time what a client repeated was not acknowledged by the server's machine, and from then on that was not heard in any
 * connection, as far as is known. */
bool standstill_answers_nobody(const struct surroundings *surroundings, const struct conversation *conversation,
                               int64_t from_ns, int64_t to_ns);

/* In that wait for the server clients repeated themselves for a second and more and nothing of its machine came on any connection; timers that
 * double (RFC 6298, 5.5) bring what was lost in that time as long again after it, at most: all of the wait may be of that. */
bool standstill_explains(const struct surroundings *surroundings, const struct conversation *conversation,
                         int64_t from_ns, int64_t to_ns);

#endif
