/* stored: a model into both stores, and back again to be compared. */
#include "trivet/model/life/stored.h"

#include "trivet/base/hash.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"
#include "trivet/model/user_document.h"
#include "trivet/store/mongo_read.h"

/* MongoDB first: from there Redis can be filled again. Whether the lock still holds is asked before either, because
 * another process could be writing by now. */
enum tv_status tv_model_store(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    enum tv_status status = tv_lock_check(s->lock, err);
    if (status == TV_OK)
        status = tv_model_write_mongo(s->mongo, m, err);
    return status == TV_OK ? tv_model_write_redis(s->redis, m, err) : status;
}

/* The hash of user documents so far, as they are read back. */
struct read_back {
    struct tv_mongo *mongo;
    int64_t run_number;
    uint64_t hash;
};

static enum tv_status hash_document(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct read_back *r = context;
    return tv_user_document_hash(r->mongo, r->run_number, doc, &r->hash, err);
}

/* The hash depends on the order of documents. They come back ordered by _id, the order in which they
 * are written. */
static enum tv_status check_users(const struct tv_stores *s, int64_t run_number, uint64_t written, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct read_back found = {s->mongo, run_number, TV_HASH_START};
    enum tv_status status = tv_mongo_each(s->mongo, tv_model_users(name, run_number), hash_document, &found, err);
    if (status == TV_OK && found.hash != written)
        status = tv_fail(err, TV_ERR_CORRUPT, "MongoDB gave back other user documents in %s than were written", name);
    return status;
}

/* Reading compares the arrays with the checksum that stands beside them. Here that checksum is compared with the
 * one in memory, or another whole model would pass. */
enum tv_status tv_model_check_stored(const struct tv_stores *s, const struct tv_model *m, uint64_t users_hash,
                                     struct tv_error *err)
{
    struct tv_model *from_redis = NULL, *from_mongo = NULL;
    enum tv_status status = tv_model_read_redis(&from_redis, s->redis, m->run_number, err);
    if (status == TV_OK)
        status = tv_model_read_mongo(&from_mongo, s->mongo, m->run_number, err);
    if (status == TV_OK && (from_redis->checksum != m->checksum || from_mongo->checksum != m->checksum))
        status = tv_fail(err, TV_ERR_CORRUPT, "the stores gave back another model %lld than was written",
                         (long long)m->run_number);
    tv_model_free(from_redis);
    tv_model_free(from_mongo);
    return status == TV_OK ? check_users(s, m->run_number, users_hash, err) : status;
}
