/* look: what is to be loaded: the files, what each of them is, the name of the data, and a hash of their bytes. What can be
 * refused without a database is refused here, before there is a row in the journal.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "etl/detect/choices.h"
#include "etl/detect/unused.h"
#include "etl/fetch/download.h"
#include "etl/load/load.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/base/name.h"


/* Names the data as people call it: by --name, else as the folder or archive. A folder that is called what no data set may be
 * called is loaded all the same. */
static enum tv_status name_of(struct tv_load *l, struct tv_error *err)
{
    char folder[sizeof l->name];
    if (l->given_name) {
        enum tv_status status = tv_name_read(l->name, sizeof l->name, l->given_name, err);
        l->given_name = l->name;
        return status == TV_OK ? TV_OK : tv_context(err, "--name");
    }
    tv_input_name(l->path, folder, sizeof folder);
    if (tv_name_read(l->name, sizeof l->name, folder, NULL) != TV_OK)
        snprintf(l->name, sizeof l->name, "ratings");
    return TV_OK;
}

/* Tells in the log which file is read as what, so that a file that was taken for the wrong thing shows before the work
 * begins. */
static void say_roles(const struct tv_set *set)
{
    char why[400];
    for (int role = 0; role < TV_ROLE_COUNT; role++)
        if (set->chosen[role].file)
            tv_log_info("%s: %s%s", set->chosen[role].file->label, tv_role_name((enum tv_role)role),
                        set->chosen[role].how);
    for (size_t i = 0; i < set->n_ignored; i++)
        tv_log_info("%s: not used%s", set->ignored[i], tv_unused_why(set, set->ignored[i], why, sizeof why));
}

/* The hash of the names and bytes of every file that is read, whether they stand in a folder or in an archive. */
static enum tv_status fingerprint(struct tv_load *l, struct tv_error *err)
{
    uint64_t hash = TV_HASH_START;
    enum tv_status status = TV_OK;
    for (int role = 0; role < TV_ROLE_COUNT && status == TV_OK; role++)
        if (l->set.chosen[role].file)
            status = tv_input_hash(&hash, l->input, l->set.chosen[role].file, err);
    snprintf(l->fingerprint, sizeof l->fingerprint, "%016llx", (unsigned long long)hash);
    return status;
}

/* Writes the flags that decide what is loaded, as trivet.load.options keeps them. */
static enum tv_status write_options(struct tv_load *l, const struct tv_choices *c, struct tv_error *err)
{
    json_t *options = json_pack("{s:s, s:s, s:b}", "format", c->format, "ids", c->ids, "append", l->append);
    if (options && c->columns)
        json_object_set_new(options, "columns", json_string(c->columns));
    if (options && strcmp(c->unrated, "refuse") != 0)
        json_object_set_new(options, "unrated", json_string(c->unrated));
    if (options && strcmp(c->dates, "auto") != 0)
        json_object_set_new(options, "dates", json_string(c->dates));
    if (options && strcmp(c->decimal, "auto") != 0)
        json_object_set_new(options, "decimal", json_string(c->decimal));
    size_t n = options ? json_dumpb(options, l->options, sizeof l->options - 1, 0) : 0;
    json_decref(options);
    if (n == 0 || n >= sizeof l->options)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the options of a load");
    l->options[n] = '\0';
    return TV_OK;
}

/* Everything that can be refused without a database is refused here, before there is a row in the journal. */
enum tv_status tv_load_look(struct tv_load *l, struct tv_error *err)
{
    const struct tv_choices choices = tv_choices_of(l->settings);
    enum tv_status status = tv_fetch(l->settings, l->given, l->path, sizeof l->path, err);
    if (status == TV_OK)
        status = tv_input_open(&l->input, l->path, err);
    if (status == TV_OK)
        status = tv_detect(&l->set, l->input, &choices, err);
    if (status == TV_OK)
        status = name_of(l, err);
    if (status != TV_OK)
        return status;
    say_roles(&l->set);
    status = write_options(l, &choices, err);
    return status == TV_OK ? fingerprint(l, err) : status;
}
