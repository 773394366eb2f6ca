/* Words for packets, from what following them found out and from the moments of the facts. */
#include "packet_words.h"

#include "fact_names.h"
#include "tls_names.h"

/* As on the wire (RFC 9293, 3.1). */
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };

static const char *const client_steps[LOGIN_STEPS] = {
    [LOGIN_STEP_PRELOGIN] = "PRELOGIN",
    [LOGIN_STEP_CLIENT_HELLO] = "TLS ClientHello",
    [LOGIN_STEP_KEY_EXCHANGE] = "TLS key exchange",
    [LOGIN_STEP_LOGIN] = "login (LOGIN7)",
    [LOGIN_STEP_SSPI_RESPONSE] = "answer to the challenge (SSPI)",
};

static const char *const server_steps[LOGIN_STEPS] = {
    [LOGIN_STEP_PRELOGIN_ANSWER] = "PRELOGIN answer", [LOGIN_STEP_SERVER_HELLO] = "TLS ServerHello",
    [LOGIN_STEP_TLS_DONE] = "TLS finished",           [LOGIN_STEP_SSPI_CHALLENGE] = "challenge (SSPI)",
    [LOGIN_STEP_LOGIN_ANSWER] = "login answer",       [LOGIN_STEP_LOGIN_ACK] = "LOGINACK",
    [LOGIN_STEP_LOGIN_ERROR] = "login refused",
};

static const char *const messages[TDS_MESSAGES] = {
    [TDS_BATCH] = "batch",
    [TDS_OLD_LOGIN] = "login (TDS 4.2/5.0)",
    [TDS_RPC] = "RPC",
    [TDS_RESPONSE] = "response",
    [TDS_ATTENTION] = "attention",
    [TDS_BULK] = "bulk load",
    [TDS_FEDAUTH] = "token (FEDAUTH)",
    [TDS_TRANSACTION] = "transaction request",
};

enum side packet_sender(const struct shown_conversation *shown, const struct shown_packet *packet,
                        const struct conversation *conversation)
{
    bool first_is_client = endpoint_equal(&shown->first_sender, &conversation->ends[SIDE_CLIENT]);
    return first_is_client == packet->from_first ? SIDE_CLIENT : SIDE_SERVER;
}

static bool is_of(const struct shown_packet *packet, const struct moment *moment)
{
    return moment->frame == packet->moment.frame && moment->capture == packet->moment.capture && moment_seen(moment);
}

static void add_word(struct text *words, const char *word)
{
    if (!word)
        return;
    text_add(words, words->size > 0 ? ", " : "");
    text_add(words, word);
}

static void add_alert(struct text *words, const struct tls_alert *alert)
{
    const char *name = alert->encrypted ? "encrypted" : tls_alert_name(alert->number);
    text_add(words, words->size > 0 ? ", " : "");
    if (name)
        text_format(words, "TLS alert %s", name);
    else
        text_format(words, "TLS alert %u", alert->number);
}

/* Entra's challenge is no SSPI, and its answer a message that has a word already. */
static const char *step_word(enum login_step step, const struct tds_facts *tds, enum side sender)
{
    bool entra = tds->authentication == LOGIN_ENTRA;
    if (entra && step == LOGIN_STEP_SSPI_RESPONSE)
        return NULL;
    if (entra && step == LOGIN_STEP_SSPI_CHALLENGE)
        return "request for a token (FEDAUTHINFO)";
    return sender == SIDE_CLIENT ? client_steps[step] : server_steps[step];
}

static void add_steps(struct text *words, const struct shown_packet *packet, const struct tds_facts *tds,
                      enum side sender)
{
    const struct moment *steps = tds->steps;
    bool said_better = is_of(packet, &steps[LOGIN_STEP_LOGIN_ACK]) || is_of(packet, &steps[LOGIN_STEP_LOGIN_ERROR]) ||
                       is_of(packet, &steps[LOGIN_STEP_SSPI_CHALLENGE]);
    for (unsigned i = 0; i < LOGIN_STEPS; i++) {
        bool hello_too = i == LOGIN_STEP_TLS_DONE && is_of(packet, &steps[LOGIN_STEP_SERVER_HELLO]);
        if (!is_of(packet, &steps[i]) || hello_too || (i == LOGIN_STEP_LOGIN_ANSWER && said_better))
            continue;
        add_word(words, step_word((enum login_step)i, tds, sender));
        if (i == LOGIN_STEP_SERVER_HELLO && tds->tls && tds->tls->certificate_seen)
            add_word(words, "certificate");
        if (i == LOGIN_STEP_LOGIN_ERROR && tds->login_error.number)
            text_format(words, " (error %u)", (unsigned)tds->login_error.number);
    }
    for (unsigned i = 0; tds->tls && i < tds->tls->alert_count; i++)
        if (is_of(packet, &tds->tls->alerts[i].moment))
            add_alert(words, &tds->tls->alerts[i]);
}

/* What begins in the packet, beyond the steps of the login. */
static void add_messages(struct text *words, const struct shown_packet *packet)
{
    bool of_login = words->size > 0;
    for (unsigned i = 0; i < TDS_MESSAGES; i++)
        if (packet->messages & 1u << i && !(of_login && i == TDS_RESPONSE))
            add_word(words, messages[i]);
    if (packet->marks & SHOWN_ENCRYPTED_REQUEST)
        add_word(words, "request (encrypted)");
    if (packet->marks & SHOWN_ENCRYPTED_RESPONSE)
        add_word(words, "response (encrypted)");
    if (packet->marks & SHOWN_ATTENTION_DONE)
        add_word(words, "attention acknowledged");
    if (packet->marks & SHOWN_ERROR && !of_login)
        add_word(words, "error");
}

static void add_content(struct text *words, const struct shown_packet *packet, const struct conversation *c,
                        enum side sender)
{
    bool again = packet->marks & (SHOWN_RETRANSMISSION | SHOWN_RECORDED_TWICE);
    if (c->tds && !again)
        add_steps(words, packet, c->tds, sender);
    add_messages(words, packet);
    if (words->size > 0)
        return;
    if (packet->marks & SHOWN_KEEP_ALIVE)
        text_add(words, "keep-alive");
    else if (packet->payload_length > 0)
        text_add(words, packet->marks & SHOWN_TLS_RECORD ? "TLS data" : "data");
}

void packet_flags(const struct shown_packet *packet, struct text *words)
{
    static const struct {
        unsigned flag;
        const char *name;
    } flags[] = {{FLAG_SYN, "SYN"}, {FLAG_FIN, "FIN"}, {FLAG_RST, "RST"}, {FLAG_ACK, "ACK"}};
    size_t begin = words->size;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (packet->flags & flags[i].flag)
            text_format(words, "%s%s", words->size > begin ? "+" : "", flags[i].name);
}

static void add_remarks(struct text *words, uint16_t marks)
{
    static const struct {
        unsigned mark;
        const char *words;
    } remarks[] = {{SHOWN_RETRANSMISSION, "retransmission"},
                   {SHOWN_RECORDED_TWICE, "recorded again"},
                   {SHOWN_OUT_OF_ORDER, "out of order"},
                   {SHOWN_AFTER_A_HOLE, "bytes before it not captured"},
                   {SHOWN_ZERO_WINDOW, "zero window"}};
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
        if (marks & remarks[i].mark)
            add_word(words, remarks[i].words);
}

void packet_words(const struct shown_packet *packet, const struct conversation *conversation, enum side sender,
                  struct text *words)
{
    if (packet->marks & SHOWN_ICMP_ERROR) {
        text_format(words, "ICMP error, type %u code %u", conversation->icmp.type, conversation->icmp.code);
        return;
    }
    struct text content = {0};
    add_content(&content, packet, conversation, sender);
    if (packet->flags & (FLAG_SYN | FLAG_FIN | FLAG_RST) || content.size == 0)
        packet_flags(packet, words);
    add_word(words, content.size > 0 ? text_string(&content) : NULL);
    text_close(&content);
    add_remarks(words, packet->marks);
}
