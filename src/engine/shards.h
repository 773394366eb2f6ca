/*
 * Conversations are followed in shards, so that several threads may each follow some of them.
 *
 * Theory of operation. What one conversation makes known of another must not depend on who follows which: so shards are always as many, each
 * with its own flow table and its own memory of servers, whoever works on them. All packets of a conversation, and of others
 * that it may learn from, are of one shard.
 */
#ifndef TDSCOPE_SHARDS_H
#define TDSCOPE_SHARDS_H

#include "packet.h"

enum { SHARDS = 8 };

/* Keeps what one thread writes for every packet out of the cache lines of another: processors fetch 64 bytes at least, some 128. Sharing one
 * costs both threads some hundred nanoseconds a packet. */
struct cache_gap {
    char bytes[128];
};

/* The shard of a packet, from 0 to SHARDS - 1. Connections of a server's well-known port are spread; all others, and what is not TCP, are
 * of shard 0. server_port: the user's hint; 0: none. */
uint8_t shard_of(const struct packet *packet, uint16_t server_port);
uint8_t shard_of_ports(uint16_t from, uint16_t to, uint32_t ends_hash, uint16_t server_port); /* of a TCP packet */

#endif
