/* follower: a thread that does the work a rating left to do: users who could not be folded in at once, because
 * MongoDB was away or a server was killed, and the counts of items that were rated.
 *
 * It looks once a second where this server has something to do, and every few seconds otherwise: another server may
 * have been killed. Counting takes a pass over all ratings, so it rests twenty times as long as that took.
 * Whichever server counted, all of them then read the catalogue again: at most every ten seconds, and with the same
 * rest.
 */
#ifndef TRIVET_SERVE_FOLLOW_FOLLOWER_H
#define TRIVET_SERVE_FOLLOW_FOLLOWER_H

#include "serve/follow/rater.h"
#include "trivet/base/status.h"

struct tv_follower;

/* Lent: `models`, `rater`, and reader_uri, of a login that can only read, or NULL. */
enum tv_status tv_follower_start(struct tv_follower **out, struct tv_models *models, struct tv_rater *rater,
                                 const char *postgres_uri, const char *reader_uri, struct tv_error *err);
void tv_follower_stop(struct tv_follower *follower); /* NULL is fine */

/* Work that is left, as it was seen last. */
struct tv_follower_state {
    int64_t waiting,
        refused;        /* users whose ratings count later; and those whose ratings cannot be read. -1: not known */
    int64_t unreadable; /* the live model whose row source cannot be read; 0: it can, as far as is known */
    /* The refusal of a store that answers, because of which some of this waits; "": none. */
    char refusal[sizeof((struct tv_error *)0)->message];
    char hint[sizeof((struct tv_error *)0)->hint]; /* what to do about it, or "" */
};
void tv_follower_look(struct tv_follower *follower,
                      struct tv_follower_state *state); /* NULL is fine: nothing is known */

/* There is something to do. NULL is fine. */
void tv_follower_wake(struct tv_follower *follower);

#endif
