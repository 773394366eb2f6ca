/* Keeps the packets of chosen conversations while the line runs: what `show` shows. */
#ifndef TDSCOPE_PACKET_WATCH_H
#define TDSCOPE_PACKET_WATCH_H

#include "casebook.h"
#include "packet.h"
#include "packet_crossings.h"
#include "shown_packets.h"

struct watched;

struct packet_watch {
    uint32_t id;                       /* of the conversation; 0: by its end */
    uint32_t others[PATH_POINTS_MOST]; /* likewise, its views in other captures */
    unsigned other_count;
    char end[ENDPOINT_TEXT_SIZE]; /* as endpoint_text() writes it */
    struct shown_packets shown;
    struct packet_crossings crossings;
    struct watched *watched[SHOWN_CONVERSATIONS]; /* of each: how its facts were before the packet under way */
};

/* choice: an id ("7"), or the end of a client ("10.0.0.5:50123"). False: it is neither. */
bool packet_watch_choose(struct packet_watch *watch, const char *choice);

/* Is told of each packet once it was followed; context is the struct packet_watch. */
void packet_watch_see(void *context, const struct conversation *conversation, const struct packet *packet);

/* After the line has run: drops conversations whose client, as is known now, is not the end that was asked for, and puts together how
 * the packets fared between the captures. */
void packet_watch_settle(struct packet_watch *watch, const struct casebook *casebook);

/* Chooses the views of what is shown that are not shown themselves, for when everything is read once more. False: there are none. */
bool packet_watch_choose_others(struct packet_watch *watch, const struct casebook *casebook);

/* Drops what is shown; what was chosen stays chosen. */
void packet_watch_empty(struct packet_watch *watch);

void packet_watch_close(struct packet_watch *watch);

#endif
