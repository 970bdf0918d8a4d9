/* taste: the world behind a generated set. Genres are directions in a space of few dimensions; items lie where
 * their genres point, users like some genres, and a rating is what the two have in common, plus quality, mood and
 * noise. So a model can find something: the ratings have a low rank, and a popular head and a long tail as real
 * ones have.
 */
#ifndef TRIVET_ETL_SYNTH_TASTE_H
#define TRIVET_ETL_SYNTH_TASTE_H

#include <stdint.h>

#include "trivet/base/random.h"
#include "trivet/base/status.h"

enum { TV_SYNTH_RANK = 8, TV_SYNTH_GENRES = 18, TV_SYNTH_MAX_GENRES = 3 };

extern const char *const tv_synth_genres[TV_SYNTH_GENRES];

/* An item that does not exist. */
struct tv_synth_item {
    float taste[TV_SYNTH_RANK];
    float quality; /* stars above the average */
    int n_genres, genres[TV_SYNTH_MAX_GENRES];
};

/* All items, and how likely each is to be met. Owned; freed by tv_synth_world_free. */
struct tv_synth_world {
    uint32_t n_items;
    struct tv_synth_item *items;
    float genres[TV_SYNTH_GENRES][TV_SYNTH_RANK];
    /* Popularity, long-tailed (Zipf): Walker's alias table draws an item in constant time. */
    float *keep;
    uint32_t *alias;
};

/* A user that does not exist; lives while its ratings are written. */
struct tv_synth_user {
    float taste[TV_SYNTH_RANK];
    float mood; /* stars this user gives above the average */
};

/* Takes random numbers from r in a fixed order. After a failure tv_synth_world_free gives back what was made. */
enum tv_status tv_synth_world_create(struct tv_synth_world *w, uint32_t n_items, struct tv_random *r,
                                     struct tv_error *err);
void tv_synth_world_free(struct tv_synth_world *w);

void tv_synth_user_create(struct tv_synth_user *u, const struct tv_synth_world *w, struct tv_random *r);
/* An item by popularity alone. */
uint32_t tv_synth_draw(const struct tv_synth_world *w, struct tv_random *r);
/* How much of their taste an item and a user have in common: around 0, rarely beyond 3. */
float tv_synth_affinity(const struct tv_synth_user *u, const struct tv_synth_item *i);
/* Half stars, 1 (0.5) to 10 (5.0). */
int tv_synth_rate(const struct tv_synth_user *u, const struct tv_synth_item *i, float affinity,
                  struct tv_random *r);

#endif
