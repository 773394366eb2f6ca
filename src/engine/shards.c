/* Which shard a packet is of. */
#include "shards.h"

#include "ip.h"
#include "protocols.h"
#include "tds.h"

/* Servers on other ports are recognised by what others said to them, and which end is the server may not be known yet: all of those stay
 * together. */
uint8_t shard_of_ports(uint16_t from, uint16_t to, uint32_t ends_hash, uint16_t server_port)
{
    bool from_server = tds_port_is_known(from, server_port);
    if (from_server == tds_port_is_known(to, server_port))
        return 0;
    uint16_t server = from_server ? from : to, client = from_server ? to : from;
    if (server != server_port && protocols_know_port(client))
        return 0;
    return (uint8_t)(ends_hash % SHARDS);
}

uint8_t shard_of(const struct packet *p, uint16_t server_port)
{
    bool tcp = p->kind == PACKET_TCP || (p->kind == PACKET_ICMP_ERROR && p->icmp.protocol == IP_PROTOCOL_TCP);
    return tcp ? shard_of_ports(p->source.port, p->destination.port, p->ends_hash, server_port) : 0;
}
