/* item_filter: which items may be in a user's list. Filters act before the list is cut to its length, so a list of
 * fifteen has fifteen items as long as fifteen pass.
 *
 * Each item of the model that is left out is counted once, at the first filter that leaves it out, in this order:
 *
 *   seen       the user rated it (unless seen=include)
 *   exclude    it is one of exclude=ID,ID,...
 *   genre      it has none of the genres asked for
 *   not_genre  it has one of the genres not wanted
 *   year       its year is outside year_from..year_to, or not known
 *   min_count  it has fewer ratings
 *
 * So the numbers of items kept and left out add up to the items of the model.
 */
#ifndef TRIVET_SERVE_MODEL_ITEM_FILTER_H
#define TRIVET_SERVE_MODEL_ITEM_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "serve/model/resident.h"
#include "serve/web/out.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "trivet/model/user_document.h"

/* The fate of an item: kept, or the first filter that leaves it out. TV_KEPT is 0, so cleared marks say that all
 * are kept. */
enum tv_removal {
    TV_KEPT,
    TV_REMOVED_SEEN,
    TV_REMOVED_EXCLUDE,
    TV_REMOVED_GENRE,
    TV_REMOVED_NOT_GENRE,
    TV_REMOVED_YEAR,
    TV_REMOVED_MIN_COUNT,
    TV_REMOVALS
};

enum { TV_MAX_EXCLUDED = 1000 }; /* ids in exclude= */

/* A filter as one request asks for it. Read first, then resolved for a model; its texts are the request's, which
 * must outlive it. */
struct tv_item_filter {
    int asked; /* 0: no parameter of it stands in the request: only seen items are left out */
    int include_seen;
    int64_t year_from, year_to, min_count;
    /* As they came ... */
    size_t n_genres, n_unwanted;
    const char *genres[TV_MAX_PARAMETERS], *unwanted[TV_MAX_PARAMETERS];
    const char *excluded_ids; /* "500,296", or NULL */
    /* ... and as places in the resident model that the filter was resolved for. */
    int32_t genre_places[TV_MAX_PARAMETERS], unwanted_places[TV_MAX_PARAMETERS];
    size_t n_excluded;
    int32_t excluded[TV_MAX_EXCLUDED]; /* dense indices of those that the model holds */
};

/* The parameters that tv_item_filter_read reads, for a route's list: genre, not_genre (also spelt genre!),
 * year_from, year_to, min_count, exclude, seen. */
#define TV_ITEM_FILTER_PARAMETERS                                                                            \
    "+genre", "+not_genre", "+genre!", "year_from", "year_to", "min_count", "exclude", "seen"

/* 1 and *filter, whose texts are those of the request, or 0 and a 400 in *problem. */
TV_MUST_USE int tv_item_filter_read(const struct tv_request *request, struct tv_item_filter *filter,
                                    struct tv_problem *problem);
/* Looks genres and ids up: 1, or 0 and a 400, which for a genre that no item has names the nearest. */
TV_MUST_USE int tv_item_filter_resolve(struct tv_item_filter *filter, const struct tv_resident *s,
                                       struct tv_problem *problem);

/* What genres, years and counts say of every item, whoever asks: kept from one request to the next, because looking at each
 * item of a large model takes longer than the list. One thread uses it. All zero at first. */
struct tv_judged {
    uint64_t serial; /* of the resident model that the items are of; 0: nothing is kept */
    int64_t year_from, year_to, min_count;
    size_t n_genres, n_unwanted;
    int32_t genre_places[TV_MAX_PARAMETERS], unwanted_places[TV_MAX_PARAMETERS];
    size_t counts[TV_REMOVALS];
    uint8_t *marks; /* (n_items) room, the caller's */
};

/* Of a resolved filter: writes an enum tv_removal for every item of the model into marks (n_items); counts (TV_REMOVALS) get
 * how many there are of each. `user` may be NULL. */
void tv_item_filter_mark(const struct tv_item_filter *filter, const struct tv_resident *s,
                         const struct tv_user_document *user, struct tv_judged *judged, uint8_t *marks, size_t *counts);

/* ,"eligible":812,"removed":{"seen":20,"exclude":0,...} */
void tv_item_filter_json(struct tv_out *out, const size_t *counts);

#endif
