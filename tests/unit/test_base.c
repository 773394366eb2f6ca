/* Tests of the base floor: cursor, text, addresses, times, slab, hash index, arena, notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"
#include "arena.h"
#include "count_words.h"
#include "cursor.h"
#include "hash_index.h"
#include "moment.h"
#include "notes.h"
#include "slab.h"
#include "sorted.h"
#include "text.h"
#include "text_pool.h"

static struct span bytes_of(const char *literal, size_t size)
{
    return (struct span){(const uint8_t *)literal, size};
}

static void test_cursor_reads_every_width_in_both_orders(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct span s = {data, sizeof data};
    struct cursor c = cursor_over(s);
    assert_int_equal(cursor_u16be(&c), 0x0102);
    assert_int_equal(cursor_u16le(&c), 0x0403);
    assert_int_equal(cursor_u32be(&c), 0x05060708);
    assert_false(c.failed);
    c = cursor_over(s);
    assert_int_equal(cursor_u32le(&c), 0x04030201);
    assert_int_equal(cursor_u24be(&c), 0x050607);
    assert_int_equal(cursor_u8(&c), 8);
    c = cursor_over(s);
    assert_true(cursor_u64be(&c) == 0x0102030405060708u);
    c = cursor_over(s);
    assert_true(cursor_u64le(&c) == 0x0807060504030201u);
    assert_false(c.failed);
}

/* At every length, each read either fits or fails for good, and a failed one moves nothing. */
static void test_cursor_latches_its_first_failure(void **state)
{
    (void)state;
    const uint8_t data[16] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
    for (size_t size = 0; size < 8; size++) {
        struct cursor c = cursor_over((struct span){data, size});
        assert_true(cursor_u64be(&c) == 0);
        assert_true(c.failed);
        assert_int_equal(cursor_u8(&c), 0);
        assert_int_equal(cursor_rest(&c).size, 0);
        assert_int_equal(cursor_take(&c, 0).size, 0);
    }
    struct cursor c = cursor_over((struct span){data, 4});
    assert_false(cursor_skip(&c, SIZE_MAX));
    assert_true(c.failed);
}

static void test_cursor_sub_stays_inside(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3, 4};
    struct cursor c = cursor_over((struct span){data, sizeof data});
    struct cursor inner = cursor_sub(&c, 2);
    assert_int_equal(cursor_u16be(&inner), 0x0102);
    assert_int_equal(cursor_u8(&inner), 0);
    assert_true(inner.failed);
    assert_false(c.failed);
    assert_int_equal(cursor_u8(&c), 3);
    inner = cursor_sub(&c, 2);
    assert_true(inner.failed && c.failed);
}

static void test_span_part_is_clamped(void **state)
{
    (void)state;
    struct span s = bytes_of("abcdef", 6);
    assert_int_equal(span_part(s, 2, 3).size, 3);
    assert_int_equal(span_part(s, 4, 9).size, 2);
    assert_int_equal(span_part(s, 6, 1).size, 0);
    assert_int_equal(span_from(s, SIZE_MAX).size, 0);
}

static void check_untrusted(const char *literal, size_t size, const char *expected)
{
    struct text text = {0};
    text_add(&text, "");
    text_add_untrusted(&text, bytes_of(literal, size));
    assert_string_equal(text_string(&text), expected);
    text_close(&text);
}

static void test_untrusted_text_is_made_safe(void **state)
{
    (void)state;
    check_untrusted("caf\xc3\xa9", 5, "caf\xc3\xa9");
    check_untrusted("\x1b[2J", 4, "\xef\xbf\xbd[2J");             /* terminal escape */
    check_untrusted("\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd");   /* overlong zero */
    check_untrusted("\xed\xa0\x80", 3, "\xef\xbf\xbd");           /* surrogate: not valid UTF-8 */
    check_untrusted("a\xe2\x82", 3, "a\xef\xbf\xbd\xef\xbf\xbd"); /* cut */
    check_untrusted("\xe2\x80\xae", 3, "\xef\xbf\xbd");           /* right-to-left override */
    check_untrusted("a\nb", 3, "a b");
}

static void test_utf16_text(void **state)
{
    (void)state;
    struct text text = {0};
    text_add_utf16le(
        &text, bytes_of("A\0\xe9\0\x3d\xd8\x00\xde\x00\xd8!", 11)); /* A, e acute, U+1F600, half a pair, odd byte */
    assert_string_equal(text_string(&text), "A\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd");
    text_close(&text);
}

static void test_text_stops_at_its_ceiling(void **state)
{
    (void)state;
    struct text text = {.ceiling = 4};
    text_add(&text, "abc");
    text_add_utf16le(&text, bytes_of("\xe9\0", 2));
    assert_string_equal(text_string(&text), "abc");
    assert_true(text.cut);
    text_format(&text, "%d", 12345);
    assert_string_equal(text_string(&text), "abc1");
    text_close(&text);
}

static void check_address(uint8_t version, const char *bytes, const char *expected)
{
    struct address address = {.version = version};
    memcpy(address.bytes, bytes, version == 4 ? 4 : 16);
    char text[ADDRESS_TEXT_SIZE];
    assert_string_equal(address_text(&address, text), expected);
}

static void test_addresses_are_written_as_rfc_5952_says(void **state)
{
    (void)state;
    check_address(4, "\x0a\x00\x00\xff", "10.0.0.255");
    check_address(6, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", "2001:db8::1");
    check_address(6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", "::1");
    check_address(6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "::");
    check_address(6, "\0\x01\0\0\0\x02\0\x03\0\x04\0\x05\0\x06\0\x07", "1:0:2:3:4:5:6:7");
    check_address(6, "\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03", "1:0:0:2::3");
    check_address(6, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "fe80::");
    struct endpoint e = {{6, {[15] = 1}}, 1433};
    char text[ENDPOINT_TEXT_SIZE];
    assert_string_equal(endpoint_text(&e, text), "[::1]:1433");
}

static void test_times_of_any_age(void **state)
{
    (void)state;
    char text[TIME_TEXT_SIZE];
    assert_string_equal(time_text(0, text), "1970-01-01T00:00:00.000000000Z");
    assert_string_equal(time_text(-1, text), "1969-12-31T23:59:59.999999999Z");
    assert_string_equal(time_text(951782400 * NS_PER_SECOND, text), "2000-02-29T00:00:00.000000000Z");
    assert_string_equal(time_text(1795344782123456789, text), "2026-11-22T10:53:02.123456789Z");
    assert_string_equal(time_text(INT64_MAX, text), "2262-04-11T23:47:16.854775807Z");
    assert_string_equal(time_text(INT64_MIN, text), "1677-09-21T00:12:43.145224192Z");
}

static void test_slab_gives_zeroed_elements_and_reuses_them(void **state)
{
    (void)state;
    struct slab slab;
    slab_open(&slab, 24);
    for (uint32_t i = 0; i < 3 * SLAB_CHUNK; i++) {
        assert_int_equal(slab_take(&slab), i);
        memset(slab_at(&slab, i), 0xee, 24);
    }
    uint8_t *kept = slab_at(&slab, 5);
    slab_give(&slab, 7);
    slab_give(&slab, 300);
    assert_int_equal(slab.in_use, 3 * SLAB_CHUNK - 2);
    assert_int_equal(slab_take(&slab), 300);
    assert_int_equal(slab_take(&slab), 7);
    const uint8_t zeros[24] = {0};
    assert_memory_equal(slab_at(&slab, 7), zeros, 24);
    assert_ptr_equal(slab_at(&slab, 5), kept);
    slab_close(&slab);
}

static void test_slab_takes_another_over(void **state)
{
    (void)state;
    struct slab slab, other;
    slab_open(&slab, 24);
    slab_open(&other, 24);
    for (uint32_t i = 0; i < 300; i++) {
        *(uint32_t *)slab_at(&slab, slab_take(&slab)) = i;
        *(uint32_t *)slab_at(&other, slab_take(&other)) = 1000 + i;
    }
    slab_give(&slab, 7);
    slab_give(&other, 5);
    const void *kept = slab_at(&other, 299);
    uint32_t by = slab_take_over(&slab, &other);
    assert_int_equal(other.in_use, 0);
    assert_int_equal(slab.in_use, 598);
    assert_ptr_equal(slab_at(&slab, by + 299), kept);
    assert_int_equal(*(uint32_t *)slab_at(&slab, 299), 299);
    for (uint32_t i = 0; i < 1000; i++)
        *(uint32_t *)slab_at(&slab, slab_take(&slab)) = 5000;
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(*(uint32_t *)slab_at(&slab, i), i == 7 ? 5000 : i);
        assert_int_equal(*(uint32_t *)slab_at(&slab, by + i), i == 5 ? 5000 : 1000 + i);
    }
    slab_close(&slab);
    slab_close(&other);
}

/* Against a plain array: everything that is in is found, everything that was removed is not, with hashes that collide. */
static void test_hash_index_keeps_what_it_was_given(void **state)
{
    (void)state;
    enum { NUMBERS = 5000 };
    static bool in[NUMBERS];
    struct hash_index index;
    hash_index_open(&index);
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        random = random * 1664525 + 1013904223;
        uint32_t number = (random >> 8) % NUMBERS, hash = number % 61 * 17;
        if (in[number])
            hash_index_remove(&index, hash, number);
        else
            hash_index_add(&index, hash, number);
        in[number] = !in[number];
    }
    for (uint32_t number = 0; number < NUMBERS; number++) {
        struct hash_probe probe = hash_index_probe(&index, number % 61 * 17);
        bool found = false;
        for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;)
            found = found || n == number;
        assert_int_equal(found, in[number]);
    }
    hash_index_close(&index);
}

static void test_arena_takes_small_and_large(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *small = arena_copy_text(&arena, "hello", 5);
    char *large = arena_take(&arena, 1 << 20);
    large[(1 << 20) - 1] = 1;
    char *again = arena_copy_text(&arena, "again", 5);
    assert_string_equal(small, "hello");
    assert_string_equal(again, "again");
    assert_int_equal((uintptr_t)large % 16, 0);
    arena_close(&arena);
}

static void test_slab_truncated_hands_out_zeros_again(void **state)
{
    (void)state;
    struct slab slab;
    slab_open(&slab, 16);
    for (uint32_t i = 0; i < 1000; i++)
        memset(slab_at(&slab, slab_take(&slab)), 0xee, 16);
    slab_truncate(&slab, 300);
    assert_int_equal(slab.in_use, 300);
    assert_int_equal(slab_bytes(&slab), 2 * SLAB_CHUNK * 16);
    static const uint8_t zeros[16];
    for (uint32_t i = 300; i < 1000; i++) {
        assert_int_equal(slab_take(&slab), i);
        assert_memory_equal(slab_at(&slab, i), zeros, sizeof zeros);
    }
    assert_int_equal(*(uint8_t *)slab_at(&slab, 299), 0xee);
    slab_close(&slab);
}

/* 256 KB a chunk: four single ones, then eight in a block. */
static void test_slab_truncated_inside_a_block_hands_out_zeros_again(void **state)
{
    (void)state;
    enum { ELEMENT = 1024, BLOCK_BEGINS = 4 * SLAB_CHUNK, KEPT = BLOCK_BEGINS + 8 * SLAB_CHUNK + 300 };
    static const uint8_t zeros[ELEMENT];
    struct slab slab;
    slab_open(&slab, ELEMENT);
    for (uint32_t i = 0; i < BLOCK_BEGINS + 17 * SLAB_CHUNK; i++)
        memset(slab_at(&slab, slab_take(&slab)), 0xee, ELEMENT);
    const uint8_t *block = slab_at(&slab, BLOCK_BEGINS);
    assert_ptr_equal(slab_at(&slab, BLOCK_BEGINS + 8 * SLAB_CHUNK - 1), block + (8 * SLAB_CHUNK - 1) * ELEMENT);
    slab_truncate(&slab, KEPT);
    assert_int_equal(slab_bytes(&slab), 14 * SLAB_CHUNK * ELEMENT);
    assert_int_equal(*(uint8_t *)slab_at(&slab, KEPT - 1), 0xee);
    for (uint32_t i = KEPT; i < BLOCK_BEGINS + 17 * SLAB_CHUNK; i++) {
        assert_int_equal(slab_take(&slab), i);
        assert_memory_equal(slab_at(&slab, i), zeros, ELEMENT);
    }
    slab_close(&slab);
}

/* What a slab should hold: of each element in use its number, where it stands, and the byte that it is filled with. Where two elements
 * shared memory, one of them would not hold its byte. */
enum { MODEL_ELEMENTS = 3000, MODEL_SLABS = 3, MODEL_BURST = 400 };
struct slab_model {
    struct slab slab;
    uint32_t numbers[MODEL_ELEMENTS], count;
    const uint8_t *places[MODEL_ELEMENTS];
    uint8_t bytes[MODEL_ELEMENTS];
    bool has_holes; /* below its highest number */
};

static void check_model(const struct slab_model *model, size_t size)
{
    static uint8_t expected[16384];
    assert_int_equal(model->slab.in_use, model->count);
    for (uint32_t i = 0; i < model->count; i++) {
        assert_ptr_equal(slab_at(&model->slab, model->numbers[i]), model->places[i]);
        memset(expected, model->bytes[i], size);
        assert_memory_equal(model->places[i], expected, size);
    }
}

static void model_take(struct slab_model *model, size_t size, uint32_t random)
{
    static const uint8_t zeros[16384];
    for (uint32_t i = random % MODEL_BURST; i > 0 && model->count < MODEL_ELEMENTS; i--) {
        uint32_t number = slab_take(&model->slab), at = model->count++;
        uint8_t *element = slab_at(&model->slab, number);
        assert_true(number < model->slab.high);
        assert_memory_equal(element, zeros, size);
        model->numbers[at] = number;
        model->places[at] = element;
        model->bytes[at] = (uint8_t)(random + i) | 1;
        memset(element, model->bytes[at], size);
    }
}

static void model_give(struct slab_model *model, uint32_t random)
{
    for (uint32_t i = random % MODEL_BURST; i > 0 && model->count > 0; i--) {
        uint32_t at = (random + i * 7919) % model->count, last = --model->count;
        slab_give(&model->slab, model->numbers[at]);
        model->numbers[at] = model->numbers[last];
        model->places[at] = model->places[last];
        model->bytes[at] = model->bytes[last];
        model->has_holes = true;
    }
}

static void model_take_over(struct slab_model *model, struct slab_model *other)
{
    if (model == other || model->count + other->count > MODEL_ELEMENTS)
        return;
    uint32_t by = slab_take_over(&model->slab, &other->slab);
    for (uint32_t i = 0; i < other->count; i++) {
        model->numbers[model->count] = other->numbers[i] + by;
        model->places[model->count] = other->places[i];
        model->bytes[model->count++] = other->bytes[i];
    }
    model->has_holes = true;
    other->has_holes = false;
    other->count = 0;
}

/* Only of one without holes: so its numbers are those in the order in which they were taken. */
static void model_truncate(struct slab_model *model, uint32_t random)
{
    if (model->has_holes)
        return;
    uint32_t count = model->count ? random % (model->count + 1) : 0;
    slab_truncate(&model->slab, count);
    model->count = count;
}

static void model_close(struct slab_model *model)
{
    slab_close(&model->slab);
    model->count = 0;
    model->has_holes = false;
}

static void change_model(struct slab_model models[static MODEL_SLABS], size_t size, uint32_t random)
{
    struct slab_model *model = &models[random % MODEL_SLABS];
    uint32_t more = random >> 8, kind = random >> 4 & 15;
    if (kind < 7)
        model_take(model, size, more);
    else if (kind < 10)
        model_give(model, more);
    else if (kind < 12)
        model_take_over(model, &models[more % MODEL_SLABS]);
    else if (kind < 15)
        model_truncate(model, more);
    else
        model_close(model);
}

/* Chunks that stand alone, several to a block, and larger than a block. */
static void test_slabs_hold_what_a_plain_list_does(void **state)
{
    (void)state;
    static struct slab_model models[MODEL_SLABS];
    const size_t sizes[] = {4, 40, 1024, 2500, 4096, 9000};
    uint32_t random = 1;
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (unsigned i = 0; i < MODEL_SLABS; i++) {
            models[i] = (struct slab_model){.count = 0};
            slab_open(&models[i].slab, sizes[s]);
        }
        for (unsigned step = 0; step < 300; step++) {
            random = random * 1664525 + 1013904223;
            change_model(models, sizes[s], random >> 4);
            if (step % 8 == 0)
                check_model(&models[step / 8 % MODEL_SLABS], sizes[s]);
        }
        for (unsigned i = 0; i < MODEL_SLABS; i++) {
            check_model(&models[i], sizes[s]);
            model_close(&models[i]);
        }
    }
}

static void test_a_pool_keeps_each_text_once(void **state)
{
    (void)state;
    struct text_pool pool;
    text_pool_open(&pool);
    const char *first = text_pool_keep(&pool, "Order Entry", 11);
    assert_string_equal(first, "Order Entry");
    assert_string_equal(text_pool_keep(&pool, "Order Entry", 5), "Order");
    char number[16];
    for (unsigned i = 0; i < 2000; i++)
        text_pool_keep(&pool, number, (size_t)snprintf(number, sizeof number, "%u", i % 1000));
    assert_ptr_equal(text_pool_keep(&pool, "Order Entry", 11), first);
    assert_string_equal(text_pool_keep(&pool, "", 0), "");
    assert_int_equal(pool.texts.in_use, 1003);
    text_pool_close(&pool);
}

static void test_notes_count_by_kind(void **state)
{
    (void)state;
    struct notes notes = {0};
    notes_add(&notes, "odd", "odd thing at %d", 5);
    notes_add(&notes, "odd", "odd thing at %d", 9);
    notes_add(&notes, "other", "other");
    assert_int_equal(notes.count, 2);
    assert_int_equal(notes.list[0].count, 2);
    assert_string_equal(notes.list[0].text, "odd thing at 5");
    char kinds[NOTES_MAX + 2][8];
    for (int i = 0; i < NOTES_MAX + 2; i++) {
        kinds[i][0] = (char)('A' + i);
        kinds[i][1] = '\0';
        notes_add(&notes, kinds[i], "x");
    }
    assert_int_equal(notes.count, NOTES_MAX);
    assert_int_equal(notes.dropped, 4);
    notes_close(&notes);
}

static void test_notes_come_behind_others(void **state)
{
    (void)state;
    struct notes notes = {0}, others = {0};
    notes_add(&notes, "odd", "odd thing at %d", 5);
    for (int i = 6; i < 9; i++) {
        notes_add(&others, "late", "late thing at %d", i);
        notes_add(&others, "odd", "odd thing at %d", i);
    }
    others.dropped = 2;
    notes_append(&notes, &others);
    assert_int_equal(others.count, 0);
    assert_null(others.list);
    assert_int_equal(notes.count, 2);
    assert_string_equal(notes.list[0].text, "odd thing at 5");
    assert_int_equal(notes.list[0].count, 4);
    assert_string_equal(notes.list[1].text, "late thing at 6");
    assert_int_equal(notes.list[1].count, 3);
    assert_int_equal(notes.dropped, 2);
    notes_append(&notes, &others);
    assert_int_equal(notes.count, 2);
    notes_close(&notes);
}

static void test_numbers_have_their_nouns(void **state)
{
    (void)state;
    assert_string_equal(count_words(0, "packet").text, "0 packets");
    assert_string_equal(count_words(1, "packet").text, "1 packet");
    assert_string_equal(count_words(UINT64_MAX, "packet").text, "18446744073709551615 packets");
}

static int compare_numbers(const void *left, const void *right)
{
    int a = *(const int *)left, b = *(const int *)right;
    return (a > b) - (a < b);
}

static void test_sorted_place_is_the_first_that_does_not_come_before(void **state)
{
    (void)state;
    const int list[] = {2, 4, 4, 4, 9}, wanted[] = {1, 2, 3, 4, 5, 9, 10};
    const uint32_t places[] = {0, 0, 1, 1, 4, 4, 5};
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(sorted_place(&wanted[i], list, 5, sizeof *list, compare_numbers), places[i]);
    assert_int_equal(sorted_place(&wanted[0], NULL, 0, sizeof *list, compare_numbers), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cursor_reads_every_width_in_both_orders),
        cmocka_unit_test(test_cursor_latches_its_first_failure),
        cmocka_unit_test(test_cursor_sub_stays_inside),
        cmocka_unit_test(test_span_part_is_clamped),
        cmocka_unit_test(test_untrusted_text_is_made_safe),
        cmocka_unit_test(test_utf16_text),
        cmocka_unit_test(test_text_stops_at_its_ceiling),
        cmocka_unit_test(test_addresses_are_written_as_rfc_5952_says),
        cmocka_unit_test(test_times_of_any_age),
        cmocka_unit_test(test_slab_takes_another_over),
        cmocka_unit_test(test_slab_gives_zeroed_elements_and_reuses_them),
        cmocka_unit_test(test_hash_index_keeps_what_it_was_given),
        cmocka_unit_test(test_arena_takes_small_and_large),
        cmocka_unit_test(test_slab_truncated_hands_out_zeros_again),
        cmocka_unit_test(test_slab_truncated_inside_a_block_hands_out_zeros_again),
        cmocka_unit_test(test_slabs_hold_what_a_plain_list_does),
        cmocka_unit_test(test_a_pool_keeps_each_text_once),
        cmocka_unit_test(test_notes_count_by_kind),
        cmocka_unit_test(test_notes_come_behind_others),
        cmocka_unit_test(test_numbers_have_their_nouns),
        cmocka_unit_test(test_sorted_place_is_the_first_that_does_not_come_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
