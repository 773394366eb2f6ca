/* client.closed-in-login: the client closes part-way through the login, without a reason in the packets. */
#include <stdio.h>

#include "actions.h"
#include "detector.h"
#include "login_signs.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* RFC 8446, 4.1.3: who has no use for the version that the server picked says so, and leaves. Of versions that ought to be used no more (RFC
 * 8996) that is as much the server's doing, which has no newer one. */
static bool dislikes_old_version(const struct conversation *c, const struct login_halt *halt)
{
    enum { PROTOCOL_VERSION = 70, TLS_1_2 = 0x0303 };
    return halt->alert && !halt->alert->encrypted && halt->alert->number == PROTOCOL_VERSION &&
           c->tds->tls_version != 0 && c->tds->tls_version < TLS_1_2;
}

/* What the client disliked was in the packets before its alert; TLS 1.3 encrypts both. */
static void say_broken_off(const struct conversation *c, const struct login_halt *halt, struct judgement *judgement)
{
    char alert[ALERT_WORDS_SIZE];
    bool certificate_hidden = halt->alert->encrypted && halt->last_step == LOGIN_STEP_SERVER_HELLO;
    judgement_say(judgement, "The client broke the TLS handshake off with %s, %s after %s.%s",
                  signs_alert_words(halt->alert, alert), seconds_words(halt->waited_ns).text,
                  login_step_words(halt->last_step),
                  certificate_hidden
                      ? " Which certificate the server had shown, and whether that was the reason, encryption hides."
                      : "");
    if (dislikes_old_version(c, halt)) {
        judgement_leave_open(judgement, 0.6);
        judgement->would_settle = "Which TLS versions either side allows: `tdscope explain client.tls-settings`.";
        judgement_say_more(judgement, "The server had picked a version of TLS that is outdated (RFC 8996), and the "
                                      "client does not take it: the one is too old, or the other too strict.");
    }
    if (c->tds->tls_version == TLS_VERSION_1_3)
        judgement->would_settle = "The client's error text, which names the reason that encryption hides.";
}

/* No driver goes on after such an answer. Whose it was, a capture at the client does not tell. */
static bool judge_foreign_answer(const struct conversation *c, const struct login_halt *halt,
                                 struct judgement *judgement)
{
    if (!login_signs_foreign_answer(c) || halt->turn != SIDE_CLIENT)
        return false;
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = settle_by_listener;
    judgement_prove(judgement, &halt->since, "the answer, which is no TDS");
    judgement_prove(judgement, &halt->close, "the client closes");
    judgement_say(judgement,
                  "What answered PRELOGIN does not speak TDS, and the client closed %s later: another program than SQL "
                  "Server has the port, or a device on the way answers in its place.",
                  seconds_words(halt->waited_ns).text);
    return true;
}

static bool judge_clash(const struct conversation *c, const struct login_halt *halt, struct judgement *judgement)
{
    struct encryption_clash clash = login_signs_encryption_clash(c);
    if (!clash.held || halt->last_step != LOGIN_STEP_PRELOGIN_ANSWER || halt->turn != SIDE_CLIENT)
        return false;
    bool client_lacks = clash.lacking == SIDE_CLIENT;
    judgement->confidence = client_lacks ? 0.85 : 0.6;
    if (!client_lacks)
        judgement->culprit = CULPRIT_UNKNOWN;
    judgement_prove(judgement, &c->tds->steps[LOGIN_STEP_PRELOGIN], "PRELOGIN: the client %s",
                    client_lacks ? "has no encryption" : "demands encryption");
    judgement_prove(judgement, &c->tds->steps[LOGIN_STEP_PRELOGIN_ANSWER], "the PRELOGIN answer: the server %s",
                    client_lacks ? "demands encryption" : "has none");
    judgement_prove(judgement, &halt->close, "the client closes");
    judgement_say(judgement, "The client closed %s after the PRELOGIN answer, because %s.",
                  seconds_words(halt->waited_ns).text,
                  client_lacks ? "the server demands encryption and the client has none"
                               : "the client demands encryption and the server has none");
    return true;
}

/* Its time-out counts for the whole login. */
static void say_own_time(const struct conversation *c, struct judgement *judgement)
{
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more, "Until then it had taken %.1f s for its own steps of the login.",
             seconds(login_signs_client_time_ns(c)));
    judgement_say_more(judgement, more);
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || !halt.closed || halt.stopped_by != SIDE_CLIENT || signs_of_silence(c).held)
        return false;
    if (signs_of_one_direction(c) || signs_of_more_sent(c, SIDE_CLIENT))
        return false;
    if (moment_seen(&client->reset) && signs_of_foreign_reset(client))
        return false;
    if (c->sides[SIDE_SERVER].hole_bytes > 0)
        return false; /* it was not its turn yet: it lacked a part of what the server had sent */
    if (judge_foreign_answer(c, &halt, judgement) || judge_clash(c, &halt, judgement))
        return true;
    if (halt.last_step < LOGIN_STEP_PRELOGIN_ANSWER)
        return false;
    /* Who leaves sooner than that after PRELOGIN had no time left when it came: client.gave-up-before-login. */
    if (halt.last_step == LOGIN_STEP_PRELOGIN_ANSWER &&
        (halt.turn == SIDE_SERVER || halt.waited_ns < s->thresholds->slow_login_ns))
        return false;
    /* Who leaves sooner than that after his own word has not waited for the server. */
    bool waited = halt.waited_ns >= s->thresholds->slow_login_ns, slower = login_signs_client_slower(c, s, &halt);
    if (halt.turn == SIDE_SERVER && ((waited && !slower) || !halt.acknowledged))
        return false;
    judgement->confidence = signs_of_missed_packets(c) ? 0.55 : halt.turn == SIDE_CLIENT ? 0.85 : 0.75;
    if (signs_of_certificate_disliked(c, &halt))
        judgement->confidence = 0.7; /* who closes there has one reason more, which client.certificate-rejected names */
    /* And in time: what it had not got until then may be told by resets with which it answers that later. */
    bool got_it = halt.acknowledged && !signs_of_held_up(c, &halt.close) && !signs_of_giving_up(c, SIDE_CLIENT);
    /* In another capture than the client's, what it said may have been late on the way. */
    bool perhaps_slower = waited && slower && surroundings_role(s, c) != CAPTURE_ROLE_CLIENT;
    if (!halt.alert && (signs_of_doubtful_close(c, s) || !got_it || perhaps_slower)) {
        judgement_leave_open(judgement, 0.5);
        judgement->would_settle = settle_by_client_capture;
    }
    char alert[ALERT_WORDS_SIZE];
    judgement_prove(judgement, &client->syn, "the client connects");
    judgement_prove(judgement, &halt.since, "the last word of the login: %s", login_step_words(halt.last_step));
    if (halt.alert)
        judgement_prove(judgement, &halt.alert->moment, "the client sends %s", signs_alert_words(halt.alert, alert));
    judgement_prove(judgement, &halt.close, "the %s closes", side_name(halt.closed_by));
    if (halt.alert) {
        say_broken_off(c, &halt, judgement);
        login_signs_doubt_tds8(c, judgement);
        return true;
    }
    judgement_say(judgement, "The client closed the connection %s after %s%s.", seconds_words(halt.waited_ns).text,
                  login_step_words(halt.last_step),
                  halt.turn == SIDE_CLIENT ? ", when it was its own turn to go on"
                  : waited                 ? ""
                                           : ", without waiting for the server's answer");
    if (slower)
        say_own_time(c, judgement);
    login_signs_doubt_client(c, s, &halt, judgement);
    login_signs_doubt_tds8(c, judgement);
    return true;
}

static const char *const actions[] = {
    "Read the client's error with its phases: SqlClient prints \"[Pre-Login] initialization=..; handshake=..; [Login] "
    "initialization=..; authentication=..\", which tells where the time went before the close.",
    ACTION_DRIVER_TRACE,
    "See whether the client machine was short of CPU or threads, or name resolution or Kerberos was slow before the "
    "connection began: `Resolve-DnsName SERVER`, `klist`.",
    ACTION_FILTER_DRIVERS,
    NULL,
};

const struct detector client_closed_in_login = {
    .cause = "client.closed-in-login",
    .title = "The client closes part-way through the login",
    .holds_when =
        "After TLS or the login began, or 2 s or more after the answer to PRELOGIN, the client's FIN or reset comes "
        "first, or a TLS alert of it that both close after: while it was the client's turn, or less than 2 s after "
        "its own packet, which the server's machine had acknowledged - or less than 5 s, when it had taken more than "
        "twice as long for its own steps of the login; in another capture than the client's the culprit stays open "
        "then, for these may have been late on the way. No error from the server precedes it. Also when the client "
        "leaves sooner, but has a reason in the packets: an answer to PRELOGIN that is no TDS, or encryption that one "
        "side demands and the other has not (MS-TDS 2.2.6.5). For such a reason the culprit stays open, unless it is "
        "the client that has no encryption, and where the client does not take TLS 1.0 or 1.1, which the server "
        "picked. Without a TLS alert it stays open, too, when packets were repeated for a second and more before, "
        "when resets of the client answer what came a second and more later, when it had not acknowledged the "
        "server's last word, when it had waited for the server for 2 s or more and more than half as long as for "
        "itself, and when a reset has not what its packets have. Not when a part of what the server had sent did not "
        "reach the client, or when the reset's TTL shows that the client did not send it. Not when a sequence number "
        "of the client or the other side's SACK shows that it had sent more than arrived. (--slow-login sets the 2 s, "
        "--late-login the 5 s.)",
    .means = "The server had answered all it was asked, or had no time to. The client's own connection time-out ran "
             "out - spent on name resolution, security calls or waiting for a thread - or it did not like what it got, "
             "or the program was stopped. (Article, 1.5.5.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
