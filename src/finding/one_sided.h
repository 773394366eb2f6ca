/*
 * What client and server detectors have in common: the same rule, seen from the one machine or from the other.
 *
 * `here` is the side whose machine the capture was taken on.
 */
#ifndef TDSCOPE_ONE_SIDED_H
#define TDSCOPE_ONE_SIDED_H

#include "detector.h"

/* Packets arrive on this machine and nothing answers them: client.no-ack, server.no-ack. */
bool one_sided_no_ack(const struct conversation *conversation, const struct surroundings *surroundings, enum side here,
                      struct judgement *judgement);

/* The same by comparing both ends: they leave the other machine, arrive on this one, and neither capture has an answer. */
bool one_sided_no_ack_by_both(const struct pair_view *view, const struct surroundings *surroundings, enum side here,
                              struct judgement *judgement);

/* What this machine sends does not reach the other, while the other's packets arrive. */
bool one_sided_drop(const struct conversation *conversation, const struct surroundings *surroundings, enum side here,
                    struct judgement *judgement);

/* What the other machine had sent before a packet that came never arrives on this one. */
bool one_sided_never_arrives(const struct conversation *conversation, const struct surroundings *surroundings,
                             enum side here, struct judgement *judgement);

/* The first of these by comparing both ends: what that side sent, up to the end, never arrived. */
bool one_sided_loss(const struct pair_view *view, const struct surroundings *surroundings, enum side sender,
                    struct judgement *judgement);

/* What that side sent was acknowledged to it, and the other machine never had it, as its own capture shows: a device took it. */
bool one_sided_taken(const struct pair_view *view, const struct surroundings *surroundings, enum side sender,
                     struct judgement *judgement);

/* Accusing a machine of eating what reached it needs a capture from that machine. TTLs and round trips only tell that it was taken near:
 * a mirror port of its switch looks the same. So unless the user said where it was taken, the culprit stays open. */
void one_sided_need_place(const struct conversation *conversation, const struct surroundings *surroundings,
                          struct judgement *judgement);

#endif
