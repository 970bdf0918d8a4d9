/* access_log: one line a request on standard output.
 *
 *   2026-03-01T12:00:00.123Z 127.0.0.1 "GET /recs?user_id=10" 200 1834 0.412ms
 *
 * Requests only append to a buffer (lines.h), so that a reader who is slow, or a terminal that is stopped, holds no
 * request up.
 */
#ifndef TRIVET_SERVE_LISTEN_ACCESS_LOG_H
#define TRIVET_SERVE_LISTEN_ACCESS_LOG_H

#include <stddef.h>

#include "trivet/base/status.h"

struct tv_access_log;
enum tv_status tv_access_log_start(struct tv_access_log **out, int fd, struct tv_error *err);
/* Method and target may hold anything. status 0: the connection ended before there was an answer. NULL log: does
 * nothing. */
void tv_access_log_line(struct tv_access_log *log, const char *peer, const char *method, const char *target,
                        int status, size_t bytes, double seconds);
/* Writes what is left, waiting two seconds for it at the most. NULL is fine. */
void tv_access_log_stop(struct tv_access_log *log);

#endif
