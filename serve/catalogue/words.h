/* words: the words of pages for ratings, and those for plays. */
#ifndef TRIVET_SERVE_CATALOGUE_WORDS_H
#define TRIVET_SERVE_CATALOGUE_WORDS_H

#include "serve/model/model_info.h"

/* One set of words. Some are pieces of a sentence, which pages put around a number or a title. */
struct tv_words {
    const char *hero, *lead; /* of the welcome page */
    const char *from, *from_one, *from_many; /* of a list, around a number: "From your ", " rating", " ratings" */
    const char *stranger;        /* nothing is known of the user */
    const char *nothing_known;   /* nothing of theirs is in the model */
    const char *folded_in;       /* their ratings place them in it */
    const char *because;         /* before the titles of the items that led to a recommendation */
    const char *no_place;        /* their ratings lead to no factors */
    const char *did;             /* "rated" */
    const char *best;            /* heading of the items they liked most */
    const char *kind;            /* class of a value there */
    const char *popularity;      /* the measure that a list of popular items is ordered by */
    const char *learned;         /* name of the fact that tells how many ratings were learned from */
    const char *one, *many;      /* "rating", "ratings", after a user's number of them */
    const char *at_least;        /* label of the filter by the number of ratings or users */
    const char *known_too;       /* label of the filter that lets known items in */
    const char *rate_more;       /* heading of the box to rate anything in */
    const char *rated_it;        /* "Rated", before a title and the value */
    const char *new_here, *rate_lead; /* of the first visit: the link to it, which is its heading, too; its purpose */
    const char *search_name, *search_url; /* where to look for an item that has no address, by its title */
};

/* A model whose values are counts speaks of plays, any other of ratings. */
const struct tv_words *tv_words_of(const struct tv_model_info *info); /* NULL: no model yet */

#endif
