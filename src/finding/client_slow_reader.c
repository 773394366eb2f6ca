/* client.slow-reader: the client's receive window stays shut (RFC 9293, 3.8.6). */
#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "signs.h"

/* Windows shut for milliseconds in any fast download. A second without taking a byte is a program that does
 * something else; with five it is one that people notice. */
#define SHUT_NS NS_PER_SECOND
#define SHUT_LONG_NS (5 * NS_PER_SECOND)

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    if (client->zero_windows == 0 || !signs_of_sql(c, s) || signs_of_one_direction(c))
        return false;
    int64_t shut_ns = client->zero_window_longest_ns;
    if (client->zero_window_at_end && !c->closed &&
        surroundings_end_ns(s, c) - client->last_zero_window.time_ns > shut_ns)
        shut_ns = surroundings_end_ns(s, c) - client->last_zero_window.time_ns;
    if (shut_ns < SHUT_NS)
        return false;
    judgement->confidence = shut_ns >= SHUT_LONG_NS ? 0.92 : 0.85;
    judgement_prove(judgement, &client->first_zero_window, "the client announces a receive window of zero");
    judgement_prove(judgement, &client->last_zero_window, "the last of %u such packets", client->zero_windows);
    judgement_say(judgement,
                  "The client's receive window was shut for up to %.1f s (%s %s so): the program did not read what the "
                  "server had sent, and the server had to wait.",
                  seconds(shut_ns), count_words(client->zero_windows, "packet").text,
                  client->zero_windows == 1 ? "says" : "say");
    return true;
}

static const char *const actions[] = {
    "See whether the server waits for this client: `SELECT session_id, wait_type, wait_time FROM sys.dm_exec_requests "
    "WHERE wait_type = 'ASYNC_NETWORK_IO'`.",
    "Look at what the program does between two rows of a large result: work per row, calls to other systems, a user "
    "who leaves a window open.",
    "See whether the client machine was short of CPU or memory, or paged, at that time: `Get-Counter "
    "'\\Processor(_Total)\\% Processor Time', '\\Memory\\Available MBytes', '\\Memory\\Pages/sec' -SampleInterval 5 "
    "-MaxSamples 12`, on Linux `vmstat 5 12`.",
    NULL,
};

const struct detector client_slow_reader = {
    .cause = "client.slow-reader",
    .title = "The client does not read what the server sends",
    .holds_when = "The client announces a receive window of zero and keeps it shut for a second or more, or until the "
                  "capture ends.",
    .means =
        "TCP's window is the room left in the client's receive buffer. At zero the server must stop, whatever it has "
        "ready; the network is idle meanwhile. SQL Server shows such sessions with wait type ASYNC_NETWORK_IO. (RFC "
        "9293, 3.8.6.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
