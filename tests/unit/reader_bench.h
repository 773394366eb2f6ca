/* What the tests of capture readers share: bytes of a file, its reading, and the frames that have to come. */
#ifndef TDSCOPE_READER_BENCH_H
#define TDSCOPE_READER_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture_bytes.h"
#include "capture_file.h"
#include "os_file.h"

static struct capture_bytes bytes;
static struct capture_file capture;
static struct capture_facts facts;
static struct frame frame;
static struct error error;

static inline int begin(void **state)
{
    (void)state;
    memset(&bytes, 0, sizeof bytes);
    facts = (struct capture_facts){0};
    error = (struct error){0};
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    capture_file_close(&capture);
    notes_close(&facts.notes);
    return 0;
}

static inline void check_frame(int64_t time_ns, size_t captured, uint32_t wire, uint8_t fill)
{
    assert_true(capture_file_next(&capture, &frame));
    assert_int_equal(frame.moment.time_ns, time_ns);
    assert_int_equal(frame.bytes.size, captured);
    assert_int_equal(frame.wire_length, wire);
    for (size_t i = 0; i < captured; i++)
        assert_int_equal(frame.bytes.data[i], fill);
    if (captured > 0 && frame.file_offset < bytes.size)
        assert_int_equal(bytes.data[frame.file_offset], fill);
}

static inline void check_end(const char *note)
{
    assert_false(capture_file_next(&capture, &frame));
    assert_int_equal(facts.incomplete, note != NULL);
    if (note)
        assert_string_equal(facts.notes.list[facts.notes.count - 1].text, note);
}

#endif
