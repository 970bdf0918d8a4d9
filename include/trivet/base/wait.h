/* wait: tries again, for a limited time, what a store that is just starting may answer a little later.
 *
 *   struct tv_wait wait = tv_wait_for("Redis", "127.0.0.1:6379", 60);
 *   do
 *       status = connect_to(...);
 *   while (status == TV_ERR_UNAVAILABLE && tv_wait_more(&wait));
 *
 * Its clock is tv_clock(), which never goes back: setting the time of the machine makes no wait longer or shorter. No
 * wait goes on when the process is to end (trivet/base/stop.h).
 */
#ifndef TRIVET_BASE_WAIT_H
#define TRIVET_BASE_WAIT_H

struct tv_wait {
    double until;             /* tv_clock(): the last moment at which a pause may begin */
    const char *whom, *where; /* for the log, before the first pause; NULL: nothing is said */
};

/* A wait that begins now. `whom` and `where` are lent. */
struct tv_wait tv_wait_for(const char *whom, const char *where, double seconds);
/* After a try that failed: pauses for three tenths of a second and returns 1 for another one. 0, without a pause, once
 * the time is up; 0 as soon as the process is to end. */
int tv_wait_more(struct tv_wait *wait);

/* For a wait that asks in between, such as poll() on a socket: for how long it may sleep before it looks again,
 * milliseconds, at most 100; 0 once the time is up (`until` is of tv_clock(); INFINITY: never) or the stop is due. */
int tv_wait_ms(double until);

#endif
