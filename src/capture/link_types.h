/* Numbers of link layers that readers name themselves (tcpdump.org/linktypes). */
#ifndef TDSCOPE_LINK_TYPES_H
#define TDSCOPE_LINK_TYPES_H

enum { LINKTYPE_ETHERNET = 1, LINKTYPE_TOKEN_RING = 6, LINKTYPE_FDDI = 10, LINKTYPE_RAW_IP = 101, LINKTYPE_WLAN = 105 };

#endif
