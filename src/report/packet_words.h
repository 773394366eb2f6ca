/* What a packet is, in a few words. */
#ifndef TDSCOPE_PACKET_WORDS_H
#define TDSCOPE_PACKET_WORDS_H

#include "conversation.h"
#include "shown_packets.h"
#include "text.h"

/* Which side sent it, by the roles as they are known in the end. */
enum side packet_sender(const struct shown_conversation *shown, const struct shown_packet *packet,
                        const struct conversation *conversation);

/* Adds "SYN", "TLS ServerHello, certificate", "retransmission of batch", ... */
void packet_words(const struct shown_packet *packet, const struct conversation *conversation, enum side sender,
                  struct text *words);

/* The flags of TCP: "SYN+ACK". Adds nothing when there are none. */
void packet_flags(const struct shown_packet *packet, struct text *words);

#endif
