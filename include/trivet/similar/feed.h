/* feed: brings the live index of similar items up to what Postgres has, from the queue trivet.similar_event
 * (sql/022_similar.sql).
 *
 * An event names a pair of user and item. Whether the pair is among the index's rows now is asked of Postgres;
 * where the rows are SQL of an analyst's own, as a login that can only read (reader.h). If the pair is there, the
 * user is added: each value of the item's signature becomes the smaller of itself and the user's. If it is not,
 * that matters only where the user is a witness of the item, and then the item's whole audience is read. Events are
 * noted as applied once Redis has them, so an event may be applied twice, which changes nothing.
 *
 * One process at a time does it (an advisory lock on the feed's own connection), because events of a pair must not
 * overtake one another. Any number may try.
 */
#ifndef TRIVET_SIMILAR_FEED_H
#define TRIVET_SIMILAR_FEED_H

#include "trivet/base/status.h"
#include "trivet/similar/similar.h"

struct tv_similar_feed;

/* Connects on first use. `reader_uri` may be NULL: then an index of an analyst's own SQL is not followed
 * (TV_ERR_USAGE). `statement_seconds`: how long one statement may take. The texts are copied. */
enum tv_status tv_similar_feed_open(struct tv_similar_feed **out, const char *postgres_uri, const char *reader_uri,
                                    const char *redis_uri, int statement_seconds, struct tv_error *err);
void tv_similar_feed_close(struct tv_similar_feed *f); /* NULL is fine */

/* Applies the oldest events, at most `most`. *applied: how many; 0: none wait, or another process does it (*elsewhere).
 * TV_ERR_NOT_FOUND: no index is live, so nothing waits that matters. After an error the next call begins afresh. */
enum tv_status tv_similar_feed_step(struct tv_similar_feed *f, int most, int64_t *applied, int *elsewhere,
                                    struct tv_error *err);

/* What an index is made of, as its build noted it; a text is "" where nothing is known, and what does not fit ends in "...". */
struct tv_similar_made {
    char notice[640];  /* what is to be said of its data by now (trivet.similar_data), or "" */
    int64_t dataset;   /* its data set, 0: not known, */
    char data[256];    /*     and its name */
    char source[2048]; /* the SQL of its rows */
    char min_rating[64], since[64]; /* the conditions of trivet.similar_rows; "": none, or SQL of an analyst's own */
    int own;           /* 1: an analyst's own */
    int64_t forgets;   /* trivet.dataset.forgets: how often something was taken out of the data set */
};
/* Of index `version`; 0: none is live, which has a notice, too. Only after a step that went well: 0 if PostgreSQL did not say. */
TV_MUST_USE int tv_similar_feed_made(struct tv_similar_feed *f, int64_t version, struct tv_similar_made *out);

#endif
