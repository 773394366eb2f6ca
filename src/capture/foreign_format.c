/* What a file that no reader recognises looks like: signatures at its begin, and whether it is text. */
#include "foreign_format.h"

#include <string.h>

#define READ_BY_WIRESHARK "save it as pcapng with Wireshark (editcap FILE FILE.pcapng)"

/* One layer after the other is unpacked, but not without an end (os_file.h). */
#define PACKED_OFTEN "it is compressed more often than is unpacked: decompress it first"

/* Archives are opened where they are given (os_files.h). */
#define NOT_NESTED "an archive inside another, or through a pipe, is not opened: unpack it first"

struct signature {
    uint16_t at; /* of the bytes */
    uint8_t size;
    uint8_t bytes[8];
    struct foreign_format format;
};

static const struct signature signatures[] = {
    {0, 3, {0x1F, 0x8B, 0x08}, {"a gzip-compressed file", PACKED_OFTEN, true}},
    {0, 4, {0x28, 0xB5, 0x2F, 0xFD}, {"a zstd-compressed file", PACKED_OFTEN, true}},
    {0, 6, {0xFD, '7', 'z', 'X', 'Z', 0}, {"an xz-compressed file", PACKED_OFTEN, true}},
    {0, 4, {0x04, 0x22, 0x4D, 0x18}, {"an lz4-compressed file", PACKED_OFTEN, true}},
    {0, 3, {'B', 'Z', 'h'}, {"a bzip2-compressed file", PACKED_OFTEN, true}},
    {0, 4, {'P', 'K', 3, 4}, {"a zip archive", NOT_NESTED, true}},
    {0, 4, {'M', 'S', 'C', 'F'}, {"a cabinet archive", NOT_NESTED, true}},
    {0, 6, {'7', 'z', 0xBC, 0xAF, 0x27, 0x1C}, {"a 7-Zip archive", NOT_NESTED, true}},
    {257, 5, {'u', 's', 't', 'a', 'r'}, {"a tar archive", NOT_NESTED, true}},
    {0, 6, {'s', 'n', 'o', 'o', 'p', 0}, {"a snoop capture, which is not read yet", READ_BY_WIRESHARK, true}},
    {0, 7, {'E', 'l', 'f', 'F', 'i', 'l', 'e'}, {"a Windows event log (evtx)", NULL, false}},
    {0,
     3,
     {0x0A, 0x0D, 0x0A},
     {"a pcapng file whose line ends were converted", "transfer it again, in binary mode", true}},
};

static const struct foreign_format plain_text = {"plain text", NULL, false};

static bool is_plain_text(struct span head)
{
    if (head.size >= 2 &&
        ((head.data[0] == 0xFF && head.data[1] == 0xFE) || (head.data[0] == 0xFE && head.data[1] == 0xFF)))
        return true; /* UTF-16 with its byte-order mark, as SQL Server writes ERRORLOG */
    for (size_t i = 0; i < head.size; i++) {
        uint8_t byte = head.data[i];
        if ((byte < 0x20 && (byte < '\t' || byte > '\r')) || byte == 0x7F)
            return false;
    }
    return head.size > 0;
}

const struct foreign_format *foreign_format_of(struct span head)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const struct signature *signature = &signatures[i];
        struct span there = span_part(head, signature->at, signature->size);
        if (there.size == signature->size && memcmp(there.data, signature->bytes, signature->size) == 0)
            return &signature->format;
    }
    return is_plain_text(head) ? &plain_text : NULL;
}
