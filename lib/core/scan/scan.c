/* scan: items in blocks, the most promising first, until no block that is left can change the list.
 *
 * The order by lengths and the bound |u| |i| (Cauchy and Schwarz) are the first step of LEMP (Teflioudi, Gemulla and
 * Mykytiuk, "LEMP: fast retrieval of large entries in a matrix product", SIGMOD 2015) and of FEXIPRO (Li, Chan, Yiu and
 * Mamoulis, "FEXIPRO: fast and exact inner product retrieval in recommender systems", SIGMOD 2017), and so is a closer
 * bound from factors as whole numbers. We leave out what they do with the first few factors: of 296,277 items with
 * 50 factors the lengths leave 2 % for a list of fifty, sixteen factors half of these, whole numbers of eight bits .02 %,
 * which are little more than the list.
 *
 * Rounding. What is compared are computed scores, so what a block or an item is held against must bound those and not the
 * true ones. With u = 2^-53: products of floats are exact in float64, and a sum of k of them in our order is off by at most
 * (k / 4 + 2) u S, where S is the sum of their magnitudes (Higham, "Accuracy and stability of numerical algorithms", 2002,
 * 4.2), at most |user| |item| for the directions and |user_c item_c| for a column c apart. Each length is off by
 * (k / 2 + 1) u, and some twenty operations lead from there to a bound, each with intermediate results of at most twice the
 * magnitudes, because what codes lose is below an eighth of a row. Together that is below (1.25 k + 30) u of them, and we
 * allow (2 k + 64) u of twice the magnitudes. No square or product of two factors leaves the normal numbers of float64.
 */
#include "trivet/core/scan/scan.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/best.h"
#include "lib/core/clones.h"
#include "lib/core/scan/codes.h"
#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/scan/row_scores.h"

/* FEW: where a filter leaves one item in so many, or fewer, these are scored alone. It is the share at which both ways took
 * the same time. BUCKET: items of about the same promise, which are ordered by their bias, so that blocks have one bias and one length. */
enum { BLOCK = TV_CODE_BLOCK, BUCKET = 64 * BLOCK, FEW = 64 };

/* What no item of a set goes beyond. */
struct limits {
    double length;                                  /* of a row without the columns apart */
    double low[TV_SCAN_APART], high[TV_SCAN_APART]; /* of each column apart */
};

struct tv_scan_block {
    struct limits own, rest; /* of the block's items; of those and of all that come after */
    double lost;             /* the most that codes lose of a row, in scales */
};

static size_t n_blocks(const struct tv_scan *s)
{
    return ((size_t)s->n_items + BLOCK - 1) / BLOCK;
}

static int directions(const struct tv_scan *s)
{
    return s->factors - s->apart;
}

static double length(const float *row, int n)
{
    double sum = 0;
    for (int f = 0; f < n; f++)
        sum += (double)row[f] * (double)row[f];
    return sqrt(sum);
}

/* --- the order --------------------------------------------------------------------------------------------- */

struct ranked {
    double promise, bias;
    int32_t item;
};

static int by_promise(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->promise != y->promise)
        return x->promise > y->promise ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int by_bias(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->bias != y->bias)
        return x->bias > y->bias ? -1 : 1;
    return by_promise(a, b);
}

/* The bound for a user of length 1: with biases, users are about that long. It decides how much is scanned, and never what
 * is found. */
static struct ranked rank(const struct tv_scan *s, const float *row, int32_t item)
{
    struct ranked r = {.promise = length(row, directions(s)), .item = item};
    for (int f = directions(s); f < s->factors; f++)
        r.bias += (double)row[f];
    r.promise += r.bias;
    return r;
}

static enum tv_status order(struct tv_scan *s, float *row, struct tv_error *err)
{
    size_t n = (size_t)s->n_items, k = (size_t)s->factors;
    struct ranked *ranked = tv_alloc(n, sizeof *ranked, "an order of items", err);
    if (ranked == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        tv_half_to_floats(row, s->item_factors + i * k, k);
        ranked[i] = rank(s, row, (int32_t)i);
        if (!isfinite(ranked[i].promise)) {
            free(ranked);
            return tv_fail(err, TV_ERR_CORRUPT, "a factor of an item is not a number");
        }
    }
    qsort(ranked, n, sizeof *ranked, by_promise);
    for (size_t from = 0; s->apart && from < n; from += BUCKET)
        qsort(ranked + from, n - from < BUCKET ? n - from : BUCKET, sizeof *ranked, by_bias);
    for (size_t i = 0; i < n; i++)
        s->item[i] = ranked[i].item;
    free(ranked);
    return TV_OK;
}

/* --- what is known of a block ------------------------------------------------------------------------------ */

static void widen(struct limits *l, const struct limits *by)
{
    l->length = fmax(l->length, by->length);
    for (int c = 0; c < TV_SCAN_APART; c++) {
        l->low[c] = fmin(l->low[c], by->low[c]);
        l->high[c] = fmax(l->high[c], by->high[c]);
    }
}

/* The item at place `at` of the scan joins its block. */
static void join_block(struct tv_scan *s, size_t at, const float *row)
{
    struct tv_scan_block *block = &s->block[at / BLOCK];
    struct limits l = {.length = s->length[at] = length(row, directions(s))};
    for (int c = 0; c < s->apart; c++) {
        s->bias[at * (size_t)s->apart + (size_t)c] = row[directions(s) + c];
        l.low[c] = l.high[c] = (double)row[directions(s) + c];
    }
    if (at % BLOCK == 0)
        block->own = l;
    widen(&block->own, &l);
    if (s->codes == NULL)
        return;
    double lost;
    int8_t *codes = s->codes + at / BLOCK * tv_code_block_size(directions(s));
    s->scale[at] = tv_code_item(codes, at % BLOCK, row, directions(s), &lost);
    if (s->scale[at] > 0)
        block->lost = fmax(block->lost, lost / (double)s->scale[at]);
}

static void make_blocks(struct tv_scan *s, float *row)
{
    size_t k = (size_t)s->factors;
    for (size_t at = 0; at < (size_t)s->n_items; at++) {
        tv_half_to_floats(row, s->item_factors + (size_t)s->item[at] * k, k);
        join_block(s, at, row);
    }
    for (size_t b = n_blocks(s); b-- > 0;) {
        s->block[b].rest = s->block[b].own;
        if (b + 1 < n_blocks(s))
            widen(&s->block[b].rest, &s->block[b + 1].rest);
    }
}

static int allocate(struct tv_scan *s, struct tv_error *err)
{
    static const char *const what = "an order of items";
    size_t n = (size_t)s->n_items;
    int coded = directions(s) <= TV_CODE_FACTORS;
    s->item = tv_alloc(n, sizeof *s->item, what, err);
    s->block = tv_alloc(n_blocks(s), sizeof *s->block, what, err);
    s->scale = tv_alloc(n, sizeof *s->scale, what, err);
    s->length = tv_alloc(n, sizeof *s->length, what, err);
    s->bias = tv_alloc(n * (size_t)s->apart, sizeof *s->bias, what, err);
    if (coded)
        s->codes = tv_alloc(n_blocks(s), tv_code_block_size(directions(s)), what, err);
    return s->item && s->block && s->scale && s->length && s->bias && (s->codes || !coded);
}

enum tv_status tv_scan_create(struct tv_scan *out, const uint16_t *item_factors, int32_t n_items, int factors, int apart,
                              struct tv_error *err)
{
    *out = (struct tv_scan){.factors = factors, .apart = apart, .n_items = n_items, .item_factors = item_factors};
    float *row = tv_alloc((size_t)factors, sizeof *row, "an order of items", err);
    enum tv_status status = row && allocate(out, err) ? order(out, row, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        make_blocks(out, row);
    else
        tv_scan_free(out);
    free(row);
    return status;
}

void tv_scan_free(struct tv_scan *s)
{
    free(s->item);
    free(s->codes);
    free(s->scale);
    free(s->length);
    free(s->bias);
    free(s->block);
    *s = (struct tv_scan){0};
}

size_t tv_scan_bytes(const struct tv_scan *s)
{
    size_t n = (size_t)s->n_items, codes = s->codes ? tv_code_block_size(directions(s)) : 0;
    return n * (sizeof *s->item + sizeof *s->scale + sizeof *s->length + (size_t)s->apart * sizeof *s->bias) +
           n_blocks(s) * (sizeof *s->block + codes);
}

/* --- bounds ------------------------------------------------------------------------------------------------ */

/* A scan for one user, or for an item in the place of one. */
struct asker {
    const struct tv_scan *scan;
    const float *user;
    const uint8_t *skip;
    int32_t except; /* the item itself, or -1 */
    double divisor; /* the item's length, whose scores are cosines; else 0 */
    struct tv_best best;
    double length, apart[TV_SCAN_APART];
    double allowance; /* for rounding, a part of the magnitudes that are summed */
    struct tv_coded_user coded;
    struct tv_scan_work work;
};

static void begin(struct asker *a, const struct tv_scan *s, const float *user)
{
    a->scan = s;
    a->user = user;
    a->skip = NULL;
    a->except = -1;
    a->divisor = 0;
    a->work = (struct tv_scan_work){0};
    a->length = length(user, directions(s));
    a->allowance = 2 * (s->factors + 32) * DBL_EPSILON;
    for (int c = 0; c < TV_SCAN_APART; c++)
        a->apart[c] = c < s->apart ? (double)user[directions(s) + c] : 0;
    if (s->codes)
        tv_code_user(&a->coded, user, directions(s));
}

/* What rounding may add to a score within the limits. */
static double rounding(const struct asker *a, const struct limits *l)
{
    double magnitudes = a->length * l->length;
    for (int c = 0; c < TV_SCAN_APART; c++)
        magnitudes += fabs(a->apart[c]) * fmax(fabs(l->low[c]), fabs(l->high[c]));
    return a->allowance * magnitudes;
}

/* Whether computed scores of all items within the limits are below the worst of a full list. A NaN, which only factors that
 * are not finite lead to, is below nothing, and all items are scored. */
static int is_beaten(const struct asker *a, const struct limits *l)
{
    double highest = a->length * l->length + rounding(a, l);
    for (int c = 0; c < TV_SCAN_APART; c++) {
        double low = a->apart[c] * l->low[c], high = a->apart[c] * l->high[c];
        highest += low > high ? low : high;
    }
    return a->best.n == a->best.top && highest < a->best.entry[0].score;
}

/* highest[t] = what the computed score of a block's item t is not above: scale * (step * dot + lost) + the rest, which is
 * the same for all items, + biases. */
TV_CLONES static void bound_items(double *highest, const int32_t *dots, const float *scale, size_t n, double step, double lost,
                                  double rest)
{
    for (size_t t = 0; t < n; t++)
        highest[t] = (double)scale[t] * (step * (double)dots[t] + lost) + rest;
}

static void bound_block(double *highest, const struct asker *a, size_t b, size_t n)
{
    const struct tv_scan *s = a->scan;
    const struct tv_scan_block *block = &s->block[b];
    const struct tv_coded_user *user = &a->coded;
    int32_t dots[BLOCK];
    tv_code_dots(dots, s->codes + b * tv_code_block_size(directions(s)), user, directions(s));
    bound_items(highest, dots, s->scale + b * BLOCK, n, user->step, (a->length + user->lost) * block->lost,
                user->lost * block->own.length + rounding(a, &block->own));
    for (size_t t = 0; t < n; t++)
        for (int c = 0; c < s->apart; c++)
            highest[t] += a->apart[c] * (double)s->bias[(b * BLOCK + t) * (size_t)s->apart + (size_t)c];
    for (size_t t = 0; a->divisor > 0 && t < n; t++)
        highest[t] /= s->length[b * BLOCK + t] * a->divisor; /* as the score is: division keeps the order */
}

/* --- the scan ---------------------------------------------------------------------------------------------- */

/* Items on their way to being scored; four together take little more time than one. */
enum { AT_ONCE = 4 };
struct candidates {
    int32_t item[AT_ONCE];
    double length[AT_ONCE]; /* of their rows, for cosines */
    size_t n;
};

/* Each that enters the list raises what those after it must reach. */
static void score(struct asker *a, struct candidates *c)
{
    double scores[AT_ONCE];
    tv_scores_of_rows(scores, a->scan->item_factors, c->item, c->n, a->scan->factors, a->user);
    for (size_t i = 0; i < c->n; i++) {
        if (a->divisor > 0)
            scores[i] /= c->length[i] * a->divisor;
        tv_best_offer(&a->best, (struct tv_scored){c->item[i], scores[i]});
    }
    a->work.scored += c->n;
    c->n = 0;
}

static void take(struct asker *a, struct candidates *c, int32_t item, double row_length)
{
    c->item[c->n] = item;
    c->length[c->n++] = row_length;
    if (c->n == AT_ONCE)
        score(a, c);
}

/* Scores the items of a block that may enter the list. */
static void look(struct asker *a, size_t b, size_t n)
{
    const int32_t *item = a->scan->item + b * BLOCK;
    double highest[BLOCK];
    struct candidates c = {.n = 0};
    int bounded = a->scan->codes && a->best.n == a->best.top;
    if (bounded)
        bound_block(highest, a, b, n);
    a->work.coded += bounded ? n : 0;
    for (size_t t = 0; t < n; t++)
        if (!(bounded && highest[t] < a->best.entry[0].score) && !(a->skip && a->skip[item[t]]) && item[t] != a->except)
            take(a, &c, item[t], a->scan->length[b * BLOCK + t]);
    score(a, &c);
}

static void scan_blocks(struct asker *a)
{
    const struct tv_scan *s = a->scan;
    size_t n = (size_t)s->n_items;
    for (size_t b = 0; b < n_blocks(s) && !is_beaten(a, &s->block[b].rest); b++)
        if (!is_beaten(a, &s->block[b].own))
            look(a, b, n - b * BLOCK < BLOCK ? n - b * BLOCK : BLOCK);
}

/* A list of few items is not full before much has been looked at, so they are scored without a look at the others. */
static void score_all_kept(struct asker *a)
{
    struct candidates c = {.n = 0};
    size_t n = (size_t)a->scan->n_items;
    for (const uint8_t *at = a->skip; (at = memchr(at, 0, n - (size_t)(at - a->skip))) != NULL; at++)
        take(a, &c, (int32_t)(at - a->skip), 0);
    score(a, &c);
}

size_t tv_scan_top(struct tv_scored *out, size_t top, const struct tv_scan *s, const float *user, const uint8_t *skip,
                   size_t n_kept, struct tv_scan_work *work)
{
    struct asker a;
    begin(&a, s, user);
    a.best = (struct tv_best){out, 0, top};
    a.skip = skip;
    if (top > 0 && skip && n_kept <= (size_t)s->n_items / FEW)
        score_all_kept(&a);
    else if (top > 0)
        scan_blocks(&a);
    tv_best_finish(&a.best);
    if (work)
        *work = a.work;
    return a.best.n;
}

/* Lengths leave no item out, as no cosine grows with them. */
size_t tv_scan_nearest(struct tv_scored *out, size_t top, const struct tv_scan *s, int32_t item, float *row)
{
    struct asker a;
    tv_half_to_floats(row, s->item_factors + (size_t)item * (size_t)s->factors, (size_t)s->factors);
    for (int f = directions(s); f < s->factors; f++)
        row[f] = 0;
    begin(&a, s, row);
    a.best = (struct tv_best){out, 0, top};
    a.except = item;
    a.divisor = a.length;
    size_t n = (size_t)s->n_items;
    for (size_t b = 0; top > 0 && a.length > 0 && b < n_blocks(s); b++)
        look(&a, b, n - b * BLOCK < BLOCK ? n - b * BLOCK : BLOCK);
    tv_best_finish(&a.best);
    return a.best.n;
}
