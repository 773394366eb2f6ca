/* One reading for several readers: each is given every frame once, in order, with its bytes. */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture_bytes.h"
#include "os_thread.h"
#include "shared_reading.h"

/* More bytes than the ring's buffers hold, and frames of all sizes. */
enum { FRAMES = 20000, FRAME_MOST = 1500, READERS = 3 };

static struct capture_chain chain;
static struct capture_facts facts;
static struct set_clocks clocks;
static struct point_clock point_clock;
static struct told_frames frames;
static char path[TEMPORARY_PATH_SIZE];

static uint32_t size_of(uint32_t number)
{
    return 60 + number * 7919 % (FRAME_MOST - 60);
}

static void write_capture(uint32_t count)
{
    static struct capture_bytes bytes;
    bytes.size = 0;
    put_pcap_header(&bytes, 0xA1B2C3D4, 65535, 1);
    write_temporary(capture_bytes_span(&bytes), path);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    for (uint32_t i = 0; i < count; i++) {
        bytes.size = 0;
        put_pcap_record(&bytes, i, 0, size_of(i), size_of(i), (uint8_t)i);
        assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    }
    assert_int_equal(fclose(file), 0);
}

static struct shared_reading *open_reading(uint32_t count, unsigned readers)
{
    struct error error = {0};
    write_capture(count);
    facts = (struct capture_facts){0};
    capture_chain_open(&chain);
    assert_int_equal(capture_chain_add(&chain, path, 0, &facts, &error), CAPTURE_OPENED);
    point_clock_open(&point_clock, &clocks, 0);
    frames = (struct told_frames){.chain = &chain, .clock = &point_clock};
    return shared_reading_open(&frames, 0, readers);
}

static void close_reading(struct shared_reading *reading)
{
    shared_reading_close(reading);
    capture_chain_close(&chain);
    notes_close(&facts.notes);
    unlink(path);
}

/* Returns how many of them are not as they were written. */
static uint32_t count_wrong(const struct shared_frames *some, uint32_t first)
{
    uint32_t wrong = some->first_number != first;
    for (uint32_t i = 0; i < some->count; i++) {
        const struct frame *frame = &some->list[i];
        uint32_t number = first + i;
        bool right = frame->moment.frame == number + 1 && frame->bytes.size == size_of(number) &&
                     frame->bytes.data[0] == (uint8_t)number &&
                     frame->bytes.data[frame->bytes.size - 1] == (uint8_t)number;
        wrong += !right;
    }
    return wrong;
}

static void all_readers_are_given_all(void **state)
{
    (void)state;
    struct shared_reading *reading = open_reading(FRAMES, READERS);
    uint32_t seen[READERS] = {0}, given = 1;
    while (given > 0) {
        given = 0;
        for (unsigned i = 0; i < READERS; i++) {
            struct shared_frames some = shared_reading_take(reading, i);
            assert_int_equal(count_wrong(&some, some.count > 0 ? seen[i] : 0), 0);
            seen[i] += some.count;
            given += some.count;
        }
    }
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(seen[i], FRAMES);
    assert_int_equal(facts.packets, FRAMES);
    close_reading(reading);
}

static void nobody_waits_for_who_left(void **state)
{
    (void)state;
    struct shared_reading *reading = open_reading(FRAMES, READERS);
    uint32_t seen = 0;
    shared_reading_take(reading, 1);
    shared_reading_leave(reading, 1);
    shared_reading_leave(reading, 2);
    for (struct shared_frames some; (some = shared_reading_take(reading, 0)).count > 0; seen += some.count)
        assert_int_equal(count_wrong(&some, seen), 0);
    assert_int_equal(seen, FRAMES);
    close_reading(reading);
}

static void an_empty_capture_ends_at_once(void **state)
{
    (void)state;
    struct shared_reading *reading = open_reading(0, 2);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(shared_reading_take(reading, i % 2).count, 0);
    close_reading(reading);
}

struct reader_thread {
    struct shared_reading *reading;
    struct os_thread *thread;
    unsigned number;
    uint32_t seen, wrong;
};

static void run_reader(void *context)
{
    struct reader_thread *reader = context;
    for (struct shared_frames some; (some = shared_reading_take(reader->reading, reader->number)).count > 0;) {
        reader->wrong += count_wrong(&some, reader->seen);
        reader->seen += some.count;
    }
}

static void threads_are_given_all(void **state)
{
    (void)state;
    struct shared_reading *reading = open_reading(FRAMES, READERS);
    struct reader_thread readers[READERS] = {0};
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader_thread){.reading = reading, .number = i};
        readers[i].thread = os_thread_start(run_reader, &readers[i]);
        assert_non_null(readers[i].thread);
    }
    for (unsigned i = 0; i < READERS; i++)
        os_thread_join(readers[i].thread);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(readers[i].seen, FRAMES);
        assert_int_equal(readers[i].wrong, 0);
    }
    close_reading(reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_readers_are_given_all),
        cmocka_unit_test(nobody_waits_for_who_left),
        cmocka_unit_test(an_empty_capture_ends_at_once),
        cmocka_unit_test(threads_are_given_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
