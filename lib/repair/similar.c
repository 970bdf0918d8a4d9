/* similar: the live index of similar items by the journal, and by Redis. Nothing but Redis has an index, so one
 * that is lost is told; trivet-train similar builds it anew, and its --check compares every signature. */
#include <inttypes.h>
#include <string.h>

#include "lib/repair/parts.h"
#include "trivet/similar/similar.h"

enum tv_status repair_similar(struct repair *r, struct tv_error *err)
{
    int64_t journal = 0, redis = 0;
    if (r->report == NULL)
        return TV_OK;
    enum tv_status status =
        tv_pg_int(r->journal, "SELECT max(id) FROM trivet.similar_index WHERE state = 'live'", 0, NULL, &journal, err);
    if (status == TV_OK || status == TV_ERR_NOT_FOUND)
        status = tv_redis_get_int(r->stores->redis, TV_SIMILAR_LIVE, &redis, err);
    if (status != TV_OK && status != TV_ERR_NOT_FOUND)
        return status;
    if (journal != redis && redis == 0)
        repair_problem(r, "Redis has lost index %" PRId64 " of similar items; trivet-train similar builds another",
                       journal);
    else if (journal != redis)
        repair_problem(r,
                       "Redis serves index %" PRId64 " of similar items, the journal says %" PRId64
                       "; trivet-train similar settles it",
                       redis, journal);
    if (journal || redis)
        repair_say(r, "similar items: index %" PRId64 " by the journal, %" PRId64 " in Redis", journal, redis);
    else
        repair_say(r, "similar items: no index");
    return TV_OK;
}
