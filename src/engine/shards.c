/* Which shard a packet is of. */
#include "shards.h"

#include "ip.h"
#include "protocols.h"
#include "tds.h"

/* Servers on other ports are recognised by what others said to them: connections to one server are of one shard, and the server
 * is most likely the end with the lower port. */
static uint32_t hash_of_server(const struct packet *p)
{
    if (p->source.port == p->destination.port)
        return p->ends_hash;
    return endpoint_hash(p->source.port < p->destination.port ? &p->source : &p->destination);
}

uint8_t shard_of(const struct packet *p, uint16_t server_port)
{
    uint16_t from = p->source.port, to = p->destination.port;
    bool tcp = p->kind == PACKET_TCP || (p->kind == PACKET_ICMP_ERROR && p->icmp.protocol == IP_PROTOCOL_TCP);
    if (!tcp || protocols_know_ports(from, to, server_port))
        return 0;
    bool from_server = tds_port_is_known(from, server_port), to_server = tds_port_is_known(to, server_port);
    return (uint8_t)((from_server != to_server ? p->ends_hash : hash_of_server(p)) % SHARDS);
}
