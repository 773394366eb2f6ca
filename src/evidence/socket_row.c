/* Rows of TCP sockets. */
#include "socket_row.h"

/* Windows in German translates the states; one letter of "ABHÖREN" depends on the code page. Windows in other languages keeps English. */
static const struct {
    const char *word;
    enum socket_state state;
    bool begin; /* it is only the begin */
} states[] = {
    {"LISTENING", SOCKET_LISTEN, false},
    {"LISTEN", SOCKET_LISTEN, false},
    {"ABH", SOCKET_LISTEN, true},
    {"ESTABLISHED", SOCKET_ESTABLISHED, false},
    {"ESTAB", SOCKET_ESTABLISHED, false},
    {"HERGESTELLT", SOCKET_ESTABLISHED, true},
    {"TIME_WAIT", SOCKET_TIME_WAIT, false},
    {"TIME-WAIT", SOCKET_TIME_WAIT, false},
    {"WARTEND", SOCKET_TIME_WAIT, true},
    {"CLOSE_WAIT", SOCKET_CLOSE_WAIT, false},
    {"CLOSE-WAIT", SOCKET_CLOSE_WAIT, false},
    {"SCHLIESSEN_WARTEN", SOCKET_CLOSE_WAIT, true},
    {"SYN_SENT", SOCKET_SYN_SENT, false},
    {"SYN-SENT", SOCKET_SYN_SENT, false},
    {"SYN_GESENDET", SOCKET_SYN_SENT, true},
    {"BOUND", SOCKET_BOUND, false},
    {"SYN_RECEIVED", SOCKET_OTHER, false},
    {"SYN_RECV", SOCKET_OTHER, false},
    {"SYN-RECV", SOCKET_OTHER, false},
    {"FIN_WAIT", SOCKET_OTHER, true},
    {"FIN-WAIT", SOCKET_OTHER, true},
    {"FIN_WARTEN", SOCKET_OTHER, true},
    {"LAST_ACK", SOCKET_OTHER, false},
    {"LAST-ACK", SOCKET_OTHER, false},
    {"CLOSING", SOCKET_OTHER, false},
    {"SCHLIESSEND", SOCKET_OTHER, true},
    {"CLOSED", SOCKET_OTHER, false},
};

bool socket_row_take_state(struct span word, enum socket_state *state)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (states[i].begin ? words_begin_any_case(word, states[i].word) : words_equal(word, states[i].word)) {
            *state = states[i].state;
            return true;
        }
    return false;
}

static bool is_name(struct span s)
{
    bool letter = false;
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
        if (!is_letter && !(c >= '0' && c <= '9') && !strchr("-._[]", c))
            return false;
        letter = letter || is_letter;
    }
    return letter;
}

bool socket_row_take_end(struct span word, struct endpoint *end, bool *named)
{
    if (words_endpoint(word, end))
        return true;
    size_t colon = word.size;
    while (colon > 0 && word.data[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    struct span host = span_part(word, 0, colon - 1), port = span_from(word, colon);
    struct endpoint found = {0};
    char with_port[160];
    uint64_t number = 0;
    bool sql = words_equal(port, "ms-sql-s"), numeric = words_number(port, &number) && number <= UINT16_MAX;
    if ((!numeric && !is_name(port) && !words_equal(port, "*")) || host.size + 2 > sizeof with_port)
        return false;
    memcpy(with_port, host.data, host.size);
    memcpy(with_port + host.size, ":0", 2);
    if (!words_endpoint((struct span){(const uint8_t *)with_port, host.size + 2}, &found) && !is_name(host))
        return false;
    enum { PORT_OF_SQL_SERVER = 1433 }; /* IANA's "ms-sql-s" */
    found.port = sql ? PORT_OF_SQL_SERVER : (uint16_t)number;
    *named = true;
    *end = found;
    return true;
}

/* Addresses that every machine has. */
static bool is_everywhere(const struct address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};
    if (address->version == 4)
        return address->bytes[0] == 127 || address->bytes[0] == 0 ||
               (address->bytes[0] == 169 && address->bytes[1] == 254);
    return address->version != 6 || memcmp(address->bytes, loopback, sizeof loopback) == 0 ||
           (address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80);
}

void socket_row_add(const struct evidence_input *input, const struct socket_row *row)
{
    struct moment at = evidence_input_moment(input, 0);
    struct socket_record *record = evidence_add_socket(input->evidence, &at);
    if (row->named)
        notes_add(&evidence_input_source(input)->notes, "names",
                  "it has names in place of addresses or ports: give the output of netstat -n or ss -n");
    if (!record)
        return;
    record->local = row->local;
    record->remote = row->remote;
    record->state = row->state;
    record->process = row->process;
    if (!is_everywhere(&row->local.address))
        evidence_add_address(input->evidence, input->source, &row->local.address);
}
