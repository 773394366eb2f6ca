/* From where on people call something slow or short: the thresholds that a user may set. All others follow from TCP, TDS and the
 * operating systems, and stand beside the rule that uses them. */
#ifndef TDSCOPE_THRESHOLDS_H
#define TDSCOPE_THRESHOLDS_H

#include <stdint.h>

struct thresholds {
    int64_t
        slow_login_ns; /* a wait in a login that counts when it was too long for the client, or its reason is seen */
    int64_t late_login_ns; /* a step of a login that the server answers after so long is late, whoever waited for it */
    int64_t slow_query_ns; /* an answer that begins after so long is slow, amid quick ones on its connection */
    int64_t slow_query_alone_ns; /* the same with nothing to compare it with */
    int64_t delay_ns;            /* a packet that is so much longer on its way than the path's others was held up */
    uint32_t short_packets;      /* a connection of fewer packets is short */
};

extern const struct thresholds thresholds_usual;

struct changed_threshold {
    const char *name; /* "slow_login_s": with its unit */
    double value, usual;
};
enum { THRESHOLDS = 6 };

/* Lists those that are not the usual ones, returns how many there are. */
unsigned thresholds_changed(const struct thresholds *thresholds, struct changed_threshold list[static THRESHOLDS]);

#endif
