/* Which shard a packet is of. */
#include "shards.h"

#include "ip.h"
#include "protocols.h"
#include "tds.h"

/* Servers on other ports are recognised by what others said to them, and which end is the server may not be known yet: all of those stay
 * together. */
uint8_t shard_of(const struct packet *p, uint16_t server_port)
{
    uint16_t from = p->source.port, to = p->destination.port;
    bool tcp = p->kind == PACKET_TCP || (p->kind == PACKET_ICMP_ERROR && p->icmp.protocol == IP_PROTOCOL_TCP);
    bool from_server = tds_port_is_known(from, server_port);
    if (!tcp || from_server == tds_port_is_known(to, server_port))
        return 0;
    uint16_t server = from_server ? from : to, client = from_server ? to : from;
    if (server != server_port && protocols_know_port(client))
        return 0;
    return (uint8_t)(p->ends_hash % SHARDS);
}
