/* interrupt: SIGINT and SIGTERM end long work in order instead of in the middle of a statement. */
#ifndef TRIVET_INTERRUPT_H
#define TRIVET_INTERRUPT_H

#include "trivet/pg.h"

/* From now on both signals are taken by a thread of their own: it remembers them, and cancels what `pg` is doing
 * (NULL: nothing to cancel). Call it before other threads start; calling it again changes `pg`. */
enum tv_status tv_interrupt_watch(struct tv_pg *pg, struct tv_error *err);

int tv_interrupted(void);

#endif
