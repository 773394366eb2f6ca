/* Reads texts into evidence, and finds what they said. */
#include "evidence_texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"

int open_evidence(void **state)
{
    static struct evidence evidence;
    evidence_open(&evidence);
    *state = &evidence;
    return 0;
}

int close_evidence(void **state)
{
    evidence_close(*state);
    return 0;
}

bool read_bytes(struct evidence *evidence, const void *bytes, size_t size)
{
    return evidence_file_read_open(evidence, os_file_from_memory((struct span){bytes, size}), CAPTURE_ROLE_UNKNOWN);
}

bool read_text(struct evidence *evidence, const char *text)
{
    return read_bytes(evidence, text, strlen(text));
}

bool read_utf16(struct evidence *evidence, const char *text)
{
    size_t size = 0;
    uint8_t *bytes = memory_take(strlen(text) * 4 + 2);
    bytes[size++] = 0xff;
    bytes[size++] = 0xfe;
    for (; *text; text++) {
        if (*text == '\n') {
            bytes[size++] = '\r';
            bytes[size++] = 0;
        }
        bytes[size++] = (uint8_t)*text;
        bytes[size++] = 0;
    }
    bool read = read_bytes(evidence, bytes, size);
    memory_give(bytes);
    return read;
}

const struct setting_record *setting_at(const struct evidence *evidence, enum machine_setting setting, uint32_t n)
{
    for (uint32_t i = 0; i < evidence->settings.in_use; i++)
        if (evidence_setting(evidence, i)->setting == setting && n-- == 0)
            return evidence_setting(evidence, i);
    return NULL;
}

int64_t only_value(const struct evidence *evidence, enum machine_setting setting)
{
    assert_non_null(setting_at(evidence, setting, 0));
    assert_null(setting_at(evidence, setting, 1));
    return setting_at(evidence, setting, 0)->value;
}

const struct address *address_of(const struct evidence *evidence, uint32_t n)
{
    assert_true(n < evidence->addresses.in_use);
    const struct machine_address *own = slab_at(&evidence->addresses, n);
    return &own->address;
}
