/* clock: elapsed time and memory, for the plans and reports of long work. */
#ifndef TRIVET_BASE_CLOCK_H
#define TRIVET_BASE_CLOCK_H

/* Seconds on a clock that never goes back. Its zero is arbitrary: differences alone mean something. */
double tv_clock(void);

/* Seconds since 1970, UTC. */
double tv_clock_wall(void);

/* The most resident memory this process has had, bytes. */
double tv_peak_memory(void);

/* The memory that new work can take without swapping, bytes: that of the machine, or that which the control group
 * (a container's limit) leaves, whichever is less. 0 where neither tells. */
double tv_available_memory(void);

#endif
