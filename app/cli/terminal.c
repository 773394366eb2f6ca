/* The terminal: asked once, by POSIX isatty(), TIOCGWINSZ (tty_ioctl(4)) and the environment. */
#define _POSIX_C_SOURCE 200809L

#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { TERMINAL_INTERVAL_MS = 200, LINE_INTERVAL_MS = 2000 };

static bool is_smart_terminal(FILE *stream)
{
    const char *term = getenv("TERM");
    return isatty(fileno(stream)) && term && term[0] && strcmp(term, "dumb") != 0;
}

bool terminal_takes_colour(enum when when, FILE *to)
{
    if (when != WHEN_AUTO)
        return when == WHEN_ALWAYS;
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && no_color[0]) && is_smart_terminal(to);
}

unsigned terminal_columns(FILE *to)
{
    enum { COLUMNS_MOST = 10000 };
    const char *told = getenv("COLUMNS");
    unsigned long columns = told ? strtoul(told, NULL, 10) : 0;
    struct winsize size;
    if (columns > 0 && columns <= COLUMNS_MOST)
        return (unsigned)columns;
    return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_open(struct progress *progress, enum when when)
{
    bool smart = is_smart_terminal(stderr);
    *progress = (struct progress){
        .shown = when == WHEN_ALWAYS || (when == WHEN_AUTO && smart),
        .on_terminal = smart,
        .started_ms = now_ms(),
    };
    if (when == WHEN_AUTO)
        progress->shown_at_ms = progress->started_ms; /* nothing flashes up for what is read at once */
}

void progress_show(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
    struct progress *progress = context;
    int64_t now = now_ms();
    int64_t interval_ms = progress->on_terminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS;
    if (!progress->shown || (progress->shown_at_ms && now - progress->shown_at_ms < interval_ms))
        return;
    progress->shown_at_ms = now;
    double done_mb = (double)done_bytes / 1e6, all_mb = (double)all_bytes / 1e6;
    double seconds = (double)(now - progress->started_ms) / 1e3;
    double rate_mb = seconds > 0 ? done_mb / seconds : 0;
    if (progress->on_terminal)
        fputs("\r\033[K", stderr);
    if (all_bytes > 0)
        fprintf(stderr, "tdscope: %.0f of %.0f MB read (%.0f %%), %.0f MB/s", done_mb, all_mb,
                done_bytes < all_bytes ? 100 * done_mb / all_mb : 100.0, rate_mb);
    else
        fprintf(stderr, "tdscope: %.0f MB read, %.0f MB/s", done_mb, rate_mb);
    if (!progress->on_terminal)
        fputs("\n", stderr);
    progress->line_there = progress->on_terminal;
    fflush(stderr);
}

void progress_close(struct progress *progress)
{
    if (progress->line_there)
        fputs("\r\033[K", stderr);
    progress->line_there = false;
}
