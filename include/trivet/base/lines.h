/* lines: text for a reader who may stop reading, such as a pipe or a terminal.
 *
 * A thread that has a line only puts it into a buffer; a thread of its own writes it out, so a slow reader holds up
 * nothing else. When the buffer is full lines are dropped, and a line says how many as soon as something is read again:
 *
 *   (12 lines dropped: they came faster than they were read)
 */
#ifndef TRIVET_BASE_LINES_H
#define TRIVET_BASE_LINES_H

#include <stddef.h>

#include "trivet/base/status.h"

struct tv_lines;
/* `fd` stays the caller's. gather_ms: how long the thread lets lines come together before it writes; 0: not at all. */
enum tv_status tv_lines_start(struct tv_lines **out, int fd, int gather_ms, struct tv_error *err);
/* Takes a copy; never waits for the reader. `line` ends with its newline. */
void tv_lines_put(struct tv_lines *lines, const char *line, size_t n);
/* Writes what is left, for two seconds at the most: a thread that hangs in write() then is left to the end of the
 * process. NULL is fine. */
void tv_lines_stop(struct tv_lines *lines);

#endif
