/* Which compression it is, and how far it is unpacked. */
#include "os_unpacked.h"

#include <string.h>

#include "memory.h"
#include "os_file.h"
#include "os_unpacking.h"

struct signature {
    const struct os_unpacking *unpacking;
    uint8_t size;
    uint8_t at; /* of the bytes */
    uint8_t bytes[6];
};

static const struct signature signatures[] = {
    {&os_unpacking_gzip, 3, 0, {0x1F, 0x8B, 8}},                        /* RFC 1952, 2.3.1 */
    {&os_unpacking_others, 4, 0, {0x28, 0xB5, 0x2F, 0xFD}},             /* RFC 8878, 3.1.1 */
    {&os_unpacking_others, 6, 0, {0xFD, '7', 'z', 'X', 'Z', 0}},        /* .xz file format, 2.1.1.1 */
    {&os_unpacking_others, 4, 0, {0x04, 0x22, 0x4D, 0x18}},             /* LZ4 frame format */
    {&os_unpacking_others, 6, 4, {0x31, 0x41, 0x59, 0x26, 0x53, 0x59}}, /* bzip2: "BZh9", and a block */
    {&os_unpacking_others, 6, 4, {0x17, 0x72, 0x45, 0x38, 0x50, 0x90}}, /* bzip2 of nothing */
};

struct os_unpacked {
    const struct os_unpacking *unpacking;
    struct os_file *packed;
    void *state;
    uint64_t given;
    struct error error;
};

static const struct os_unpacking *unpacking_of(struct span head)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *s = &signatures[i];
        if (head.size >= (size_t)s->at + s->size && memcmp(head.data + s->at, s->bytes, s->size) == 0 &&
            (s->at == 0 || memcmp(head.data, "BZh", 3) == 0))
            return s->unpacking;
    }
    return NULL;
}

bool os_unpacked_recognises(struct span head)
{
    return unpacking_of(head) != NULL;
}

struct os_unpacked *os_unpacked_open(struct os_file *packed, struct span head)
{
    struct os_unpacked *unpacked = memory_take(sizeof *unpacked);
    unpacked->unpacking = unpacking_of(head);
    unpacked->packed = packed;
    unpacked->state = memory_take(unpacked->unpacking->state_size);
    return unpacked;
}

void os_unpacked_close(struct os_unpacked *unpacked)
{
    if (!unpacked)
        return;
    unpacked->unpacking->close(unpacked->state);
    os_file_close(unpacked->packed);
    memory_give(unpacked->state);
    memory_give(unpacked);
}

static bool is_bomb(const struct os_unpacked *unpacked)
{
    return unpacked->given > UNPACKED_UNDOUBTED_BYTES &&
           unpacked->given / UNPACKED_RATIO_MOST > os_file_stored_read(unpacked->packed);
}

bool os_unpacked_read(struct os_unpacked *unpacked, void *buffer, size_t size, size_t *got, struct error *error)
{
    struct error reason;
    *got = 0;
    if (unpacked->error.text[0])
        return error_set(error, "%s", unpacked->error.text);
    if (is_bomb(unpacked))
        error_set(&reason, "it becomes more than %d times as large, which no capture and no log does",
                  UNPACKED_RATIO_MOST);
    else if (unpacked->unpacking->read(unpacked->state, unpacked->packed, buffer, size, got, &reason)) {
        unpacked->given += *got;
        return true;
    }
    error_set(&unpacked->error, "it cannot be unpacked beyond byte %llu of what it holds: %.300s",
              (unsigned long long)unpacked->given, reason.text);
    return error_set(error, "%s", unpacked->error.text);
}

const struct os_file *os_unpacked_from(const struct os_unpacked *unpacked)
{
    return unpacked->packed;
}
