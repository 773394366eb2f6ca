/* Words and numbers in lines of text. */
#include "text_words.h"

#include "moment.h"

static char lower(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool words_begin(struct span s, const char *word)
{
    size_t size = strlen(word);
    return size <= s.size && (size == 0 || memcmp(s.data, word, size) == 0);
}

bool words_begin_any_case(struct span s, const char *word)
{
    size_t size = strlen(word);
    if (size > s.size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (lower(s.data[i]) != lower((uint8_t)word[i]))
            return false;
    return true;
}

bool words_equal(struct span s, const char *word)
{
    return s.size == strlen(word) && words_begin_any_case(s, word);
}

bool words_find(struct span s, const char *word, struct span *from)
{
    size_t size = strlen(word);
    for (size_t at = 0; size > 0 && at + size <= s.size; at++) {
        const uint8_t *first = memchr(s.data + at, word[0], s.size - size - at + 1);
        if (!first)
            return false;
        at = (size_t)(first - s.data);
        if (memcmp(first, word, size) == 0) {
            *from = span_from(s, at);
            return true;
        }
    }
    return false;
}

bool words_after(struct span s, const char *word, struct span *rest)
{
    struct span from;
    if (!words_find(s, word, &from))
        return false;
    *rest = span_from(from, strlen(word));
    return true;
}

struct span words_trim(struct span s)
{
    while (s.size > 0 && is_blank(s.data[0]))
        s = span_from(s, 1);
    while (s.size > 0 && is_blank(s.data[s.size - 1]))
        s.size--;
    return s;
}

struct span words_next(struct span *rest)
{
    while (rest->size > 0 && is_blank(rest->data[0]))
        *rest = span_from(*rest, 1);
    size_t size = 0;
    while (size < rest->size && !is_blank(rest->data[size]))
        size++;
    struct span word = span_part(*rest, 0, size);
    *rest = span_from(*rest, size);
    return word;
}

struct span words_until(struct span *rest, char end)
{
    size_t size = 0;
    while (size < rest->size && rest->data[size] != (uint8_t)end)
        size++;
    struct span part = span_part(*rest, 0, size);
    *rest = span_from(*rest, size + 1);
    return part;
}

bool words_take_number(struct span *rest, uint64_t *number)
{
    uint64_t value = 0;
    size_t size = 0;
    for (; size < rest->size && is_digit(rest->data[size]); size++) {
        unsigned digit = rest->data[size] - '0';
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (size == 0)
        return false;
    *number = value;
    *rest = span_from(*rest, size);
    return true;
}

bool words_number(struct span s, uint64_t *number)
{
    return words_take_number(&s, number) && s.size == 0;
}

static int hex_digit(uint8_t c)
{
    char l = lower(c);
    return is_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool words_hex(struct span s, uint64_t *number)
{
    if (!words_begin_any_case(s, "0x") || s.size < 3 || s.size > 18)
        return false;
    uint64_t value = 0;
    for (size_t i = 2; i < s.size; i++) {
        int digit = hex_digit(s.data[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *number = value;
    return true;
}

static bool take_ipv4(struct span s, uint8_t bytes[static 4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t part;
        if (!words_take_number(&s, &part) || part > 255)
            return false;
        bytes[i] = (uint8_t)part;
        if (i < 3 && (s.size == 0 || s.data[0] != '.'))
            return false;
        s = span_from(s, i < 3);
    }
    return s.size == 0;
}

/* RFC 4291, 2.2: groups of hexadecimal digits, "::" for zeros, perhaps an IPv4 address at the end. */
static bool take_ipv6(struct span s, uint8_t bytes[static 16])
{
    uint8_t out[16] = {0};
    size_t size = 0, gap = SIZE_MAX;
    if (words_begin(s, "::")) {
        gap = 0;
        s = span_from(s, 2);
    }
    while (s.size > 0) {
        struct span rest = s;
        struct span group = words_until(&rest, ':');
        if (rest.size == 0 && size <= 12 && take_ipv4(group, out + size)) {
            size += 4;
            s = rest;
            break;
        }
        unsigned value = 0;
        if (group.size == 0 || group.size > 4 || size > 14)
            return false;
        for (size_t i = 0; i < group.size; i++) {
            int digit = hex_digit(group.data[i]);
            if (digit < 0)
                return false;
            value = value << 4 | (unsigned)digit;
        }
        out[size++] = (uint8_t)(value >> 8);
        out[size++] = (uint8_t)value;
        bool colon = group.size < s.size;
        if (colon && rest.size == 0)
            return false;
        s = rest;
        if (colon && s.data[0] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = size;
            s = span_from(s, 1);
        }
    }
    if (gap == SIZE_MAX ? size != 16 : size > 14)
        return false;
    memset(bytes, 0, 16);
    size_t before = gap == SIZE_MAX ? size : gap, after = size - before;
    memcpy(bytes, out, before);
    if (after > 0)
        memcpy(bytes + 16 - after, out + before, after);
    return true;
}

bool words_address(struct span s, struct address *address)
{
    struct span whole = s;
    s = words_until(&whole, '%'); /* the zone of a link-local address */
    struct address found = {0};
    if (take_ipv4(s, found.bytes)) {
        found.version = 4;
    } else if (take_ipv6(s, found.bytes)) {
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        found.version = 6;
        if (memcmp(found.bytes, mapped, sizeof mapped) == 0) {
            struct address v4 = {.version = 4};
            memcpy(v4.bytes, found.bytes + 12, 4);
            found = v4;
        }
    } else {
        return false;
    }
    *address = found;
    return true;
}

bool words_address_and_port(struct span address, struct span port, struct endpoint *endpoint)
{
    uint64_t number;
    if (!words_address(address, &endpoint->address) || !words_number(port, &number) || number > UINT16_MAX)
        return false;
    endpoint->port = (uint16_t)number;
    return true;
}

static bool is_open(const struct address *address)
{
    static const uint8_t zeros[16];
    return memcmp(address->bytes, zeros, sizeof zeros) == 0;
}

bool words_endpoint(struct span s, struct endpoint *endpoint)
{
    size_t colon = s.size;
    while (colon > 0 && s.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    struct span host = span_part(s, 0, colon - 1), port = span_from(s, colon);
    struct endpoint found = {0};
    uint64_t number = 0;
    if (!words_equal(port, "*") && (!words_number(port, &number) || number > UINT16_MAX))
        return false;
    found.port = (uint16_t)number;
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = span_part(host, 1, host.size - 2);
    if (!words_equal(host, "*") && !words_address(host, &found.address))
        return false;
    if (is_open(&found.address))
        found.address = (struct address){0};
    *endpoint = found;
    return true;
}

bool words_guid(struct span s, uint8_t guid[static 16])
{
    /* The first three fields are numbers in little-endian order, the rest is bytes. */
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    if (s.size == 38 && s.data[0] == '{' && s.data[37] == '}')
        s = span_part(s, 1, 36);
    if (s.size != 36)
        return false;
    size_t digits = 0;
    uint8_t bytes[16] = {0};
    for (size_t i = 0; i < s.size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        int digit = dash ? 0 : hex_digit(s.data[i]);
        if (digit < 0 || (dash && s.data[i] != '-'))
            return false;
        if (dash)
            continue;
        uint8_t *byte = &bytes[order[digits / 2]];
        *byte = (uint8_t)(*byte << 4 | digit);
        digits++;
    }
    memcpy(guid, bytes, 16);
    return true;
}

static bool take_separator(struct span *rest, const char *among)
{
    if (rest->size == 0 || !strchr(among, rest->data[0]) || rest->data[0] == 0)
        return false;
    *rest = span_from(*rest, 1);
    return true;
}

static int64_t take_fraction_ns(struct span *rest)
{
    int64_t ns = 0, unit = NS_PER_SECOND / 10;
    struct span digits = *rest;
    if (!take_separator(&digits, ".,") || digits.size == 0 || !is_digit(digits.data[0]))
        return 0;
    for (; digits.size > 0 && is_digit(digits.data[0]); digits = span_from(digits, 1), unit /= 10)
        ns += (digits.data[0] - '0') * unit;
    *rest = digits;
    return ns;
}

struct clock_time {
    uint64_t hour, minute, second;
    int64_t fraction_ns;
};

/* "14:27:40.5", "2:27:40 PM". */
static bool take_clock_time(struct span *rest, struct clock_time *time)
{
    if (!words_take_number(rest, &time->hour) || !take_separator(rest, ":") ||
        !words_take_number(rest, &time->minute) || !take_separator(rest, ":") ||
        !words_take_number(rest, &time->second) || time->hour > 23 || time->minute > 59 || time->second > 60)
        return false;
    time->fraction_ns = take_fraction_ns(rest);
    struct span half = words_trim(*rest);
    bool afternoon = words_begin_any_case(half, "PM");
    if ((afternoon || words_begin_any_case(half, "AM")) && time->hour >= 1 && time->hour <= 12) {
        time->hour = time->hour % 12 + (afternoon ? 12 : 0);
        *rest = span_from(half, 2);
    }
    return true;
}

static bool time_of(uint64_t year, uint64_t month, uint64_t day, const struct clock_time *time, int64_t *time_ns)
{
    if (year < 1970 || year > 2115 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    int64_t seconds = days_of_date((int64_t)year, (unsigned)month, (unsigned)day) * 86400 +
                      (int64_t)(time->hour * 3600 + time->minute * 60 + time->second);
    *time_ns = seconds * NS_PER_SECOND + time->fraction_ns;
    return true;
}

bool words_take_local_time(struct span *rest, enum date_order usual, int64_t *time_ns, enum date_order *order)
{
    struct span s = *rest;
    uint64_t parts[3];
    struct clock_time time;
    *order = DATE_TOLD;
    for (int i = 0; i < 3; i++)
        if (!words_take_number(&s, &parts[i]) || (i < 2 && !take_separator(&s, "-/.")))
            return false;
    if (words_begin(s, ","))
        s = span_from(s, 1);
    if (!take_separator(&s, " \tT"))
        return false;
    s = words_trim(s);
    if (!take_clock_time(&s, &time))
        return false;
    bool year_first = parts[0] > 31;
    bool months[2] = {parts[0] <= 12, parts[1] <= 12};
    if (!year_first && months[0] != months[1])
        *order = months[0] ? DATE_MONTH_FIRST : DATE_DAY_FIRST;
    enum date_order used = *order == DATE_TOLD ? usual : *order;
    bool month_first = used == DATE_MONTH_FIRST;
    if (!(year_first ? time_of(parts[0], parts[1], parts[2], &time, time_ns)
                     : time_of(parts[2], parts[month_first ? 0 : 1], parts[month_first ? 1 : 0], &time, time_ns)))
        return false;
    *rest = s;
    return true;
}

bool words_take_time(struct span *rest, int64_t *time_ns)
{
    struct span s = *rest;
    uint64_t year, month, day;
    struct clock_time time;
    if (!words_take_number(&s, &year) || !take_separator(&s, "-/") || !words_take_number(&s, &month) ||
        !take_separator(&s, "-/") || !words_take_number(&s, &day) || !take_separator(&s, " T") ||
        !words_take_number(&s, &time.hour) || !take_separator(&s, ":") || !words_take_number(&s, &time.minute) ||
        !take_separator(&s, ":") || !words_take_number(&s, &time.second) || time.hour > 23 || time.minute > 59 ||
        time.second > 60)
        return false;
    time.fraction_ns = take_fraction_ns(&s);
    if (!time_of(year, month, day, &time, time_ns))
        return false;
    *rest = s;
    return true;
}
