/* Names of the steps of a login, and the marks of SQL Network Analyzer made from them. */
#include "timeline_names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *words, *mark;
} steps[] = {
    [TIMELINE_SYN] = {"syn", "the client opens the connection (SYN)", "S"},
    [TIMELINE_SYN_ACK] = {"syn-ack", "the server accepts it (SYN+ACK)", NULL},
    [TIMELINE_PRELOGIN] = {"prelogin", "the client sends PRELOGIN", "PL"},
    [TIMELINE_PRELOGIN_ANSWER] = {"prelogin-answer", "the server answers PRELOGIN", "PR"},
    [TIMELINE_CLIENT_HELLO] = {"client-hello", "TLS: the client sends ClientHello", "CH"},
    [TIMELINE_SERVER_HELLO] = {"server-hello", "TLS: the server answers ServerHello", "SH"},
    [TIMELINE_KEY_EXCHANGE] = {"key-exchange", "TLS: the client sends its key", "KE"},
    [TIMELINE_TLS_DONE] = {"tls-done", "TLS: the server finishes the handshake", "CE"},
    [TIMELINE_TLS_ALERT] = {"tls-alert", "TLS: alert", NULL},
    [TIMELINE_LOGIN] = {"login", "the client sends its login (LOGIN7)", "AD"},
    [TIMELINE_SSPI_CHALLENGE] = {"sspi-challenge", "the server sends an authentication challenge", "NC"},
    [TIMELINE_SSPI_RESPONSE] = {"sspi-response", "the client answers the challenge", "NR"},
    [TIMELINE_LOGIN_ANSWER] = {"login-answer", "the server answers the login", NULL},
    [TIMELINE_LOGIN_ACK] = {"login-ack", "the server accepts the login (LOGINACK)", "LA"},
    [TIMELINE_LOGIN_ERROR] = {"login-error", "the server refuses the login", "ER"},
    [TIMELINE_CLOSED] = {"closed", "the connection is closed", NULL},
    [TIMELINE_UNANSWERED] = {"unanswered", "the last try; no answer to it", NULL},
    [TIMELINE_WAITING] = {"still-waiting", "still waiting when the capture ends", NULL},
    [TIMELINE_FIRST_REQUEST] = {"first-request", "the client sends its first request", NULL},
};
static_assert(sizeof steps / sizeof *steps == TIMELINE_STEPS, "words for each step");

static const char *const waits[] = {
    [WAITED_FOR_CLIENT] = "client", [WAITED_FOR_SERVER] = "server", [WAITED_FOR_NETWORK] = "network"};
static_assert(sizeof waits / sizeof *waits == WAITED_FORS, "a name for each");

const char *timeline_step_name(enum timeline_step step)
{
    return steps[step].name;
}

const char *timeline_step_words(enum timeline_step step)
{
    return steps[step].words;
}

const char *waited_for_name(enum waited_for waited_for)
{
    return waits[waited_for];
}

/* SQL Network Analyzer has a mark of its own for what is not NTLM, none for Entra, and one for a login that cannot be read. */
static const char *mark_of(const struct conversation *c, enum timeline_step step)
{
    const struct tds_facts *tds = c->tds;
    bool ntlm = tds && tds->authentication == LOGIN_NTLM;
    if ((step == TIMELINE_SSPI_CHALLENGE || step == TIMELINE_SSPI_RESPONSE) && !ntlm)
        return tds && tds->authentication == LOGIN_ENTRA ? NULL : "SS";
    bool login_in_clear = tds && tds->messages[TDS_LOGIN] > 0;
    if (step == TIMELINE_LOGIN && login_in_clear)
        return NULL;
    return steps[step].mark;
}

const char *timeline_marks(const struct conversation *conversation, char text[static MARKS_TEXT_SIZE])
{
    struct login_timeline timeline;
    login_timeline_read(conversation, conversation->last.time_ns, &timeline);
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < timeline.count; i++) {
        const char *mark = mark_of(conversation, timeline.entries[i].step);
        size_t size = mark ? strlen(mark) : 0;
        if (size == 0 || used + size + 2 > MARKS_TEXT_SIZE)
            continue;
        used += (size_t)snprintf(text + used, MARKS_TEXT_SIZE - used, "%s%s", used > 0 ? "," : "", mark);
    }
    return text;
}
