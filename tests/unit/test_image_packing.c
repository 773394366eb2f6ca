/* Tests of packing images of structs that are alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "image_packing.h"
#include "memory.h"

static uint64_t random_word(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* A word of one image, as members of structs have them; wild: what nothing foretells. */
static uint64_t word_like(const struct image *image, uint64_t *random, bool wild)
{
    uint32_t i = image->end;
    uint64_t any = random_word(random);
    const uint64_t wild_words[] = {any, any >> (any & 63), 0 - (any >> (any & 63)), image->words[any % i], UINT64_MAX};
    if (wild)
        return wild_words[any % (sizeof wild_words / sizeof *wild_words)];
    const uint64_t words[] = {0,
                              i,
                              0,
                              i * 0x100000001,
                              0,
                              1700000000000000000u + any % 100000 * 1000,
                              0,
                              ~0u,
                              image->words[i / 2],
                              image->words[i - 1] + 5,
                              0,
                              image->words[i - 1] + any % 4000,
                              0x0000555500001000u + (any & 0xfff0)};
    return words[i % (sizeof words / sizeof *words)];
}

/* Images of two kinds and some like no others, of different lengths. */
static void make_image(struct image *image, unsigned number, uint32_t most, uint64_t *random)
{
    unsigned wildness = number % 7 == 0 ? 2 : 20 + number % 100;
    uint32_t count = number % 3 == 0 ? most / 2 : most;
    image_begin(image);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = word_like(image, random, random_word(random) % wildness == 0);
        word ^= number % 2 ? i % 5 : 0;
        image_put(image, &word, sizeof word);
    }
}

static void check_images(uint32_t words, uint32_t known)
{
    enum { IMAGES = 2000 };
    struct image_packer packer = {0};
    uint8_t *packed[IMAGES];
    struct image image, again;
    uint64_t random = 88172645463325252u, then = random;
    for (unsigned i = 0; i < IMAGES; i++) {
        uint8_t bytes[PACKED_IMAGE_MOST(IMAGE_WORDS)];
        make_image(&image, i, words, &random);
        size_t size = image_pack(&packer, &image, known, (uint8_t)i, bytes);
        assert_true(size <= PACKED_IMAGE_MOST(image.end - 1 - known));
        packed[i] = memcpy(memory_take(size), bytes, size);
        assert_int_equal(packed_image_head(packed[i]).size, size);
        assert_int_equal(packed_image_head(packed[i]).note, (uint8_t)i);
    }
    assert_true(packer.kind_count >= 3 || words < 10);
    for (unsigned i = 0; i < IMAGES; i++) {
        make_image(&image, i, words, &then);
        image_begin(&again);
        image_put(&again, image.words + image_first(), known * sizeof *image.words);
        image_unpack(&packer, packed[i], &again, image.end - again.end);
        assert_int_equal(again.end, image.end);
        assert_memory_equal(again.words, image.words, image.end * sizeof *image.words);
        memory_give(packed[i]);
    }
    image_packer_close(&packer);
}

static void test_images_come_back_as_they_were_packed(void **state)
{
    (void)state;
    check_images(368, 0);
    check_images(IMAGE_WORDS, 0);
    check_images(600, 280);
    check_images(2, 0);
}

/* What images have in common takes no room: what is left is the two words of each that are its own. */
static void test_images_alike_take_little(void **state)
{
    (void)state;
    struct image_packer packer = {0};
    uint8_t bytes[PACKED_IMAGE_MOST(IMAGE_WORDS)];
    uint64_t random = 88172645463325252u;
    size_t size = 0;
    for (unsigned number = 0; number < 100; number++) {
        struct image image;
        uint64_t time = 1700000000000000000u + random_word(&random) % 100000000, count = random_word(&random) % 60000;
        image_begin(&image);
        for (uint64_t i = 0; i < 300; i++) {
            const uint64_t words[] = {0, time, i, count, time + 250 * i};
            image_put(&image, &words[i % 5], sizeof *words);
        }
        size = image_pack(&packer, &image, 0, 0, bytes);
    }
    assert_true(size <= sizeof(struct packed_image) + 4 + 3);
    image_packer_close(&packer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images_come_back_as_they_were_packed),
        cmocka_unit_test(test_images_alike_take_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
