/* stores: the three connections of a command that changes models, and the model a command names. Nearly every command
 * of trivet-train begins with one of the tv_train_open functions: those that change something take the lock, through
 * whose connection they also write the journal.
 */
#include "train/command/stores.h"

#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"
#include "trivet/store/redis_keys.h"

/* How long MongoDB and Redis may take: to be found, and to answer. Long work on the server side (dropping a large
 * collection) may keep a socket silent for a while. */
enum { SERVER_SELECTION_MS = 5000, SOCKET_MS = 120000, REDIS_MS = 30000 };

/* Warns of a Redis whose setting `name` is not as `wanted`. Managed services often refuse CONFIG GET, and then there is
 * nothing to say. */
static void warn_unless(struct tv_redis *redis, const char *name, const char *wanted, const char *otherwise)
{
    struct tv_buffer value = TV_BUFFER_INIT(4096);
    if (tv_redis_config(redis, name, &value, NULL) == TV_OK && strcmp(tv_buffer_string(&value), wanted) != 0)
        tv_log_info("warning: Redis has %s %s; %s. Set it to %s", name, tv_buffer_string(&value), otherwise, wanted);
    tv_buffer_free(&value);
}

void tv_train_warn_of_redis(struct tv_redis *redis)
{
    warn_unless(redis, "appendonly", "yes", "a crash of Redis can bring back an older live model (repair mends it)");
    warn_unless(redis, "maxmemory-policy", "noeviction", "it may drop parts of a model when memory is short");
}

static enum tv_status open_mongo(struct tv_stores *s, const struct tv_settings *settings, struct tv_error *err)
{
    const struct tv_mongo_options options = {.name = "trivet-train",
                                             .server_selection_ms = SERVER_SELECTION_MS,
                                             .socket_ms = SOCKET_MS,
                                             .wait_seconds = (int)tv_settings_int(settings, "wait")};
    return tv_mongo_open(&s->mongo, tv_settings_text(settings, "mongo"), &options, err);
}

/* The connection to Postgres is the lock's, so commands that only look do without one. */
static enum tv_status open_stores(struct tv_stores *s, const struct tv_settings *settings, struct tv_error *err)
{
    *s = (struct tv_stores){.reader_uri = tv_settings_text(settings, "reader"),
                            .lock_wait = (int)tv_settings_int(settings, "lock-wait")};
    enum tv_status status =
        tv_redis_open(&s->redis, tv_settings_text(settings, "redis"), REDIS_MS, (int)tv_settings_int(settings, "wait"), err);
    if (status == TV_OK)
        status = open_mongo(s, settings, err);
    if (status != TV_OK)
        tv_train_close(s);
    return status;
}

enum tv_status tv_train_open_readonly(struct tv_stores *s, const struct tv_settings *settings, struct tv_error *err)
{
    return open_stores(s, settings, err);
}

/* The lock is not waited for: the message names the program that holds it. */
enum tv_status tv_train_open_locked(struct tv_stores *s, const struct tv_settings *settings, const char *who,
                                    struct tv_error *err)
{
    enum tv_status status = open_stores(s, settings, err);
    if (status != TV_OK)
        return status;
    tv_train_warn_of_redis(s->redis);
    status = tv_lock_acquire(&s->lock, settings, who, 0, err);
    if (status != TV_OK)
        tv_train_close(s);
    return status;
}

/* The quick repair comes first, so that what a killed process left is cleared away by the next command without
 * anybody's help. Triggers that were switched off and on again come back to what they were. */
enum tv_status tv_train_open(struct tv_stores *s, const struct tv_settings *settings, const char *who,
                             struct tv_error *err)
{
    enum tv_status status = tv_train_open_locked(s, settings, who, err);
    if (status != TV_OK)
        return status;
    status = tv_lifecycle_repair(s, NULL, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(tv_lock_connection(s->lock), "SELECT trivet.watch_again()", 0, NULL, err);
    if (status != TV_OK)
        tv_train_close(s);
    return status;
}

/* Stores that were opened in part are fine, too. */
void tv_train_close(struct tv_stores *s)
{
    tv_lock_release(s->lock);
    tv_mongo_close(s->mongo);
    tv_redis_close(s->redis);
    *s = (struct tv_stores){0};
}

enum tv_status tv_train_run_number(const char *text, int64_t *run_number, struct tv_error *err)
{
    *run_number = 0;
    if (strcmp(text, "live") == 0 || (tv_text_int64(text, strlen(text), run_number) && *run_number > 0))
        return TV_OK;
    return tv_fail(err, TV_ERR_USAGE, "\"%s\" is no model number, nor \"live\"", text);
}

enum tv_status tv_train_live_run_number(const struct tv_stores *s, int64_t *run_number, struct tv_error *err)
{
    enum tv_status status = *run_number > 0 ? TV_OK : tv_model_live(s->redis, run_number, err);
    if (status != TV_ERR_NOT_FOUND)
        return status;
    tv_fail(err, status, "no model is live yet");
    tv_hint(err, "train one: trivet-train fit");
    return status;
}

/* The item side in Redis is a copy; of a damaged or missing one MongoDB has the original. */
enum tv_status tv_train_load_model(struct tv_model **out, const struct tv_stores *s, int64_t run_number,
                                   struct tv_error *err)
{
    enum tv_status status = tv_train_live_run_number(s, &run_number, err);
    if (status != TV_OK)
        return status;
    status = tv_model_read_redis(out, s->redis, run_number, err);
    if (status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT)
        status = tv_model_read_mongo(out, s->mongo, run_number, err);
    if (status == TV_ERR_NOT_FOUND)
        tv_hint(err, "trivet-train models lists the models that are kept");
    return status;
}
