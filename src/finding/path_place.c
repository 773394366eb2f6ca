/* The comparisons of each two captures that are next to each other, held against that of the ends. */
#include "path_place.h"

#include <string.h>

#include "text.h"

/* What can happen to packets on the way. */
enum trouble { TROUBLE_LOST = 1, TROUBLE_MADE = 2, TROUBLE_LATE = 4 };

static unsigned troubles_of(const struct comparison *comparison)
{
    unsigned troubles = 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct passage *passage = &comparison->passages[side];
        troubles |= (passage->lost > 0 ? TROUBLE_LOST : 0u) | (passage->injected > 0 ? TROUBLE_MADE : 0u) |
                    (passage->late > 0 ? TROUBLE_LATE : 0u);
    }
    return troubles;
}

static void prove_stretch(struct judgement *judgement, const struct comparison *comparison, unsigned troubles)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct passage *passage = &comparison->passages[side];
        if (troubles & TROUBLE_LOST)
            judgement_prove(judgement, &passage->first_lost, "the last capture that has the first lost packet");
        if (troubles & TROUBLE_MADE)
            judgement_prove(judgement, &passage->first_injected, "the first capture that has the packet nobody sent");
        if (troubles & TROUBLE_LATE && passage->late > 0)
            judgement_prove(judgement, &passage->longest_arrival, "here it is late already");
    }
}

/* The name without its folders; it came from outside. */
static void put_name(const struct casebook *casebook, const struct conversation *view, struct text *sentence)
{
    const char *file = casebook->captures[view->capture_first].file, *slash = strrchr(file, '/');
    const char *name = slash && slash[1] ? slash + 1 : file;
    text_add_untrusted(sentence, (struct span){(const uint8_t *)name, strlen(name)});
}

static void tell_stretch(const struct casebook *casebook, const struct conversation *near,
                         const struct conversation *far, unsigned troubles, struct judgement *judgement)
{
    struct text sentence = {0};
    text_add(&sentence, "It happens between the captures ");
    put_name(casebook, near, &sentence);
    text_add(&sentence, " and ");
    put_name(casebook, far, &sentence);
    text_add(&sentence, ".");
    prove_stretch(judgement, near->onward, troubles);
    judgement_say_more(judgement, text_string(&sentence));
    text_close(&sentence);
}

/* A capture on the way has the connection, the server's has not. */
static void tell_absence(const struct casebook *casebook, const struct pair_view *view, struct judgement *judgement)
{
    const struct conversation *last = casebook_conversation(casebook, view->client->twin - 1);
    struct text sentence = {0};
    text_add(&sentence, "The capture ");
    put_name(casebook, last, &sentence);
    text_add(&sentence, " still has it: it ends between there and the server.");
    judgement_prove(judgement, &last->first, "the first packet of it in the last capture that has it");
    judgement_say_more(judgement, text_string(&sentence));
    text_close(&sentence);
}

void path_place_tell(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (view->client->twin && !view->server)
        tell_absence(s->casebook, view, judgement);
    if (!view->compared || !view->server || view->client->next_view == view->client->twin)
        return;
    unsigned troubles = troubles_of(view->compared), found = 0;
    const struct conversation *near = NULL, *far = NULL;
    for (const struct conversation *at = view->client; at->next_view;) {
        const struct conversation *next = casebook_conversation(s->casebook, at->next_view - 1);
        if (!at->onward)
            return;
        if (troubles_of(at->onward) & troubles) {
            near = at;
            far = next;
            found++;
        }
        at = next;
    }
    if (found > 1)
        judgement_say_more(judgement, "It happens on more than one stretch of the way.");
    if (found == 1)
        tell_stretch(s->casebook, near, far, troubles, judgement);
}
