/* kinds: keys of Redis of a type, and collections of MongoDB of a kind, that trivet does not write.
 *
 * A key of ours of another type would stop every command with WRONGTYPE. It holds nothing that trivet could read, so it
 * goes, and is filled anew. A view in the place of a collection holds nothing either. A collection in the place of the
 * view `user` may be somebody's data: it is named, and stays.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/inside.h"
#include "trivet/base/buffer.h"
#include "trivet/model/last_run.h"
#include "trivet/model/model_redis.h"
#include "trivet/similar/similar.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/redis_keys.h"

/* --- Redis ------------------------------------------------------------------------------------------------ */

/* Deletes a key that is neither of the expected type nor missing (Redis's TYPE answers "none" then). */
static enum tv_status expect_type(struct tv_repair *r, const char *key, const char *expected, struct tv_error *err)
{
    struct tv_buffer type = TV_BUFFER_INIT(64);
    const struct tv_redis_command c = tv_redis_words("TYPE", key, NULL);
    enum tv_status status = tv_redis_run(r->stores->redis, &c, &type, err);
    const char *found = tv_buffer_string(&type);
    if (status == TV_OK && strcmp(found, expected) != 0 && strcmp(found, "none") != 0) {
        status = tv_redis_delete(r->stores->redis, key, err);
        tv_repair_did(r, "Redis key %s was a %s, not a %s: deleted", key, found, expected);
    }
    tv_buffer_free(&type);
    return status;
}

/* trivet:model:{12} is a hash, what hangs on it are strings. */
static enum tv_status take_model_key(void *context, const char *key, struct tv_error *err)
{
    size_t n = strlen(key);
    return expect_type(context, key, n > 0 && key[n - 1] == '}' ? "hash" : "string", err);
}

/* A key that holds a run number in decimal; other text makes it as useless as another type would. */
static enum tv_status expect_number(struct tv_repair *r, const char *key, struct tv_error *err)
{
    int64_t run_number = 0;
    enum tv_status status = tv_redis_get_int(r->stores->redis, key, &run_number, err);
    if (status == TV_ERR_CORRUPT) {
        status = tv_redis_delete(r->stores->redis, key, err);
        tv_repair_did(r, "Redis key %s held no number: deleted", key);
    }
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

static enum tv_status redis_types(struct tv_repair *r, struct tv_error *err)
{
    static const char *const strings[] = {TV_LIVE_KEY, "item_factors", "trivet:last_run", TV_SIMILAR_LIVE};
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < sizeof strings / sizeof *strings && status == TV_OK; i++)
        status = expect_type(r, strings[i], "string", err);
    if (status == TV_OK)
        status = tv_redis_keys(r->stores->redis, "trivet:model:{*", take_model_key, r, err);
    if (status == TV_OK)
        status = expect_number(r, TV_LIVE_KEY, err);
    return status == TV_OK ? expect_number(r, TV_SIMILAR_LIVE, err) : status;
}

/* --- MongoDB ---------------------------------------------------------------------------------------------- */

/* A name of a collection of trivet's that turns out to be a view: it holds no documents of its own, so nothing is
 * lost by dropping it. The views `user` and `item` are where they belong. */
static enum tv_status drop_view(void *context, const char *name, struct tv_error *err)
{
    struct tv_repair *r = context;
    char *on = NULL;
    enum tv_status status = tv_mongo_view_target(r->stores->mongo, name, &on, err);
    if (status == TV_OK && on) {
        status = tv_mongo_drop(r->stores->mongo, name, err);
        tv_repair_did(r, "%s was a view on %s, where a collection belongs: dropped", name, on);
    }
    free(on);
    return status;
}

/* user_12, parts_12, model_12, catalogue_3, catalogue_3_12; other names of that beginning are not ours. */
static enum tv_status take_name(void *context, const char *name, struct tv_error *err)
{
    const char *bar = strchr(name, '_');
    int ours = bar && bar[1] != '\0' && bar[1 + strspn(bar + 1, "0123456789_")] == '\0';
    return ours ? drop_view(context, name, err) : TV_OK;
}

/* The one name at which a view belongs. A collection there is dropped if it is empty; with documents it ends the
 * command, because they may be somebody's, and no activation could move the view. */
static enum tv_status expect_view(struct tv_repair *r, struct tv_error *err)
{
    int exists = 0;
    int64_t n = 0;
    char *on = NULL;
    enum tv_status status = tv_mongo_view_target(r->stores->mongo, "user", &on, err);
    if (status == TV_OK && on == NULL)
        status = tv_mongo_exists(r->stores->mongo, "user", &exists, err);
    free(on);
    if (status == TV_OK && exists)
        status = tv_mongo_count(r->stores->mongo, "user", &n, err);
    if (status != TV_OK || !exists)
        return status;
    if (n == 0) {
        tv_repair_did(r, "user was an empty collection, where a view belongs: dropped");
        return tv_mongo_drop(r->stores->mongo, "user", err);
    }
    tv_fail(err, TV_ERR_STORE,
            "MongoDB's database %s has a collection user with %" PRId64 " documents, where trivet has "
            "its view on the live model's users",
            tv_mongo_database(r->stores->mongo), n);
    return tv_hint(err, "give it another name: db.user.renameCollection(\"user_of_mine\"); or drop it: db.user.drop()");
}

static enum tv_status mongo_kinds(struct tv_repair *r, struct tv_error *err)
{
    static const char *const prefixes[] = {"model_", "user_", "parts_", "catalogue_"};
    enum tv_status status = expect_view(r, err);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && status == TV_OK; i++)
        status = tv_mongo_names(r->stores->mongo, prefixes[i], take_name, r, err);
    return status;
}

enum tv_status tv_repair_kinds(struct tv_repair *r, struct tv_error *err)
{
    int before = r->changes;
    enum tv_status status = redis_types(r, err);
    if (status == TV_OK)
        status = mongo_kinds(r, err);
    if (status == TV_OK)
        tv_repair_say(r, "keys of Redis and collections of MongoDB: %s",
                      r->changes > before ? "some were of a wrong kind: deleted" : "all of the right kind");
    return status;
}
