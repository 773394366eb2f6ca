/* The registry of renderers. */
#include "renderer.h"

#include <string.h>

#define RENDERER(name) extern const struct renderer name;
#include "renderers.def"
#undef RENDERER

const struct renderer *const renderers[] = {
#define RENDERER(name) &name,
#include "renderers.def"
#undef RENDERER
};

const unsigned renderer_count = sizeof renderers / sizeof *renderers;

const struct renderer *renderer_by_name(const char *name)
{
    for (unsigned i = 0; i < renderer_count; i++)
        if (strcmp(renderers[i]->name, name) == 0)
            return renderers[i];
    return NULL;
}
