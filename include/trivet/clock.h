/* clock: elapsed time and this process's memory, for the reports of long work. */
#ifndef TRIVET_CLOCK_H
#define TRIVET_CLOCK_H

/* Seconds on a clock that never goes back. */
double tv_clock(void);

/* Seconds since 1970, UTC. */
double tv_clock_wall(void);

/* The most resident memory this process has had, bytes. */
double tv_peak_memory(void);

#endif
