/* stop: when this process is to end, and how long a wait for a store may still last.
 *
 * A signal sets one moment for the whole process. Until then what is under way is finished in order; after it every
 * wait on a store ends as if the store had not answered. Each such wait (trivet/base/wait.h) sleeps a tenth of a second
 * at a time and asks here in between, so no store can keep a process from ending. All times are of tv_clock(), which
 * never goes back.
 */
#ifndef TRIVET_BASE_STOP_H
#define TRIVET_BASE_STOP_H

/* The promise after a signal: the process has ended so many seconds later, give or take one. */
enum { TV_STOP_SECONDS = 10 };

/* The process is to end: work under way may take that many seconds more. A later moment than one set before is
 * not taken. */
void tv_stop_within(double seconds);

int tv_stop_asked(void); /* 1 from the first tv_stop_within on */
int tv_stop_due(void);   /* 1 once its moment is past: no wait goes on */

double tv_stop_moment(void); /* of tv_clock(); INFINITY before the first tv_stop_within. trivet/base/wait.h asks */

#endif
