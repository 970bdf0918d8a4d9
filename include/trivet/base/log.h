/* log: messages of programs at work, on standard error. Results go to standard output, never through here. */
#ifndef TRIVET_BASE_LOG_H
#define TRIVET_BASE_LOG_H

#include "trivet/base/status.h"

enum tv_log_level { TV_LOG_ERROR, TV_LOG_INFO, TV_LOG_DEBUG };

/* Sets the level of the whole process; "error", "info" (the start value) or "debug". */
void tv_log_set_level(enum tv_log_level level);
enum tv_log_level tv_log_level_from(const char *name);
int tv_log_enabled(enum tv_log_level level);

/* With `on`, each line starts with the time (UTC, ISO 8601) and the level: for servers. */
void tv_log_set_timestamps(int on);

/* From now on no thread waits for the reader of standard error (lines.h): for servers, whose threads have other work.
 * Lines that are left are written when the program ends, for two seconds at the most. A plain file has no reader who
 * could stop: it gets each line at once, as before. Called once, before other threads start. */
enum tv_status tv_log_never_wait(struct tv_error *err);

/* One line a call, written whole, safe from several threads. */
void tv_log(enum tv_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define tv_log_error(...) tv_log(TV_LOG_ERROR, __VA_ARGS__)
#define tv_log_info(...)  tv_log(TV_LOG_INFO, __VA_ARGS__)
#define tv_log_debug(...) tv_log(TV_LOG_DEBUG, __VA_ARGS__)

/* "what: message (where)", the last where there is one. */
void tv_log_reason(enum tv_log_level level, const char *what, const struct tv_error *err);

/* The same with a program's name, and, where there is one, "hint: ..." on a line of its own. */
void tv_log_failure(const char *program, const struct tv_error *err);

#endif
