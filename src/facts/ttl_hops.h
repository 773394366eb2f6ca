/*
 * How far a packet came, as its TTL tells.
 *
 * Each router counts the TTL (IPv6: hop limit) down by one. A machine begins with one number for all that it sends - Linux with 64
 * (ip_default_ttl), Windows with 128 (DefaultTTL), many devices with 255 - and its packets come over as many hops as long as the way is the same.
 */
#ifndef TDSCOPE_TTL_HOPS_H
#define TDSCOPE_TTL_HOPS_H

/* The next of the usual numbers that it may have begun with. */
static inline unsigned initial_ttl(unsigned ttl)
{
    return ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

/* Routers that the packet passed, if it began with that. */
static inline unsigned hops_from_ttl(unsigned ttl)
{
    return initial_ttl(ttl) - ttl;
}

#endif
