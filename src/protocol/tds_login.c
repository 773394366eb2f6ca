/* PRELOGIN (MS-TDS 2.2.6.5), LOGIN7 (2.2.6.4), LOGIN (MS-SSTDS 2.2.6.3) and what SSPI tokens begin with (RFC 4178, MS-NLMP). */
#include "tds_login.h"

#include <string.h>

#include "cursor.h"

enum prelogin_option {
    PRELOGIN_VERSION = 0,
    PRELOGIN_ENCRYPTION = 1,
    PRELOGIN_INSTANCE = 2,
    PRELOGIN_THREAD = 3,
    PRELOGIN_MARS = 4,
    PRELOGIN_TRACEID = 5,
    PRELOGIN_FEDAUTHREQUIRED = 6,
    PRELOGIN_TERMINATOR = 0xff
};

enum { PRELOGIN_ENTRY = 5, PRELOGIN_OPTIONS_MAX = 32, PRELOGIN_VERSION_SIZE = 6, GUID_SIZE = 16 };

/* TRACEID: the connection's GUID, then that of an activity and its sequence number. */
static void read_trace_id(struct span value, struct prelogin *p)
{
    struct cursor c = cursor_over(value);
    struct span connection = cursor_take(&c, GUID_SIZE), activity = cursor_take(&c, GUID_SIZE);
    for (size_t i = 0; i < connection.size; i++) {
        p->connection_id[i] = connection.data[i];
        p->has_connection_id |= connection.data[i] != 0;
    }
    for (size_t i = 0; i < activity.size; i++) {
        p->activity_id[i] = activity.data[i];
        p->has_activity_id |= activity.data[i] != 0;
    }
    p->activity_sequence = cursor_u32le(&c);
}

/* INSTOPT ends with a zero byte. */
static struct span read_instance(struct span value)
{
    size_t size = 0;
    while (size < value.size && value.data[size] != 0)
        size++;
    return span_part(value, 0, size);
}

static void read_option(uint8_t option, struct span value, struct prelogin *p)
{
    struct cursor c = cursor_over(value);
    switch (option) {
    case PRELOGIN_VERSION:
        p->version = cursor_u32be(&c);
        break;
    case PRELOGIN_ENCRYPTION:
        p->encryption = value.size ? cursor_u8(&c) : PRELOGIN_UNKNOWN;
        break;
    case PRELOGIN_MARS:
        p->mars = value.size ? cursor_u8(&c) : PRELOGIN_UNKNOWN;
        break;
    case PRELOGIN_FEDAUTHREQUIRED:
        p->fedauth_required = value.size ? cursor_u8(&c) : PRELOGIN_UNKNOWN;
        break;
    case PRELOGIN_TRACEID:
        read_trace_id(value, p);
        break;
    case PRELOGIN_INSTANCE:
        p->instance = read_instance(value);
        break;
    case PRELOGIN_THREAD:
        p->thread_id = cursor_u32le(&c);
        break;
    }
}

bool prelogin_read(struct span body, uint32_t size, struct prelogin *p)
{
    *p = (struct prelogin){
        .encryption = PRELOGIN_UNKNOWN, .mars = PRELOGIN_UNKNOWN, .fedauth_required = PRELOGIN_UNKNOWN};
    struct cursor table = cursor_over(body);
    uint16_t table_end = 0;
    for (unsigned i = 0; i < PRELOGIN_OPTIONS_MAX; i++) {
        uint8_t option = cursor_u8(&table);
        if (!table.failed && option == PRELOGIN_TERMINATOR)
            return i > 0;
        uint16_t offset = cursor_u16be(&table), length = cursor_u16be(&table);
        if (table.failed)
            return i > 0 && (size == 0 || body.size < size);
        /* VERSION comes first, and its value stands right behind the table: that tells the table's size. */
        if (i == 0) {
            if (option != PRELOGIN_VERSION || length != PRELOGIN_VERSION_SIZE || offset <= PRELOGIN_ENTRY)
                return false;
            table_end = offset;
        }
        if (option >= PRELOGIN_OPTIONS_MAX || (length > 0 && offset < (i + 1) * PRELOGIN_ENTRY + 1))
            return false;
        if (size > 0 && (offset > size || length > size - offset))
            return false;
        if ((i + 1) * PRELOGIN_ENTRY >= table_end)
            return false;
        struct span value = span_part(body, offset, length);
        if (value.size == length)
            read_option(option, value, p);
    }
    return false;
}

/* Where a message says that something stands; it need not be true. */
struct place {
    size_t offset, size;
};

static bool places_overlap(struct place a, struct place b)
{
    if (a.size == 0 || b.size == 0)
        return false;
    return a.offset < b.offset ? b.offset - a.offset < a.size : a.offset - b.offset < b.size;
}

/* What no text may show, whatever its own offset says. */
enum { SECRETS_MAX = 4 };
struct secrets {
    struct place places[SECRETS_MAX];
};

static struct span text_at(struct span body, struct place place, const struct secrets *secrets)
{
    for (unsigned i = 0; i < SECRETS_MAX; i++)
        if (places_overlap(place, secrets->places[i]))
            return (struct span){0};
    struct span text = span_part(body, place.offset, place.size);
    return text.size == place.size ? text : (struct span){0};
}

/* One offset and count of LOGIN7's OffsetLength rule. */
static struct place read_place(struct cursor *c)
{
    uint16_t offset = cursor_u16le(c), characters = cursor_u16le(c);
    return (struct place){offset, (size_t)characters * 2};
}

enum { FEATURE_TERMINATOR = 0xff, FEATURES_MAX = 64 };

/* The bits of those asked for. fedauth: where the data of that one stand; they may be the token itself. */
static uint32_t read_features(struct span body, uint16_t extension, struct place *fedauth)
{
    struct cursor pointer = cursor_over(span_from(body, extension));
    uint32_t offset = cursor_u32le(&pointer), seen = 0;
    struct cursor features = cursor_over(span_from(body, offset));
    if (pointer.failed)
        return 0;
    for (unsigned i = 0; i < FEATURES_MAX; i++) {
        uint8_t feature = cursor_u8(&features);
        uint32_t size = feature == FEATURE_TERMINATOR ? 0 : cursor_u32le(&features);
        if (features.failed || feature == FEATURE_TERMINATOR)
            break;
        if (feature <= FEATURES_KNOWN_MAX)
            seen |= (uint32_t)1 << feature;
        if (feature == FEATURE_FEDAUTH)
            *fedauth = (struct place){body.size - features.left, size};
        cursor_skip(&features, size);
    }
    return seen;
}

enum { TDS_VERSION_8 = 0x08000000 };

static bool version_plausible(uint32_t version)
{
    uint8_t major = (uint8_t)(version >> 24);
    return (major >= 0x70 && major <= 0x7f) || version == TDS_VERSION_8;
}

enum {
    FIXED_NUMBERS = 36,
    FIRST_TEXT_MAX = 512,
    OPTION2_INTEGRATED = 0x80,
    TYPE_READ_ONLY_INTENT = 0x20,
    OPTION3_CHANGE_PASSWORD = 0x01,
    OPTION3_USER_INSTANCE = 0x02,
    OPTION3_EXTENSION = 0x10,
    TEXT_POINTER = 4,
    TEXTS_BEFORE_EXTENSION = 5,
    TEXTS_BEFORE_CLIENT_ID = 9,
    CLIENT_ID = 6,
    SSPI_LONG = 0xffff,
    VERSION_72 = 0x72
};

static struct place read_sspi(struct cursor *c)
{
    uint16_t offset = cursor_u16le(c), size = cursor_u16le(c);
    cursor_skip(c, TEXT_POINTER); /* database file */
    struct cursor long_size = *c;
    cursor_skip(&long_size, TEXT_POINTER);
    uint32_t sspi_long = cursor_u32le(&long_size);
    return (struct place){offset, size == SSPI_LONG && sspi_long > 0 ? sspi_long : size};
}

static uint16_t read_extension(struct cursor c)
{
    cursor_skip(&c, TEXTS_BEFORE_EXTENSION * TEXT_POINTER);
    return cursor_u16le(&c);
}

/* The places of the password, the SSPI token, and (from TDS 7.2 on) the new password; fedauth is the fourth. */
static struct secrets read_secrets(struct cursor c, bool has_new_password, struct place fedauth)
{
    struct secrets secrets = {.places[3] = fedauth};
    cursor_skip(&c, 2 * TEXT_POINTER);
    secrets.places[0] = read_place(&c);
    cursor_skip(&c, (TEXTS_BEFORE_CLIENT_ID - 3) * TEXT_POINTER + CLIENT_ID);
    secrets.places[1] = read_sspi(&c);
    if (has_new_password)
        secrets.places[2] = read_place(&c);
    return secrets;
}

static void read_pointers(struct cursor c, struct span body, const struct secrets *secrets, struct login7 *login)
{
    login->host = text_at(body, read_place(&c), secrets);
    login->user = text_at(body, read_place(&c), secrets);
    cursor_skip(&c, TEXT_POINTER); /* the password's */
    login->application = text_at(body, read_place(&c), secrets);
    login->server = text_at(body, read_place(&c), secrets);
    cursor_skip(&c, TEXT_POINTER); /* the extension's */
    login->library = text_at(body, read_place(&c), secrets);
    login->language = text_at(body, read_place(&c), secrets);
    login->database = text_at(body, read_place(&c), secrets);
    cursor_skip(&c, CLIENT_ID);
    struct place sspi = read_sspi(&c);
    login->sspi = span_part(body, sspi.offset, sspi.size);
}

static uint8_t read_flags(uint8_t option2, uint8_t type, uint8_t option3)
{
    unsigned flags = 0;
    if (option2 & OPTION2_INTEGRATED)
        flags |= LOGIN_FLAG_INTEGRATED;
    if (type & TYPE_READ_ONLY_INTENT)
        flags |= LOGIN_FLAG_READ_ONLY_INTENT;
    if (option3 & OPTION3_CHANGE_PASSWORD)
        flags |= LOGIN_FLAG_CHANGES_PASSWORD;
    if (option3 & OPTION3_USER_INSTANCE)
        flags |= LOGIN_FLAG_USER_INSTANCE;
    return (uint8_t)flags;
}

bool login7_read(struct span body, struct login7 *login)
{
    *login = (struct login7){0};
    struct cursor c = cursor_over(body);
    login->length = cursor_u32le(&c);
    login->tds_version = cursor_u32le(&c);
    login->packet_size = cursor_u32le(&c);
    cursor_skip(&c, 4); /* version of the client's library */
    login->process_id = cursor_u32le(&c);
    cursor_skip(&c, 4 + 1); /* ConnectionID, OptionFlags1 */
    uint8_t option2 = cursor_u8(&c);
    uint8_t type_flags = cursor_u8(&c), option3 = cursor_u8(&c);
    cursor_skip(&c, 4 + 4); /* time zone, LCID */
    if (c.failed || !version_plausible(login->tds_version) || login->length < LOGIN7_FIXED_OLD)
        return false;
    login->flags = read_flags(option2, type_flags, option3);
    struct cursor first = c;
    uint16_t first_text = cursor_u16le(&first);
    if (!first.failed && (first_text < LOGIN7_FIXED_OLD || first_text > FIRST_TEXT_MAX))
        return false;
    bool has_new_password =
        login->tds_version >> 24 >= VERSION_72 || login->tds_version == TDS_VERSION_8 || first_text >= LOGIN7_FIXED;
    struct place fedauth = {0};
    if (option3 & OPTION3_EXTENSION)
        login->features = read_features(body, read_extension(c), &fedauth);
    struct secrets secrets = read_secrets(c, has_new_password, fedauth);
    read_pointers(c, body, &secrets, login);
    return true;
}

/* A text of a fixed place, whose length stands behind it. */
static struct span read_padded(struct cursor *c, size_t place, bool *valid)
{
    struct span text = cursor_take(c, place);
    uint8_t size = cursor_u8(c);
    if (c->failed)
        return (struct span){0};
    if (size > place)
        *valid = false;
    return span_part(text, 0, size);
}

enum { OLD_TEXT = 30, OLD_REMOTE_PASSWORD = 255, OLD_PROGRAM = 10, OLD_HOST_PROCESS = 30, OLD_OPTIONS = 16 };

bool old_login_read(struct span body, struct old_login *login)
{
    *login = (struct old_login){0};
    struct cursor c = cursor_over(body);
    bool valid = true;
    login->host = read_padded(&c, OLD_TEXT, &valid);
    login->user = read_padded(&c, OLD_TEXT, &valid);
    bool begun = !c.failed;
    cursor_skip(&c, OLD_TEXT + 1);         /* password */
    cursor_skip(&c, OLD_HOST_PROCESS + 1); /* the client's process, as text */
    cursor_skip(&c, OLD_OPTIONS);          /* byte orders and the like, up to the application's name */
    login->application = read_padded(&c, OLD_TEXT, &valid);
    login->server = read_padded(&c, OLD_TEXT, &valid);
    cursor_skip(&c, OLD_REMOTE_PASSWORD + 1);
    uint32_t version = cursor_u32be(&c);
    login->tds_version = version;
    login->library = read_padded(&c, OLD_PROGRAM, &valid);
    bool known = version == 0 || version >> 24 == 4 || version >> 24 == 5;
    return begun && valid && known;
}

/* From needle's place in the first bytes of token on; they are few. Empty: it is not there. */
static struct span find(struct span token, const void *needle, size_t size)
{
    enum { SEARCHED = 4096 };
    token = span_part(token, 0, SEARCHED);
    for (size_t i = 0; i + size <= token.size; i++)
        if (memcmp(token.data + i, needle, size) == 0)
            return span_from(token, i);
    return (struct span){0};
}

static bool contains(struct span token, const void *needle, size_t size)
{
    return find(token, needle, size).size > 0;
}

static const char ntlm[] = "NTLMSSP"; /* with its zero byte: MS-NLMP 2.2.1 */

/* Len, MaxLen and BufferOffset of a field (2.2.1.3). */
static struct place read_ntlm_field(struct cursor *c)
{
    uint16_t size = cursor_u16le(c);
    cursor_skip(c, 2);
    return (struct place){cursor_u32le(c), size};
}

bool ntlm_authenticate_read(struct span token, struct ntlm_names *names)
{
    enum { AUTHENTICATE = 3, NEGOTIATE_UNICODE = 1 };
    *names = (struct ntlm_names){0};
    struct span message = find(token, ntlm, sizeof ntlm);
    struct cursor c = cursor_over(message);
    cursor_skip(&c, sizeof ntlm);
    if (cursor_u32le(&c) != AUTHENTICATE)
        return false;
    struct secrets secrets = {0};
    secrets.places[0] = read_ntlm_field(&c); /* LmChallengeResponse */
    secrets.places[1] = read_ntlm_field(&c); /* NtChallengeResponse */
    struct place domain = read_ntlm_field(&c), user = read_ntlm_field(&c), workstation = read_ntlm_field(&c);
    secrets.places[2] = read_ntlm_field(&c); /* EncryptedRandomSessionKey */
    names->wide = cursor_u32le(&c) & NEGOTIATE_UNICODE;
    if (c.failed)
        return false;
    names->domain = text_at(message, domain, &secrets);
    names->user = text_at(message, user, &secrets);
    names->workstation = text_at(message, workstation, &secrets);
    return true;
}

enum login_authentication sspi_mechanism(struct span token)
{
    /* A Kerberos token inside GSS-API (RFC 4121, 4.1): the mechanism 1.2.840.113554.1.2.2, then TOK_ID 01 00 (AP-REQ)
     * or 02 00 (AP-REP). The list of SPNEGO's mechanisms names it, too, but without a TOK_ID. */
    static const uint8_t ap_req[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00};
    static const uint8_t ap_rep[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x02, 0x00};
    if (contains(token, ntlm, sizeof ntlm))
        return LOGIN_NTLM;
    if (contains(token, ap_req, sizeof ap_req) || contains(token, ap_rep, sizeof ap_rep))
        return LOGIN_KERBEROS;
    return LOGIN_SSPI;
}
