/* The registry of capture readers. */
#include "reader.h"

#define READER(name) extern const struct capture_reader name;
#include "readers.def"
#undef READER

#define READER(name) &name,
static const struct capture_reader *const readers[] = {
#include "readers.def"
};
#undef READER

const struct capture_reader *capture_reader_for(struct span head)
{
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (readers[i]->recognises(head))
            return readers[i];
    }
    return NULL;
}

enum reader_result reader_broken_by_end(const struct window *window, struct reader_cut cut, struct error *error)
{
    if (window->error.text[0])
        error_set(error, "%s", window->error.text);
    else
        error_set(error, "the file ends in the middle of %s %llu at offset %llu: %llu of %llu bytes are there",
                  cut.what, (unsigned long long)cut.number, (unsigned long long)cut.offset,
                  (unsigned long long)cut.there, (unsigned long long)cut.wanted);
    return READER_BROKEN;
}
