/* interrupt: SIGINT and SIGTERM end long work in order instead of in the middle of a statement, and within a promised
 * time, whatever hangs. */
#ifndef TRIVET_CLI_INTERRUPT_H
#define TRIVET_CLI_INTERRUPT_H

#include "trivet/store/pg.h"

/* From now on both signals are taken by a thread of their own: it remembers them, cancels what `pg` is doing (NULL:
 * nothing to cancel), and lets every wait on a store end within TV_STOP_SECONDS (trivet/base/stop.h). A process that is
 * still there a second after that is ended as it stands. Call it before other threads start, which inherit that they do
 * not see the signals; calling it again changes `pg`. */
enum tv_status tv_interrupt_watch(struct tv_pg *pg, struct tv_error *err);

/* A connection that is to be closed: a signal no longer cancels what it does. Nothing, where another one is watched. */
void tv_interrupt_forget(const struct tv_pg *pg);

/* 1 once a signal has come. Long work asks between two steps and ends with TV_ERR_INTERRUPTED. */
int tv_interrupted(void);

/* Waits until one of the signals has come, and returns its number. */
int tv_interrupt_wait(void);

#endif
