/*
 * Tables of what drivers say, by their sources: SqlClient's Strings.resx, mssql-jdbc's SQLServerResource, the ODBC driver's and SNI's messages, tedious'
 * errors, go-mssqldb, DB-Library's error numbers (sybdb.h).
 */
#include "driver_messages.h"

#include <string.h>

/* Whose message it is; without such a word some sentences are nobody's in particular. */
static const char *const drivers[] = {
    "SqlException",
    "SqlClient",
    "SQLServerException",
    "SQLServerConnection",
    "sqlserver.jdbc",
    "[Microsoft][ODBC",
    "[SQL Server",
    "Microsoft ODBC Driver",
    "OLE DB",
    "[DBNETLIB]",
    "DB-Lib",
    "tedious",
    "mssql",
    "pymssql",
    "ConnectionError",
};

struct sentence {
    const char *part;
    enum error_phase phase;
    int32_t number; /* 0: it tells none */
    bool alone;     /* nobody else says so */
};

static const struct sentence sentences[] = {
    {"create and initialize a socket to the server", ERROR_PHASE_CONNECT, -2, true},
    {"elapsed at the start of the pre-login phase", ERROR_PHASE_CONNECT, -2, true},
    {"making a pre-login handshake request", ERROR_PHASE_PRELOGIN, -2, true},
    {"consume the pre-login handshake acknowledgement", ERROR_PHASE_PRELOGIN, -2, true},
    {"elapsed at the start of the login phase", ERROR_PHASE_LOGIN, -2, true},
    {"elapsed while attempting to authenticate the login", ERROR_PHASE_LOGIN, -2, true},
    {"elapsed during the post-login phase", ERROR_PHASE_LOGIN, -2, true},
    {"an error occurred during the pre-login handshake", ERROR_PHASE_PRELOGIN, 0, true},
    {"error during connection initialization process before login", ERROR_PHASE_PRELOGIN, 0, true},
    {"an error occurred during the login process", ERROR_PHASE_LOGIN, 0, true},
    {"an error occurred when obtaining the security/SSPI context", ERROR_PHASE_LOGIN, 0, true},
    {"while establishing a connection to SQL Server", ERROR_PHASE_CONNECT, 0, true},
    {"A transport-level error has occurred", ERROR_PHASE_SESSION, 0, true},
    {"elapsed prior to obtaining a connection from the pool", ERROR_PHASE_POOL, 0, true},
    {"Execution Timeout Expired", ERROR_PHASE_COMMAND, -2, true},
    {"due to prelogin failure", ERROR_PHASE_PRELOGIN, 0, false},
    {"Client unable to establish connection", ERROR_PHASE_OPENING, 0, false},
    {"Login timeout expired", ERROR_PHASE_OPENING, 0, false},
    {"Communication link failure", ERROR_PHASE_SESSION, 0, false},
    {"Query timeout expired", ERROR_PHASE_COMMAND, 0, false},
    {"[DBNETLIB][ConnectionOpen (Connect", ERROR_PHASE_CONNECT, 17, true},
    {"[DBNETLIB][ConnectionOpen (SEC", ERROR_PHASE_PRELOGIN, 0, true},
    {"[DBNETLIB][ConnectionOpen (PreLogin", ERROR_PHASE_PRELOGIN, 0, true},
    {"[DBNETLIB][ConnectionRead", ERROR_PHASE_SESSION, 11, true},
    {"[DBNETLIB][ConnectionWrite", ERROR_PHASE_SESSION, 11, true},
    {"The TCP/IP connection to the host ", ERROR_PHASE_CONNECT, 0, true},
    {"no firewall is blocking UDP traffic to port 1434", ERROR_PHASE_CONNECT, 0, true},
    {"could not establish a secure connection to SQL Server", ERROR_PHASE_PRELOGIN, 0, true},
    {"The driver received an unexpected pre-login response", ERROR_PHASE_PRELOGIN, 0, true},
    {"Error reading prelogin response", ERROR_PHASE_PRELOGIN, 0, true},
    {"SQL Server returned an incomplete response", ERROR_PHASE_UNKNOWN, 0, true},
    {"SQL Server did not return a response", ERROR_PHASE_UNKNOWN, 0, true},
    {"The query has timed out.", ERROR_PHASE_COMMAND, 0, false},
    {"ConnectionError: Connection lost", ERROR_PHASE_SESSION, 0, true},
    {"ConnectionError: Failed to connect to ", ERROR_PHASE_OPENING, 0, true},
    {"unable to open tcp connection with host ", ERROR_PHASE_CONNECT, 0, true},
    {"unable to get instances from Sql Server Browser", ERROR_PHASE_CONNECT, 0, true},
    {"TLS Handshake failed", ERROR_PHASE_PRELOGIN, 0, false},
    {"DB-Lib error message 20002,", ERROR_PHASE_OPENING, 20002, true},
    {"DB-Lib error message 20003,", ERROR_PHASE_UNKNOWN, 20003, true}, /* of a query, too */
    {"DB-Lib error message 20004,", ERROR_PHASE_SESSION, 20004, true},
    {"DB-Lib error message 20006,", ERROR_PHASE_SESSION, 20006, true},
    {"DB-Lib error message 20009,", ERROR_PHASE_CONNECT, 20009, true},
    {"DB-Lib error message 20017,", ERROR_PHASE_UNKNOWN, 20017, true},
    {"DB-Lib error message 20047,", ERROR_PHASE_SESSION, 20047, true},
    {"[FreeTDS][SQL Server]Unable to connect to data source", ERROR_PHASE_OPENING, 0, true},
    {"Login failed for user ", ERROR_PHASE_LOGIN, 18456, false},
    {"Failed to connect to ", ERROR_PHASE_OPENING, 0, false},
    {"Connection reset", ERROR_PHASE_UNKNOWN, 0, false},
    {"connection reset by peer", ERROR_PHASE_UNKNOWN, 0, false},
    {"Read timed out", ERROR_PHASE_UNKNOWN, 0, false},
};

/* Windows' words for what a socket said, where the driver has no number of it. */
static const struct {
    const char *part;
    int32_t number;
} system_words[] = {
    {"forcibly closed by the remote host", 10054},
    {"aborted by the software in your host machine", 10053},
    {"did not properly respond after a period of time", 10060},
    {"actively refused it", 10061},
    {"No such host is known", 11001},
    {"specified network name is no longer available", 64},
    {"semaphore timeout period has expired", 121},
    {"wait operation timed out", 258},
    {"network path was not found", 53},
    {"No process is on the other end of the pipe", 233},
};

/* Numbers of SQL Server that refuse a login or end a session, among those that only a statement gets. */
static const int32_t server_numbers[] = {4060,  10928, 10929, 17142, 17197, 17809, 17830, 17892, 18401, 18452, 18456,
                                         18461, 18486, 18487, 18488, 40197, 40501, 40532, 40613, 40615, 47073};

/* SqlClient's label of the first times, in its fourteen languages: "[Pre-Login] initialization=23; handshake=14979; ...". */
static const char *const open_labels[] = {
    "[Pre-Login]",
    ("[P\xc5\x99"
     "ed p\xc5\x99ihl\xc3\xa1\xc5\xa1"
     "en\xc3\xadm]"),
    "[Vor Anmeldung]",
    "[Previo al inicio de sesi\xc3\xb3n",
    ("[Pr\xc3\xa9"
     "connexion]"),
    "[\xe3\x83\xad\xe3\x82\xb0\xe3\x82\xa4\xe3\x83\xb3\xe5\x89\x8d]",
    "[\xec\x82\xac\xec\xa0\x84 \xeb\xa1\x9c\xea\xb7\xb8\xec\x9d\xb8]",
    "[przed logowaniem]",
    "[Oturum A\xc3\xa7ma \xc3\x96ncesi]",
    "[\xe7\x99\xbb\xe5\x85\xa5\xe5\x89\x8d]",
};

/* Of the line that SqlClient closes an exception with. */
static const char *const number_labels[] = {"Error Number:",
                                            "Error Number :",
                                            "(Error Number):",
                                            "\xc4\x8c\xc3\xadslo chyby:",
                                            ("Numer b\xc5\x82\xc4\x99"
                                             "du:"),
                                            "Hata Numaras\xc4\xb1:"};

void driver_message_begin(struct driver_message *message)
{
    *message = (struct driver_message){.told.spent_ms = {-1, -1, -1, -1, -1}};
}

static bool contains(struct span line, const char *part)
{
    return words_find(line, part, &(struct span){0});
}

static void tell_phase(struct driver_message *message, enum error_phase phase)
{
    if (message->told.phase <= ERROR_PHASE_OPENING && phase > message->told.phase)
        message->told.phase = phase;
}

/* A socket's own number says more than that of a layer above it. */
static void tell_number(struct driver_message *message, int32_t number)
{
    int32_t *known = &message->told.number;
    bool upper = *known == 0 || *known == -2 || (*known >= 20000 && *known < 20100);
    if (number != 0 && (upper || *known == 26 || *known == 40))
        *known = number;
}

/* "-2", "0x2746". */
static bool take_code(struct span *rest, int32_t *code)
{
    uint64_t number;
    struct span word = *rest;
    bool below = words_begin(word, "-");
    if (words_begin_any_case(word, "0x")) {
        size_t size = 2;
        while (size < word.size && size < 10 && strchr("0123456789abcdefABCDEF", word.data[size]) && word.data[size])
            size++;
        if (!words_hex(span_part(word, 0, size), &number))
            return false;
        word = span_from(word, size);
    } else {
        word = span_from(word, below);
        if (!words_take_number(&word, &number))
            return false;
    }
    if (number > INT32_MAX)
        return false;
    *code = below ? -(int32_t)number : (int32_t)number;
    *rest = word;
    return true;
}

static bool code_after(struct span line, const char *label, int32_t *code)
{
    struct span rest;
    if (!words_after(line, label, &rest))
        return false;
    rest = words_trim(rest);
    return take_code(&rest, code) && *code != 0;
}

static bool read_sentences(struct driver_message *message, struct span line)
{
    bool tells = false;
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        if ((!sentences[i].alone && !message->of_driver) || !contains(line, sentences[i].part))
            continue;
        tells = true;
        tell_phase(message, sentences[i].phase);
        tell_number(message, sentences[i].number);
    }
    return tells;
}

/* Each number stands behind a "="; how many there are tells how far it came. */
static bool read_times(struct driver_message *message, struct span line)
{
    static const enum error_phase phases[OPEN_TIMES] = {ERROR_PHASE_CONNECT, ERROR_PHASE_PRELOGIN, ERROR_PHASE_LOGIN,
                                                        ERROR_PHASE_LOGIN, ERROR_PHASE_LOGIN};
    struct span rest;
    bool found = false;
    for (size_t i = 0; i < sizeof open_labels / sizeof *open_labels && !found; i++)
        found = words_find(line, open_labels[i], &rest);
    int count = 0;
    int32_t value;
    while (found && count < OPEN_TIMES && words_after(rest, "=", &rest) && take_code(&rest, &value) && value >= 0)
        message->told.spent_ms[count++] = value;
    if (count == 0)
        return false;
    tell_phase(message, phases[count - 1]);
    tell_number(message, -2);
    return true;
}

/* SNI's own tail, which no language changes but for the provider's name and the words at its end. */
static bool read_provider(struct driver_message *message, struct span line)
{
    enum { SNI_LOCATING = 26, SNI_TLS = 31, SNI_NO_CONNECTION = 40 };
    struct span rest, provider;
    uint64_t number;
    if (!words_after(line, "(provider: ", &rest))
        return false;
    provider = words_until(&rest, ',');
    if (!words_begin(rest, " error: "))
        return false;
    rest = span_from(rest, strlen(" error: "));
    if (!words_take_number(&rest, &number) || !words_begin(rest, " - "))
        return false;
    if (number == SNI_TLS || contains(provider, "SSL"))
        tell_phase(message, ERROR_PHASE_PRELOGIN);
    if (number == SNI_LOCATING || number == SNI_NO_CONNECTION) {
        tell_phase(message, ERROR_PHASE_CONNECT);
        tell_number(message, (int32_t)number);
    }
    return true;
}

static bool is_link_number(int32_t number, int32_t class)
{
    enum { CLASS_ENDS_CONNECTION = 20 };
    for (size_t i = 0; i < sizeof server_numbers / sizeof *server_numbers; i++)
        if (server_numbers[i] == number)
            return true;
    return number == -2 || class >= CLASS_ENDS_CONNECTION;
}

/* "Error Number:10054,State:0,Class:20": the last line of an exception. */
static bool read_number_line(struct driver_message *message, struct span line)
{
    struct span rest;
    int32_t number, class = 0;
    for (size_t i = 0; i < sizeof number_labels / sizeof *number_labels; i++) {
        if (!words_after(line, number_labels[i], &rest))
            continue;
        rest = words_trim(rest);
        if (!take_code(&rest, &number))
            return false;
        for (size_t at = rest.size; at > 0 && class == 0; at--) /* the class stands last */
            if (rest.data[at - 1] == ':') {
                struct span last = words_trim(span_from(rest, at));
                if (!take_code(&last, &class))
                    break;
            }
        message->complete = true;
        message->of_driver = true;
        tell_number(message, number);
        return is_link_number(number, class);
    }
    return false;
}

/* "[08S01]", "SQLSTATE[08S01]", "SQLState: 08001". */
static bool has_state(struct span line, const char *state)
{
    struct span rest;
    while (words_after(line, state, &rest)) {
        size_t at = (size_t)(rest.data - line.data) - strlen(state);
        uint8_t before = at > 0 ? line.data[at - 1] : 0, after = rest.size > 0 ? rest.data[0] : 0;
        if ((before == '[' && after == ']') || (before == '\'' && after == '\'') ||
            (contains(span_part(line, 0, at), "SQLState") && before == ' '))
            return true;
        line = rest;
    }
    return false;
}

static bool read_state(struct driver_message *message, struct span line)
{
    bool opening = contains(line, "(SQLDriverConnect)") || contains(line, "(SQLConnect)");
    if (!message->of_driver)
        return false;
    if (has_state(line, "08001") || has_state(line, "08004")) {
        tell_phase(message, ERROR_PHASE_OPENING);
    } else if (has_state(line, "08S01") || has_state(line, "08007") || has_state(line, "IMC06")) {
        tell_phase(message, opening ? ERROR_PHASE_OPENING : ERROR_PHASE_SESSION);
    } else if (has_state(line, "HYT00") || has_state(line, "HYT01")) {
        tell_phase(message, opening ? ERROR_PHASE_OPENING : ERROR_PHASE_UNKNOWN);
    } else if (has_state(line, "28000")) {
        tell_phase(message, ERROR_PHASE_LOGIN);
    } else {
        return false;
    }
    return true;
}

/* "Error code 0x2746", "Win32Exception (258)", "(10060) (SQLExecute)", "Net-Lib error during Connection timed out (110)". */
static void read_system_error(struct driver_message *message, struct span line)
{
    static const char *const labels[] = {"Error code ", "Win32Exception (", "SocketException (", "Unknown error "};
    int32_t code;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (code_after(line, labels[i], &code))
            tell_number(message, code);
    struct span rest, before;
    if (words_find(line, ") (SQL", &rest) ||
        (words_after(line, "error during ", &before) && words_find(before, ")", &rest))) {
        before = span_part(line, 0, (size_t)(rest.data - line.data));
        size_t at = before.size;
        while (at > 0 && before.data[at - 1] != '(')
            at--;
        struct span digits = span_from(before, at);
        if (at > 0 && take_code(&digits, &code) && digits.size == 0)
            tell_number(message, code);
    }
    for (size_t i = 0; i < sizeof system_words / sizeof *system_words; i++)
        if (contains(line, system_words[i].part))
            tell_number(message, system_words[i].number);
}

static void read_connection_id(struct driver_message *message, struct span line)
{
    enum { GUID_TEXT_SIZE = 36 };
    static const uint8_t none[16];
    struct error_record *told = &message->told;
    struct span rest;
    if (told->has_connection_id || !words_after(line, "ClientConnectionId", &rest))
        return;
    rest = words_trim(rest);
    if (!words_begin(rest, ":"))
        return; /* "ClientConnectionId before routing:..." is another connection's */
    rest = words_trim(span_from(rest, 1));
    /* Zeros: the driver gave up before it sent PRELOGIN. */
    told->has_connection_id = words_guid(span_part(rest, 0, GUID_TEXT_SIZE), told->connection_id) &&
                              memcmp(told->connection_id, none, sizeof none) != 0;
}

/* Without the punctuation of the sentence that it stands in. */
static struct span trim_host(struct span host)
{
    while (host.size > 0 && strchr(".:-\\", host.data[host.size - 1]))
        host.size--;
    return host;
}

/* Behind a colon stand a port, or more of an IPv6 address; anything else may be a password behind a user's name. */
static bool is_host(struct span s)
{
    s = trim_host(s);
    struct span rest;
    struct endpoint end;
    uint64_t port;
    return !words_after(s, ":", &rest) || words_equal(rest, "undefined") ||
           (words_number(rest, &port) && port <= UINT16_MAX) || words_endpoint(s, &end) ||
           words_address(s, &end.address);
}

/* Of a host and port; 0: a URL, a user's name or a setting is there, which may have a password in it. */
static size_t host_size(struct span s)
{
    size_t size = 0;
    while (size < s.size && ((s.data[size] >= '0' && s.data[size] <= '9') ||
                             ((s.data[size] | 0x20) >= 'a' && (s.data[size] | 0x20) <= 'z') ||
                             (s.data[size] && strchr(".:-_\\[]%", s.data[size]))))
        size++;
    bool other = size < s.size && (s.data[size] == '/' || s.data[size] == '=');
    for (size_t at = size; at < s.size && s.data[at] != ' ' && !other; at++)
        other = s.data[at] == '@';
    return other || !is_host(span_part(s, 0, size)) ? 0 : size;
}

/* "sql01", "sql01:1433", "10.0.0.9:1433". */
static void tell_server(struct driver_message *message, struct span host)
{
    struct error_record *told = &message->told;
    host = trim_host(span_part(host, 0, host_size(host)));
    if (host.size == 0 || host.size >= sizeof told->server_name || told->server_name[0])
        return;
    memcpy(told->server_name, host.data, host.size);
    if (!words_endpoint(host, &told->server))
        words_address(host, &told->server.address);
}

static void read_server(struct driver_message *message, struct span line)
{
    static const char *const labels[] = {"The TCP/IP connection to the host ",
                                         "The connection to the host ",
                                         "Prelogin error: host ",
                                         "Failed to connect to ",
                                         "unable to open tcp connection with host '",
                                         "is unavailable or does not exist (",
                                         "Adaptive Server connection failed ("};
    struct span rest;
    uint64_t port;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (words_after(line, labels[i], &rest)) {
            tell_server(message, rest);
            rest = span_from(rest, host_size(rest));
            bool names_port = words_begin(rest, ", port ") || words_begin(rest, " port ");
            if (names_port && words_after(rest, "port ", &rest) && words_take_number(&rest, &port) &&
                port <= UINT16_MAX)
                message->told.server.port = (uint16_t)port;
        }
}

/* Go's words of a socket: "dial tcp 10.0.0.9:1433: i/o timeout", "read tcp 10.0.0.5:50123->10.0.0.9:1433: ...". */
static bool read_socket(struct driver_message *message, struct span line)
{
    enum { SQL_SERVER_PORT = 1433 };
    struct error_record *told = &message->told;
    struct endpoint client, server;
    struct span rest;
    if (words_after(line, "dial tcp ", &rest)) {
        struct span end = span_part(rest, 0, host_size(rest));
        if (end.size > 0 && words_endpoint(span_part(end, 0, end.size - (end.data[end.size - 1] == ':')), &server))
            told->server = server;
        return false;
    }
    if (!words_after(line, "read tcp ", &rest) && !words_after(line, "write tcp ", &rest))
        return false;
    struct span from = span_part(rest, 0, host_size(rest)), to;
    if (!words_after(rest, "->", &to) || from.size < 2 || !words_endpoint(span_part(from, 0, from.size - 1), &client))
        return false;
    to = span_part(to, 0, host_size(to));
    if (to.size == 0 || !words_endpoint(span_part(to, 0, to.size - (to.data[to.size - 1] == ':')), &server) ||
        (server.port != SQL_SERVER_PORT && !message->of_driver))
        return false;
    told->client = client;
    told->server = server;
    return true;
}

bool driver_message_read(struct driver_message *message, struct span line)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers && !message->of_driver; i++)
        message->of_driver = contains(line, drivers[i]);
    bool tells = read_times(message, line);
    tells = read_sentences(message, line) || tells;
    tells = read_provider(message, line) || tells;
    tells = read_number_line(message, line) || tells;
    tells = read_state(message, line) || tells;
    tells = read_socket(message, line) || tells;
    message->tells = message->tells || tells;
    if (message->of_driver || message->tells) {
        read_system_error(message, line);
        read_connection_id(message, line);
        read_server(message, line);
    }
    return tells;
}
