/* A login step by step: when each packet of it came, how long it took, and who was waited for. */
#ifndef TDSCOPE_LOGIN_TIMELINE_H
#define TDSCOPE_LOGIN_TIMELINE_H

#include "casebook.h"

/* In the order in which equal moments are told. */
enum timeline_step {
    TIMELINE_SYN,
    TIMELINE_SYN_ACK,
    TIMELINE_PRELOGIN,
    TIMELINE_PRELOGIN_ANSWER,
    TIMELINE_CLIENT_HELLO,
    TIMELINE_SERVER_HELLO,
    TIMELINE_KEY_EXCHANGE,
    TIMELINE_TLS_DONE,
    TIMELINE_TLS_ALERT, /* the first one before the login was over */
    TIMELINE_LOGIN,
    TIMELINE_SSPI_CHALLENGE,
    TIMELINE_SSPI_RESPONSE,
    TIMELINE_LOGIN_ANSWER,
    TIMELINE_LOGIN_ACK,
    TIMELINE_LOGIN_ERROR,
    TIMELINE_CLOSED,     /* the first FIN or RST, when it came before the login was over */
    TIMELINE_UNANSWERED, /* the last packet of a side that tried to the end; nobody closed */
    TIMELINE_WAITING,    /* the capture ends and nobody closed: its moment has a time and no frame */
    TIMELINE_FIRST_REQUEST,
    TIMELINE_STEPS
};

/* Who could have made the time before a step shorter. */
enum waited_for { WAITED_FOR_CLIENT, WAITED_FOR_SERVER, WAITED_FOR_NETWORK, WAITED_FORS };

struct timeline_entry {
    enum timeline_step step;
    enum side sender; /* TIMELINE_WAITING, TIMELINE_UNANSWERED: whose word is missing */
    struct moment moment;
    int64_t duration_ns;        /* since the entry before; -1: this is the first, or the capture's clock went back */
    enum waited_for waited_for; /* network: something had to be sent again meanwhile */
};

struct login_timeline {
    struct timeline_entry entries[TIMELINE_STEPS];
    unsigned count;
    bool over;        /* the login came to an end: it was answered for good */
    int64_t total_ns; /* from the first entry to the end of the login, or to the last entry; -1: not known */
    int slowest; /* its place in entries; -1: none. The wait for the first request is the application's and does not count */
};

/* All packets are of one side, and more than a SYN: how the login went on is not in the capture. */
bool login_half_captured(const struct conversation *conversation);

/* Until when packets of this conversation would have been recorded: the end of its capture point. */
int64_t login_timeline_end_ns(const struct casebook *casebook, const struct conversation *conversation);

/* end_ns: what login_timeline_end_ns() says. A login that waits until then gets a last entry for this. */
void login_timeline_read(const struct conversation *conversation, int64_t end_ns, struct login_timeline *timeline);

#endif
