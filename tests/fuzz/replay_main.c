/*
 * Runs a fuzz target without libFuzzer, so that the ordinary tests fuzz a little, too: every given file (or every file
 * of a given folder), then a fixed number of mutations of them, the same ones at each run.
 *
 *     fuzz_tds [--mutations N] [--keep FILE] PATH...
 *
 * --keep writes each input to FILE before it is run: after a crash it holds the culprit.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"
#include "span.h"

enum { INPUT_MAX = 1 << 20, PATH_SIZE = 4096, STEPS_MAX = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct replay {
    struct span *seeds;
    size_t seed_count;
    const char *keep;
    uint64_t random;
    uint8_t scratch[INPUT_MAX];
};

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s %s\n", what, name);
    exit(2);
}

/* xorshift64* */
static uint64_t random_next(struct replay *replay)
{
    replay->random ^= replay->random >> 12;
    replay->random ^= replay->random << 25;
    replay->random ^= replay->random >> 27;
    return replay->random * 0x2545F4914F6CDD1DULL;
}

static size_t random_below(struct replay *replay, size_t end)
{
    return (size_t)((random_next(replay) >> 33) % end);
}

static struct span copy_of(const uint8_t *data, size_t size)
{
    uint8_t *copy = memory_take(size > 0 ? size : 1);
    memcpy(copy, data, size);
    return (struct span){copy, size};
}

static void seed_file(struct replay *replay, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail("cannot open", path);
    size_t size = fread(replay->scratch, 1, INPUT_MAX, file);
    fclose(file);
    replay->seeds = memory_grow(replay->seeds, replay->seed_count + 1, sizeof *replay->seeds);
    replay->seeds[replay->seed_count++] = copy_of(replay->scratch, size);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void seed_folder(struct replay *replay, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, by_name);
    if (count < 0)
        fail("cannot read", folder);
    for (int i = 0; i < count; i++) {
        char path[PATH_SIZE];
        struct stat status;
        int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (length > 0 && length < PATH_SIZE && stat(path, &status) == 0 && S_ISREG(status.st_mode))
            seed_file(replay, path);
        free(entries[i]);
    }
    free(entries);
}

static void seed_path(struct replay *replay, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        fail("there is no", path);
    if (S_ISDIR(status.st_mode))
        seed_folder(replay, path);
    else
        seed_file(replay, path);
}

static void keep(const struct replay *replay, struct span input)
{
    if (!replay->keep)
        return;
    FILE *file = fopen(replay->keep, "wb");
    if (!file || fwrite(input.data, 1, input.size, file) != input.size || fclose(file) != 0)
        fail("cannot write", replay->keep);
}

/* In a block of exactly its size, so that reading past its end is noticed. */
static void run_once(const struct replay *replay, const uint8_t *data, size_t size)
{
    struct span input = copy_of(data, size);
    keep(replay, input);
    LLVMFuzzerTestOneInput(input.data, input.size);
    memory_give((void *)(uintptr_t)input.data);
}

static size_t flip_bit(struct replay *replay, size_t size)
{
    replay->scratch[random_below(replay, size)] ^= (uint8_t)(1 << random_below(replay, 8));
    return size;
}

static size_t set_byte(struct replay *replay, size_t size)
{
    replay->scratch[random_below(replay, size)] = (uint8_t)random_next(replay);
    return size;
}

/* A length at the edge of something, in one, two or four bytes of either order. */
static size_t set_length(struct replay *replay, size_t size)
{
    static const uint32_t interesting[] = {0,          1,          2,          3,         4,     7,          8,
                                           15,         16,         127,        128,       255,   256,        4095,
                                           4096,       32767,      32768,      65535,     65536, 0x7FFFFFFE, 0x7FFFFFFF,
                                           0x80000000, 0xFFFFFFF0, 0xFFFFFFFC, 0xFFFFFFFF};
    uint32_t value = interesting[random_below(replay, sizeof interesting / sizeof interesting[0])];
    size_t width = (size_t)1 << random_below(replay, 3);
    if (size < width)
        return size;
    size_t at = random_below(replay, size - width + 1);
    bool big_endian = random_below(replay, 2) != 0;
    for (size_t i = 0; i < width; i++)
        replay->scratch[at + i] = (uint8_t)(value >> 8 * (big_endian ? width - 1 - i : i));
    return size;
}

static size_t truncate_input(struct replay *replay, size_t size)
{
    return random_below(replay, size) + 1;
}

static size_t cut_out(struct replay *replay, size_t size)
{
    size_t at = random_below(replay, size);
    size_t count = random_below(replay, size - at) + 1;
    if (count == size)
        return size;
    memmove(replay->scratch + at, replay->scratch + at + count, size - at - count);
    return size - count;
}

/* Puts a piece of some seed (often the same one: then a piece is doubled) at any place. */
static size_t splice(struct replay *replay, size_t size)
{
    struct span other = replay->seeds[random_below(replay, replay->seed_count)];
    if (other.size == 0)
        return size;
    size_t from = random_below(replay, other.size);
    size_t count = random_below(replay, other.size - from) + 1;
    if (count > INPUT_MAX - size)
        return size;
    size_t at = random_below(replay, size);
    memmove(replay->scratch + at + count, replay->scratch + at, size - at);
    memcpy(replay->scratch + at, other.data + from, count);
    return size + count;
}

static void run_mutation(struct replay *replay)
{
    static size_t (*const mutations[])(struct replay *, size_t) = {flip_bit,       set_byte, set_length, set_length,
                                                                   truncate_input, cut_out,  splice};
    struct span seed = replay->seeds[random_below(replay, replay->seed_count)];
    size_t size = seed.size;
    memcpy(replay->scratch, seed.data, size);
    for (size_t steps = random_below(replay, STEPS_MAX) + 1; steps > 0 && size > 0; steps--)
        size = mutations[random_below(replay, sizeof mutations / sizeof mutations[0])](replay, size);
    run_once(replay, replay->scratch, size);
}

int main(int argc, char **argv)
{
    static struct replay replay = {.random = 0x9E3779B97F4A7C15ULL};
    unsigned long mutations = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--mutations") == 0 && i + 1 < argc)
            mutations = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            replay.keep = argv[++i];
        else
            seed_path(&replay, argv[i]);
    }
    if (replay.seed_count == 0)
        fail("nothing to replay:", "give files or folders");
    for (size_t i = 0; i < replay.seed_count; i++)
        run_once(&replay, replay.seeds[i].data, replay.seeds[i].size);
    for (unsigned long i = 0; i < mutations; i++)
        run_mutation(&replay);
    printf("%zu inputs and %lu mutations survived\n", replay.seed_count, mutations);
    for (size_t i = 0; i < replay.seed_count; i++)
        memory_give((void *)(uintptr_t)replay.seeds[i].data);
    memory_give(replay.seeds);
    return 0;
}
