/* Column descriptions and rows are measured right, in any cutting, for every type, and against hostile lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "tds_tokens.h"

#define DONE 0xfd, 0x10, 0x00, 0xc1, 0x00, 1, 0, 0, 0, 0, 0, 0, 0
#define ERROR 0xaa, 0x0c, 0x00, 0x50, 0xc3, 0, 0, 1, 16, 0, 0, 0, 0, 0, 0 /* 50000, without a text */

struct heard {
    unsigned errors, dones;
};

static void hear(void *context, const struct token_event *event)
{
    struct heard *heard = context;
    heard->errors += event->token == TOKEN_ERROR;
    heard->dones += event->token == TOKEN_DONE;
}

static const struct moment now = {.frame = 1};

struct walk {
    struct token_walker walker;
    struct heard heard;
    struct token_sink sink;
};

static void walk_open(struct walk *walk, const struct token_dialect *dialect)
{
    *walk = (struct walk){0};
    walk->sink = (struct token_sink){hear, &walk->heard, dialect};
    token_walker_begin(&walk->walker);
}

/* In a block of its own, so that reading past it is noticed. */
static void feed(struct walk *walk, const uint8_t *bytes, size_t size)
{
    uint8_t *block = memory_take(size + !size);
    if (size > 0)
        memcpy(block, bytes, size);
    token_walker_data(&walk->walker, (struct span){block, size}, &now, &walk->sink);
    memory_give(block);
}

/* Each stream ends with ERROR and DONE: whoever measures wrongly does not find them. */
static void check_split(const struct token_dialect *dialect, const uint8_t *bytes, size_t size, size_t first,
                        size_t step, unsigned rows)
{
    struct walk walk;
    walk_open(&walk, dialect);
    feed(&walk, bytes, first);
    for (size_t at = first; at < size; at += step)
        feed(&walk, bytes + at, size - at < step ? size - at : step);
    assert_false(walk.walker.stopped);
    assert_int_equal(walk.walker.rows, rows);
    assert_int_equal(walk.heard.errors, 1);
    assert_int_equal(walk.heard.dones, 1);
    token_walker_end(&walk.walker, &walk.sink);
    assert_null(walk.walker.values.sets[0].kinds);
}

static void check(const struct token_dialect *dialect, const uint8_t *bytes, size_t size, unsigned rows)
{
    for (size_t split = 0; split <= size; split++)
        check_split(dialect, bytes, size, split, size, rows);
    for (size_t step = 1; step <= 9; step++)
        check_split(dialect, bytes, size, 0, step, rows);
}

#define CHECK(dialect, bytes, rows) check(&(dialect), (bytes), sizeof(bytes), (rows))

static const struct token_dialect modern = {0};

static void test_fixed_and_short(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x81,  0x05, 0x00,                                                    /* COLMETADATA: five columns */
        0x00,  0x00, 0x00, 0x00, 0x08, 0x00, 0x38, 0x02, 'i',  0,    'd',  0, /* INT4 "id" */
        0x00,  0x00, 0x00, 0x00, 0x09, 0x00, 0x26, 0x08, 0x00,                /* INTN(8), no name */
        0x00,  0x00, 0x00, 0x00, 0x09, 0x00, 0x6c, 0x11, 0x26, 0x04, 0x00,    /* NUMERICN(38, 4) */
        0x00,  0x00, 0x00, 0x00, 0x09, 0x00, 0x28, 0x00,                      /* DATEN: no length */
        0x00,  0x00, 0x00, 0x00, 0x09, 0x00, 0x2b, 0x07, 0x01, 'o',  0,       /* DATETIMEOFFSETN(7) "o" */
        0xd1,  1,    0,    0,    0,    0x00, 0x05, 1,    2,    3,    4,    5, 0x03, 1, 2,    3,    0x0a,
        1,     2,    3,    4,    5,    6,    7,    8,    9,    10,                                       /* ROW */
        0xd1,  2,    0,    0,    0,    0x08, 1,    2,    3,    4,    5,    6, 7,    8, 0x00, 0x00, 0x00, /* ROW */
        0xd2,  0x1e, 3,    0,    0,    0,                                     /* NBCROW: all but the first are NULL */
        0xd2,  0x14, 4,    0,    0,    0,    0x01, 9,    0x03, 1,    2,    3, /* NBCROW: third and fifth */
        0xa9,  0x02, 0x00, 0x01, 0x00,                                        /* ORDER */
        ERROR, DONE};
    CHECK(modern, bytes, 4);
}

static void test_characters_and_parts(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x81,  0x04, 0x00,                                                                      /* COLMETADATA */
        0,     0,    0,    0,    0x09, 0x00, 0xe7, 0x50, 0x00, 9,    4, 0xd0, 0,    0x34, 0x00, /* NVARCHAR(40) */
        0,     0,    0,    0,    0x09, 0x00, 0xe7, 0xff, 0xff, 9,    4, 0xd0, 0,    0x34, 0x00, /* NVARCHAR(max) */
        0,     0,    0,    0,    0x09, 0x00, 0xad, 0xff, 0xff, 0x00, /* BINARY: never in parts */
        0,     0,    0,    0,    0x09, 0x00, 0xa5, 0xff, 0xff, 0x00, /* VARBINARY(max) */
        0xd1,                                                        /* ROW */
        0x04,  0x00, 'a',  0,    'b',  0,                            /* "ab" */
        0x06,  0,    0,    0,    0,    0,    0,    0,    4,    0,    0, 0,    'a',  0,    'b',  0, 2, 0,
        0,     0,    'c',  0,    0,    0,    0,    0,                                                 /* two parts */
        0x02,  0x00, 0xaa, 0xfd,                                                                      /* two bytes */
        0xff,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,                                              /* NULL */
        0xd1,                                                                                         /* ROW */
        0xff,  0xff,                                                                                  /* NULL */
        0xfe,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,    0,    0, 0,    0xfd, 0,    0,    0, 0, /* of unknown length */
        0xff,  0xff,                                                                                  /* NULL */
        0x00,  0,    0,    0,    0,    0,    0,    0,    0,    0,    0, 0,                            /* empty */
        ERROR, DONE};
    CHECK(modern, bytes, 2);
}

static void test_long_and_strange(void **state)
{
    (void)state;
    static const uint8_t
        bytes[] = {0x81,  0x06, 0x00, /* COLMETADATA */
                   0,     0,    0,    0,    0x09, 0x00, 0x63, 0xff, 0xff, 0xff, 0x7f, 9,
                   4,     0xd0, 0,    0x34, /* NTEXT */
                   0x02,  0x03, 0x00, 'd',  0,    'b',  0,    'o',  0,    0x01, 0x00, 't',
                   0,     0x01, 'n',  0, /* of dbo.t, "n" */
                   0,     0,    0,    0,    0x09, 0x00, 0x22, 0xff, 0xff, 0xff, 0x7f, 0x01,
                   0x01,  0x00, 't',  0,    0x00,                                           /* IMAGE of t */
                   0,     0,    0,    0,    0x09, 0x00, 0x62, 0x49, 0x1f, 0x00, 0x00, 0x00, /* SSVARIANT */
                   0,     0,    0,    0,    0x09, 0x00, 0xf1, 0x01, 0x01, 'd',  0,    0x00,
                   0x01,  0x00, 'c',  0,    0x00,                         /* XML with a schema */
                   0,     0,    0,    0,    0x09, 0x00, 0xf1, 0x00, 0x00, /* XML without */
                   0,     0,    0,    0,    0x09, 0x00, 0xf0, 0xff, 0xff, 0x00, 0x01, 's',
                   0,     0x01, 'g',  0,    0x02, 0x00, 'A',  0,    ',',  0,    0x00, /* UDT s.g of assembly "A," */
                   0xd1,                                                              /* ROW */
                   0x10,  1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,
                   12,    13,   14,   15,   16,   1,    2,    3,    4,    5,    6,    7,
                   8,     2,    0,    0,    0,    'x',  0,    0x00,          /* text pointer and "x"; NULL */
                   0x06,  0,    0,    0,    0x38, 0x00, 1,    0,    0,    0, /* an INT4 in a variant */
                   0x01,  0,    0,    0,    0,    0,    0,    0,    1,    0,    0,    0,
                   0xd1,  0,    0,    0,    0,                      /* XML of one byte */
                   0xff,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* NULL */
                   0x01,  0,    0,    0,    0,    0,    0,    0,    1,    0,    0,    0,
                   0xd1,  0,    0,    0,    0,                      /* UDT of one byte */
                   0xa4,  0x01, 0x00, 0xd1, 0xa5, 0x01, 0x00, 0xd1, /* TABNAME, COLINFO */
                   ERROR, DONE};
    CHECK(modern, bytes, 1);
}

static void test_json_and_vector(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x81,  0x02, 0x00,                                                /* COLMETADATA */
        0,     0,    0,    0,   0x09, 0x00, 0xf4, 0x00,                   /* JSON */
        0,     0,    0,    0,   0x09, 0x00, 0xf5, 0x10, 0x00, 0x00, 0x00, /* VECTOR: of 16 bytes, of floats */
        0xd1,  0x02, 0,    0,   0,    0,    0,    0,    0,    2,    0,
        0,     0,    '{',  '}', 0,    0,    0,    0,    0x01, 0x00, 0xaa, /* ROW */
        ERROR, DONE};
    CHECK(modern, bytes, 1);
}

static void test_return_values(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x79,  0,    0,    0,    0,                                                          /* RETURNSTATUS */
        0xac,  0x00, 0x00, 0x02, '@',  0,    'p',  0,    0x01, 0,    0,    0, 0, 0x00, 0x00, /* RETURNVALUE "@p" */
        0x26,  0x04, 0x04, 1,    0,    0,    0,                                              /* INTN(4): 1 */
        0xac,  0x01, 0x00, 0x00, 0x01, 0,    0,    0,    0,    0x00, 0x00, /* RETURNVALUE without a name */
        0xe7,  0xff, 0xff, 9,    4,    0xd0, 0,    0x34, 0x02, 0,    0,    0, 0, 0,    0,    0, 2, 0, 0, 0,
        'x',   0,    0,    0,    0,    0,    0xff, 0x01, 0x00, 0,    0,    0, 0, 0,    0,    0, 0, 0, 0, /* DONEINPROC */
        ERROR, DONE};
    CHECK(modern, bytes, 0);
}

static void test_sums(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x81,  0x01, 0x00, 0,    0,    0,    0,    0x08, 0x00, 0x38, 0x00,          /* COLMETADATA: INT4 */
        0x88,  0x01, 0x00, 0x07, 0x00, 0x01, 0x01, 0x00,                            /* ALTMETADATA 7, by column 1 */
        0x4d,  0x01, 0x00, 0,    0,    0,    0,    0x09, 0x00, 0x26, 0x04, 0x00,    /* SUM of column 1: INTN */
        0x88,  0x01, 0x00, 0x08, 0x00, 0x00,                                        /* ALTMETADATA 8, by none */
        0x4d,  0x01, 0x00, 0,    0,    0,    0,    0x08, 0x00, 0x7f, 0x00,          /* SUM: INT8 */
        0xd1,  1,    0,    0,    0,    0xd3, 0x07, 0x00, 0x04, 1,    0,    0,    0, /* ROW, ALTROW 7 */
        0xd3,  0x08, 0x00, 1,    0,    0,    0,    0,    0,    0,    0,             /* ALTROW 8 */
        ERROR, DONE};
    CHECK(modern, bytes, 1);
}

static void test_older_layouts(void **state)
{
    (void)state;
    static const struct token_dialect tds_71 = {.before_72 = true}, tds_70 = {.before_72 = true, .before_71 = true};
    static const uint8_t bytes_71[] = {
        0x81,  0x02, 0x00,                                                             /* COLMETADATA */
        0,     0,    0x09, 0x00, 0xe7, 0x50, 0x00, 9,    4,    0xd0, 0,    0x34, 0x00, /* NVARCHAR: collation */
        0,     0,    0x09, 0x00, 0x23, 0xff, 0xff, 0xff, 0x7f, 9,    4,    0xd0, 0,
        0x34,  0x01, 0x00, 't',  0,    0x00,                                     /* TEXT of t */
        0xd1,  0x02, 0x00, 'a',  0,    0x00,                                     /* ROW */
        0xac,  0x09, 0x00, 0x00, 0x01, 0,    0,    0x00, 0x00, 0x26, 0x04, 0x00, /* RETURNVALUE */
        ERROR, 0xfd, 0x10, 0x00, 0xc1, 0x00, 1,    0,    0,    0};
    static const uint8_t bytes_70[] = {0x81,  0x02, 0x00,                               /* COLMETADATA */
                                       0,     0,    0x09, 0x00, 0xe7, 0x50, 0x00, 0x00, /* NVARCHAR: no collation */
                                       0,     0,    0x09, 0x00, 0x23, 0xff, 0xff, 0xff, 0x7f, 0x01,
                                       0x00,  't',  0,    0x00,             /* TEXT of t */
                                       0xd1,  0x02, 0x00, 'a',  0,    0x00, /* ROW */
                                       ERROR, 0xfd, 0x10, 0x00, 0xc1, 0x00, 1,    0,    0,    0};
    CHECK(tds_71, bytes_71, 1);
    CHECK(tds_70, bytes_70, 1);
}

static void test_encrypted_columns(void **state)
{
    (void)state;
    static const struct token_dialect encrypting = {.column_encryption = true};
    static const uint8_t bytes[] = {
        0x81,  0x02, 0x00, /* COLMETADATA */
        0x01,  0x00,       /* one key */
        1,     0,    0,    0,    1,    0,    0,    0,    1,    0,    0,    0,    1,    2,   3, 4,
        5,     6,    7,    8,    0x02, /* its numbers; two values */
        0x03,  0x00, 1,    2,    3,    0x01, 'S',  0,    0x01, 0x00, 'P',  0,    0x01, 'A', 0, /* key, store, path, algorithm */
        0x01,  0x00, 1,    0x00, 0x00, 0x00, 0x00,                                             /* the same, empty */
        0,     0,    0,    0,    0x09, 0x08, 0xa5, 0x41, 0x00,                            /* VARBINARY, encrypted */
        0x00,  0x00, 0,    0,    0,    0,    0x26, 0x04, 0x02, 0x01, 0x01, 0x01, 'e',  0, /* of INTN with key 0; "e" */
        0,     0,    0,    0,    0x09, 0x00, 0x38, 0x00,                                  /* INT4, not encrypted */
        0xd1,  0x02, 0x00, 0xaa, 0xbb, 1,    0,    0,    0,                               /* ROW */
        0xa3,  0x01, 0x00, 0x01, 'L',  0,    0x00, 0x01, 0x00, 0x00, 0x01, 'I',  0, /* DATACLASSIFICATION: two names */
        0x02,  0x00, 0x01, 0x00, 0,    0,    0,    0,    0x00, 0x00,                /* of two columns, one has it */
        ERROR, DONE};
    static const uint8_t no_key[] = {0x81, 0x01, 0x00, 0x00, 0x00, 0,     0,
                                     0,    0,    0x08, 0x00, 0x38, 0x00, /* no key; INT4 */
                                     0xd1, 1,    0,    0,    0,    ERROR, DONE};
    CHECK(encrypting, bytes, 1);
    CHECK(encrypting, no_key, 1);
}

static void test_what_stops(void **state)
{
    (void)state;
    static const uint8_t row_of_nothing[] = {0xd1, 0x01};
    static const uint8_t unknown_type[] = {0x81, 0x01, 0x00, 0, 0, 0, 0, 0x08, 0x00, 0x99};
    static const uint8_t too_many[] = {0x81, 0x01, 0x04};
    static const uint8_t unknown_sum[] = {0xd3, 0x01, 0x00};
    static const struct span streams[] = {{row_of_nothing, sizeof row_of_nothing},
                                          {unknown_type, sizeof unknown_type},
                                          {too_many, sizeof too_many},
                                          {unknown_sum, sizeof unknown_sum}};
    for (unsigned i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        struct walk walk;
        walk_open(&walk, &modern);
        feed(&walk, streams[i].data, streams[i].size);
        assert_true(walk.walker.stopped);
        token_walker_end(&walk.walker, &walk.sink);
    }
    static const struct token_dialect old = {.old = true};
    struct walk walk;
    walk_open(&walk, &old);
    feed(&walk, too_many, 1);
    assert_true(walk.walker.stopped);
    token_walker_end(&walk.walker, &walk.sink);
}

/* The same sum of values stops the walk, however the rows are cut. */
static void test_very_many_values_stop(void **state)
{
    (void)state;
    static const uint8_t columns[] = {0x81, 0x01, 0x00, 0, 0, 0, 0, 0x08, 0x00, 0x30, 0x00}; /* one INT1 */
    enum { ROWS = VALUES_WALKED_MAX + 5 };
    uint8_t *rows = memory_take(2 * ROWS);
    for (unsigned i = 0; i < ROWS; i++)
        rows[2 * i] = 0xd1;
    for (size_t step = 1; step < 4000; step = step * 3 + 1) {
        struct walk walk;
        walk_open(&walk, &modern);
        feed(&walk, columns, sizeof columns);
        for (size_t at = 0; at < 2 * ROWS; at += step)
            feed(&walk, rows + at, 2 * ROWS - at < step ? 2 * ROWS - at : step);
        assert_true(walk.walker.stopped);
        assert_int_equal(walk.walker.rows, VALUES_WALKED_MAX);
        token_walker_end(&walk.walker, &walk.sink);
    }
    memory_give(rows);
}

static void test_gap_in_a_value_and_beyond(void **state)
{
    (void)state;
    static const uint8_t columns[] = {0x81, 0x01, 0x00, 0, 0, 0, 0, 0x09, 0x00, 0xa5, 0x00, 0x10, 0x00};
    static const uint8_t row[] = {0xd1, 0x64, 0x00, 1, 2}; /* a hundred bytes, of which two are here */
    static const uint8_t end[] = {ERROR, DONE};
    for (size_t missing = 97; missing <= 99; missing++) {
        struct walk walk;
        walk_open(&walk, &modern);
        feed(&walk, columns, sizeof columns);
        feed(&walk, row, sizeof row);
        token_walker_gap(&walk.walker, missing, &walk.sink);
        assert_int_equal(walk.walker.stopped, missing > 98);
        if (missing == 97)
            feed(&walk, row, 1);
        feed(&walk, end, sizeof end);
        assert_int_equal(walk.walker.rows, missing <= 98);
        assert_int_equal(walk.heard.dones, missing <= 98);
        token_walker_end(&walk.walker, &walk.sink);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_and_short),
        cmocka_unit_test(test_characters_and_parts),
        cmocka_unit_test(test_long_and_strange),
        cmocka_unit_test(test_json_and_vector),
        cmocka_unit_test(test_return_values),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_older_layouts),
        cmocka_unit_test(test_encrypted_columns),
        cmocka_unit_test(test_what_stops),
        cmocka_unit_test(test_very_many_values_stop),
        cmocka_unit_test(test_gap_in_a_value_and_beyond),
    };
    return cmocka_run_group_tests_name("tds_values", tests, NULL, NULL);
}
