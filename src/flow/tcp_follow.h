/* Following one TCP packet in sequence space (RFC 9293, 7323, 2018, 2883). */
#ifndef TDSCOPE_TCP_FOLLOW_H
#define TDSCOPE_TCP_FOLLOW_H

#include "flow.h"

enum tcp_verdict { TCP_PACKET_NEW, TCP_PACKET_PROBE, TCP_PACKET_DUPLICATE, TCP_PACKET_OF_OLDER_CONNECTION };

/* Whether this packet's few zeros are data: its sender sends as little at a time, and its message goes on there, or they stand where data
 * belongs that was sent already. */
bool tcp_expects_data(const struct flow *flow, unsigned origin, const struct packet *packet);

/* Updates the facts of both sides. A duplicate made by the capture is counted and changes nothing else. Only the bytes of a
 * new packet belong to the stream: a keep-alive's byte is none of it. What is about an older connection on the same ports
 * is counted as a packet and says nothing of this one. Does not touch the in-order bytes. */
enum tcp_verdict tcp_follow(struct flow *flow, unsigned origin, const struct packet *packet);

#endif
