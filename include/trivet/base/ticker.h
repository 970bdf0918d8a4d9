/* ticker: a thread that works at intervals, or sooner when it is woken, until it is stopped.
 *
 * Its clock never goes back: setting the time of the machine changes nothing of how long it rests.
 */
#ifndef TRIVET_BASE_TICKER_H
#define TRIVET_BASE_TICKER_H

#include "trivet/base/status.h"

struct tv_ticker;

/* Works once, and returns after how many seconds to work again. */
typedef double (*tv_tick)(void *context);

/* Works after `first` seconds (0: at once), and from then on. `what` is for the message when there is no thread to be
 * had: "to watch Redis". *out is there before the first work begins. */
enum tv_status tv_ticker_start(struct tv_ticker **out, const char *what, double first, tv_tick tick, void *context,
                               struct tv_error *err);
/* It is to work again within so many seconds of the end of its last work, or of the one under way. NULL is fine. */
void tv_ticker_wake(struct tv_ticker *t, double seconds);
/* 1: a tick that does many small steps should come to an end. */
int tv_ticker_stopping(struct tv_ticker *t);
/* Waits for the end of the work under way, and frees the ticker. NULL is fine. */
void tv_ticker_stop(struct tv_ticker *t);

#endif
