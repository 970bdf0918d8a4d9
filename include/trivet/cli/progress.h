/* progress: how far long work is, with rate and ETA.
 *
 * On a terminal one line is rewritten at most ten times a second; elsewhere a plain line appears every ten
 * seconds, so that a log stays readable. Nothing is printed for work that ends within a second. All of it goes to
 * standard error and is silent below log level info.
 */
#ifndef TRIVET_CLI_PROGRESS_H
#define TRIVET_CLI_PROGRESS_H

/* On the caller's stack; `what` and `unit` must outlive the work. */
struct tv_progress {
    const char *what; /* "loading ratings.csv"; not owned */
    const char *unit; /* "rows"; not owned */
    double total;     /* 0: unknown, no ETA */
    double started, shown;
    int terminal, printed;
};

void tv_progress_start(struct tv_progress *p, const char *what, const char *unit, double total);
void tv_progress_update(struct tv_progress *p, double done); /* cheap enough to call once a row */
void tv_progress_end(struct tv_progress *p);                 /* clears the line; safe to call twice */

#endif
