/* similar: the items nearest to an item: the question, and two ways to answer it. The page and the JSON are views
 * of the same answer.
 */
#ifndef TRIVET_SERVE_API_SIMILAR_H
#define TRIVET_SERVE_API_SIMILAR_H

#include "serve/app.h"
#include "serve/follow/similar_keeper.h"
#include "serve/model/ids.h"
#include "serve/model/resident.h"
#include "serve/web/out.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "serve/web/response.h"

/* By the factors of a model, or by the users who rated or played both items. */
enum tv_similar_by { TV_BY_FACTORS, TV_BY_AUDIENCE };

/* The parameters of a request for neighbours. */
struct tv_similar_question {
    struct tv_id item; /* text "": none, for the page alone */
    int64_t model, top;
    int64_t dataset; /* that the item is meant to be of, as a link of ours says; 0: not said */
    enum tv_similar_by by;
    int exact; /* by audience: count the true Jaccard similarities, too */
};

/* One neighbour. */
struct tv_neighbour {
    int64_t item;
    double score;   /* by factors: the cosine; by audience: the estimate of the Jaccard similarity */
    int shared;     /* by audience: equal values of the signatures */
    double jaccard; /* with exact: the true one, common / either, else NaN */
    int64_t common; /*     users of both items, */
    int64_t either; /*     and users of the one or the other */
};

/* An answer by either way. Zero it before; members "by audience" stay 0 by factors. */
struct tv_neighbours {
    int64_t index, dataset;     /* by audience: the version of the index, and whose it is (0: not known) */
    int size;                   /*     and the values of a signature, */
    size_t sharing;             /*     and the number of items that share any, */
    size_t counted;             /*     of which so many, those that share most, had their similarity counted; 0: none */
    struct tv_neighbour *items; /* (n) nearest first; free() it */
    size_t n;
    struct tv_similar_made made; /* by audience: what the index is made of; empty where that is not known */
};

/* similar_audience.c: 1, or 0 and *problem. Waits for Redis, and with `exact` for Postgres. */
TV_MUST_USE int tv_similar_by_audience(struct tv_app *app, const struct tv_request *request,
                                       const struct tv_similar_question *q, struct tv_neighbours *out,
                                       struct tv_problem *problem);
/* The same for an index of this data set alone (0: not known): 0 where another one is live by now. */
TV_MUST_USE int tv_similar_is_of(const struct tv_neighbours *found, int64_t dataset, struct tv_problem *problem);
void tv_similar_audience_json(struct tv_out *out, const struct tv_resident *s, const struct tv_neighbours *found);

/* similar_page.c: `found` is NULL for the page without an item, which may search for titles. `data`: what is to be said of the
 * index's data, a sentence without its full stop, or "". */
void tv_similar_page(const struct tv_request *request, struct tv_response *response, const struct tv_resident *s,
                     const struct tv_similar_question *q, const struct tv_neighbours *found, const char *data);

#endif
