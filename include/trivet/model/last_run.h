/* last_run: what became of the last training, noted in Redis beside the models, so that a server can tell it without a
 * connection to PostgreSQL. The journal is the word on it; this is a copy for monitoring. */
#ifndef TRIVET_MODEL_LAST_RUN_H
#define TRIVET_MODEL_LAST_RUN_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/model/run.h"
#include "trivet/store/redis.h"

#define TV_LAST_RUN_KEY "trivet:last_run"

struct tv_last_run {
    int64_t run;
    enum tv_run_state state; /* building, live, kept or failed */
    double at;               /* since when, seconds since 1970 */
};

/* Writes "12 live 1790000000". */
enum tv_status tv_last_run_note(struct tv_redis *redis, int64_t run, enum tv_run_state state, struct tv_error *err);
/* TV_ERR_NOT_FOUND before the first training, TV_ERR_CORRUPT for text that is something else. */
enum tv_status tv_last_run_read(struct tv_last_run *out, struct tv_redis *redis, struct tv_error *err);
/* Reads the text of the key: 1, or 0 for other text. */
TV_MUST_USE int tv_last_run_parse(struct tv_last_run *out, const char *text);

#endif
