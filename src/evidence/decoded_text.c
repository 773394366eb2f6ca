/* Text files in UTF-8, UTF-16 or a Windows code page, as UTF-8 (Unicode 15, 3.9 and 3.10). */
#include "decoded_text.h"

#include <assert.h>
#include <string.h>

const char *const text_encoding_names[] = {
    [TEXT_UTF8] = "utf-8",       [TEXT_UTF16LE] = "utf-16le",
    [TEXT_UTF16BE] = "utf-16be", [TEXT_WINDOWS_1252] = "windows-1252",
    [TEXT_BINARY] = "binary",
};
static_assert(sizeof text_encoding_names / sizeof *text_encoding_names == TEXT_ENCODINGS, "a name for each encoding");

enum { REPLACEMENT = 0xfffd };

/* Windows-1252, 0x80 to 0x9f; from 0xa0 on it is Unicode's. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

static void put_character(struct text *out, uint32_t c)
{
    char bytes[4];
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(first[size] | c);
    text_add_bytes(out, bytes, size);
}

/* Length of the valid UTF-8 sequence at the begin; 0: broken; -1: the bytes end within it. */
static int utf8_sequence(struct span s)
{
    uint8_t lead = s.data[0];
    int length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : 0;
    if (lead >= 0xf0 && lead < 0xf5)
        length = 4;
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= s.size)
            return -1;
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong =
        (lead == 0xe0 && s.size > 1 && s.data[1] < 0xa0) || (lead == 0xf0 && s.size > 1 && s.data[1] < 0x90);
    bool beyond = (lead == 0xed && s.size > 1 && s.data[1] > 0x9f) || (lead == 0xf4 && s.size > 1 && s.data[1] > 0x8f);
    return overlong || beyond ? 0 : length;
}

/* Each returns how many bytes were taken; at the end all are. */
static size_t decode_utf8(struct span raw, bool at_end, struct text *out)
{
    size_t at = 0;
    while (at < raw.size) {
        int length = utf8_sequence(span_from(raw, at));
        if (length < 0 && !at_end)
            break;
        if (length <= 0)
            put_character(out, REPLACEMENT);
        else
            text_add_bytes(out, (const char *)raw.data + at, (size_t)length);
        at += length > 0 ? (size_t)length : 1;
    }
    return at;
}

static uint32_t unit_at(struct span raw, size_t at, bool little)
{
    return little ? raw.data[at] | (uint32_t)raw.data[at + 1] << 8 : raw.data[at + 1] | (uint32_t)raw.data[at] << 8;
}

static size_t decode_utf16(struct span raw, bool little, bool at_end, struct text *out)
{
    size_t at = 0;
    while (raw.size - at >= 2) {
        uint32_t c = unit_at(raw, at, little);
        bool leads = c >= 0xd800 && c < 0xdc00, trails = c >= 0xdc00 && c < 0xe000;
        if (leads && raw.size - at < 4 && !at_end)
            return at;
        uint32_t next = leads && raw.size - at >= 4 ? unit_at(raw, at + 2, little) : 0;
        bool pair = next >= 0xdc00 && next < 0xe000;
        put_character(out, pair ? 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00) : leads || trails ? REPLACEMENT : c);
        at += pair ? 4 : 2;
    }
    return at_end ? raw.size : at;
}

static size_t decode_windows_1252(struct span raw, struct text *out)
{
    for (size_t i = 0; i < raw.size; i++)
        put_character(out, raw.data[i] >= 0x80 && raw.data[i] < 0xa0 ? windows_1252[raw.data[i] - 0x80] : raw.data[i]);
    return raw.size;
}

static size_t zeros_at(struct span head, size_t parity)
{
    size_t zeros = 0;
    for (size_t i = parity; i < head.size; i += 2)
        zeros += head.data[i] == 0;
    return zeros;
}

static bool is_utf8(struct span head, bool whole)
{
    for (size_t at = 0; at < head.size;) {
        int length = utf8_sequence(span_from(head, at));
        if (length < 0)
            return !whole;
        if (length == 0)
            return false;
        at += (size_t)length;
    }
    return true;
}

static enum text_encoding encoding_of(struct span head, bool whole)
{
    if (head.size >= 2 && head.data[0] == 0xff && head.data[1] == 0xfe)
        return TEXT_UTF16LE;
    if (head.size >= 2 && head.data[0] == 0xfe && head.data[1] == 0xff)
        return TEXT_UTF16BE;
    /* Half of the bytes of UTF-16 text in a Western language are zero. */
    size_t half = head.size / 2, even = zeros_at(head, 0), odd = zeros_at(head, 1);
    if (half > 0 && odd * 10 >= half * 7 && even * 20 < half)
        return TEXT_UTF16LE;
    if (half > 0 && even * 10 >= half * 7 && odd * 20 < half)
        return TEXT_UTF16BE;
    if (even + odd > 0)
        return TEXT_BINARY;
    return is_utf8(head, whole) ? TEXT_UTF8 : TEXT_WINDOWS_1252;
}

/* What came before the system refuses to go on, or before a compressed file is damaged, is given first. */
static bool fill(struct decoded_text *text, struct error *error)
{
    while (!text->at_end && text->raw_size < sizeof text->raw) {
        size_t got;
        text->broken = !os_file_read(text->file, text->raw + text->raw_size, sizeof text->raw - text->raw_size, &got,
                                     &text->error);
        text->raw_size += got;
        text->at_end = got == 0;
    }
    return !text->broken || text->raw_size > 0 || error_set(error, "%s", text->error.text);
}

static void skip_byte_order_mark(struct decoded_text *text)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    size_t size = text->encoding == TEXT_UTF16LE || text->encoding == TEXT_UTF16BE ? 2 : sizeof mark;
    bool utf16 = size == 2 && text->raw_size >= 2 && text->raw[0] + text->raw[1] == 0xff + 0xfe;
    bool utf8 = size == 3 && text->raw_size >= 3 && memcmp(text->raw, mark, size) == 0;
    if (!utf16 && !utf8)
        return;
    text->raw_size -= size;
    memmove(text->raw, text->raw + size, text->raw_size);
}

bool decoded_text_open(struct decoded_text *text, struct os_file *file, struct error *error)
{
    *text = (struct decoded_text){.file = file};
    if (!fill(text, error)) {
        decoded_text_close(text);
        return false;
    }
    text->encoding = encoding_of(decoded_text_head(text), text->at_end);
    skip_byte_order_mark(text);
    return true;
}

void decoded_text_close(struct decoded_text *text)
{
    os_file_close(text->file);
    text->file = NULL;
    text_close(&text->utf8);
}

struct span decoded_text_head(const struct decoded_text *text)
{
    return (struct span){text->raw, text->raw_size};
}

static size_t decode(struct decoded_text *text)
{
    struct span raw = {text->raw, text->raw_size};
    switch (text->encoding) {
    case TEXT_UTF16LE:
    case TEXT_UTF16BE:
        return decode_utf16(raw, text->encoding == TEXT_UTF16LE, text->at_end, &text->utf8);
    case TEXT_WINDOWS_1252:
        return decode_windows_1252(raw, &text->utf8);
    default:
        return decode_utf8(raw, text->at_end, &text->utf8);
    }
}

bool decoded_text_next(struct decoded_text *text, struct span *chunk, struct error *error)
{
    text_clear(&text->utf8);
    *chunk = (struct span){0};
    if (!fill(text, error))
        return false;
    size_t taken = decode(text);
    text->raw_size -= taken;
    memmove(text->raw, text->raw + taken, text->raw_size);
    *chunk = (struct span){(const uint8_t *)text_string(&text->utf8), text->utf8.size};
    return true;
}
