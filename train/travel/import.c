/* import: the command. The whole folder is checked before anything is written; then the model is published the way
 * fit does it (command/publish.h), so that a kill at any moment leaves what was live, live. Ratings are not needed:
 * users' documents have theirs.
 */
#include "train/travel/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/flags.h"
#include "train/command/publish.h"
#include "trivet/base/log.h"
#include "trivet/base/name.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/catalogue.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/life/stored.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_rows.h"

const struct tv_option tv_import_options[] = {
    {.name = "name",
     .kind = TV_OPTION_TEXT,
     .value = "TEXT",
     .help = "the data set that it belongs to; without it, the one that it was trained on"},
    {.name = "same",
     .kind = TV_OPTION_SWITCH,
     .help = "it is of the data set of that name, though most titles, or most pairs of user and item, are others"},
    {.name = "activate",
     .kind = TV_OPTION_SWITCH,
     .help = "make it the live model; without it, it is kept for activate N"},
    {.name = NULL},
};

/* --- the journal ------------------------------------------------------------------------------------------ */

/* The import needs the schema and no ratings, so "load ratings first" would be a wrong hint. */
static enum tv_status check_schema(const struct tv_settings *settings, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_schema_open(&pg, settings, "trivet-train import", err);
    if (status == TV_ERR_INPUT)
        tv_hint(err, "make it: trivet-etl schema");
    tv_pg_close(pg);
    return status;
}

/* A text of the other journal's run; lent. */
static const char *text_of(const json_t *run, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(run, name));
    return text ? text : otherwise;
}

/* An object of the other journal's run as JSON text, `{}` if it has none; the caller frees it. */
static char *json_of(const json_t *run, const char *name)
{
    const json_t *value = json_object_get(run, name);
    return json_is_object(value) ? json_dumps(value, JSON_REAL_PRECISION(17)) : strdup("{}");
}

/* The parameters it was trained with, and where it came from: that is how the journal knows an import. */
static char *parameters_of(const struct tv_import *im, const char *from)
{
    const json_t *given = json_object_get(im->run, "parameters");
    json_t *all = json_is_object(given) ? json_deep_copy(given) : json_object();
    json_object_set_new(all, "imported_from", json_string(from));
    json_object_set_new(all, "imported_number", json_integer(im->model->run_number));
    char *text = json_dumps(all, JSON_REAL_PRECISION(17));
    json_decref(all);
    return text;
}

/* Says in an object that has the member `data`, or will have it, which data set that is of. Nothing changes where it is said already. */
static enum tv_status say_dataset(json_t *object, const char *name, struct tv_error *err)
{
    json_t *data = json_object_get(object, "data");
    const char *said = json_string_value(json_object_get(data, "dataset"));
    if (said && strcmp(said, name) == 0)
        return TV_OK;
    if (!json_is_object(data) && json_object_set_new(object, "data", data = json_object()) != 0)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the name of a data set");
    if (json_object_set_new(data, "dataset", json_string(name)) != 0)
        return tv_fail(err, TV_ERR_INPUT, "the name %s is no UTF-8", name);
    return TV_OK;
}

/* The same in the description that goes with the model into both stores: servers tell by it which models are of the same data. */
static enum tv_status describe_dataset(struct tv_model *m, const char *name, struct tv_error *err)
{
    json_t *description = json_loads(m->description, 0, NULL);
    enum tv_status status = description ? say_dataset(description, name, err)
                                        : tv_fail(err, TV_ERR_INPUT, TV_FOLDER_MODEL " has a description that cannot be read");
    char *text = status == TV_OK ? json_dumps(description, JSON_REAL_PRECISION(17)) : NULL;
    if (status == TV_OK && text == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the description of a model");
    if (status == TV_OK) {
        free(m->description);
        m->description = text;
    }
    json_decref(description);
    return status;
}

/* Where the folder stands, and the name of the data set that the model belongs to. A folder that names none gives it its
 * own name; a name that is given stands in the journal and in the description in place of the folder's, and leaves with the
 * model's next export. */
static enum tv_status name_dataset(struct tv_import *im, const char *given, struct tv_error *err)
{
    if ((im->from = realpath(im->dir, NULL)) == NULL)
        return tv_fail(err, TV_ERR_IO, "cannot find %s: %s", im->dir, strerror(errno));
    if (given && tv_name_read(im->given_name, sizeof im->given_name, given, err) != TV_OK)
        return tv_context(err, "--name");
    const char *slash = strrchr(im->from, '/'), *folder = slash ? slash + 1 : im->from;
    json_t *data = json_object_get(im->run, "data");
    im->dataset = text_of(data, "dataset", text_of(data, "name", folder)); /* the first is newer than 0.1.0 */
    im->dataset = given ? im->given_name : im->dataset;
    enum tv_status status = describe_dataset(im->model, im->dataset, err);
    return status == TV_OK && given ? say_dataset(im->run, im->dataset, err) : status;
}

/* What repeats it, from wherever it is typed. */
static enum tv_status describe_command(const struct tv_import *im, struct tv_buffer *line, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(line, "trivet-train import ", err);
    if (status == TV_OK)
        status = tv_buffer_shell(line, im->from, err);
    return status == TV_OK ? tv_flags_given(line, im->settings, tv_import_options, err) : status;
}

/* The row in the journal, and with it the run number under which everything is written. The model belongs to the data set
 * that has its name here, which is made where there is none: without rows, as the ratings stand elsewhere. The model keeps
 * its old run number until the parameters have been made, which note it. */
static enum tv_status begin_run(struct tv_import *im, struct tv_error *err)
{
    struct tv_pg *journal = tv_lock_connection(im->stores.lock);
    struct tv_buffer command = TV_BUFFER_INIT(TV_FLAGS_LINE);
    char *parameters = parameters_of(im, im->from), *filter = json_of(im->run, "filter"), *data = json_of(im->run, "data");
    enum tv_status status = describe_command(im, &command, err);
    if (status == TV_OK)
        status = tv_pg_int(journal, "SELECT trivet.dataset_named($1)", 1, &im->dataset, &im->model->dataset, err);
    const struct tv_run_plan plan = {.kind = TV_RUN_IMPORT,
                                     .dataset = im->model->dataset,
                                     .command = tv_buffer_string(&command),
                                     .algorithm = im->model->algorithm,
                                     .parameters = parameters,
                                     .filter = filter,
                                     .source = text_of(im->run, "source", ""),
                                     .data = data};
    if (status == TV_OK)
        status = parameters && filter && data ? tv_run_begin(journal, &plan, &im->run_number, err)
                                              : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory");
    free(parameters);
    free(filter);
    free(data);
    tv_buffer_free(&command);
    if (status == TV_OK)
        status = tv_lock_name_run(im->stores.lock, im->run_number, err);
    im->model->run_number = im->run_number;
    return status;
}

/* What the other journal counted. An older one did not note how many factors its model has, which may be fewer than were asked for. */
static char *counts_of(const struct tv_import *im)
{
    const json_t *given = json_object_get(im->run, "counts");
    json_t *all = json_is_object(given) ? json_deep_copy(given) : json_object();
    json_object_set_new(all, "factors", json_integer(tv_model_rank(im->model)));
    char *text = json_dumps(all, JSON_REAL_PRECISION(17));
    json_decref(all);
    return text;
}

/* The lock is checked once more before the run is called complete: where the connection was lost, another command may
 * have cleaned up under it. Then what came with the model is known of the items of its data set. */
static enum tv_status complete_run(struct tv_import *im, struct tv_error *err)
{
    char *counts = counts_of(im);
    enum tv_status status =
        counts ? tv_lock_check(im->stores.lock, err) : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory");
    if (status == TV_OK)
        status = tv_import_keep_titles(im, err);
    if (status == TV_OK)
        status = tv_run_complete(tv_lock_connection(im->stores.lock), im->run_number, counts, err);
    free(counts);
    const struct tv_catalogue_news news = {
        .dataset = im->model->dataset, .run_number = im->run_number, .from_elsewhere = 1};
    return status == TV_OK ? tv_catalogue_publish(&im->stores, &news, err) : status;
}

/* --- the command ------------------------------------------------------------------------------------------ */

/* In the order of fit: items, users, then the description that makes them a model, and then all of it is read back
 * and compared. */
static enum tv_status write_all(struct tv_import *im, struct tv_error *err)
{
    enum tv_status status = tv_import_items(im, err);
    if (status == TV_OK)
        status = tv_import_users(im, err);
    if (status == TV_OK)
        status = tv_model_store(&im->stores, im->model, err);
    if (status == TV_OK)
        status = tv_model_check_stored(&im->stores, im->model, im->users_hash, err);
    if (status == TV_OK && tv_interrupted())
        status = tv_fail(err, TV_ERR_INTERRUPTED, "interrupted");
    return status == TV_OK ? complete_run(im, err) : status;
}

static void report(const struct tv_import *im, int live)
{
    const struct tv_model *m = im->model;
    char users[32], items[32];
    printf("model %" PRId64 " is %s: %d factors, %s items; %s users %s\n", m->run_number, live ? "live" : "kept",
           tv_model_rank(m), tv_text_number(items, m->n_items), tv_text_number(users, m->n_users),
           live ? "are served" : "can be served");
    if (!live)
        tv_log_info("trivet-train activate %" PRId64 " shows it to everybody", m->run_number);
}

/* Everything from the first write on; what fails before the model is whole is undone. */
static enum tv_status build(struct tv_import *im, int activate, struct tv_error *err)
{
    enum tv_status status = begin_run(im, err);
    if (status != TV_OK)
        return status;
    status = write_all(im, err);
    if (status == TV_OK && activate)
        status = tv_publish_activate(&im->stores, im->model, err);
    if (status != TV_OK) {
        tv_publish_undo(&im->stores, im->run_number, err);
        return status;
    }
    report(im, activate);
    return tv_lifecycle_prune(&im->stores, TV_PUBLISH_KEEP_MODELS, err);
}

/* All that needs no store is checked first, so a damaged folder is told of even where no store runs. The lock is
 * taken before the first write. */
enum tv_status tv_import_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct tv_import im = {.settings = settings, .dir = arguments[0], .pairs = TV_BUFFER_INIT(TV_IMPORT_PAIRS)};
    enum tv_status status = tv_interrupt_watch(NULL, err);
    if (status == TV_OK)
        status = tv_folder_check(im.dir, err);
    if (status == TV_OK)
        status = tv_import_read_model(&im, err);
    if (status == TV_OK)
        status = tv_import_check_items(&im, err);
    if (status == TV_OK)
        status = tv_import_check_users(&im, err);
    if (status == TV_OK)
        status = name_dataset(&im, tv_settings_text(settings, "name"), err);
    if (status == TV_OK)
        status = check_schema(settings, err);
    if (status == TV_OK)
        status = tv_train_open(&im.stores, settings, "trivet-train import", err);
    if (status == TV_OK)
        status = tv_import_read_titles(&im, err);
    if (status == TV_OK && !tv_settings_on(settings, "same"))
        status = tv_import_check_data(&im, err);
    if (status == TV_OK)
        status = tv_import_read_codes(&im, err);
    if (status == TV_OK)
        status = build(&im, tv_settings_on(settings, "activate"), err);
    tv_train_close(&im.stores);
    json_decref(im.run);
    free(im.from);
    tv_import_free_codes(&im);
    tv_buffer_free(&im.pairs);
    tv_model_free(im.model);
    return status;
}
