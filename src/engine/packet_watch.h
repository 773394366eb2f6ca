/* Keeps the packets of chosen conversations while the line runs: what `show` shows. */
#ifndef TDSCOPE_PACKET_WATCH_H
#define TDSCOPE_PACKET_WATCH_H

#include "casebook.h"
#include "comparator.h"
#include "packet.h"
#include "shown_packets.h"

struct watched;

struct packet_watch {
    uint32_t id;                  /* of the conversation; 0: by its end */
    uint32_t twin;                /* likewise, its view in the other end's capture; 0: not known */
    char end[ENDPOINT_TEXT_SIZE]; /* as endpoint_text() writes it */
    struct shown_packets shown;
    struct watched *watched[SHOWN_CONVERSATIONS]; /* of each: how its facts were before the packet under way */
};

/* choice: an id ("7"), or the end of a client ("10.0.0.5:50123"). False: it is neither. */
bool packet_watch_choose(struct packet_watch *watch, const char *choice);

/* Is told of each packet once it was followed; context is the struct packet_watch. */
void packet_watch_see(void *context, const struct conversation *conversation, const struct packet *packet);

/* After the line has run: drops conversations whose client, as is known now, is not the end that was asked for. */
void packet_watch_settle(struct packet_watch *watch, const struct casebook *casebook);

/* The view of the other end that belongs to what is shown and is not shown itself: to be chosen, too, when everything is read once
 * more. 0: none. */
uint32_t packet_watch_lacks(const struct packet_watch *watch, const struct casebook *casebook);

/* Keeps the fate of a packet that was compared; context is the struct packet_watch. */
void packet_watch_cross(void *context, enum side sender, const struct compared_packet *sent,
                        const struct compared_packet *arrived, enum packet_fate fate);

/* Drops what is shown; what was chosen stays chosen. */
void packet_watch_empty(struct packet_watch *watch);

void packet_watch_close(struct packet_watch *watch);

#endif
