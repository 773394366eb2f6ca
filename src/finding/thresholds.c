/* The usual thresholds, each with its reason. */
#include "thresholds.h"

#include "moment.h"

const struct thresholds thresholds_usual = {
    /* A login step takes milliseconds, a name server that has to ask others answers within a second. Windows repeats its
     * question to a name server after one second, Linux after five. Who leaves after two seconds waited for the other side,
     * not for himself. */
    .slow_login_ns = 2 * NS_PER_SECOND,
    /* A third of the drivers' usual connection time-out of 15 s (SqlClient, ODBC, JDBC, tedious), which is often set to 5. */
    .late_login_ns = 5 * NS_PER_SECOND,
    /* Most requests of an application take milliseconds, and people notice a wait of a second. Two seconds amid quick
     * answers are a delay that somebody saw. */
    .slow_query_ns = 2 * NS_PER_SECOND,
    /* Half of the usual command time-out (30 s in SqlClient and OLE DB): a report may well take ten seconds, and nobody
     * minds. */
    .slow_query_alone_ns = 15 * NS_PER_SECOND,
    /* A retransmission timer follows the path's round trip (RFC 6298) and expects a fraction of a second. */
    .delay_ns = NS_PER_SECOND,
    /* Article, 1.5.7: from SYN to FIN. */
    .short_packets = 30,
};

unsigned thresholds_changed(const struct thresholds *given, struct changed_threshold list[static THRESHOLDS])
{
    const struct thresholds *usual = &thresholds_usual;
    const double second = (double)NS_PER_SECOND;
    const struct changed_threshold all[THRESHOLDS] = {
        {"slow_login_s", (double)given->slow_login_ns / second, (double)usual->slow_login_ns / second},
        {"late_login_s", (double)given->late_login_ns / second, (double)usual->late_login_ns / second},
        {"slow_query_s", (double)given->slow_query_ns / second, (double)usual->slow_query_ns / second},
        {"slow_query_alone_s", (double)given->slow_query_alone_ns / second,
         (double)usual->slow_query_alone_ns / second},
        {"delay_s", (double)given->delay_ns / second, (double)usual->delay_ns / second},
        {"short_frames", given->short_packets, usual->short_packets},
    };
    unsigned count = 0;
    for (unsigned i = 0; i < THRESHOLDS; i++)
        if (all[i].value != all[i].usual)
            list[count++] = all[i];
    return count;
}
