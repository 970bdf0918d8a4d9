/* split: marks each pair with its portion (split.h says by which rule). The draw for a pair depends on its number and
 * the seed alone, so the same ratings give the same split in every program, and docs/metrics.md can state the rule. */
#include "trivet/core/eval/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

#include "lib/core/splitmix.h"

void tv_split_defaults(struct tv_split_options *o)
{
    *o = (struct tv_split_options){.kind = TV_SPLIT_RANDOM, .test = 0.2, .last = 5, .seed = 1};
}

void tv_split_free(struct tv_split *s)
{
    if (s == NULL)
        return;
    free(s->portion);
    memset(s, 0, sizeof *s);
}

/* --- what can be refused ----------------------------------------------------------------------------------- */

/* Shares are checked by what is left for training: test and validation together must be below 1. */
static enum tv_status check_options(const struct tv_split_options *o, struct tv_error *err)
{
    if (o->kind == TV_SPLIT_LAST) {
        if (o->last < 1)
            return tv_fail(err, TV_ERR_USAGE, "cannot keep the last %lld ratings of each user apart",
                           (long long)o->last);
        if (o->validation != 0)
            return tv_fail(err, TV_ERR_USAGE, "a split by the last ratings of each user has no validation part");
        return TV_OK;
    }
    if (!(o->test > 0) || !(o->validation >= 0) || !(o->test + o->validation < 1)) {
        tv_fail(err, TV_ERR_USAGE, "%g for the test and %g for validation leave nothing to divide", o->test,
                o->validation);
        tv_hint(err, "shares are fractions: a test above 0, and both together below 1");
        return TV_ERR_USAGE;
    }
    return TV_OK;
}

/* Pair numbers are what the random split draws by: pairs in another order would give another split without a word. */
static enum tv_status check_order(const struct tv_pairs *p, struct tv_error *err)
{
    for (size_t i = 1; i < p->n; i++)
        if (p->user[i] < p->user[i - 1] || (p->user[i] == p->user[i - 1] && p->item[i] <= p->item[i - 1]))
            return tv_fail(err, TV_ERR_INPUT, "the rating of item %lld by user %lld comes out of order, or twice",
                           (long long)p->item[i], (long long)p->user[i]);
    return TV_OK;
}

static enum tv_status check_times(const struct tv_pairs *p, struct tv_error *err)
{
    size_t without = p->time ? 0 : p->n;
    for (size_t i = 0; p->time && i < p->n; i++)
        without += !isfinite(p->time[i]);
    if (without == 0)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "%zu of %zu ratings have no time, so they cannot be split by time", without, p->n);
    return tv_hint(err, "split at random, or load ratings with a column for the time");
}

/* An empty portion would make every number that follows NaN. One way to it is a split by time of ratings that share few
 * seconds. */
static enum tv_status check_portions(const struct tv_split *s, const struct tv_split_options *o, struct tv_error *err)
{
    static const char *const names[TV_PORTIONS] = {"training", "the test", "validation"};
    for (int portion = 0; portion < TV_PORTIONS; portion++) {
        if (s->n[portion] > 0 || (portion == TV_VALIDATION && o->validation == 0))
            continue;
        tv_fail(err, TV_ERR_INPUT, "of %zu ratings the split leaves none for %s",
                s->n[TV_TRAINING] + s->n[TV_TEST] + s->n[TV_VALIDATION], names[portion]);
        return tv_hint(err, "choose other shares or another kind of split; ratings of the same second stay together");
    }
    return TV_OK;
}

/* --- the three ways ---------------------------------------------------------------------------------------- */

/* One draw a pair decides between three portions: the test stays the same when validation is taken from training. */
static void split_random(uint8_t *portion, const struct tv_pairs *p, const struct tv_split_options *o)
{
    for (size_t i = 0; i < p->n; i++) {
        double u = tv_splitmix_real(tv_splitmix_at(o->seed, i));
        portion[i] = u < o->test ? TV_TEST : u < o->test + o->validation ? TV_VALIDATION : TV_TRAINING;
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The time that the newest `share` of n sorted times is later than. It is the time of a pair that is not among them, so
 * pairs of that same second stay out, too, and a second is never divided between two portions. */
static double newest_begin_after(const double *sorted, size_t n, double share)
{
    size_t newest = (size_t)llround(share * (double)n);
    return newest < n ? sorted[n - newest - 1] : -INFINITY;
}

static enum tv_status split_by_time(uint8_t *portion, const struct tv_pairs *p, const struct tv_split_options *o,
                                    struct tv_error *err)
{
    double *sorted = tv_alloc(p->n, sizeof *sorted, "a split by time", err);
    if (sorted == NULL)
        return TV_ERR_NO_MEMORY;
    if (p->n > 0)
        memcpy(sorted, p->time, p->n * sizeof *sorted);
    qsort(sorted, p->n, sizeof *sorted, ascending);
    double test = newest_begin_after(sorted, p->n, o->test);
    double validation = newest_begin_after(sorted, p->n, o->test + o->validation);
    for (size_t i = 0; i < p->n; i++)
        portion[i] = p->time[i] > test ? TV_TEST : p->time[i] > validation ? TV_VALIDATION : TV_TRAINING;
    free(sorted);
    return TV_OK;
}

/* A pair of one user, to be sorted by time. */
struct timed {
    double time;
    size_t at; /* ascending with the item, within a user */
};

static int oldest_first(const void *a, const void *b)
{
    const struct timed *x = a, *y = b;
    if (x->time != y->time)
        return x->time > y->time ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The end of the user's pairs that begin at `from`. */
static size_t user_end(const struct tv_pairs *p, size_t from)
{
    size_t end = from;
    while (end < p->n && p->user[end] == p->user[from])
        end++;
    return end;
}

/* Users with `last` pairs or fewer stay in training: kept apart whole, they would be cold. */
static enum tv_status split_last(uint8_t *portion, const struct tv_pairs *p, const struct tv_split_options *o,
                                 struct tv_error *err)
{
    size_t most = 0, last = (size_t)o->last;
    for (size_t from = 0, end; from < p->n; from = end)
        if ((end = user_end(p, from)) - from > most)
            most = end - from;
    struct timed *pairs = tv_alloc(most, sizeof *pairs, "a split by user", err);
    if (pairs == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t from = 0, end; from < p->n; from = end) {
        end = user_end(p, from);
        size_t n = end - from;
        if (n <= last)
            continue;
        for (size_t i = 0; i < n; i++)
            pairs[i] = (struct timed){p->time[from + i], from + i};
        qsort(pairs, n, sizeof *pairs, oldest_first);
        for (size_t i = n - last; i < n; i++)
            portion[pairs[i].at] = TV_TEST;
    }
    free(pairs);
    return TV_OK;
}

/* `portion` comes in as all TV_TRAINING, which is 0. */
static enum tv_status mark(uint8_t *portion, const struct tv_pairs *p, const struct tv_split_options *o,
                           struct tv_error *err)
{
    if (o->kind == TV_SPLIT_RANDOM) {
        split_random(portion, p, o);
        return TV_OK;
    }
    enum tv_status status = check_times(p, err);
    if (status != TV_OK)
        return status;
    return o->kind == TV_SPLIT_TIME ? split_by_time(portion, p, o, err) : split_last(portion, p, o, err);
}

enum tv_status tv_split(struct tv_split *out, const struct tv_pairs *pairs, const struct tv_split_options *options,
                        struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    enum tv_status status = check_options(options, err);
    if (status == TV_OK)
        status = check_order(pairs, err);
    if (status != TV_OK)
        return status;
    if ((out->portion = tv_alloc(pairs->n, sizeof *out->portion, "a split", err)) == NULL)
        return TV_ERR_NO_MEMORY;
    status = mark(out->portion, pairs, options, err);
    for (size_t i = 0; i < pairs->n; i++)
        out->n[out->portion[i]]++;
    if (status == TV_OK)
        status = check_portions(out, options, err);
    if (status != TV_OK)
        tv_split_free(out);
    return status;
}

/* A seed of its own (seed + 1), so that the draws are not those that the split was made with. */
void tv_split_thin(uint8_t *marks, size_t n, double fraction, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        marks[i] = tv_splitmix_real(tv_splitmix_at(seed + 1, i)) < fraction;
}

enum tv_status tv_split_matrix(struct tv_matrix *out, const struct tv_pairs *pairs, const struct tv_split *split,
                               enum tv_portion portion, struct tv_error *err)
{
    struct tv_ratings *ratings = NULL;
    memset(out, 0, sizeof *out);
    enum tv_status status = tv_ratings_create(&ratings, err);
    for (size_t i = 0; i < pairs->n && status == TV_OK; i++)
        if (split->portion[i] == portion)
            status = tv_ratings_add(ratings, pairs->user[i], pairs->item[i], pairs->value[i], err);
    if (status == TV_OK)
        status = tv_ratings_matrix(out, ratings, err);
    tv_ratings_free(ratings);
    return status;
}
