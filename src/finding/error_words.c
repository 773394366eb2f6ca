/*
 * Drivers tell how far a connection came, and what the socket said; neither tells who was at fault (article, 1.2: the same text has causes on the client,
 * on the server and between them).
 */
#include "error_words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *words, *means, *settled_by;
} phases[] = {
    [ERROR_PHASE_UNKNOWN] = {"on a connection", "The text does not tell how far the connection came.",
                             "captures of client and server from before the connection began"},
    [ERROR_PHASE_OPENING] = {"before the session",
                             "The connection was not there yet; at which step it failed the text does not tell.",
                             "captures of client and server from before the attempt"},
    [ERROR_PHASE_POOL] = {"while it waited for its pool",
                          "No connection of the application's own pool was free; for that it sent nothing.",
                          "a capture at the client: whether its connections are slow, or never given back"},
    [ERROR_PHASE_CONNECT] = {"before TCP stood",
                             "Name, instance and TCP's handshake come before the first byte of SQL Server's.",
                             "captures of client and server from before the attempt, with DNS and UDP port 1434"},
    [ERROR_PHASE_PRELOGIN] = {"in the pre-login handshake", "TCP's handshake was done, PRELOGIN and TLS were not.",
                              "captures of client and server from before the attempt"},
    [ERROR_PHASE_LOGIN] = {"in the login",
                           "PRELOGIN and TLS were done, and the login was not answered, or was refused.",
                           "captures of client and server, the server's ERRORLOG and connectivity ring buffer"},
    [ERROR_PHASE_SESSION] = {"in a session",
                             "A connection that had logged in broke; whose packet ended it the text does not tell.",
                             "captures of client and server that run when it happens"},
    [ERROR_PHASE_COMMAND] = {"while it waited for a command",
                             "The application's own time for a command ran out; it may have been running, or lost.",
                             "captures of client and server: whether the request was acknowledged"},
};
static_assert(sizeof phases / sizeof *phases == ERROR_PHASES, "words for each phase");

static const char *const times[] = {
    [OPEN_PRELOGIN] = "initialization",       [OPEN_HANDSHAKE] = "handshake",   [OPEN_LOGIN] = "login",
    [OPEN_AUTHENTICATION] = "authentication", [OPEN_POST_LOGIN] = "post-login",
};
static_assert(sizeof times / sizeof *times == OPEN_TIMES, "a name for each time");

const char *error_words(const struct error_record *error, char text[static ERROR_WORDS_SIZE])
{
    size_t size = 0;
    if (error->number == -2)
        size = (size_t)snprintf(text, ERROR_WORDS_SIZE, "its time ran out (-2) ");
    else if (error->number != 0)
        size = (size_t)snprintf(text, ERROR_WORDS_SIZE, "error %d ", (int)error->number);
    else
        size = (size_t)snprintf(text, ERROR_WORDS_SIZE, "a failure ");
    size += (size_t)snprintf(text + size, ERROR_WORDS_SIZE - size, "%s", phases[error->phase].words);
    for (int i = 0; i < OPEN_TIMES && error->spent_ms[i] >= 0 && size < ERROR_WORDS_SIZE; i++)
        size += (size_t)snprintf(text + size, ERROR_WORDS_SIZE - size, "%s%s %d", i == 0 ? " (ms: " : ", ", times[i],
                                 (int)error->spent_ms[i]);
    if (error->spent_ms[0] >= 0 && size + 1 < ERROR_WORDS_SIZE)
        snprintf(text + size, ERROR_WORDS_SIZE - size, ")");
    return text;
}

/* Most of a time-out went by before SqlClient had a socket, or its turn: name, SYN, or threads of its own process. */
static bool spent_before(const struct error_record *error)
{
    int64_t all = 0;
    for (int i = 0; i < OPEN_TIMES; i++)
        all += error->spent_ms[i] > 0 ? error->spent_ms[i] : 0;
    return all > 0 && error->spent_ms[OPEN_PRELOGIN] * 2LL > all;
}

const char *error_meaning(const struct error_record *error)
{
    enum { REFUSED = 10061, NO_SYN_ANSWER = 10060, NO_SUCH_HOST = 11001, NO_BROWSER = 26, LOGIN_FAILED = 18456 };
    if (spent_before(error))
        return "Most of its time went by before the first byte: in the name's lookup, in TCP's handshake, or in the "
               "application's own threads.";
    if (error->phase == ERROR_PHASE_CONNECT && error->number == REFUSED)
        return "A reset answered the SYN: nobody listened there, its queue was full, or a device refused it.";
    if (error->phase == ERROR_PHASE_CONNECT && error->number == NO_SYN_ANSWER)
        return "No SYN was answered: dropped on the way there or back, or by the server's own firewall.";
    if (error->number == NO_SUCH_HOST)
        return "The server's name was not found.";
    if (error->number == NO_BROWSER)
        return "SQL Server Browser (UDP port 1434) did not tell the instance's port.";
    if (error->number == LOGIN_FAILED)
        return "The server refused the login; its ERRORLOG has the reason by the error's state.";
    return phases[error->phase].means;
}

const char *error_settled_by(const struct error_record *error)
{
    return phases[error->phase].settled_by;
}
