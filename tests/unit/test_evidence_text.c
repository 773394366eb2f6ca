/* Tests of decoded text, its lines and its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "moment.h"
#include "text_lines.h"
#include "text_words.h"

static struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

/* All of the lines, each followed by "|"; valid until the next call. */
static const char *lines_of(const void *bytes, size_t size, enum text_encoding *encoding, uint32_t *cut)
{
    static struct text all;
    text_clear(&all);
    struct decoded_text *text = memory_take(sizeof *text);
    struct text_lines lines;
    struct span line;
    assert_true(decoded_text_open(text, os_file_from_memory((struct span){bytes, size}), NULL));
    *encoding = text->encoding;
    text_lines_open(&lines, text, (struct span){0});
    while (text_lines_next(&lines, &line)) {
        text_add_bytes(&all, (const char *)line.data, line.size);
        text_add(&all, "|");
    }
    *cut = lines.cut;
    text_lines_close(&lines);
    decoded_text_close(text);
    memory_give(text);
    return text_string(&all);
}

#define ASSERT_LINES(literal, expected, expected_encoding)                                                             \
    do {                                                                                                               \
        enum text_encoding encoding_;                                                                                  \
        uint32_t cut_;                                                                                                 \
        assert_string_equal(lines_of(literal, sizeof(literal) - 1, &encoding_, &cut_), expected);                      \
        assert_int_equal(encoding_, expected_encoding);                                                                \
        assert_int_equal(cut_, 0);                                                                                     \
    } while (0)

static void test_encodings(void **state)
{
    (void)state;
    ASSERT_LINES("", "", TEXT_UTF8);
    ASSERT_LINES("one\r\ntwo\n\nlast", "one|two||last|", TEXT_UTF8);
    ASSERT_LINES("\xef\xbb\xbf"
                 "a\n",
                 "a|", TEXT_UTF8);
    ASSERT_LINES("\xff\xfe"
                 "a\0\r\0\n\0\xfc\0",
                 "a|\xc3\xbc|", TEXT_UTF16LE);
    ASSERT_LINES("\xfe\xff"
                 "\0a\0\n\0b",
                 "a|b|", TEXT_UTF16BE);
    ASSERT_LINES("a\0b\0c\0\n\0", "abc|", TEXT_UTF16LE); /* without a mark */
    ASSERT_LINES("H\x99REN\n", "H\xe2\x84\xa2REN|", TEXT_WINDOWS_1252);
    ASSERT_LINES("\xff\xfe\x3d\xd8\x00\xde!\0", "\xf0\x9f\x98\x80!|", TEXT_UTF16LE); /* a pair of surrogates */
}

static void test_broken_text(void **state)
{
    (void)state;
    ASSERT_LINES("\xff\xfe\x3d\xd8!\0", "\xef\xbf\xbd!|", TEXT_UTF16LE); /* half of a pair */
    ASSERT_LINES("\xff\xfe"
                 "a\0b",
                 "a|", TEXT_UTF16LE); /* half of a unit */
    ASSERT_LINES("\xc3\xa4\xc0\xaf", "\xc3\x83\xc2\xa4\xc3\x80\xc2\xaf|",
                 TEXT_WINDOWS_1252); /* no UTF-8: C0 begins nothing */
}

/* What a chunk's border cuts is put together. */
static void test_long_text(void **state)
{
    (void)state;
    enum { SIZE = 3 * TEXT_CHUNK_BYTES + 7 };
    char *bytes = memory_take(SIZE);
    for (size_t i = 0; i + 1 < SIZE; i += 2) {
        bytes[i] = (char)0xc3;
        bytes[i + 1] = (char)0xa4;
    }
    bytes[SIZE - 1] = '\n';
    bytes[101] = '\n';
    bytes[100] = 'x';
    enum text_encoding encoding;
    uint32_t cut;
    const char *lines = lines_of(bytes, SIZE, &encoding, &cut);
    assert_int_equal(encoding, TEXT_UTF8);
    assert_int_equal(cut, 1);
    assert_int_equal(strlen(lines), 101 + 1 + TEXT_LINE_MAX_BYTES + 1);
    assert_null(strstr(lines, "\xef\xbf\xbd"));
    memory_give(bytes);
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t n;
    assert_true(words_number(span_of("18446744073709551615"), &n) && n == UINT64_MAX);
    assert_false(words_number(span_of("18446744073709551616"), &n));
    assert_false(words_number(span_of(""), &n));
    assert_false(words_number(span_of("12 "), &n));
    assert_true(words_hex(span_of("0x2746"), &n) && n == 10054);
    assert_false(words_hex(span_of("0x"), &n));
    assert_false(words_hex(span_of("0x12345678901234567"), &n));
}

static void assert_address(const char *text, const char *expected)
{
    struct address address;
    char back[ADDRESS_TEXT_SIZE];
    assert_true(words_address(span_of(text), &address));
    assert_string_equal(address_text(&address, back), expected);
}

static void test_addresses(void **state)
{
    (void)state;
    struct address address;
    struct endpoint end;
    assert_address("10.0.0.255", "10.0.0.255");
    assert_address("fe80::1%5", "fe80::1");
    assert_address("::", "::");
    assert_address("2001:db8::", "2001:db8::");
    assert_address("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8");
    assert_address("::ffff:10.1.2.3", "10.1.2.3");
    static const char *const wrong[] = {
        "",        "10.0.0",    "10.0.0.256",        "1.2.3.4.5", ":1",  "1:2:3:4:5:6:7:8:9",
        "1::2::3", "12345::",   "1:2:3:4:5:6:7:8::", "g::",       "1:2", "1:",
        "::1:",    "1.2.3.4::", "::1.2.3",           ":::"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(words_address(span_of(wrong[i]), &address));
    assert_true(words_endpoint(span_of("[fe80::1%5]:1433"), &end) && end.port == 1433 && end.address.version == 6);
    assert_true(words_endpoint(span_of("0.0.0.0:0"), &end) && end.address.version == 0);
    assert_true(words_endpoint(span_of("*:*"), &end) && end.port == 0);
    assert_false(words_endpoint(span_of("10.0.0.1:65536"), &end));
    assert_false(words_endpoint(span_of("10.0.0.1"), &end));
}

static void test_times(void **state)
{
    (void)state;
    int64_t ns;
    struct span rest = span_of("2026-03-02 09:30:00.12 spid");
    assert_true(words_take_time(&rest, &ns));
    assert_int_equal(ns, 1772443800120000000);
    assert_true(words_equal(rest, " spid"));
    rest = span_of("1970-01-01T00:00:00");
    assert_true(words_take_time(&rest, &ns) && ns == 0);
    rest = span_of("2024/02/29 23:59:60,5");
    assert_true(words_take_time(&rest, &ns) && ns == 1709251200500000000);
    static const char *const wrong[] = {"",
                                        "2026-13-01 00:00:00",
                                        "1969-01-01 00:00:00",
                                        "2026-01-01 24:00:00",
                                        "2026-01-01 00:00",
                                        "99999999999999999999-01-01 00:00:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rest = span_of(wrong[i]);
        assert_false(words_take_time(&rest, &ns));
        assert_int_equal(rest.size, strlen(wrong[i]));
    }
}

static void test_guids(void **state)
{
    (void)state;
    static const uint8_t expected[16] = {0x3d, 0x2c, 0x1b, 0x0a, 0x11, 0x00, 0x33, 0x22,
                                         0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb};
    uint8_t guid[16];
    assert_true(words_guid(span_of("{0A1B2C3D-0011-2233-4455-66778899aabb}"), guid));
    assert_memory_equal(guid, expected, sizeof guid);
    assert_false(words_guid(span_of("0A1B2C3D-0011-2233-4455-66778899aab"), guid));
    assert_false(words_guid(span_of("0A1B2C3D00112233-4455-66778899aabb-"), guid));
}

static void test_cutting(void **state)
{
    (void)state;
    struct span rest = span_of("  one\ttwo, three: [four]"), found;
    assert_true(words_equal(words_next(&rest), "ONE"));
    assert_true(words_equal(words_until(&rest, ','), "\ttwo"));
    assert_true(words_after(rest, ": [", &found));
    assert_true(words_equal(words_until(&found, ']'), "four"));
    assert_int_equal(found.size, 0);
    assert_false(words_after(rest, "five", &found));
    assert_false(words_find(span_of("ab"), "abc", &found));
    assert_true(words_find(span_of("aab"), "ab", &found) && found.size == 2);
    assert_int_equal(words_trim(span_of(" \t ")).size, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encodings), cmocka_unit_test(test_broken_text), cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_addresses),   cmocka_unit_test(test_times),
        cmocka_unit_test(test_guids),     cmocka_unit_test(test_cutting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
