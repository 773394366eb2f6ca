/* From a captured frame to a packet. */
#ifndef TDSCOPE_PACKET_DECODER_H
#define TDSCOPE_PACKET_DECODER_H

#include "capture_facts.h"
#include "frame.h"
#include "packet.h"

struct fragment_table;

/* Whether anybody wants a TCP packet; its ends are known, and their hash. */
typedef bool packet_choice(void *context, const struct packet *packet);

struct packet_decoder {
    struct fragment_table *fragments; /* datagrams being put together; NULL until the first fragment */
    bool leaves_checksums;            /* TCP checksums are not judged: somebody did before */
    packet_choice *choice;            /* NULL: all are wanted */
    void *choice_context;
};

void packet_decoder_open(struct packet_decoder *decoder);
void packet_decoder_close(struct packet_decoder *decoder);

/* Decodes frame. Never fails: what cannot be read gives PACKET_OTHER, and what is odd goes into facts (its counters
 * `undecoded`, `tcp_packets`, `bad_checksums`, `offload_checksums`, and its notes: kind, and a sentence with the frame
 * number). A datagram that its last fragment completes gives the whole payload. False: a TCP packet that nobody wants; of those only what
 * is odd with their headers is told. */
bool packet_decode(struct packet_decoder *decoder, const struct frame *frame, struct capture_facts *facts,
                   struct packet *packet);

#endif
