/* understand: each question is asked of the whole sample of a column, so that one odd value is a refused line, and many are
 * a refused file. values.c, times.c and ids.c ask; here they are put in turn, and the answers told. */
#include "etl/detect/understand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "etl/detect/kinds.h"
#include "etl/formats/item.h"
#include "trivet/base/text.h"

/* --- kinds of events -------------------------------------------------------------------------------------------- */

/* Whether a column may say what kind of event each line is: by its name; or, where there are no names, by having a few words. */
static int may_be_kind(const struct tv_looking *l, int i)
{
    const struct tv_sample_column *c = &l->sample->columns[i];
    const struct tv_field name = {c->name, strlen(c->name)};
    if (tv_columns_meaning(&l->found->columns, i) != TV_COLUMN_NONE)
        return 0;
    if (l->found->has_header)
        return tv_columns_names_kind(&name);
    return tv_sample_numbers(c) == 0 && c->n_words > 0 && c->n_words < TV_SAMPLE_WORDS && c->times[TV_TIME_UNKNOWN] == c->n;
}

/* Chooses the column whose values are gathered while the file is read, because events of several kinds, seen, put into the cart and bought,
 * are counted as one and the same. --columns rating=none does not say that this is meant: it is typed because of another column, too. */
static void find_kinds(struct tv_looking *l)
{
    struct tv_events *events = &l->set->events;
    int several = 0;
    for (int i = 0; l->set->counts && !several && i < l->sample->n; i++) {
        const struct tv_sample_column *c = &l->sample->columns[i];
        if (!may_be_kind(l, i))
            continue;
        several = c->n_words > 1 || c->low < c->high;
        if (events->column >= 0 && !several)
            continue;
        events->column = i;
        snprintf(events->name, sizeof events->name, "%s%s", l->found->has_header ? "" : "column ", c->name);
    }
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* A header of fewer names than the lines have fields, as R writes it, would shift every field. */
static enum tv_status check_width(const struct tv_looking *l, struct tv_error *err)
{
    char all[320];
    if (!l->found->has_header || l->sample->odd_rows <= l->sample->rows)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "its header has %d columns, %s, and most lines have %d fields", l->sample->n,
            tv_sample_names(l->sample, all, sizeof all), l->sample->odd_fields);
    return tv_hint(err, "write a header with a name for each field");
}

/* Appends to what is said of the file, as far as there is room. */
__attribute__((format(printf, 2, 3))) static void say(struct tv_found *found, const char *format, ...)
{
    size_t n = strlen(found->how), size = sizeof found->how;
    va_list list;
    va_start(list, format);
    tv_text_mark_cut(found->how + n, size - n, vsnprintf(found->how + n, size - n, format, list));
    va_end(list);
}

/* The columns that have no meaning: those that are kept all the same, or those that are not. */
static void name_others(const struct tv_looking *l, const char *before, int kept)
{
    struct tv_found *found = l->found;
    for (int i = 0; i < l->sample->n; i++) {
        const char *name = l->sample->columns[i].name;
        int is_kept = found->kind->read == tv_read_names && tv_item_keeps(name);
        if (tv_columns_meaning(&found->columns, i) == TV_COLUMN_NONE && name[0] && is_kept == kept) {
            say(found, "%s%s", before, name);
            before = ", ";
        }
    }
}

/* Says which column is what, how its values are written where that is not plain, and which have no meaning. */
static void describe(const struct tv_looking *l)
{
    struct tv_found *found = l->found;
    const struct tv_forms *forms = &found->forms;
    const char *divider = ", with ";
    const struct tv_sample_column *time = tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_TIME);
    if (time)
        snprintf(found->time, sizeof found->time, "%s%s", found->has_header ? "" : "column ", time->name);
    if (found->layout)
        say(found, ", without a header, read as %s", found->layout);
    for (int m = TV_COLUMN_NONE + 1; m < TV_COLUMN_COUNT && !found->layout; m++) {
        const struct tv_sample_column *c = tv_sample_of(l->sample, &l->found->columns, (enum tv_column)m);
        if (c == NULL)
            continue;
        say(found, "%s%s=%s", divider, tv_columns_word((enum tv_column)m), c->name);
        divider = ", ";
    }
    if (found->columns.at[TV_COLUMN_TIME] >= 0 && forms->time != TV_TIME_SECONDS)
        say(found, "; times are %s", tv_time_form_name(forms->time));
    if (forms->order_shown_by)
        say(found, ", as %s shows", tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_TIME)->dates[forms->time]);
    if (forms->value == TV_NUMBER_POINT_GROUPS)
        say(found, "; numbers such as 1.234,5 are read as 1234.5");
    else if (forms->value != TV_NUMBER_PLAIN)
        say(found, "; numbers such as 1,234 are read as %s", forms->value == TV_NUMBER_THOUSANDS ? "1234" : "1.234");
    for (int kind = 0; kind < TV_CODE_KINDS; kind++)
        if (!l->set->codes[kind] && (forms->ids[kind] == TV_ID_POINT_GROUPS || forms->ids[kind] == TV_ID_COMMA_GROUPS))
            say(found, "; %s such as 1%c234 are read as 1234", kind == TV_CODE_USER ? "users" : "items",
                forms->ids[kind] == TV_ID_POINT_GROUPS ? '.' : ',');
    if (found->has_header) {
        name_others(l, "; kept beside them: ", 1);
        name_others(l, "; not used: ", 0);
    }
}

/* Takes the meaning from columns that no load of ratings reads: a count beside a rating, the title of a review. */
static void drop_unread(struct tv_found *found)
{
    static const enum tv_column beside[] = {TV_COLUMN_TITLE, TV_COLUMN_YEAR, TV_COLUMN_GENRES, TV_COLUMN_IMDB, TV_COLUMN_TMDB,
                                            TV_COLUMN_TAG};
    int *at = found->columns.at;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        at[beside[i]] = -1;
    if (at[TV_COLUMN_RATING] >= 0 && at[TV_COLUMN_PLAYS] >= 0)
        at[found->kind->counts ? TV_COLUMN_RATING : TV_COLUMN_PLAYS] = -1;
}

static enum tv_status understand_ratings(struct tv_looking *l, struct tv_error *err)
{
    drop_unread(l->found);
    enum tv_status status = check_width(l, err);
    l->set->n_sampled = l->sample->rows < TV_SAMPLE_IDS ? l->sample->rows : TV_SAMPLE_IDS;
    if (status == TV_OK)
        status = tv_understand_value(l, TV_COLUMN_PLAYS, err);
    if (status == TV_OK)
        status = tv_understand_value(l, TV_COLUMN_RATING, err);
    if (status == TV_OK)
        status = tv_understand_rest(l, err);
    if (status == TV_OK)
        status = tv_understand_unrated(l, err);
    if (status == TV_OK)
        status = tv_understand_time(l, err);
    if (status == TV_OK)
        status = tv_understand_ids(l, TV_CODE_USER, err);
    if (status == TV_OK)
        status = tv_understand_ids(l, TV_CODE_ITEM, err);
    if (status == TV_OK)
        find_kinds(l);
    describe(l);
    return status;
}

/* A file whose items are other things than the ratings' is not used: its numbers would be those of anything. 1 if it is such. */
static int leave_out(struct tv_looking *l, const char *item)
{
    struct tv_set *set = l->set;
    const struct tv_sample_column *c = tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_ITEM);
    if (item == NULL || c == NULL || !l->found->has_header || l->found->kind->item || l->found->columns.rival[TV_COLUMN_ITEM] >= 0)
        return 0;
    const struct tv_field ours = {item, strlen(item)}, theirs = {c->name, strlen(c->name)};
    if (tv_columns_may_be_one(&ours, &theirs))
        return 0;
    if (set->unlike[0] == '\0')
        snprintf(set->unlike, sizeof set->unlike, "%.120s is not used: it speaks of %s, and the ratings of %s. Where these are the same, give the "
                 "two columns one name", l->found->file->label, c->name, item);
    if (set->n_ignored < sizeof set->ignored / sizeof *set->ignored)
        set->ignored[set->n_ignored++] = l->found->file->label;
    *l->found = (struct tv_found){.file = NULL};
    return 1;
}

/* Of a file beside the ratings, the item's column is the one that has the same name there, and its ids are written alike. */
static enum tv_status understand_beside(struct tv_looking *l, const char *item, struct tv_error *err)
{
    struct tv_columns *columns = &l->found->columns;
    for (int i = 0; l->found->has_header && item && l->found->kind->item == NULL && i < l->sample->n; i++)
        if (strcasecmp(l->sample->columns[i].name, item) == 0) {
            columns->at[TV_COLUMN_ITEM] = i;
            columns->rival[TV_COLUMN_ITEM] = -1;
        }
    if (leave_out(l, item))
        return TV_OK;
    enum tv_status status = l->found->kind->role == TV_ROLE_TAGS ? tv_understand_time(l, err) : TV_OK;
    describe(l);
    if (columns->rival[TV_COLUMN_ITEM] < 0 || status != TV_OK)
        return status;
    tv_fail(err, TV_ERR_INPUT, "both %s and %s could be the item", l->sample->columns[columns->at[TV_COLUMN_ITEM]].name,
            l->sample->columns[columns->rival[TV_COLUMN_ITEM]].name);
    return tv_hint(err, "leave the one out that is not the item of the ratings, or the file");
}

/* A look at one file of the set. Of what describes items only the ids are values that are looked at. */
static enum tv_status look(struct tv_looking *l, enum tv_role role, struct tv_error *err)
{
    int by_values = role == TV_ROLE_RATINGS || role == TV_ROLE_TAGS;
    l->found = &l->set->chosen[role];
    return tv_sample_take(&l->sample, l->set->input, l->found, by_values ? TV_SAMPLE_ROWS : TV_SAMPLE_IDS, err);
}

/* Files that are read by place, or by readers that look for their columns themselves, are not looked at. */
static int has_columns(const struct tv_found *found)
{
    return tv_found_by_columns(found) || (found->file && found->kind->read == tv_read_names);
}

enum tv_status tv_understand(struct tv_set *set, const struct tv_choices *choices, const struct tv_given *given,
                             struct tv_error *err)
{
    struct tv_looking l = {.set = set, .choices = choices, .given = given};
    char item[TV_SAMPLE_TEXT];
    enum tv_status status = look(&l, TV_ROLE_RATINGS, err);
    if (status != TV_OK)
        return status;
    status = understand_ratings(&l, err);
    const struct tv_sample_column *c = tv_sample_of(l.sample, &l.found->columns, TV_COLUMN_ITEM);
    int named = c && l.found->has_header;
    tv_text_copy(item, sizeof item, named ? c->name : "");
    free(l.sample);
    for (int role = TV_ROLE_RATINGS + 1; role < TV_ROLE_COUNT && status == TV_OK; role++) {
        if (!has_columns(&set->chosen[role]))
            continue;
        status = look(&l, (enum tv_role)role, err);
        if (status != TV_OK)
            return status;
        status = understand_beside(&l, named ? item : NULL, err);
        for (int kind = 0; kind < TV_CODE_KINDS; kind++)
            tv_understand_ids_beside(&l, (enum tv_code_kind)kind);
        free(l.sample);
    }
    return status == TV_OK ? TV_OK : tv_context(err, "%s", l.found->file->label);
}
