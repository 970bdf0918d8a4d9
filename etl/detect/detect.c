/* detect: the choice of one file a role, by the table of known files (kinds.c).
 *
 * A name alone proves nothing and neither does a first line, so both must fit. Of two files for one role the
 * one further up in the table is used, then the larger; the others are mentioned and left alone.
 */
#include "etl/detect/detect.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etl/detect/kinds.h"
#include "trivet/base/code.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

static const char *const role_names[TV_ROLE_COUNT] = {
    "ratings", "items", "links", "metadata", "tags", "genres", "words of tags", "marker of a generated set"};

const char *tv_role_name(enum tv_role role)
{
    return role_names[role];
}

/* --- one file ------------------------------------------------------------------------------------------- */

/* 1 for a number of either kind, id or value: whether a field is a number at all tells data from a header's names. */
static int is_number(const struct tv_field *f)
{
    int64_t id;
    float value;
    return tv_number_id(f, &id, NULL) == TV_OK || tv_number_rating(f, &value, NULL) == TV_OK;
}

/* 1 for any text that could be a code, numbers among them. */
static int may_be_id(const struct tv_field *f)
{
    return tv_code_refusal(f->text, f->n) == NULL;
}

/* Whether a field may stand for a column: ids are numbers or codes, values numbers, all else any text. */
static int may_be(enum tv_column column, const struct tv_field *f)
{
    switch (column) {
    case TV_COLUMN_USER:
    case TV_COLUMN_ITEM:
        return may_be_id(f);
    case TV_COLUMN_RATING:
    case TV_COLUMN_PLAYS:
        return is_number(f);
    default:
        return 1;
    }
}

/* Whether a record of a file without a header is a row of this kind: it has as many fields as the kind has, with ids and
 * numbers where they belong. Of a kind that may have a header, one with more than four fields has it. */
static int fits_row(const struct tv_kind *kind, const struct tv_record *record)
{
    enum { WITHOUT_HEADER = 4 };
    int most = kind->header == -1 ? WITHOUT_HEADER : kind->max_fields;
    if (record->reason || record->n < kind->min_fields || record->n > most)
        return 0;
    for (int i = 0; i < TV_KIND_NEEDS && i < record->n; i++)
        if (!may_be(kind->needs[i], &record->fields[i]))
            return 0;
    return 1;
}

/* Whether a record is a header of this kind. The names decide, whatever the order of the columns. */
static int fits_header(const struct tv_kind *kind, const struct tv_record *record)
{
    struct tv_columns columns;
    if (record->reason || record->n < kind->min_fields || record->n > kind->max_fields)
        return 0;
    tv_columns_from_header(&columns, record);
    if (kind->role == TV_ROLE_RATINGS && columns.at[TV_COLUMN_TAG] >= 0)
        return 0; /* users and items, but who said what, not who played what */
    return tv_columns_have(&columns, kind->needs[0], kind->needs[1], kind->needs[2]) &&
           (kind->also == NULL || tv_columns_find(record, kind->also) >= 0);
}

/* Opens the file with one separator and looks at its first record for a header, or at the first ten for one row
 * that fits: the first may be damaged. */
static enum tv_status fits(struct tv_found *found, const struct tv_input *input, const char *separator,
                           int *yes, struct tv_error *err)
{
    const struct tv_kind *kind = found->kind;
    struct tv_byte_source *source = NULL;
    struct tv_records *records = NULL;
    found->dialect = (struct tv_dialect){separator, kind->quotes};
    enum tv_status status = tv_byte_source_open(&source, input, found->file, err);
    if (status == TV_OK)
        status = tv_records_open(&records, source, &found->dialect, err);
    struct tv_record *record = NULL;
    *yes = 0;
    for (int i = 0; i < 10 && status == TV_OK && !*yes; i++) {
        status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            break;
        if (i == 0 && kind->header != 0 && fits_header(kind, record))
            *yes = found->has_header = 1;
        else if (kind->header != 1 && fits_row(kind, record))
            *yes = 1;
    }
    tv_records_close(records);
    return status == TV_OK ? TV_OK : tv_context(err, "%s", found->file->name);
}

/* Tries the kind's separators in turn; a kind without any (the marker) fits by its name. */
static enum tv_status try_separators(struct tv_found *found, const struct tv_input *input, int *yes,
                                     struct tv_error *err)
{
    static const char *const singles[] = {",", ";", "\t", "|", NULL};
    const char *separators = found->kind->separators;
    *yes = 0;
    if (separators == NULL) {
        *yes = 1;
        return TV_OK;
    }
    if (strcmp(separators, "::") == 0)
        return fits(found, input, "::", yes, err);
    for (const char *const *s = singles; *s && !*yes; s++) {
        enum tv_status status = strchr(separators, **s) ? fits(found, input, *s, yes, err) : TV_OK;
        if (status != TV_OK)
            return status;
    }
    return TV_OK;
}

/* Whether --format lets this kind in. The Movies Dataset has its ratings and links in MovieLens's CSV, so with
 * kaggle-movies these files are wanted, too. */
static int wanted(const struct tv_kind *kind, const char *format)
{
    return kind->format == NULL || strcmp(format, "auto") == 0 || strcmp(format, kind->format) == 0 ||
           (strcmp(format, "kaggle-movies") == 0 && strcmp(kind->format, "movielens-csv") == 0);
}

/* The first kind in the table that fits the file; found->kind is NULL if none does. */
static enum tv_status find_kind(struct tv_found *found, const struct tv_input *input,
                                const struct tv_input_file *file, const char *format, struct tv_error *err)
{
    *found = (struct tv_found){.file = file};
    for (int k = 0; k < tv_n_kinds; k++) {
        int yes = 0;
        if (fnmatch(tv_kinds[k].pattern, file->name, FNM_CASEFOLD) != 0 || !wanted(&tv_kinds[k], format))
            continue;
        found->kind = &tv_kinds[k];
        enum tv_status status = try_separators(found, input, &yes, err);
        if (status != TV_OK || yes)
            return status;
    }
    found->kind = NULL;
    return TV_OK;
}

/* --- the set -------------------------------------------------------------------------------------------- */

/* Whether a is to be used rather than b, for the same role: the kind further up in the table wins ("ratings.csv" over
 * "ratings_small.csv"), and between two files of one kind the larger one. */
static int better(const struct tv_found *a, const struct tv_found *b)
{
    return b->file == NULL || a->kind < b->kind || (a->kind == b->kind && a->file->size > b->file->size);
}

/* Notes the name of a file that is not used, for the report, as long as there is room. */
static void ignore(struct tv_set *set, const char *name)
{
    if (set->n_ignored < sizeof set->ignored / sizeof *set->ignored)
        set->ignored[set->n_ignored++] = name;
}

/* Puts a file at its role, if it is better than what is there. */
static void place(struct tv_set *set, const struct tv_found *found)
{
    if (found->kind == NULL) {
        ignore(set, found->file->name);
        return;
    }
    struct tv_found *chosen = &set->chosen[found->kind->role];
    if (!better(found, chosen)) {
        ignore(set, found->file->name);
        return;
    }
    if (chosen->file)
        ignore(set, chosen->file->name);
    *chosen = *found;
}

/* Writes the names of the archives among the files that are not looked into; returns how many there are. */
static size_t tell_archives(char *out, size_t size, const struct tv_input *input)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < input->n_files; i++)
        if (input->files[i].is_archive && at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", n++ ? " and " : "", input->files[i].name);
    tv_text_mark_cut(out, size, (int)at);
    return n;
}

/* The error of a set without ratings. Its hint names what was looked for, or an archive that lies in the folder, which
 * is a common reason. */
static enum tv_status no_ratings(const struct tv_input *input, const char *format, struct tv_error *err)
{
    char names[256] = "";
    tv_fail(err, TV_ERR_INPUT, "%s holds no ratings%s%s that trivet can read", input->path,
            strcmp(format, "auto") == 0 ? "" : " in the format ", strcmp(format, "auto") == 0 ? "" : format);
    if (tell_archives(names, sizeof names, input) > 0)
        return input->packing ? tv_hint(err, "it holds %s, which is packed itself: unpack %s, and give the folder", names, input->path)
                              : tv_hint(err, "it holds %s: give that archive itself", names);
    return tv_hint(
        err, "known are ratings.csv with the columns userId,movieId,rating, ratings.dat, u.data, *.inter, "
             "user_artists.dat and any CSV whose header names user and item; sub-folders are not searched");
}

/* Tags that are numbers are left out where the file with their words is missing. A set with metadata is named after
 * that, whatever its ratings are. */
enum tv_status tv_detect(struct tv_set *set, const struct tv_input *input, const char *format,
                         struct tv_error *err)
{
    *set = (struct tv_set){.input = input};
    for (size_t i = 0; i < input->n_files; i++) {
        struct tv_found found;
        if (input->files[i].is_archive) {
            ignore(set, input->files[i].name);
            continue;
        }
        enum tv_status status = find_kind(&found, input, &input->files[i], format, err);
        if (status != TV_OK)
            return status;
        place(set, &found);
    }
    if (set->chosen[TV_ROLE_RATINGS].file == NULL)
        return no_ratings(input, format, err);
    if (set->chosen[TV_ROLE_WORDS].file == NULL && set->chosen[TV_ROLE_TAGS].kind &&
        set->chosen[TV_ROLE_TAGS].kind->read == tv_read_tagged) {
        ignore(set, set->chosen[TV_ROLE_TAGS].file->name); /* numbers without their words */
        set->chosen[TV_ROLE_TAGS] = (struct tv_found){.file = NULL};
    }
    set->generated = set->chosen[TV_ROLE_MARKER].file != NULL;
    set->counts = set->chosen[TV_ROLE_RATINGS].kind->counts;
    const struct tv_found *metadata = &set->chosen[TV_ROLE_METADATA];
    set->format = (metadata->file ? metadata : &set->chosen[TV_ROLE_RATINGS])->kind->format;
    return TV_OK;
}

/* --- its ids -------------------------------------------------------------------------------------------- */

enum { SAMPLED = 1000 };

/* Counts, for users and items, an id that is no integer but could be a code. */
static void sample_row(struct tv_set *set, const struct tv_columns *columns, const struct tv_record *record)
{
    static const enum tv_column of_kind[TV_CODE_KINDS] = {
        [TV_CODE_USER] = TV_COLUMN_USER, [TV_CODE_ITEM] = TV_COLUMN_ITEM};
    set->n_sampled++;
    for (int kind = 0; kind < TV_CODE_KINDS; kind++) {
        int64_t id;
        struct tv_field f = tv_columns_field(columns, record, of_kind[kind]);
        set->n_texts[kind] += tv_number_id(&f, &id, NULL) != TV_OK && may_be_id(&f);
    }
}

/* Looks at the first 1,000 ratings; damaged records are left out. */
static enum tv_status sample(struct tv_set *set, struct tv_error *err)
{
    const struct tv_found *chosen = &set->chosen[TV_ROLE_RATINGS];
    struct tv_byte_source *source = NULL;
    struct tv_records *records = NULL;
    struct tv_record *record = NULL;
    struct tv_columns columns;
    tv_columns_in_order(&columns, chosen->kind->needs, TV_KIND_NEEDS, TV_KIND_NEEDS);
    enum tv_status status = tv_byte_source_open(&source, set->input, chosen->file, err);
    if (status == TV_OK)
        status = tv_records_open(&records, source, &chosen->dialect, err);
    for (int first = chosen->has_header; status == TV_OK && set->n_sampled < SAMPLED; first = 0) {
        status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            break;
        if (first)
            tv_columns_from_header(&columns, record);
        else if (record->reason == NULL && record->n >= columns.n)
            sample_row(set, &columns, record);
    }
    tv_records_close(records);
    return status == TV_OK ? TV_OK : tv_context(err, "%s", chosen->file->name);
}

/* With "auto" more than half of the ids must be text: a few damaged ids among integers must be refused as such, and not
 * turn a set of numbers into one of codes. The sample is counted for the other choices, too, because inspect shows it.
 */
enum tv_status tv_detect_ids(struct tv_set *set, const char *choice, struct tv_error *err)
{
    enum tv_status status = sample(set, err);
    for (int kind = 0; kind < TV_CODE_KINDS; kind++)
        set->codes[kind] = strcmp(choice, "codes") == 0 ||
                           (strcmp(choice, "auto") == 0 && 2 * set->n_texts[kind] > set->n_sampled);
    return status;
}

enum tv_status tv_set_read(const struct tv_set *set, enum tv_role role, const struct tv_sink *sink,
                           struct tv_error *err)
{
    const struct tv_found *chosen = &set->chosen[role];
    if (chosen->file == NULL || chosen->kind->read == NULL)
        return TV_OK;
    struct tv_file_reading reading = {.input = set->input,
                                      .file = chosen->file,
                                      .dialect = chosen->dialect,
                                      .has_header = chosen->has_header,
                                      .codes = {set->codes[TV_CODE_USER], set->codes[TV_CODE_ITEM]},
                                      .genres = set->chosen[TV_ROLE_GENRES].file,
                                      .words = set->chosen[TV_ROLE_WORDS].file,
                                      .sink = sink};
    return chosen->kind->read(&reading, err);
}
