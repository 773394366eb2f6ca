/* What became of a packet over several stretches of its way. */
#include "shown_packets.h"

enum packet_fate crossing_fate(const struct crossing *crossing, unsigned near, unsigned far)
{
    static const enum packet_fate by_weight[] = {FATE_LOST,   FATE_INJECTED, FATE_DUPLICATED,
                                                 FATE_MISSED, FATE_OPEN,     FATE_ARRIVED};
    for (unsigned i = 0; i < sizeof by_weight / sizeof *by_weight; i++)
        for (unsigned j = near; j < far; j++)
            if (crossing->fates[j] == by_weight[i])
                return by_weight[i];
    return FATE_UNTOLD;
}
