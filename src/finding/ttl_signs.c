/* What the TTLs of packets tell of who made them. */
#include "ttl_signs.h"

/* At the machine itself, and on its own network, filters of its own send like that, too. */
static bool has_other_start(unsigned ttl, struct ttl_range usual)
{
    return hops_from_ttl(ttl) > 0 && initial_ttl(usual.least) == initial_ttl(usual.most) &&
           initial_ttl(ttl) != initial_ttl(usual.most);
}

bool signs_of_foreign_reset(const struct tcp_side *side)
{
    if (!side->reset_ttl_differs || side->reset_ttl == 0 || side->ttl_max == 0)
        return false;
    struct ttl_range range = {side->ttl_min, side->ttl_max};
    unsigned hops = hops_from_ttl(side->reset_ttl), usual = hops_from_ttl(range.most);
    return usual == hops_from_ttl(range.least) && (hops != usual || has_other_start(side->reset_ttl, range));
}

bool signs_of_last_hop(unsigned reset_ttl, unsigned usual_ttl)
{
    return reset_ttl == usual_ttl + 1 && initial_ttl(reset_ttl) == initial_ttl(usual_ttl);
}

static bool is_unusual(unsigned ttl, struct ttl_range usual)
{
    return usual.most != 0 && ttl != 0 && (ttl < usual.least || ttl > usual.most);
}

bool signs_of_other_way(unsigned ttl, struct ttl_range usual)
{
    unsigned hops = hops_from_ttl(ttl);
    return is_unusual(ttl, usual) && hops != hops_from_ttl(usual.least) && hops != hops_from_ttl(usual.most);
}

bool signs_of_foreign_refusal(const struct conversation *c, const struct surroundings *s)
{
    bool refused = c->ending == ENDING_REFUSED || moment_seen(&c->sides[SIDE_SERVER].older_reset);
    if (!refused || surroundings_role(s, c) == CAPTURE_ROLE_SERVER)
        return false;
    unsigned ttl = c->sides[SIDE_SERVER].reset_ttl;
    struct ttl_range usual = surroundings_host_ttls(s, c->point, &c->ends[SIDE_SERVER].address);
    return signs_of_other_way(ttl, usual) || (is_unusual(ttl, usual) && has_other_start(ttl, usual));
}
