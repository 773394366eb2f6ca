/* The casebook: storage of facts. */
#include "casebook.h"

#include "memory.h"

void casebook_open(struct casebook *casebook)
{
    *casebook = (struct casebook){0};
    slab_open(&casebook->conversations, sizeof(struct conversation));
    slab_open(&casebook->tds, sizeof(struct tds_facts));
}

void casebook_close(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        notes_close(&casebook->captures[i].notes);
        memory_give(casebook->captures[i].file);
    }
    memory_give(casebook->captures);
    memory_give(casebook->points);
    notes_close(&casebook->unread);
    slab_close(&casebook->conversations);
    slab_close(&casebook->tds);
    arena_close(&casebook->texts);
}

struct conversation *casebook_add_conversation(struct casebook *casebook)
{
    uint32_t number = slab_take(&casebook->conversations);
    struct conversation *conversation = slab_at(&casebook->conversations, number);
    conversation->id = number + 1;
    return conversation;
}

struct tds_facts *casebook_add_tds(struct casebook *casebook)
{
    struct tds_facts *tds = slab_at(&casebook->tds, slab_take(&casebook->tds));
    tds->prelogin_client_encryption = tds->prelogin_server_encryption = 0xff;
    return tds;
}
