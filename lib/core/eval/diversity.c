/* diversity: the lists of all users together (tv_diversity in metrics.h). A method may be good for each user and still
 * show everybody the same few items; no mean over users tells that. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/core/eval/metrics.h"

#include "lib/core/splitmix.h"

static const int32_t *list_of(const struct tv_lists *l, int64_t user)
{
    return l->item + (size_t)user * (size_t)l->depth;
}

/* --- coverage and popularity --- */

/* The items that lists have shown up to the cut that was reached last. */
struct shown {
    uint8_t *item;             /* (n_items) 1: in somebody's list so far */
    int64_t different, places; /* items that are; places that are filled */
    double popularity;         /* summed over these places: whole numbers, exact up to 2^53 */
};

/* Adds the places from + 1 .. k of all lists. Cuts ascend, so each place is looked at once, however many cuts there
 * are. */
static void show(struct shown *s, const struct tv_lists *l, const int64_t *popularity, int32_t from, int32_t k)
{
    for (int32_t u = 0; u < l->n_users; u++)
        for (int32_t j = from; j < k && list_of(l, u)[j] >= 0; j++) {
            int32_t item = list_of(l, u)[j];
            s->different += !s->item[item];
            s->item[item] = 1;
            s->places++;
            s->popularity += (double)popularity[item];
        }
}

/* --- overlap --- */

/* Pair number p of all pairs of n users (drawn = 0), or of those that are drawn. All pairs are taken where there are no
 * more of them than `pairs`, so n is small then and the walk below short. */
static void choose_pair(int64_t *a, int64_t *b, int64_t p, int64_t n, int drawn, uint64_t seed)
{
    if (drawn) {
        *a = (int64_t)tv_splitmix_below(tv_splitmix_at(seed, 2 * (uint64_t)p), (uint64_t)n);
        *b = (int64_t)tv_splitmix_below(tv_splitmix_at(seed, 2 * (uint64_t)p + 1), (uint64_t)(n - 1));
        *b += *b >= *a;
        return;
    }
    for (*a = 0; p >= n - 1 - *a; (*a)++) /* n is small here: user a has n - 1 - a pairs with later ones */
        p -= n - 1 - *a;
    *b = *a + 1 + p;
}

static int32_t length(const int32_t *list, int32_t k)
{
    int32_t n = 0;
    while (n < k && list[n] >= 0)
        n++;
    return n;
}

/* Adds a pair's overlaps. An item at places i of A and j of B is in both first k places from k = max(i, j) on.
 * `place` (n_items) is all zero between calls, `meet` (depth + 1) scratch. */
static void compare(struct tv_diversity *out, const struct tv_cuts *cuts, const int32_t *a, const int32_t *b,
                    int32_t *place, int32_t *meet)
{
    int32_t depth = tv_cuts_depth(cuts), n_a = length(a, depth), n_b = length(b, depth), common = 0;
    memset(meet, 0, ((size_t)depth + 1) * sizeof *meet);
    for (int32_t i = 0; i < n_a; i++)
        place[a[i]] = i + 1;
    for (int32_t j = 1; j <= n_b; j++) {
        int32_t i = place[b[j - 1]];
        if (i > 0)
            meet[i > j ? i : j]++;
    }
    for (int32_t i = 0; i < n_a; i++)
        place[a[i]] = 0;
    for (int32_t k = 1, cut = 0; k <= depth; k++) {
        common += meet[k];
        if (k != cuts->k[cut])
            continue;
        int32_t either = (n_a < k ? n_a : k) + (n_b < k ? n_b : k) - common;
        out[cut].overlap += common;
        out[cut].jaccard += either > 0 ? (double)common / either : 0;
        cut++;
    }
}

static enum tv_status add_overlaps(struct tv_diversity *out, const struct tv_cuts *cuts, const struct tv_lists *l,
                                   int64_t pairs, uint64_t seed, struct tv_error *err)
{
    int64_t n = l->n_users, all = n * (n - 1) / 2, taken = all < pairs ? all : pairs;
    int32_t *place = tv_alloc((size_t)l->n_items, sizeof *place, "the overlap of lists", err);
    int32_t *meet = tv_alloc((size_t)l->depth + 1, sizeof *meet, "the overlap of lists", err);
    int ok = place && meet;
    for (int64_t p = 0; ok && p < taken; p++) {
        int64_t a, b;
        choose_pair(&a, &b, p, n, all > pairs, seed);
        compare(out, cuts, list_of(l, a), list_of(l, b), place, meet);
    }
    for (int cut = 0; cut < cuts->n; cut++) {
        out[cut].overlap /= taken > 0 ? (double)taken : NAN;
        out[cut].jaccard /= taken > 0 ? (double)taken : NAN;
    }
    free(place);
    free(meet);
    return ok ? TV_OK : TV_ERR_NO_MEMORY;
}

enum tv_status tv_diversity(struct tv_diversity *out, const struct tv_cuts *cuts, const struct tv_lists *lists,
                            const int64_t *popularity, int64_t pairs, uint64_t seed, struct tv_error *err)
{
    enum tv_status status = tv_cuts_check(cuts, err);
    if (status == TV_OK && tv_cuts_depth(cuts) > lists->depth)
        status = tv_fail(err, TV_ERR_USAGE, "lists of %d items cannot be measured at %d", lists->depth,
                         tv_cuts_depth(cuts));
    if (status != TV_OK)
        return status;
    struct shown s = {.item = tv_alloc((size_t)lists->n_items, sizeof *s.item, "the coverage of lists", err)};
    if (s.item == NULL)
        return TV_ERR_NO_MEMORY;
    for (int cut = 0; cut < cuts->n; cut++) {
        show(&s, lists, popularity, cut > 0 ? cuts->k[cut - 1] : 0, cuts->k[cut]);
        out[cut] = (struct tv_diversity){
            .coverage = lists->n_items > 0 ? (double)s.different / lists->n_items : NAN,
            .popularity = s.places > 0 ? s.popularity / (double)s.places : NAN,
        };
    }
    free(s.item);
    return add_overlaps(out, cuts, lists, pairs, seed, err);
}
