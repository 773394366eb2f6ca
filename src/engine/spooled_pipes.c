/* Spooling comes before reading: what was read from a pipe is gone. */
#include "spooled_pipes.h"

#include <string.h>

#include "ceilings.h"
#include "memory.h"
#include "os_file.h"
#include "reader.h"

static struct spooled_pipe *add(struct spooled_pipes *pipes, const char *path)
{
    struct spooled_pipe *pipe = memory_take(sizeof *pipe);
    size_t size = strlen(path) + 1;
    *pipe = (struct spooled_pipe){.path = memcpy(memory_take(size), path, size)};
    pipes->list = memory_grow(pipes->list, (size_t)pipes->count + 1, sizeof *pipes->list);
    pipes->list[pipes->count++] = pipe;
    return pipe;
}

static const struct capture_reader *reader_of(struct os_file *source)
{
    uint8_t head[READER_PROBE_BYTES];
    size_t size = 0;
    for (size_t got = 1; got > 0 && size < sizeof head; size += got)
        if (!os_file_read(source, head + size, sizeof head - size, &got, NULL))
            break;
    struct span begin = {head, size};
    os_file_put_back(source, begin);
    return capture_reader_for(begin);
}

/* A reader that jumps needs the bytes themselves. */
static bool has_to_be_unpacked(const char *path)
{
    struct error error;
    struct os_file *source = os_file_open(path, &error);
    const struct capture_reader *reader = source && os_file_is_packed(source) ? reader_of(source) : NULL;
    os_file_close(source);
    return reader && reader->jumps;
}

const struct spooled_pipe *spooled_pipes_need(struct spooled_pipes *pipes, const char *path)
{
    for (uint32_t i = 0; i < pipes->count; i++)
        if (strcmp(pipes->list[i]->path, path) == 0)
            return pipes->list[i]->spool.file ? pipes->list[i] : NULL;
    if (!os_spool_is_needed(path) && !has_to_be_unpacked(path))
        return NULL;
    struct error error;
    struct spooled_pipe *pipe = add(pipes, path);
    return os_spool_fill(&pipe->spool, path, LIMIT_SPOOLED_BYTES, &pipe->cut, &error) ? pipe : NULL;
}

const struct spooled_pipe *spooled_pipes_need_alone(struct spooled_pipes *pipes, const char *path,
                                                    struct os_file **source)
{
    struct error error;
    *source = NULL;
    if (!os_spool_is_needed(path))
        return spooled_pipes_need(pipes, path);
    *source = os_file_open(path, &error);
    if (!*source)
        return NULL;
    const struct capture_reader *reader = reader_of(*source);
    if (reader && !reader->jumps)
        return NULL;
    struct spooled_pipe *pipe = add(pipes, path);
    if (!os_spool_fill_from(&pipe->spool, *source, LIMIT_SPOOLED_BYTES, &pipe->cut, &error))
        return NULL;
    os_file_close(*source);
    *source = NULL;
    return pipe;
}

void spooled_pipes_close(struct spooled_pipes *pipes)
{
    for (uint32_t i = 0; i < pipes->count; i++) {
        os_spool_close(&pipes->list[i]->spool);
        memory_give(pipes->list[i]->path);
        memory_give(pipes->list[i]);
    }
    memory_give(pipes->list);
    *pipes = (struct spooled_pipes){0};
}
