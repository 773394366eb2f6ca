/* What would settle a judgement: never what is there already. */
#ifndef TDSCOPE_SETTLING_H
#define TDSCOPE_SETTLING_H

#include "judge.h"
#include "pair_view.h"

/* What detectors say of one capture. */
extern const char settle_by_client_capture[], settle_by_server_capture[], settle_by_both_captures[];
const char *settle_by_capture_at(enum side side); /* the first or the second of these */
extern const char settle_by_large_packets[];      /* or by the captures of both ends */

/* Of one that looks as if it was taken on the machine, and may have been taken near it. */
extern const char settle_by_place[];

extern const char settle_by_listener[]; /* which program has the server's port */

extern const char
    settle_by_host_of_guest[]; /* whether an end is a container or virtual machine, and what its host did */

extern const char settle_by_address_owner[]; /* which machine had the server's address */

extern const char settle_by_complete_capture[], settle_by_complete_captures[];
extern const char settle_by_all_cards_of_client[], settle_by_all_cards_of_server[];
extern const char settle_by_steady_clock[];
extern const char settle_by_whole_packets[];
extern const char settle_by_earlier_captures[];

/* What it rests on may be in no capture only because that one leaves such packets out: the culprit stays open. */
void settling_doubt_capture(struct judgement *judgement);

/* Puts what the captures lack in place of a capture that is there; view: of the connection. */
void settling_reconsider(const struct pair_view *view, const struct surroundings *surroundings,
                         struct judgement *judgement);

/* The same of a conversation that has no such view. */
void settling_reconsider_alone(const struct conversation *conversation, const struct surroundings *surroundings,
                               struct judgement *judgement);

/* Whether that action of the finding's cause was done: to capture at both ends, while its conversation was there. */
bool settling_is_done(const struct judge *judge, const struct finding *finding, const char *action);

#endif
