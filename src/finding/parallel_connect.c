/* Attempts to connect of which one was kept. */
#include "parallel_connect.h"

#include <string.h>

#include "signs.h"
#include "ttl_signs.h"

/* All are begun in one go; the thread that does so may have to wait for its turn once or twice (Windows' clock ticks every 16 ms). */
#define IN_ONE_GO_NS (50 * NS_PER_MS)

/* When one is accepted, the others are closed at once. */
#define LEFT_WITHIN_NS (100 * NS_PER_MS)

/* Each time a SYN is repeated after twice as long (RFC 6298, 5.5). */
enum { DOUBLED_MOST = 6 };

/* Windows tries a refused SYN three times in all. */
enum { REFUSED_SYNS = 3 };

static bool is_windows(const struct tcp_side *client)
{
    return !client->timestamps && initial_ttl(client->ttl_max) == 128;
}

/* The client's system would have sent its SYN again, and was watched for that long: so the program had closed the socket. */
static bool is_left(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    int64_t watched_ns = surroundings_watched_after_ns(s, c);
    if (c->ending == ENDING_REFUSED)
        return is_windows(client) && client->syns < REFUSED_SYNS && watched_ns >= 2 * SYN_AGAIN_NS;
    unsigned doubled = client->syn_retransmits < DOUBLED_MOST ? client->syn_retransmits : DOUBLED_MOST;
    return watched_ns >= OLD_FIRST_RTO_NS << doubled;
}

/* What the names tell that the client had asked for: 1 one name, -1 two, 0 nothing. */
static int compare_names(const struct conversation *a, const struct conversation *b, const struct surroundings *s)
{
    const struct name_lookup *of_a = casebook_name_lookup_for(s->casebook, a),
                             *of_b = casebook_name_lookup_for(s->casebook, b);
    if (!of_a || !of_b || !of_a->name || !of_b->name)
        return 0;
    return strcmp(of_a->name, of_b->name) == 0 ? 1 : -1;
}

/* Neither was decided when the other one began; of one that was left that need not be seen. */
static bool under_way_together(const struct conversation *c, const struct conversation *other, bool left)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    int64_t asked_ns = client->syn.time_ns, other_asked_ns = other->sides[SIDE_CLIENT].syn.time_ns,
            accepted_ns = other->sides[SIDE_SERVER].syn.time_ns,
            decided_ns = c->ending == ENDING_REFUSED && !left ? c->sides[SIDE_SERVER].reset.time_ns : INT64_MAX;
    int64_t apart_ns = asked_ns < other_asked_ns ? other_asked_ns - asked_ns : asked_ns - other_asked_ns;
    return apart_ns <= IN_ONE_GO_NS && asked_ns <= accepted_ns && other_asked_ns <= decided_ns &&
           client->syn_last.time_ns <= accepted_ns + LEFT_WITHIN_NS;
}

static bool is_kept(const struct conversation *c, const struct conversation *other)
{
    return other->point == c->point && other->starts_with_syn && moment_seen(&other->sides[SIDE_SERVER].syn) &&
           other->ends[SIDE_SERVER].port == c->ends[SIDE_SERVER].port &&
           address_equal(&other->ends[SIDE_CLIENT].address, &c->ends[SIDE_CLIENT].address) &&
           !address_equal(&other->ends[SIDE_SERVER].address, &c->ends[SIDE_SERVER].address) && other->tds &&
           signs_of_login_done(other);
}

/* A driver asks all addresses of a name each time. Who asks the other one more often has further reasons to connect there, and may do so at this
 * moment by chance. */
static bool asked_as_often(const struct conversation *c, const struct conversation *other, const struct surroundings *s)
{
    return surroundings_pair(s, other)->asked <= surroundings_pair(s, c)->asked;
}

/* Nor does it ask one address alone, unless it tries the first one before the others. */
static bool asked_alone(const struct conversation *c, const struct conversation *other, const struct surroundings *s)
{
    return surroundings_pair(s, c)->asked > surroundings_pair(s, other)->asked;
}

/* The one that was kept, among those that began before it or after it; NULL: none. */
static const struct conversation *look(const struct conversation *c, const struct surroundings *s, bool back, bool left)
{
    int64_t asked_ns = c->sides[SIDE_CLIENT].syn.time_ns;
    uint32_t own = c->id - 1, count = casebook_conversations(s->casebook);
    for (uint32_t i = 1; i <= NEIGHBOURS_LOOKED_AT && (back ? i <= own : own + i < count); i++) {
        const struct conversation *other = casebook_conversation(s->casebook, back ? own - i : own + i);
        int64_t apart_ns = back ? asked_ns - other->first.time_ns : other->first.time_ns - asked_ns;
        if (other->point != c->point || apart_ns > IN_ONE_GO_NS)
            return NULL;
        int names = is_kept(c, other) && under_way_together(c, other, left) ? compare_names(c, other, s) : -1;
        if (names > 0 || (names == 0 && asked_as_often(c, other, s)))
            return other;
    }
    return NULL;
}

struct parallel_connect parallel_connect_of(const struct conversation *c, const struct surroundings *s)
{
    struct parallel_connect parallel = {0};
    bool refused = c->ending == ENDING_REFUSED;
    if ((!refused && c->ending != ENDING_NO_ANSWER) || !c->starts_with_syn || signs_of_one_direction(c) ||
        surroundings_scanned_by(s, c) || surroundings_role(s, c) == CAPTURE_ROLE_SERVER)
        return parallel;
    bool left = is_left(c, s);
    if (!refused && !left)
        return parallel; /* it may ask again yet */
    parallel.kept = look(c, s, true, left);
    if (!parallel.kept)
        parallel.kept = look(c, s, false, left);
    parallel.certain =
        parallel.kept && (compare_names(c, parallel.kept, s) > 0 || (left && !asked_alone(c, parallel.kept, s)));
    return parallel;
}
