/*
 * gzip (RFC 1952) by zlib: one member after the other, as gzip itself reads them.
 *
 * libarchive reads it, too, but gives nothing of the 64 KB in which a file ends early. Captures whose copying broke off are no rarity.
 */
#include <zlib.h>

#include "os_file.h"
#include "os_unpacking.h"

enum { GZIP_ALONE = 16, MAGIC = 0x1F };

struct gunzip {
    z_stream stream;
    struct error broken; /* told once all before it was given */
    bool open, in_member, at_end;
    uint8_t input[UNPACKING_PIECE];
};

static bool fill_input(struct gunzip *gunzip, struct os_file *packed, struct error *error)
{
    size_t got = 0;
    if (gunzip->stream.avail_in > 0)
        return true;
    if (!os_file_read(packed, gunzip->input, sizeof gunzip->input, &got, error))
        return false;
    gunzip->stream.next_in = gunzip->input;
    gunzip->stream.avail_in = (uInt)got;
    return got > 0 || !gunzip->in_member || error_set(error, "the compressed file is cut short");
}

/* Between members, and before the first. What follows the last may be zeros that fill a block of a tape or a disk. */
static bool begin_member(struct gunzip *gunzip, struct error *error)
{
    z_stream *stream = &gunzip->stream;
    if (stream->avail_in == 0 || *stream->next_in == 0) {
        gunzip->at_end = true;
        return true;
    }
    if (*stream->next_in != MAGIC)
        return error_set(error, "what follows is not compressed by gzip");
    int result = gunzip->open ? inflateReset(stream) : inflateInit2(stream, MAX_WBITS + GZIP_ALONE);
    gunzip->open = gunzip->in_member = result == Z_OK;
    return gunzip->open || error_set(error, "there is no memory to unpack it");
}

/* Whether it goes on. */
static bool inflate_piece(struct gunzip *gunzip, struct error *error)
{
    int result = inflate(&gunzip->stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
        gunzip->in_member = false;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return error_set(error, "it is damaged (%s)", gunzip->stream.msg ? gunzip->stream.msg : "not gzip");
    return true;
}

static bool step(struct gunzip *gunzip, struct os_file *packed, struct error *error)
{
    return fill_input(gunzip, packed, error) && (gunzip->in_member || begin_member(gunzip, error)) &&
           (gunzip->at_end || inflate_piece(gunzip, error));
}

static bool gunzip_read(void *state, struct os_file *packed, uint8_t *buffer, size_t size, size_t *got,
                        struct error *error)
{
    struct gunzip *gunzip = state;
    uInt room = size < UNPACKING_PIECE ? (uInt)size : UNPACKING_PIECE;
    gunzip->stream.next_out = buffer;
    gunzip->stream.avail_out = room;
    while (!gunzip->at_end && !gunzip->broken.text[0] && gunzip->stream.avail_out == room)
        step(gunzip, packed, &gunzip->broken);
    *got = room - gunzip->stream.avail_out;
    return *got > 0 || !gunzip->broken.text[0] || error_set(error, "%s", gunzip->broken.text);
}

static void gunzip_close(void *state)
{
    struct gunzip *gunzip = state;
    if (gunzip->open)
        inflateEnd(&gunzip->stream);
}

const struct os_unpacking os_unpacking_gzip = {
    .state_size = sizeof(struct gunzip),
    .read = gunzip_read,
    .close = gunzip_close,
};
