/* unused: says what keeps a file of titles from being read: its name, its first line, or another one. */
#include "etl/detect/unused.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "etl/detect/kinds.h"
#include "etl/detect/refusal.h"
#include "etl/peek/foreign.h"
#include "trivet/base/text.h"

/* Whether the file's name is one of those of titles that are looked for in tables with a header. */
static int is_named_so(const char *name)
{
    for (int k = 0; k < tv_n_kinds; k++)
        if (tv_kinds[k].role == TV_ROLE_ITEMS && tv_kinds[k].header && tv_kinds[k].item == NULL &&
            fnmatch(tv_kinds[k].pattern, name, FNM_CASEFOLD) == 0)
            return 1;
    return 0;
}

static enum tv_status open_by(struct tv_records **out, const struct tv_input *input, const struct tv_input_file *file,
                              const char *separator, struct tv_error *err)
{
    const struct tv_dialect dialect = {separator, strlen(separator) == 1};
    struct tv_byte_source *source = NULL;
    enum tv_status status = tv_byte_source_open(&source, input, file, err);
    return status == TV_OK ? tv_records_open(out, source, &dialect, err) : status;
}

/* What the first line of a file of titles, if it is one, says against its being read. Most fields tell the separator. */
static void why_by_line(const struct tv_input *input, const struct tv_input_file *file, int is_named, char *out, size_t size)
{
    static const char *const separators[] = {",", ";", "\t", "|", "::"};
    int most = 1;
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++) {
        struct tv_records *records = NULL;
        struct tv_record *first = NULL;
        if (open_by(&records, input, file, separators[i], NULL) == TV_OK && tv_records_next(records, &first, NULL) == TV_OK && first &&
            first->reason == NULL && first->n > most) {
            struct tv_columns c;
            char fields[160];
            most = first->n;
            tv_columns_from_header(&c, first);
            int has_titles = c.at[TV_COLUMN_ITEM] >= 0 && c.at[TV_COLUMN_TITLE] >= 0 && c.at[TV_COLUMN_USER] < 0;
            if (is_named && !has_titles)
                snprintf(out, size, ": its first line, %s, does not name the columns of item and title, as movieId,title would",
                         tv_refusal_fields(first, fields, sizeof fields));
            else if (!is_named && has_titles)
                snprintf(out, size, ": its columns are those of titles, and its name is none of theirs; called items.csv it is looked at");
            else
                out[0] = '\0';
        }
        tv_records_close(records);
    }
}

char *tv_unused_why(const struct tv_set *set, const char *label, char *out, size_t size)
{
    const struct tv_input_file *file = NULL;
    const struct tv_found *items = &set->chosen[TV_ROLE_ITEMS];
    out[0] = '\0';
    for (size_t i = 0; i < set->input->n_files; i++)
        if (strcmp(set->input->files[i].label, label) == 0)
            file = &set->input->files[i];
    if (file == NULL || strncmp(set->unlike, label, strlen(label)) == 0)
        return out;
    int is_named = is_named_so(file->name);
    if (file->is_archive)
        snprintf(out, size, ": an archive of several files is loaded by itself");
    else if (is_named && tv_foreign_is(set->input, file))
        snprintf(out, size, ": it is no table of text, whatever it is called");
    else
        why_by_line(set->input, file, is_named, out, size);
    if (items->file && !file->is_archive && (is_named || out[0]))
        snprintf(out, size, ": the titles are those of %s", items->file->label);
    tv_text_end_whole(out, size);
    return out;
}
