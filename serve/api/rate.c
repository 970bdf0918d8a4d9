/* rate: the page of a first visit, and the id that somebody new gets for it. The id is only made up: a user exists
 * once they have rated something.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "serve/api/handlers.h"
#include "serve/api/recs.h"
#include "serve/app.h"
#include "serve/html/problem_page.h"
#include "serve/html/rate_page.h"
#include "serve/pick/pick.h"

enum { ATTEMPTS = 8 }; /* to find an id that no user has */

/* Nine digits are easily kept in mind. Where users have codes it is a UUID (RFC 9562, version 4): 122 random bits, so
 * it is nobody's code. The constants set its version and its variant. */
static int make_id(struct tv_id *id, int codes)
{
    char text[40];
    unsigned char r[16];
    uint64_t number;
    if (getrandom(r, sizeof r, 0) != sizeof r)
        return 0;
    r[6] = (unsigned char)((r[6] & 0x0F) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3F) | 0x80);
    memcpy(&number, r + 8, sizeof number);
    if (codes)
        snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
                 r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
    else
        snprintf(text, sizeof text, "%" PRIu64, 100000000 + number % 900000000);
    tv_id_set(id, "user_id", text);
    return 1;
}

/* The browser is sent on to the page with the new id, so that the address can be kept and reloaded. */
static void somebody_new(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_resident *live = NULL;
    struct tv_id id;
    int found = 0;
    enum tv_pick pick = tv_pick_resident(&app->models, TV_LIVE_MODEL, 1, &live, &problem);
    for (int i = 0; pick == TV_PICKED && !found && i < ATTEMPTS && make_id(&id, live->info.user_codes); i++) {
        struct tv_picked picked = {0};
        pick = tv_pick(&app->models, TV_LIVE_MODEL, &id, 1, &picked, &problem);
        found = pick == TV_PICKED && picked.user == NULL;
        tv_picked_release(&picked);
    }
    if (pick == TV_PICKED && !found) {
        tv_problem(&problem, 503, "no id could be found that nobody has");
        problem.retry_after = 1;
    }
    if (found)
        tv_lead_to(response, "/rate", &id);
    else
        tv_problem_answer(&app->models, request, response, &problem);
    tv_resident_release(live);
}

/* Looks users up in either case, so it begins where it may wait. Where no rating would be taken it says so at once. */
enum tv_outcome tv_handle_rate(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct tv_id id;
    if (!request->may_wait)
        return TV_LATER;
    if (!tv_may_offer(&app->permission, &request->sender, &problem)) {
        tv_problem_answer(&app->models, request, response, &problem);
        return TV_ANSWERED;
    }
    if (!tv_id_parameter(&id, request, "user_id")) {
        somebody_new(app, request, response);
        return TV_ANSWERED;
    }
    enum tv_pick pick = tv_pick(&app->models, TV_LIVE_MODEL, &id, 1, &picked, &problem);
    if (pick == TV_PICKED)
        tv_rate_page(&app->models, response, picked.resident, &id, picked.user ? picked.user->document : NULL);
    return tv_pick_finish(&app->models, request, response, pick, &picked, &problem);
}
