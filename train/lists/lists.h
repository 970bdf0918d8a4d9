/* lists: the lists of many users of a model, block after block, each block scored by all threads. recommend.c,
 * precompute.c and stored.c share it.
 *
 * Users come in the order of their ids, or as they were asked for. A user without an item of the model among their
 * ratings, or whose ratings lead to no factors, has nothing to score with, and an empty list.
 */
#ifndef TRIVET_TRAIN_LISTS_LISTS_H
#define TRIVET_TRAIN_LISTS_LISTS_H

#include "train/lists/scorer.h"
#include "train/source/names.h"
#include "trivet/cli/options.h"
#include "trivet/cli/progress.h"

/* Users of a block, and the longest list that may be asked for. */
enum { TV_LISTS_BLOCK = 128, TV_LISTS_MOST = 1000 };

/* Takes the lists of a block, which are lent. */
typedef enum tv_status (*tv_lists_take)(void *context, const struct tv_list *lists, int n, struct tv_error *err);

/* One pass over users. The caller makes it and hands it the model; everything below "its own" is freed by
 * tv_lists_free. */
struct tv_list_maker {
    struct tv_model *model; /* lent */
    size_t top;             /* at most TV_LISTS_MOST */
    int n_threads;
    const char *interrupted; /* what holds if the work is stopped: "nothing was changed" */
    int only_stored;         /* 1: only users with a stored list, whose document can be read */
    tv_lists_take take;
    void *context;
    /* Its own: */
    struct tv_scan scan;       /* of the model's items */
    struct tv_scorer *scorers; /* (n_threads) */
    struct tv_mongo *mongo;    /* lent */
    struct tv_list block[TV_LISTS_BLOCK];
    int n;
    int64_t n_users; /* taken so far */
    struct tv_progress progress;
};

/* The fields before "its own" are set by the caller, the others zero; tv_lists_free whatever this returns. */
enum tv_status tv_lists_prepare(struct tv_list_maker *l, struct tv_error *err);
void tv_lists_free(struct tv_list_maker *l);
/* The threads that --threads asks for. */
int tv_lists_threads(const struct tv_settings *settings);

/* All users, or those of "ID,ID,...", as `names` has them; `what` is for the progress line. */
enum tv_status tv_lists_of_all(struct tv_list_maker *l, struct tv_mongo *mongo, const char *what, struct tv_error *err);
enum tv_status tv_lists_of_some(struct tv_list_maker *l, const struct tv_names *names, struct tv_mongo *mongo,
                                const char *what, const char *ids, struct tv_error *err);

#endif
