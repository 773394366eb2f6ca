/*
 * Theory of operation. A tool that goes on from file to file keeps the name it was given, and the folder, and counts:
 *
 *   dumpcap, Wireshark   name_00001_20261126163045.pcapng, or the date before the number
 *   tcpdump -C, -W       name.pcap, name.pcap1, name.pcap2; name.pcap00; with -z gzip name.pcap1.gz
 *   tcpdump -G           a date wherever its user wants it: name-20261126-163000.pcap, 2026-11-26_16-30-00_name.pcap
 *   NMCap                name.cap, name(1).cap; a browser that saves another file of the same name has a blank before the (1)
 *   pktmon               name1.etl
 *   Azure                2026/11/26/packetcapture_16_30_00_123.cap
 *
 * So where a name has a date, or dumpcap's pair, only that is taken away: in sql-01_00001_20261126163045 the 01 is the name of a machine.
 * Without one it is the number behind the extension, or else the last one. tcpdump's first file has no number: its name is compared as
 * it is, too. Folders are the order that people bring: one for each machine, or one for each day.
 *
 * Who counts leaves no number out: where one is lacking, a file is. That holds of dumpcap's number beside its date, and of any number in a
 * name and a folder without a date, beside which a tool may begin to count anew.
 */
#include "capture_series.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "hash_index.h"

enum { PARTS = 3, DIGITS_OF_A_DATE = 6, PART_DIGITS_MOST = 9 };

/* Numbers that are joined by the same character. */
struct parts {
    size_t sizes[PARTS];
    int values[PARTS];
    unsigned count;
};

static bool is_digit(char c)
{
    return isdigit((unsigned char)c);
}

static size_t digits_at(const char *text, const char *end)
{
    size_t size = 0;
    while (text + size < end && is_digit(text[size]))
        size++;
    return size;
}

/* size: at most PART_DIGITS_MOST. */
static int number_at(const char *text, size_t size)
{
    int number = 0;
    for (size_t i = 0; i < size; i++)
        number = number * 10 + (text[i] - '0');
    return number;
}

/* Between the parts of a date and a time, and between them and a counter. */
static bool is_joint(char c)
{
    return c != '\0' && strchr("-_.:T", c);
}

/* Bytes of "10.1.0.5" there; 0: none. */
static size_t address_at(const char *text, const char *end)
{
    enum { NUMBERS = 4, NUMBER_DIGITS = 3 };
    const char *at = text;
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (i > 0 && (at == end || *at++ != '.'))
            return 0;
        size_t size = digits_at(at, end);
        if (size == 0 || size > NUMBER_DIGITS || number_at(at, size) > UINT8_MAX)
            return 0;
        at += size;
    }
    return (size_t)(at - text);
}

static struct parts parts_at(const char *text, const char *end)
{
    struct parts parts = {.count = 0};
    char joint = '\0';
    while (parts.count < PARTS) {
        size_t size = digits_at(text, end);
        if (size == 0 || size > PART_DIGITS_MOST)
            break;
        parts.sizes[parts.count] = size;
        parts.values[parts.count++] = number_at(text, size);
        text += size;
        if (text == end || !is_joint(*text) || (joint && *text != joint))
            break;
        joint = *text++;
    }
    return parts;
}

static bool is_within(int value, int least, int most)
{
    return value >= least && value <= most;
}

/* Year, month, day; day, month, year; or hour, minute, second. */
static bool is_date_or_time(const struct parts *parts)
{
    enum { FIRST_YEAR = 1970, LAST_YEAR = 2099 };
    const size_t *sizes = parts->sizes;
    const int *values = parts->values;
    if (parts->count < PARTS || sizes[1] != 2)
        return false;
    bool month = is_within(values[1], 1, 12);
    if (sizes[0] == 4 && sizes[2] == 2)
        return month && is_within(values[0], FIRST_YEAR, LAST_YEAR) && is_within(values[2], 1, 31);
    if (sizes[0] == 2 && sizes[2] == 4)
        return month && is_within(values[0], 1, 31) && is_within(values[2], FIRST_YEAR, LAST_YEAR);
    return sizes[0] == 2 && sizes[2] == 2 && is_within(values[0], 0, 23) && is_within(values[1], 0, 59) &&
           is_within(values[2], 0, 60);
}

/* Bytes of a date, a time or the seconds since 1970 there, with the numbers that are joined to it. */
static size_t date_at(const char *text, const char *end)
{
    struct parts parts = parts_at(text, end);
    size_t size = digits_at(text, end);
    if (size < DIGITS_OF_A_DATE && !is_date_or_time(&parts))
        return 0;
    for (size_t more; text + size < end && is_joint(text[size]) && address_at(text + size + 1, end) == 0 &&
                      (more = digits_at(text + size + 1, end)) > 0;)
        size += 1 + more;
    return size;
}

/* dumpcap's number before its date: "00001_". */
static size_t counter_before(const char *begin, const char *date, size_t date_size)
{
    enum { DIGITS = 5, DATE_DIGITS = 14 };
    if (date_size != DATE_DIGITS || date - begin < DIGITS + 2 || date[-1] != '_' || date[-DIGITS - 2] != '_')
        return 0;
    return digits_at(date - DIGITS - 1, date) == DIGITS ? DIGITS + 1 : 0;
}

struct stretch {
    size_t from, size;
};

/* size 0: there is none. */
static struct stretch find_date(const char *name, const char *end)
{
    for (const char *at = name; at < end; at++) {
        size_t address = address_at(at, end);
        if (address > 0) {
            at += address - 1;
            continue;
        }
        if (!is_digit(*at) || (at > name && is_digit(at[-1])))
            continue;
        size_t size = date_at(at, end);
        if (size == 0)
            continue;
        size_t before = counter_before(name, at, size);
        return (struct stretch){(size_t)(at - name) - before, size + before};
    }
    return (struct stretch){0, 0};
}

/* The last number before the extension, with the brackets that NMCap puts around it; none where the name is an address. */
static struct stretch find_counter(const char *name, const char *end)
{
    const char *last = end;
    while (last > name && !is_digit(last[-1]))
        last--;
    const char *first = last;
    while (first > name && is_digit(first[-1]))
        first--;
    const char *address = last;
    while (address > name && (is_digit(address[-1]) || address[-1] == '.'))
        address--;
    if (first == last || address_at(address, last) == (size_t)(last - address))
        return (struct stretch){0, 0};
    bool in_brackets = first > name && first[-1] == '(' && last < end && *last == ')';
    if (in_brackets && first - 1 > name && first[-2] == ' ')
        return (struct stretch){0, 0};
    return (struct stretch){(size_t)(first - name) - in_brackets, (size_t)(last - first) + 2 * (size_t)in_brackets};
}

static bool is_compression(const char *extension, size_t size)
{
    static const char *const known[] = {".gz", ".zst", ".xz", ".bz2", ".lz4"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (size == strlen(known[i]) && strncmp(extension, known[i], size) == 0)
            return true;
    return false;
}

static const char *last_dot(const char *name, const char *end)
{
    for (const char *at = end; at > name; at--)
        if (at[-1] == '.')
            return at - 1;
    return end;
}

/* Where the extension begins that only letters follow: tcpdump counts behind its own. */
static const char *stem_end(const char *name, const char *end)
{
    const char *dot = last_dot(name, end);
    while (end > dot + 1 && is_digit(end[-1]))
        end--;
    return end > dot ? dot : end;
}

static void add(struct text *to, const char *from, const char *end)
{
    text_add_bytes(to, from, (size_t)(end - from));
}

static uint64_t counter_at(const char *text, const char *end)
{
    enum { DIGITS_MOST = 18 };
    uint64_t number = 0;
    for (unsigned i = 0; text < end && is_digit(*text) && i < DIGITS_MOST; i++)
        number = number * 10 + (uint64_t)(*text++ - '0');
    return number;
}

/* Of dumpcap's pair with a date, in either order; -1: it is something else. */
static int64_t counter_of_pair(const char *text, const char *end)
{
    enum { DIGITS_LEAST = 5, DATE_DIGITS = 14 };
    size_t first = digits_at(text, end);
    const char *behind = text + first + 1;
    if (behind >= end || text[first] != '_')
        return -1;
    size_t second = digits_at(behind, end);
    if (behind + second != end || first == second || first < DIGITS_LEAST || second < DIGITS_LEAST)
        return -1;
    if (first != DATE_DIGITS && second != DATE_DIGITS)
        return -1;
    return (int64_t)(second == DATE_DIGITS ? counter_at(text, end) : counter_at(behind, end));
}

static void set_counter(struct capture_series *series, unsigned form, int64_t number)
{
    series->counted[form] = number >= 0;
    series->numbers[form] = number >= 0 ? (uint64_t)number : 0;
}

/* The second form is without the number behind the extension only. */
static void add_name(struct capture_series *series, unsigned form, const char *name)
{
    bool only_behind = form > 0;
    const char *end = name + strlen(name), *dot = last_dot(name, end);
    if (is_compression(dot, (size_t)(end - dot)))
        end = dot;
    const char *stem = stem_end(name, end), *extension = end;
    while (extension > stem && is_digit(extension[-1]))
        extension--;
    bool counted_behind = extension < end && extension > stem + 1;
    struct stretch gone = only_behind ? (struct stretch){0, 0} : find_date(name, stem);
    bool dated = gone.size > 0;
    if (!dated && !counted_behind && !only_behind)
        gone = find_counter(name, stem);
    const char *from = name + gone.from, *until = from + gone.size;
    add(&series->forms[form], name, from);
    add(&series->forms[form], until, counted_behind ? extension : end);
    if (dated)
        set_counter(series, form, counted_behind ? -1 : counter_of_pair(from, until));
    else if (gone.size > 0)
        set_counter(series, form, (int64_t)counter_at(from + (*from == '('), until));
    else
        set_counter(series, form, counted_behind ? (int64_t)counter_at(extension, end) : only_behind ? 0 : -1);
}

/* "2026", "11", "2026-11-26". */
static bool is_day(const char *folder, const char *end)
{
    unsigned digits = 0;
    for (const char *at = folder; at < end; at++) {
        if (!is_digit(*at) && !is_joint(*at))
            return false;
        digits += is_digit(*at);
    }
    return digits >= 2 && address_at(folder, end) == 0;
}

static bool is_same_place(const char *folder, const char *end)
{
    return end == folder || (end == folder + 1 && *folder == '.');
}

static void add_path(struct capture_series *series, unsigned form, const char *path)
{
    bool of_a_day = false;
    if (*path == '/')
        text_add(&series->forms[form], "/");
    for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
        bool is_date = is_day(path, slash);
        of_a_day |= is_date;
        if (!is_same_place(path, slash) && !is_date)
            add(&series->forms[form], path, slash + 1);
    }
    add_name(series, form, path);
    series->counted[form] &= !of_a_day;
}

void capture_series_open(struct capture_series *series, const char *path)
{
    *series = (struct capture_series){0};
    for (unsigned i = 0; i < CAPTURE_SERIES_FORMS; i++) {
        const struct text *form = &series->forms[i];
        add_path(series, i, path);
        series->hashes[i] = hash_bytes(text_string(form), (uint32_t)form->size);
    }
}

static bool is_same_form(const struct capture_series *a, const struct capture_series *b, unsigned form)
{
    return a->hashes[form] == b->hashes[form] &&
           strcmp(text_string(&a->forms[form]), text_string(&b->forms[form])) == 0;
}

bool capture_series_same(const struct capture_series *a, const struct capture_series *b)
{
    for (unsigned i = 0; i < CAPTURE_SERIES_FORMS; i++)
        if (is_same_form(a, b, i))
            return true;
    return false;
}

struct files_left_out capture_series_left_out(const struct capture_series *earlier, const struct capture_series *later)
{
    for (unsigned i = 0; i < CAPTURE_SERIES_FORMS; i++)
        if (is_same_form(earlier, later, i) && earlier->counted[i] && later->counted[i] &&
            earlier->numbers[i] + 1 < later->numbers[i])
            return (struct files_left_out){earlier->numbers[i] + 1, later->numbers[i] - 1};
    return (struct files_left_out){1, 0};
}

void capture_series_close(struct capture_series *series)
{
    for (unsigned i = 0; i < CAPTURE_SERIES_FORMS; i++)
        text_close(&series->forms[i]);
}
