/* welcome: the first page: the form, the facts of the live model and users to look at. Without a model it says how
 * to make one.
 */
#include <stdio.h>

#include "serve/app.h"
#include "serve/catalogue/words.h"
#include "serve/html/handlers.h"
#include "serve/html/page.h"
#include "serve/html/rate_box.h"
#include "serve/model/ids.h"
#include "trivet/base/text.h"

/* Writes a user to look at. These were chosen when the model was made and stand in its description; one without a
 * number of ratings is shown without it. */
static void write_example(struct tv_out *out, const struct tv_words *words, const struct tv_example *e)
{
    char ratings[48] = "", number[32];
    struct tv_out link;
    tv_out_init(&link);
    tv_out_url(&link, e->user);
    if (e->ratings >= 0)
        snprintf(ratings, sizeof ratings, "%s %s", tv_text_number(number, e->ratings),
                 e->ratings == 1 ? words->one : words->many);
    const struct tv_slot slots[] = {{"link", NULL, &link},
                                    {"user_id", e->user, NULL},
                                    {"ratings", ratings, NULL},
                                    {"label", e->label, NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "example.html", slots);
    tv_out_free(&link);
}

/* The facts of the live model, and users to look at. */
static void write_model(struct tv_out *out, const struct tv_resident *s)
{
    struct tv_out facts, examples;
    tv_out_init(&facts);
    tv_out_init(&examples);
    tv_page_facts(&facts, s, s->run_number);
    for (int i = 0; i < s->info.n_examples; i++)
        write_example(&examples, tv_words_of(&s->info), &s->info.examples[i]);
    const struct tv_slot slots[] = {
        {"facts", NULL, &facts}, {"examples", NULL, &examples}, {NULL, NULL, NULL}};
    tv_page_fill(out, "welcome_model.html", slots);
    tv_out_free(&facts);
    tv_out_free(&examples);
}

/* The way to a first list; nothing where no rating would be taken, or no model is there to make a list. */
static void write_new_here(struct tv_out *out, struct tv_app *app, const struct tv_request *request, const struct tv_resident *live)
{
    struct tv_problem refused = {0};
    if (live && tv_may_offer(&app->permission, &request->sender, &refused) && tv_rate_is_open(&app->models, live))
        tv_page_fill(out, "welcome_new.html", (const struct tv_slot[]){{"new_here", tv_words_of(&live->info)->new_here, NULL}, {NULL, NULL, NULL}});
}

/* The form lists the models there are, which may take a question to MongoDB: so it is answered on a worker. */
enum tv_outcome tv_handle_welcome(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response)
{
    static const struct tv_slot no_slots[] = {{NULL, NULL, NULL}};
    if (!request->may_wait)
        return TV_LATER;
    tv_model_list_refresh(app->models.model_list, app->models.mongo, app->models.mongo_breaker);
    struct tv_resident *live = tv_shelf_live(app->models.shelf);
    struct tv_out form, model, new_here, content;
    tv_out_init(&form);
    tv_out_init(&model);
    tv_out_init(&new_here);
    tv_out_init(&content);
    tv_page_form(&form, &app->models, request, NULL);
    if (live)
        write_model(&model, live);
    else
        tv_page_fill(&model, "welcome_none.html", no_slots);
    const struct tv_words *words = tv_words_of(live ? &live->info : NULL);
    write_new_here(&new_here, app, request, live);
    const struct tv_slot slots[] = {{"hero", words->hero, NULL},
                                    {"lead", words->lead, NULL},
                                    {"new_here", NULL, &new_here},
                                    {"form", NULL, &form},
                                    {"model", NULL, &model},
                                    {NULL, NULL, NULL}};
    tv_page_fill(&content, "welcome.html", slots);
    tv_page_finish(response, "Recommendations", live, &content);
    tv_out_free(&form);
    tv_out_free(&model);
    tv_out_free(&new_here);
    tv_out_free(&content);
    tv_resident_release(live);
    return TV_ANSWERED;
}
