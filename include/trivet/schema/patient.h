/* patient: how a program takes strong locks on tables that others use.
 *
 * A lock that is waited for keeps out everybody who comes later and wants one that conflicts with it, even those
 * who would not disturb each other: with one forgotten transaction no rating is taken any more. So nothing waits
 * for long. The work is a transaction that ends after a lock_timeout of a tenth of a second; it is rolled back, the
 * others go on, and it is tried again a little later, until it succeeds or its time is over. Deadlocks are tried
 * again, too.
 */
#ifndef TRIVET_SCHEMA_PATIENT_H
#define TRIVET_SCHEMA_PATIENT_H

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

/* How long is waited for which transactions, and what is said meanwhile. */
struct tv_patience {
    const char *what;   /* what is said while it waits: "waiting for queries on trivet.rating to end, to ..." */
    const char *tables; /* transactions that hold locks on these are named: "{trivet.rating}"; NULL: on any of trivet's */
    int readers;        /* transactions that only read are in the way, too */
    int seconds;        /* in all; 0: one try */
};

/* May run any number of times, each in a transaction of its own, which it neither begins nor ends. */
typedef enum tv_status (*tv_attempt)(void *context, struct tv_error *err);

/* TV_OK: committed. TV_ERR_BUSY: others were in the way all the time, and the message names who; TV_ERR_INTERRUPTED: a
 * signal came while it waited; else the error of the attempt. After any failure nothing of it is there. */
enum tv_status tv_patiently(struct tv_pg *pg, const struct tv_patience *p, tv_attempt attempt, void *context,
                            struct tv_error *err);

#endif
