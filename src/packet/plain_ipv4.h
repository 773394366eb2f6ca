/* The headers that most packets have, read in one step. */
#ifndef TDSCOPE_PLAIN_IPV4_H
#define TDSCOPE_PLAIN_IPV4_H

#include "decoding.h"

/* Reads Ethernet and IPv4 (RFC 791) when there is nothing but these before TCP: no tag, no option, no fragment, and as many bytes on the
 * wire as the header tells. False, and nothing is changed: the layers have to read it. They come to the same, only later. */
bool plain_ipv4_decode(struct decoding *decoding);

#endif
