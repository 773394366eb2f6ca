/* The list of readers, and what they share. */
#include "evidence_reader.h"

#define EVIDENCE_READER(name) extern const struct evidence_reader name;
#include "evidence_readers.def"
#undef EVIDENCE_READER

static const struct evidence_reader *const readers[] = {
#define EVIDENCE_READER(name) &name,
#include "evidence_readers.def"
#undef EVIDENCE_READER
};

const struct evidence_reader *evidence_reader_for(struct span head)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (!readers[i]->recognises || readers[i]->recognises(head))
            return readers[i];
    return NULL;
}

const char *evidence_input_text(const struct evidence_input *input, struct span text)
{
    struct text safe = {0};
    text_add_untrusted(&safe, text);
    const char *copy = arena_copy_text(&input->evidence->texts, text_string(&safe), safe.size);
    text_close(&safe);
    return copy;
}

void evidence_input_set(const struct evidence_input *input, enum machine_setting setting, int64_t value,
                        struct span text)
{
    struct text safe = {0};
    struct moment at = evidence_input_moment(input, 0);
    text_add_untrusted(&safe, span_part(text, 0, SETTING_TEXT_MAX));
    evidence_add_setting(input->evidence, &at, setting, value, text.size > 0 ? text_string(&safe) : NULL);
    text_close(&safe);
}
