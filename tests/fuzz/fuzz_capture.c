/* Fuzz target: a file with these bytes goes through the whole line, by the public interface, into every rendering. */
#define _POSIX_C_SOURCE 200809L

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tdscope/tdscope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/tdscope-fuzz-XXXXXX";
static int file = -1;

static void remove_file(void)
{
    unlink(path);
}

/* The same file each time: left behind by a crash, it holds the input that did it. */
static void fill_file(const uint8_t *data, size_t size)
{
    if (file < 0) {
        file = mkstemp(path);
        if (file < 0 || atexit(remove_file) != 0)
            abort();
    }
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
}

static bool swallow(void *context, const char *bytes, size_t size)
{
    size_t *sum = context;
    for (size_t i = 0; i < size; i++)
        *sum += (unsigned char)bytes[i];
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    struct tdscope_style style = {0};
    fill_file(data, size);
    struct tdscope *tdscope = tdscope_new();
    if (!tdscope_add(tdscope, path, TDSCOPE_ROLE_INFER) || !tdscope_choose(tdscope, "1"))
        abort();
    tdscope_run(tdscope);
    for (size_t i = 0; tdscope_format(i); i++) {
        tdscope_render(tdscope, TDSCOPE_DIAGNOSIS, tdscope_format(i), &style, swallow, &sum);
        tdscope_render(tdscope, TDSCOPE_CONVERSATIONS, tdscope_format(i), &style, swallow, &sum);
        tdscope_render(tdscope, TDSCOPE_PACKETS, tdscope_format(i), &style, swallow, &sum);
    }
    tdscope_free(tdscope);
    return 0;
}
