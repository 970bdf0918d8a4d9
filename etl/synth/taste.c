/* taste: genres, items, users and what they think of each other. All numbers come from one generator in a fixed
 * order; a draw more or less would change every set that a seed stands for.
 */
#include "etl/synth/taste.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

const char *const tv_synth_genres[TV_SYNTH_GENRES] = {
    "Action",      "Adventure", "Animation", "Children",  "Comedy", "Crime",
    "Documentary", "Drama",     "Fantasy",   "Film-Noir", "Horror", "Musical",
    "Mystery",     "Romance",   "Sci-Fi",    "Thriller",  "War",    "Western"};

/* Directions drawn evenly from the sphere: normal numbers, brought to length 1. */
static void make_genres(struct tv_synth_world *w, struct tv_random *r)
{
    for (int g = 0; g < TV_SYNTH_GENRES; g++) {
        double length = 0;
        for (int f = 0; f < TV_SYNTH_RANK; f++) {
            w->genres[g][f] = (float)tv_random_normal(r);
            length += (double)w->genres[g][f] * w->genres[g][f];
        }
        for (int f = 0; f < TV_SYNTH_RANK; f++)
            w->genres[g][f] /= (float)sqrt(length);
    }
}

/* One to three different genres, all equally likely. */
static void choose_genres(struct tv_synth_item *item, struct tv_random *r)
{
    int wanted = 1 + (int)tv_random_below(r, TV_SYNTH_MAX_GENRES);
    item->n_genres = 0;
    while (item->n_genres < wanted) {
        int g = (int)tv_random_below(r, TV_SYNTH_GENRES), known = 0;
        for (int i = 0; i < item->n_genres; i++)
            known |= item->genres[i] == g;
        if (!known)
            item->genres[item->n_genres++] = g;
    }
}

/* An item lies at the sum of its genres, shorter for each of several so that the length stays about 1, with a
 * little noise. */
static void make_item(struct tv_synth_item *item, const struct tv_synth_world *w, struct tv_random *r)
{
    choose_genres(item, r);
    item->quality = (float)(0.45 * tv_random_normal(r));
    for (int f = 0; f < TV_SYNTH_RANK; f++) {
        double sum = 0.15 * tv_random_normal(r);
        for (int i = 0; i < item->n_genres; i++)
            sum += w->genres[item->genres[i]][f] / sqrt(item->n_genres);
        item->taste[f] = (float)sum;
    }
}

/* Popularity by rank, a Zipf law with a flattened head, (rank + 8)^-0.9, the ranks in random order. It is made into
 * Walker's alias table (Walker, 1977): each slot holds its own item with probability `keep`, else its alias, so
 * that an item is drawn in constant time. */
static enum tv_status make_popularity(struct tv_synth_world *w, struct tv_random *r, struct tv_error *err)
{
    size_t n = w->n_items, n_small = 0, n_large = 0;
    double *share = tv_alloc(n, sizeof *share, "popularity", err), sum = 0;
    uint32_t *small = tv_alloc(n, sizeof *small, "popularity", err),
             *large = tv_alloc(n, sizeof *large, "popularity", err);
    enum tv_status status = share && small && large ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        small[i] = (uint32_t)i;
    for (size_t i = n; i > 1 && status == TV_OK; i--) { /* ranks in random order */
        size_t j = tv_random_below(r, i);
        uint32_t swap = small[i - 1];
        small[i - 1] = small[j];
        small[j] = swap;
    }
    for (size_t i = 0; i < n && status == TV_OK; i++)
        sum += share[small[i]] = pow((double)i + 8, -0.9);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        share[i] *= (double)n / sum;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        *(share[i] < 1 ? &small[n_small++] : &large[n_large++]) = (uint32_t)i;
    while (n_small > 0 && n_large > 0) {
        uint32_t a = small[--n_small], b = large[n_large - 1];
        w->keep[a] = (float)share[a];
        w->alias[a] = b;
        share[b] -= 1 - share[a];
        if (share[b] < 1) {
            n_large--;
            small[n_small++] = b;
        }
    }
    while (n_large > 0)
        w->keep[large[--n_large]] = 1;
    while (n_small > 0)
        w->keep[small[--n_small]] = 1; /* 1 but for rounding */
    free(share);
    free(small);
    free(large);
    return status;
}

/* The order of these calls is the order of the random numbers, and so part of what a seed means. */
enum tv_status tv_synth_world_create(struct tv_synth_world *w, uint32_t n_items, struct tv_random *r,
                                     struct tv_error *err)
{
    *w = (struct tv_synth_world){.n_items = n_items};
    w->items = tv_alloc(n_items, sizeof *w->items, "items", err);
    w->keep = tv_alloc(n_items, sizeof *w->keep, "popularity", err);
    w->alias = tv_alloc(n_items, sizeof *w->alias, "popularity", err);
    if (w->items == NULL || w->keep == NULL || w->alias == NULL)
        return TV_ERR_NO_MEMORY;
    make_genres(w, r);
    for (uint32_t i = 0; i < n_items; i++)
        make_item(&w->items[i], w, r);
    return make_popularity(w, r, err);
}

void tv_synth_world_free(struct tv_synth_world *w)
{
    free(w->items);
    free(w->keep);
    free(w->alias);
    *w = (struct tv_synth_world){.n_items = 0};
}

/* A user likes two genres, perhaps the same one twice. */
void tv_synth_user_create(struct tv_synth_user *u, const struct tv_synth_world *w, struct tv_random *r)
{
    enum { LIKED = 2 };
    memset(u, 0, sizeof *u);
    u->mood = (float)(0.35 * tv_random_normal(r));
    for (int i = 0; i < LIKED; i++) {
        const float *genre = w->genres[tv_random_below(r, TV_SYNTH_GENRES)];
        for (int f = 0; f < TV_SYNTH_RANK; f++)
            u->taste[f] += genre[f];
    }
    for (int f = 0; f < TV_SYNTH_RANK; f++)
        u->taste[f] += (float)(0.15 * tv_random_normal(r));
}

/* A slot drawn evenly, and then one of its two items. */
uint32_t tv_synth_draw(const struct tv_synth_world *w, struct tv_random *r)
{
    uint32_t slot = (uint32_t)tv_random_below(r, w->n_items);
    return tv_random_real(r) < (double)w->keep[slot] ? slot : w->alias[slot];
}

float tv_synth_affinity(const struct tv_synth_user *u, const struct tv_synth_item *i)
{
    float sum = 0;
    for (int f = 0; f < TV_SYNTH_RANK; f++)
        sum += u->taste[f] * i->taste[f];
    return sum;
}

/* Stars around 3.3, rounded to halves and cut at both ends of the scale. */
int tv_synth_rate(const struct tv_synth_user *u, const struct tv_synth_item *i, float affinity,
                  struct tv_random *r)
{
    double stars =
        3.3 + (double)u->mood + (double)i->quality + 0.6 * (double)affinity + 0.5 * tv_random_normal(r);
    int half = (int)lround(2 * stars);
    return half < 1 ? 1 : half > 10 ? 10 : half;
}
