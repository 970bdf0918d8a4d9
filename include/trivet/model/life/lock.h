/* lock: guards every change of models and ratings.
 *
 * It is a session-level advisory lock of PostgreSQL on a connection of its own: it ends with the process,
 * however that ends. It is checked before each step that cannot be undone.
 */
#ifndef TRIVET_MODEL_LIFE_LOCK_H
#define TRIVET_MODEL_LIFE_LOCK_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/cli/options.h"
#include "trivet/store/pg.h"

struct tv_lock;

/* Takes the lock; `who` ("trivet-train fit") is what others are told. With `wait` it waits for the present holder
 * and says whom it waits for; without, TV_ERR_BUSY names the holder. A schema that is older is
 * brought up to date first (tv_schema_open). */
enum tv_status tv_lock_acquire(struct tv_lock **out, const struct tv_settings *settings, const char *who, int wait,
                               struct tv_error *err);
/* Puts the run number into the name others are told: "trivet-train fit (run 12)". */
enum tv_status tv_lock_name_run(struct tv_lock *lock, int64_t run, struct tv_error *err);
/* TV_ERR_BUSY when the connection, and so the lock, is lost. */
enum tv_status tv_lock_check(struct tv_lock *lock, struct tv_error *err);
/* The lock's connection, for short statements that must not be part of a snapshot: the journal itself. */
struct tv_pg *tv_lock_connection(struct tv_lock *lock);
void tv_lock_release(struct tv_lock *lock); /* NULL is fine */

#endif
