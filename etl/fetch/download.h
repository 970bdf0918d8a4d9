/* download: an address on the web instead of a path. */
#ifndef TRIVET_ETL_FETCH_DOWNLOAD_H
#define TRIVET_ETL_FETCH_DOWNLOAD_H

#include <stddef.h>

#include "trivet/cli/options.h"

/* The options of the commands that take such an address: --sha256 (also of a file on disk), --cache, --max-download,
 * --stall-timeout. */
extern const struct tv_option tv_fetch_options[];

/* 1 for http:// and https://. */
int tv_fetch_is_address(const char *text);

/* What may be written down of an address: without user, password, and what follows a question mark, which may be a key. A path is
 * itself. */
void tv_fetch_shown(const char *text, char *out, size_t size);

/* Puts into `path` where the data lie: what is given, or the file that was downloaded from there. The file stays in the cache, where the
 * next call finds it, if the server has no other one. Its SHA-256 is compared, if one was given; what came now and differs is not kept.
 * TV_ERR_INPUT where the address has no data, TV_ERR_IO where it cannot be reached; the hint says what to do. */
enum tv_status tv_fetch(const struct tv_settings *s, const char *given, char *path, size_t size, struct tv_error *err);

#endif
