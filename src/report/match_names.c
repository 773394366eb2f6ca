/* The names of evidence and traces. */
#include "match_names.h"

#include <assert.h>

const struct match_name match_evidence_names[MATCH_EVIDENCES] = {
    [MATCHED_BY_CONNECTION_ID] = {"connection-id", "by the GUID of PRELOGIN"},
    [MATCHED_BY_SEQUENCE_NUMBERS] = {"sequence-numbers", "by both initial sequence numbers"},
    [MATCHED_BY_ENDS_AND_SYN] = {"addresses-and-syn", "by addresses, ports and the client's initial sequence number"},
    [MATCHED_BY_TRACES] = {"traces", "by what their packets have in common"},
    [MATCHED_BY_ENDS] = {"addresses", "by addresses and ports at the same time"},
    [MATCHED_BY_BYTES_IN_FLIGHT] = {"bytes-in-flight", "by the sequence numbers that both directions count through"},
};

static_assert(TRACES_ALL == (1 << MATCH_TRACES) - 1, "each trace has a name");
static_assert(TRACE_BY_CONTENTS == 1 << 0 && TRACE_BY_PLAIN_CONTENTS == 1 << 1 && TRACE_BY_TIMESTAMPS == 1 << 2 &&
                  TRACE_BY_IP_IDS == 1 << 3 && TRACE_BY_LENGTHS == 1 << 4,
              "names stand in the order of the bits");

const struct match_name match_trace_names[MATCH_TRACES] = {
    {"message-contents", "what messages begin with"},
    {"plain-contents", "queries of their own"},
    {"timestamps", "TCP timestamps"},
    {"ip-ids", "IP IDs"},
    {"message-lengths", "lengths of messages at the same moments"},
};
