/* Report files: written to a temporary beside the wanted name, then renamed. */
#define _POSIX_C_SOURCE 200809L

#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complaint.h"

enum { TEMPORARY_TRIES = 100 };

static bool tell(const char *path, int error)
{
    complain("%s: the report can not be written: %s", path ? path : "standard output", strerror(error));
    return false;
}

/* What is neither a plain file nor absent has to be written through, not replaced. */
static bool must_write_through(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool open_temporary(struct output *output)
{
    size_t size = strlen(output->path) + sizeof ".part99";
    output->temporary = malloc(size);
    if (!output->temporary)
        return tell(output->path, ENOMEM);
    int error = EEXIST;
    for (int i = 0; i < TEMPORARY_TRIES && !output->stream && error == EEXIST; i++) {
        snprintf(output->temporary, size, "%s.part%d", output->path, i);
        output->stream = fopen(output->temporary, "wbx");
        error = errno;
    }
    if (output->stream)
        return true;
    free(output->temporary);
    output->temporary = NULL;
    return tell(output->path, error);
}

bool output_spares(const char *path, const char *evidence)
{
    struct stat report, read;
    if (!path || stat(path, &report) != 0)
        return true;
    if ((strcmp(evidence, "-") == 0 ? fstat(STDIN_FILENO, &read) : stat(evidence, &read)) != 0)
        return true;
    if (!S_ISREG(report.st_mode) || report.st_dev != read.st_dev || report.st_ino != read.st_ino)
        return true;
    complain("%s is evidence: the report would replace it. Give -o another name.", path);
    return false;
}

/* A rename replaces a file whatever its mode; a write-protected one was protected for a reason, also from root. */
static bool is_protected(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || (status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)))
        return false;
    complain("%s is write-protected; the report does not replace it. Give -o another name.", path);
    return true;
}

bool output_check(const char *path)
{
    if (!path)
        return true;
    if (is_protected(path))
        return false;
    if (must_write_through(path))
        return true;
    struct output output;
    bool possible = output_open(&output, path);
    output_discard(&output);
    return possible;
}

bool output_open(struct output *output, const char *path)
{
    *output = (struct output){.path = path};
    if (!path) {
        output->stream = stdout;
        return true;
    }
    if (!must_write_through(path))
        return open_temporary(output);
    output->stream = fopen(path, "wb");
    return output->stream || tell(path, errno);
}

static bool note_error(struct output *output)
{
    if (!output->error)
        output->error = errno ? errno : EIO;
    output->reader_gone = !output->path && output->error == EPIPE;
    return false;
}

bool output_write(void *context, const char *bytes, size_t size)
{
    struct output *output = context;
    errno = 0;
    return fwrite(bytes, 1, size, output->stream) == size || note_error(output);
}

void output_discard(struct output *output)
{
    if (output->stream && output->path)
        fclose(output->stream);
    if (output->temporary)
        unlink(output->temporary);
    free(output->temporary);
    *output = (struct output){.path = output->path, .error = output->error, .reader_gone = output->reader_gone};
}

bool output_finish(struct output *output)
{
    errno = 0;
    if (fflush(output->stream) != 0 || ferror(output->stream))
        note_error(output);
    if (!output->error && output->path) {
        errno = 0;
        if (fclose(output->stream) != 0)
            note_error(output);
        output->stream = NULL;
    }
    if (!output->error && output->temporary && rename(output->temporary, output->path) != 0)
        note_error(output);
    if (!output->error) {
        free(output->temporary);
        output->temporary = NULL;
        return true;
    }
    output_discard(output);
    return output->reader_gone || tell(output->path, output->error);
}

bool output_printed(void)
{
    struct output output;
    return output_open(&output, NULL) && output_finish(&output);
}
