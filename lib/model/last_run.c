/* last_run: what became of the last training, noted in Redis: a fit and repair write it, and the server counts by
 * it (/metrics).
 */
#include "trivet/model/last_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/model/run.h"
#include "trivet/store/redis_keys.h"

/* The states that a training tells of; any other word is not ours. */
static const enum tv_run_state noted[] = {TV_RUN_BUILDING, TV_RUN_LIVE, TV_RUN_KEPT, TV_RUN_FAILED};

enum tv_status tv_last_run_note(struct tv_redis *redis, int64_t run, enum tv_run_state state, struct tv_error *err)
{
    char text[80];
    int n = snprintf(text, sizeof text, "%" PRId64 " %s %.0f", run, tv_run_state_name(state), tv_clock_wall());
    return tv_redis_set(redis, TV_LAST_RUN_KEY, text, (size_t)n, err);
}

/* %n is behind the last of the three, so text that goes on is told from a whole one. */
int tv_last_run_parse(struct tv_last_run *out, const char *text)
{
    char state[16] = "";
    int end = 0;
    if (sscanf(text, "%" SCNd64 " %15[a-z] %lf%n", &out->run, state, &out->at, &end) != 3 || text[end] != '\0' || out->run < 1)
        return 0;
    for (size_t i = 0; i < sizeof noted / sizeof *noted; i++)
        if (strcmp(state, tv_run_state_name(noted[i])) == 0) {
            out->state = noted[i];
            return 1;
        }
    return 0;
}

enum tv_status tv_last_run_read(struct tv_last_run *out, struct tv_redis *redis, struct tv_error *err)
{
    struct tv_buffer text = TV_BUFFER_INIT(4096);
    enum tv_status status = tv_redis_get(redis, TV_LAST_RUN_KEY, &text, err);
    if (status == TV_OK && !tv_last_run_parse(out, tv_buffer_string(&text)))
        status = tv_fail(err, TV_ERR_CORRUPT, "the key " TV_LAST_RUN_KEY " in Redis is \"%.40s\"", tv_buffer_string(&text));
    tv_buffer_free(&text);
    return status;
}
