/* words: what pages call ratings, and what they call plays. */
#ifndef TRIVET_SERVE_CATALOGUE_WORDS_H
#define TRIVET_SERVE_CATALOGUE_WORDS_H

#include "serve/model/model_info.h"

struct tv_words {
    const char *hero, *lead; /* of the welcome page */
    const char *from, *from_one, *from_many; /* of a user's list, around a number: "From your ", " rating", " ratings" */
    const char *stranger;        /* nothing is known of the user */
    const char *nothing_known;   /* nothing of theirs is in the model */
    const char *folded_in;       /* their ratings place them in it */
    const char *because;         /* before the titles of what led to a recommendation */
    const char *no_place;        /* their ratings lead to no factors */
    const char *did;             /* "rated" */
    const char *best;            /* heading of what they liked most */
    const char *kind;            /* class of a value there */
    const char *popularity;      /* what a list of popular items is ordered by */
    const char *learned;         /* fact: what was learned from */
    const char *one, *many;      /* "rating", "ratings", after a user's number of them */
    const char *at_least;        /* label of the filter by the number of users */
    const char *known_too;       /* label of the filter that lets known items in */
    const char *rate_more;       /* heading of the box to rate anything in */
    const char *rated_it;        /* "Rated", before a title and the value */
    const char *new_here, *rate_lead; /* of the first visit: the link to it and its heading, and what it is for */
    const char *search_name, *search_url; /* where to look for an item that has no address, by its title */
};

/* A model whose values are counts speaks of plays, any other of ratings. */
const struct tv_words *tv_words_of(const struct tv_model_info *info); /* NULL: no model yet */

#endif
