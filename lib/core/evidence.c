/* evidence: all ratings of all users, user after user, repeated pairs averaged. Trainer, server and evaluation fill one
 * from their rows; the arrays grow as rows come, since nobody knows beforehand how many there are. */
#include "trivet/core/evidence.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/rank_ids.h"
#include "trivet/base/buffer.h"

static enum tv_status no_memory(const struct tv_evidence *e, struct tv_error *err)
{
    return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the ratings of %zu users (%zu so far)", e->n_users, e->n_pairs);
}

/* Each array is stored as soon as it is moved, so that tv_evidence_free finds it where a later one of the three
 * fails. */
static enum tv_status more_users(struct tv_evidence *e, struct tv_error *err)
{
    if (e->n_users < e->user_capacity)
        return TV_OK;
    size_t capacity = e->user_capacity ? e->user_capacity * 2 : 1024;
    int64_t *users = realloc(e->users, capacity * sizeof *users);
    e->users = users ? users : e->users;
    size_t *start = realloc(e->start, (capacity + 1) * sizeof *start);
    e->start = start ? start : e->start;
    int64_t *rows = realloc(e->user_rows, capacity * sizeof *rows);
    e->user_rows = rows ? rows : e->user_rows;
    if (users == NULL || start == NULL || rows == NULL)
        return no_memory(e, err);
    e->user_capacity = capacity;
    return TV_OK;
}

/* Half as much again: doubling arrays that hold most of the data could leave half of the memory unused. */
static enum tv_status more_pairs(struct tv_evidence *e, struct tv_error *err)
{
    if (e->n_pairs < e->pair_capacity)
        return TV_OK;
    size_t capacity = e->pair_capacity ? e->pair_capacity + e->pair_capacity / 2 : 16384;
    int64_t *items = realloc(e->items, capacity * sizeof *items);
    e->items = items ? items : e->items;
    float *ratings = realloc(e->ratings, capacity * sizeof *ratings);
    e->ratings = ratings ? ratings : e->ratings;
    if (items == NULL || ratings == NULL)
        return no_memory(e, err);
    e->pair_capacity = capacity;
    return TV_OK;
}

/* One more row of the last pair. The sum of its rows is kept in float64 and the mean computed anew from it; a mean that
 * was updated in float32 would be rounded at each row. A repeat is noted at the second row, so a pair of a single row
 * costs nothing beyond itself. */
static enum tv_status add_repeat(struct tv_evidence *e, float rating, struct tv_error *err)
{
    if (e->n_rows == 1 && e->n_repeats == e->repeat_capacity) {
        size_t capacity = e->repeat_capacity ? e->repeat_capacity * 2 : 64;
        struct tv_repeat *repeats = realloc(e->repeats, capacity * sizeof *repeats);
        if (repeats == NULL)
            return no_memory(e, err);
        e->repeats = repeats;
        e->repeat_capacity = capacity;
    }
    if (e->n_rows == 1)
        e->repeats[e->n_repeats++] = (struct tv_repeat){.pair = e->n_pairs - 1};
    e->repeats[e->n_repeats - 1].more++;
    e->user_rows[e->n_users - 1]++;
    e->sum += (double)rating;
    e->n_rows++;
    e->ratings[e->n_pairs - 1] = (float)(e->sum / (double)e->n_rows);
    return TV_OK;
}

enum tv_status tv_evidence_add(struct tv_evidence *e, int64_t user, int64_t item, float rating, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    /* Order makes one comparison enough: a pair can only repeat the last one. */
    int same_user = e->n_users > 0 && e->users[e->n_users - 1] == user;
    if (same_user && e->items[e->n_pairs - 1] == item)
        return add_repeat(e, rating, err);
    if ((e->n_users > 0 && e->users[e->n_users - 1] > user) || (same_user && e->items[e->n_pairs - 1] > item))
        return tv_fail(err, TV_ERR_INPUT, "the rating of item %lld by user %lld comes out of order", (long long)item,
                       (long long)user);
    if (!same_user && (status = more_users(e, err)) == TV_OK) {
        e->start[e->n_users] = e->n_pairs;
        e->user_rows[e->n_users] = 0;
        e->users[e->n_users++] = user;
    }
    if (status == TV_OK)
        status = more_pairs(e, err);
    if (status != TV_OK)
        return status;
    e->sum = (double)rating;
    e->n_rows = 1;
    e->user_rows[e->n_users - 1]++;
    e->items[e->n_pairs] = item;
    e->ratings[e->n_pairs++] = rating;
    e->start[e->n_users] = e->n_pairs;
    return TV_OK;
}

/* Cuts by an item's popularity count rows, not users, hence the repeats on top of one for each pair. */
enum tv_status tv_evidence_item_rows(const struct tv_evidence *e, int64_t **items, int64_t **rows, int32_t *n,
                                     struct tv_error *err)
{
    int32_t *dense;
    *rows = NULL;
    enum tv_status status = tv_rank_ids(items, n, &dense, e->items, e->n_pairs, "items", err);
    if (status != TV_OK)
        return status;
    *rows = tv_alloc((size_t)*n, sizeof **rows, "counts of items", err);
    for (size_t i = 0; *rows && i < e->n_pairs; i++)
        (*rows)[dense[i]]++;
    for (size_t i = 0; *rows && i < e->n_repeats; i++)
        (*rows)[dense[e->repeats[i].pair]] += e->repeats[i].more;
    free(dense);
    if (*rows)
        return TV_OK;
    free(*items);
    *items = NULL;
    return TV_ERR_NO_MEMORY;
}

/* A model keeps both, because predicted ratings are shown within what users have given. */
void tv_evidence_scale(const struct tv_evidence *e, float *low, float *high)
{
    *low = *high = e->n_pairs ? e->ratings[0] : 0;
    for (size_t i = 1; i < e->n_pairs; i++) {
        *low = e->ratings[i] < *low ? e->ratings[i] : *low;
        *high = e->ratings[i] > *high ? e->ratings[i] : *high;
    }
}

/* The different values of some ratings, ascending, and how often each is there; no more than a scale of steps may have. */
enum { MOST_VALUES = 100, RARE = 1000 };
struct values {
    int n; /* MOST_VALUES + 1: there are more */
    float at[MOST_VALUES];
    size_t times[MOST_VALUES], in_all;
};

/* Most ratings are values that were seen before, found in seven comparisons. */
static void note_value(struct values *values, float value)
{
    int low = 0, high = values->n;
    values->in_all++;
    while (low < high) {
        int middle = (low + high) / 2;
        if (values->at[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < values->n && values->at[low] == value) {
        values->times[low]++;
        return;
    }
    if (values->n < MOST_VALUES) {
        memmove(values->at + low + 1, values->at + low, (size_t)(values->n - low) * sizeof *values->at);
        memmove(values->times + low + 1, values->times + low, (size_t)(values->n - low) * sizeof *values->times);
        values->at[low] = value;
        values->times[low] = 1;
    }
    values->n++;
}

/* Euclid's, for numbers that were rounded to float: a rest within `rounding` is none. */
static double common_divisor(double a, double b, double rounding)
{
    while (b > rounding) {
        double rest = fmod(a, b);
        if (b - rest <= rounding)
            rest = 0;
        a = b;
        b = rest;
    }
    return a;
}

/* A program may rate 3.7 where people give whole stars: such values are few, and would leave pages without stars. The ends count
 * however rare they are. Six digits make of the rounded 0.0999999 the 0.1 that people wrote. */
double tv_evidence_step(const struct tv_evidence *e)
{
    struct values values = {0};
    size_t repeat = 0;
    for (size_t i = 0; i < e->n_pairs && values.n <= MOST_VALUES; i++)
        if (repeat < e->n_repeats && e->repeats[repeat].pair == i)
            repeat++;
        else
            note_value(&values, e->ratings[i]);
    if (values.n < 2 || values.n > MOST_VALUES)
        return 0;
    const double low = (double)values.at[0], high = (double)values.at[values.n - 1];
    const double rounding = 4 * (double)FLT_EPSILON * fmax(fabs(low), fabs(high));
    double step = high - low;
    for (int i = 1; i < values.n; i++)
        if (values.times[i] >= values.in_all / RARE) /* the ends are in the step that it begins with */
            step = common_divisor(step, (double)values.at[i] - low, rounding);
    char text[32];
    snprintf(text, sizeof text, "%.6g", step);
    return (high - low) / step <= MOST_VALUES ? strtod(text, NULL) : 0;
}

/* `marks` has a byte for each pair, e.g. its portion of a split. The pair's mean is added once for each of its rows: a
 * float32 times a count is exact in float64, so the mean of these is the same bits again. */
enum tv_status tv_evidence_pick(struct tv_evidence *out, const struct tv_evidence *e, const uint8_t *marks, uint8_t wanted,
                                struct tv_error *err)
{
    enum tv_status status = TV_OK;
    size_t repeat = 0;
    for (size_t u = 0; u < e->n_users; u++)
        for (size_t i = e->start[u]; i < e->start[u + 1] && status == TV_OK; i++) {
            int64_t rows = 1;
            if (repeat < e->n_repeats && e->repeats[repeat].pair == i)
                rows += e->repeats[repeat++].more;
            for (int64_t r = 0; r < rows && marks[i] == wanted && status == TV_OK; r++)
                status = tv_evidence_add(out, e->users[u], e->items[i], e->ratings[i], err);
        }
    return status;
}

void tv_evidence_free(struct tv_evidence *e)
{
    free(e->users);
    free(e->start);
    free(e->items);
    free(e->ratings);
    free(e->user_rows);
    free(e->repeats);
    *e = (struct tv_evidence)TV_EVIDENCE_INIT;
}
