/* detect: the choice of one file a role, by the table of known files (kinds.c).
 *
 * A name alone proves nothing and neither does a first line, so both must fit. Of two files for one role the
 * one further up in the table is used, then the larger; the others are mentioned and left alone.
 */
#include "etl/detect/detect.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "etl/detect/given.h"
#include "etl/detect/kinds.h"
#include "etl/detect/refusal.h"
#include "etl/detect/understand.h"
#include "etl/formats/encoding.h"
#include "etl/peek/foreign.h"
#include "etl/peek/header.h"
#include "etl/peek/json.h"
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

/* Whether a field may stand for a column: ids are numbers or codes, values numbers, all else any text. A time is no rating: the two
 * stand in the other order in some files. */
static int may_be(enum tv_column column, const struct tv_field *f)
{
    switch (column) {
    case TV_COLUMN_USER:
    case TV_COLUMN_ITEM:
        return tv_code_refusal(f->text, f->n) == NULL;
    case TV_COLUMN_RATING:
        return tv_layout_is_rating(f);
    case TV_COLUMN_PLAYS:
        return is_number(f);
    default:
        return 1;
    }
}

/* Whether a record of a file without a header is a row of this kind: it has as many fields as the kind has, with ids and
 * numbers where they belong. */
static int fits_row(const struct tv_kind *kind, const struct tv_record *record)
{
    if (record->reason || record->n < kind->min_fields || record->n > kind->max_fields)
        return 0;
    for (int i = 0; i < TV_KIND_ORDER && i < record->n; i++)
        if (!may_be(kind->order[i], &record->fields[i]))
            return 0;
    return 1;
}

/* Fills the columns of a kind without a header. Records have at least min_fields, and perhaps all of the order. */
static void in_order(struct tv_found *found)
{
    int n = TV_KIND_ORDER;
    while (n > 0 && found->kind->order[n - 1] == TV_COLUMN_NONE)
        n--;
    tv_columns_in_order(&found->columns, found->kind->order, n, found->kind->min_fields);
}

/* Whether a record is a header of this kind. The names decide, whatever the order of the columns; a rating of which two
 * columns could be the user, say, is none of its kind. */
static int fits_header(struct tv_found *found, const struct tv_record *record)
{
    const struct tv_kind *kind = found->kind;
    struct tv_columns *c = &found->columns;
    if (record->reason || record->n < kind->min_fields || record->n > kind->max_fields)
        return 0;
    tv_columns_from_header(c, record);
    int given = found->item ? tv_columns_find(record, found->item) : -1;
    int item = kind->item ? tv_columns_find(record, kind->item) : given >= 0 ? given : c->at[TV_COLUMN_ITEM];
    if (kind->item || given >= 0) {
        c->at[TV_COLUMN_ITEM] = item;
        c->rival[TV_COLUMN_ITEM] = -1;
    }
    if (kind->role == TV_ROLE_RATINGS &&
        ((c->at[TV_COLUMN_TAG] >= 0 && c->at[TV_COLUMN_RATING] < 0) || c->rival[TV_COLUMN_USER] >= 0 || c->rival[TV_COLUMN_ITEM] >= 0 ||
         c->rival[TV_COLUMN_RATING] >= 0 || (kind->counts && c->rival[TV_COLUMN_PLAYS] >= 0)))
        return 0; /* with a tag and no rating: users and items, but who said what, not who played what */
    if (kind->role == TV_ROLE_ITEMS && c->at[TV_COLUMN_USER] >= 0)
        return 0; /* reviews, whose titles are none of the items' */
    if (kind->role == TV_ROLE_METADATA) { /* its `id` is The Movie Database's, and its other columns name no item: `video` is a flag */
        c->at[TV_COLUMN_ITEM] = c->rival[TV_COLUMN_ITEM] = -1;
        c->at[TV_COLUMN_TMDB] = tv_columns_find(record, kind->also);
    }
    return tv_columns_have(c, kind->needs[0], kind->needs[1], kind->needs[2]) && (kind->item == NULL || item >= 0) &&
           (kind->also == NULL || tv_columns_find(record, kind->also) >= 0);
}

/* The layouts that all first lines have. All must have as many fields, too. */
static enum tv_status fits_layouts(struct tv_found *found, struct tv_records *records, struct tv_record *record, int *yes,
                                   struct tv_error *err)
{
    int layouts = tv_header_names_both(record) ? 0 : found->kind->layouts, n = record->n; /* behind a header nothing has its place */
    for (int i = 0; layouts && record && i < TV_LAYOUT_LINES; i++) {
        layouts = record->n == n ? tv_layout_fitting(layouts, record) : 0;
        enum tv_status status = tv_records_next(records, &record, err);
        if (status != TV_OK)
            return status;
    }
    *yes = layouts != 0;
    if (*yes)
        found->layout = tv_layout_columns(layouts, n, &found->columns);
    found->text_items = (layouts & (TV_LAYOUT_AMAZON | TV_LAYOUT_AMAZON_ITEM_FIRST)) != 0;
    return TV_OK;
}

/* Whether a kind that mostly has no header has one here, which then says where its columns stand. *named is 0 where it does not
 * name all that the kind has. */
static int has_header_all_the_same(struct tv_found *found, const struct tv_record *record, int *named)
{
    const struct tv_kind *kind = found->kind;
    struct tv_columns *c = &found->columns;
    int known = 1;
    *named = 0;
    if (record->reason || !tv_found_by_columns(found) || !tv_header_may_be(record))
        return 0;
    tv_columns_from_header(c, record);
    for (int i = 0; i < TV_KIND_ORDER && i < kind->min_fields; i++)
        known &= kind->order[i] == TV_COLUMN_NONE || (c->at[kind->order[i]] >= 0 && c->rival[kind->order[i]] < 0);
    *named = known;
    return known || kind->role == TV_ROLE_RATINGS; /* ratings have numbers in each line, items and tags may have none */
}

/* Whether the file's first records fit the kind: a header; or, of a kind without one, any of the first ten records, because
 * the first ones may be damaged; or a layout. */
static enum tv_status fits_records(struct tv_found *found, struct tv_records *records, int *yes, struct tv_error *err)
{
    const struct tv_kind *kind = found->kind;
    struct tv_record *record = NULL;
    for (int i = 0; i < 10 && !*yes; i++) {
        enum tv_status status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            return status;
        if (kind->header) {
            *yes = found->has_header = fits_header(found, record);
            return *yes || !kind->layouts ? TV_OK : fits_layouts(found, records, record, yes, err);
        }
        if (i == 0 && has_header_all_the_same(found, record, &found->has_header)) {
            *yes = found->has_header;
            return TV_OK;
        }
        *yes = fits_row(kind, record);
    }
    if (*yes)
        in_order(found);
    return TV_OK;
}

/* Opens the file by one separator, for whatever looks at its records. */
static enum tv_status open_by(struct tv_found *found, const struct tv_input *input, const char *separator, int quotes,
                              struct tv_records **records, struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    found->dialect = (struct tv_dialect){separator, quotes};
    enum tv_status status = tv_byte_source_open(&source, input, found->file, err);
    return status == TV_OK ? tv_records_open(records, source, &found->dialect, err) : status;
}

static enum tv_status fits(struct tv_found *found, const struct tv_input *input, const char *separator, int *yes,
                           struct tv_error *err)
{
    struct tv_records *records = NULL;
    *yes = 0;
    enum tv_status status = open_by(found, input, separator, found->kind->quotes, &records, err);
    if (status == TV_OK)
        status = fits_records(found, records, yes, err);
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
 * kaggle-movies these files are wanted, too; and RecBole has files of plays. */
static int wanted(const struct tv_kind *kind, const char *format)
{
    return kind->format == NULL || strcmp(format, "auto") == 0 || strcmp(format, kind->format) == 0 ||
           (strcmp(format, "kaggle-movies") == 0 && strcmp(kind->format, "movielens-csv") == 0) ||
           (strcmp(format, "recbole") == 0 && strcmp(kind->pattern, "*.inter") == 0);
}

/* The first kind in the table that fits the file; found->kind is NULL if none does. */
static enum tv_status find_kind(struct tv_found *found, const struct tv_input *input,
                                const struct tv_input_file *file, const char *format,
                                const struct tv_given *given, struct tv_error *err)
{
    const char *item = tv_given_name(given, TV_COLUMN_ITEM);
    for (int k = 0; k < tv_n_kinds; k++) {
        int yes = 0;
        if (fnmatch(tv_kinds[k].pattern, file->name, FNM_CASEFOLD) != 0 || !wanted(&tv_kinds[k], format) ||
            (given->n > 0 && tv_kinds[k].role == TV_ROLE_RATINGS))
            continue;
        *found = (struct tv_found){.file = file, .kind = &tv_kinds[k], .rank = k, .item = item};
        enum tv_status status = try_separators(found, input, &yes, err);
        found->item = NULL;
        if (status != TV_OK || yes)
            return status;
    }
    *found = (struct tv_found){.file = file, .rank = tv_n_kinds};
    return TV_OK;
}

/* --- --columns -------------------------------------------------------------------------------------------- */

/* Whether the first record has what was given, and a user and an item with it. */
static int fits_given(struct tv_found *found, const struct tv_given *given, const struct tv_record *first,
                      const char *format)
{
    struct tv_columns *c = &found->columns;
    if (first->reason || first->n < 2 || tv_given_apply(given, first, c, NULL) != TV_OK ||
        (c->at[TV_COLUMN_TAG] >= 0 && c->at[TV_COLUMN_RATING] < 0 && tv_given_name(given, TV_COLUMN_PLAYS) == NULL))
        return 0;
    int counts = c->at[TV_COLUMN_RATING] < 0 || strcmp(format, "plays-csv") == 0;
    found->kind = counts ? &tv_kind_given_plays : &tv_kind_given;
    found->has_header = !given->by_place;
    return tv_columns_have(c, TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_NONE) && c->rival[TV_COLUMN_USER] < 0 &&
           c->rival[TV_COLUMN_ITEM] < 0 && c->rival[TV_COLUMN_RATING] < 0 && c->rival[TV_COLUMN_PLAYS] < 0;
}

/* Any file that has the columns is one of ratings; its kind is NULL if it has not. */
static enum tv_status find_given(struct tv_found *found, const struct tv_input *input, const struct tv_input_file *file,
                                 const struct tv_given *given, const char *format, struct tv_error *err)
{
    static const char *const separators[] = {",", ";", "\t", "|", "::"};
    int yes = 0;
    for (size_t i = 0; i < sizeof separators / sizeof *separators && !yes; i++) {
        struct tv_records *records = NULL;
        struct tv_record *first = NULL;
        *found = (struct tv_found){.file = file, .rank = tv_kind_rank(file->name)};
        enum tv_status status = open_by(found, input, separators[i], strlen(separators[i]) == 1, &records, err);
        if (status == TV_OK)
            status = tv_records_next(records, &first, err);
        yes = status == TV_OK && first && fits_given(found, given, first, format);
        tv_records_close(records);
        if (yes && given->by_place) {
            int has_header = 0;
            status = tv_header_is(input, file, &found->dialect, &has_header, err);
            yes = !has_header;
        }
        if (status != TV_OK)
            return tv_context(err, "%s", file->name);
    }
    if (!yes)
        found->kind = NULL;
    return TV_OK;
}

/* --- the set -------------------------------------------------------------------------------------------- */

/* Whether a is to be used rather than b, for the same role: the kind further up in the table wins ("ratings.csv" over
 * "ratings_small.csv"), and between two files of one kind the larger one. */
static int better(const struct tv_found *a, const struct tv_found *b)
{
    return b->file == NULL || a->rank < b->rank || (a->rank == b->rank && a->file->size > b->file->size);
}

/* Notes the name of a file that is not used, for the report, as long as there is room. */
static void ignore(struct tv_set *set, const char *name)
{
    if (set->n_ignored < sizeof set->ignored / sizeof *set->ignored)
        set->ignored[set->n_ignored++] = name;
}

/* Notes a file for whose role there is a better one. */
static void pass_over(struct tv_set *set, const struct tv_found *found)
{
    ignore(set, found->file->label);
    if (found->kind->role == TV_ROLE_RATINGS && set->n_passed_over++ == 0)
        set->passed_over = found->file->label;
}

/* Puts a file at its role, if it is better than what is there. */
static void place(struct tv_set *set, const struct tv_found *found)
{
    if (found->kind == NULL) {
        ignore(set, found->file->label);
        return;
    }
    struct tv_found *chosen = &set->chosen[found->kind->role];
    if (!better(found, chosen)) {
        pass_over(set, found);
        return;
    }
    if (chosen->file)
        pass_over(set, chosen);
    *chosen = *found;
}

/* A text beside other files that its name makes nothing in particular. */
static int may_be_readme(const struct tv_input *input, const struct tv_input_file *file)
{
    int rank = tv_kind_rank(file->name);
    return input->n_files > 1 && rank < tv_n_kinds && strcmp(tv_kinds[rank].pattern, "*.txt") == 0;
}

/* The file that was not understood and that, by its name, would have been the ratings rather than the one chosen; NULL for
 * none. Without a chosen one it is the likeliest of all. */
static const struct tv_input_file *misunderstood(const struct tv_set *set, const struct tv_input *input,
                                                 const char *format)
{
    const struct tv_found *chosen = &set->chosen[TV_ROLE_RATINGS];
    const struct tv_input_file *likeliest = NULL;
    int least = chosen->file ? chosen->rank : tv_n_kinds;
    for (size_t i = 0; i < input->n_files; i++) {
        const struct tv_input_file *file = &input->files[i];
        int rank = tv_kind_rank(file->name), used = 0, said = chosen->file && strcmp(format, "auto") != 0;
        for (int role = 0; role < TV_ROLE_COUNT; role++)
            used |= set->chosen[role].file == file;
        used |= may_be_readme(input, file);
        if (used || said || file->is_archive || rank > least || rank == tv_n_kinds ||
            (chosen->file && !tv_kind_is_named(rank)) ||
            (rank == least && likeliest == NULL && chosen->file) ||
            (rank == least && likeliest && file->size <= likeliest->size))
            continue;
        least = rank;
        likeliest = file;
    }
    return likeliest;
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

/* Writes the names of the first files. */
static const char *tell_files(char *out, size_t size, const struct tv_input *input)
{
    enum { SHOWN = 6 };
    size_t at = 0;
    for (size_t i = 0; i < input->n_files && i < SHOWN && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "", input->files[i].label);
    if (input->n_files > SHOWN && at < size)
        at += (size_t)snprintf(out + at, size - at, " and %zu more", input->n_files - SHOWN);
    tv_text_mark_cut(out, size, (int)at);
    return out;
}

/* The file that surely holds ratings, in a form that is not read: JSON whose objects are ratings, of several the largest, or
 * Netflix's files. Else the one that was there already. */
static const struct tv_input_file *other_ratings(const struct tv_input *input, const struct tv_input_file *file)
{
    int least = file ? 2 : 1, most = 0;
    for (size_t i = 0; i < input->n_files; i++) {
        const struct tv_input_file *other = &input->files[i];
        if (tv_refusal_is_films(input, other))
            return other;
        int likeness = tv_json_likeness(input, other);
        if (likeness >= least && (likeness > most || (likeness == most && other->size > file->size))) {
            most = likeness;
            file = other;
        }
    }
    return file;
}

/* The error of a set without ratings: why the likeliest file holds none, or, where no file could, what was looked for, or
 * an archive that lies in the folder, which is a common reason. */
static enum tv_status no_ratings(const struct tv_set *set, const struct tv_input *input, const struct tv_choices *choices,
                                 const struct tv_given *given, struct tv_error *err)
{
    const char *format = choices->format;
    char names[256] = "";
    const struct tv_input_file *file = misunderstood(set, input, format);
    if (file == NULL || !tv_kind_is_named(tv_kind_rank(file->name)))
        file = other_ratings(input, file);
    if (file == NULL && input->n_files == 1 && !input->files[0].is_archive)
        file = &input->files[0];
    if (tell_archives(names, sizeof names, input) > 0 && (file == NULL || !tv_kind_is_named(tv_kind_rank(file->name))))
        file = NULL;
    else
        for (size_t i = 0; file == NULL && i < input->n_files; i++)
            if (tv_foreign_is(input, &input->files[i]))
                file = &input->files[i];
    if (file && strcmp(format, "auto") == 0) {
        enum tv_status status = tv_refuse_file(input, file, given, err);
        return status == TV_ERR_INPUT ? tv_context(err, "%s holds no ratings that trivet can read", input->path) : status;
    }
    tv_fail(err, TV_ERR_INPUT, "%s holds no ratings%s%s that trivet can read", input->path,
            strcmp(format, "auto") == 0 ? "" : " in the format ", strcmp(format, "auto") == 0 ? "" : format);
    size_t archives = tell_archives(names, sizeof names, input);
    if (archives > 0 && input->packing)
        return tv_hint(err, "it holds %s, %s: unpack %s, and give the folder", names, archives > 1 ? "which are packed themselves" : "which is packed itself",
                       input->path);
    if (archives > 0)
        return tv_hint(err, "it holds %s: give %s", names, archives > 1 ? "one of these archives itself" : "that archive itself");
    return tv_hint(
        err, "it holds %s; known are ratings.csv with the columns userId,movieId,rating, ratings.dat, u.data, *.inter, "
             "user_artists.dat and any table whose header names user and item; --columns says which is which in any other; "
             "sub-folders are not searched",
        input->n_files ? tell_files(names, sizeof names, input) : "no file");
}

/* Finds out what each file is. */
static enum tv_status find_files(struct tv_set *set, const struct tv_input *input, const struct tv_choices *choices,
                                 const struct tv_given *given, struct tv_error *err)
{
    for (size_t i = 0; i < input->n_files; i++) {
        struct tv_found found = {.kind = NULL};
        if (input->files[i].is_archive) {
            ignore(set, input->files[i].label);
            continue;
        }
        enum tv_status status = given->n > 0 ? find_given(&found, input, &input->files[i], given, choices->format, err)
                                             : TV_OK;
        if (status == TV_OK && found.kind == NULL)
            status = find_kind(&found, input, &input->files[i], choices->format, given, err);
        if (status == TV_ERR_INPUT && may_be_readme(input, &input->files[i])) {
            ignore(set, input->files[i].label); /* in UTF-16, say */
            continue;
        }
        if (status != TV_OK)
            return status;
        place(set, &found);
    }
    return TV_OK;
}

/* How many bytes of a path are its folder. */
static size_t folder_size(const struct tv_input_file *file)
{
    const char *slash = strrchr(file->path, '/');
    return slash ? (size_t)(slash - file->path) : 0;
}

static int same_folder(const struct tv_input_file *a, const struct tv_input_file *b)
{
    size_t n = folder_size(a);
    return n == folder_size(b) && memcmp(a->path, b->path, n) == 0;
}

/* Takes the file in the place of the one chosen for its role. */
static void take_instead(struct tv_set *set, const struct tv_found *found)
{
    struct tv_found *chosen = &set->chosen[found->kind->role];
    for (size_t i = 0; i < set->n_ignored; i++)
        if (set->ignored[i] == found->file->label)
            set->ignored[i] = chosen->file->label;
    *chosen = *found;
}

/* An archive may hold several sets, each in a folder of its own. Of files of one name those count that lie beside the ratings: titles of another
 * set would be those of other items. */
static enum tv_status prefer_folder(struct tv_set *set, const struct tv_choices *choices, const struct tv_given *given, struct tv_error *err)
{
    const struct tv_input_file *ratings = set->chosen[TV_ROLE_RATINGS].file;
    for (size_t i = 0; ratings && i < set->input->n_files; i++) {
        const struct tv_input_file *file = &set->input->files[i];
        struct tv_found found;
        if (file == ratings || strcmp(file->name, file->label) == 0 || !same_folder(file, ratings))
            continue;
        enum tv_status status = find_kind(&found, set->input, file, choices->format, given, err);
        if (status != TV_OK)
            return status;
        const struct tv_found *chosen = found.kind && found.kind->role != TV_ROLE_RATINGS ? &set->chosen[found.kind->role] : NULL;
        if (chosen && chosen->file && chosen->file != file && strcmp(chosen->file->name, file->name) == 0)
            take_instead(set, &found);
    }
    return TV_OK;
}

/* Tags that are numbers are left out where the file with their words is missing. */
static void drop_wordless_tags(struct tv_set *set)
{
    struct tv_found *tags = &set->chosen[TV_ROLE_TAGS];
    if (set->chosen[TV_ROLE_WORDS].file || tags->kind == NULL || tags->kind->read != tv_read_tagged)
        return;
    ignore(set, tags->file->label);
    *tags = (struct tv_found){.file = NULL};
}

/* How the text of the files beside the ratings is written: of ratings, ids alone could be text, and those are UTF-8. */
static enum tv_status find_encodings(struct tv_set *set, struct tv_error *err)
{
    for (int role = TV_ROLE_RATINGS + 1; role < TV_ROLE_COUNT; role++) {
        struct tv_found *found = &set->chosen[role];
        struct tv_encoding encoding;
        char lines[64];
        if (found->file == NULL || found->kind->read == NULL)
            continue;
        enum tv_status status = tv_encoding_of(&encoding, set->input, found->file, err);
        if (status != TV_OK)
            return tv_context(err, "%s", found->file->name);
        found->latin1 = !found->has_header || tv_encoding_is_latin1(&encoding);
        if (found->latin1 && (status = tv_encoding_check(&encoding, found->file->name, err)) != TV_OK)
            return status;
        if (found->latin1 && encoding.other > 0)
            tv_log_info("%s: %s no UTF-8, and read as %s", found->file->name, tv_text_are(lines, encoding.other, "line"),
                        tv_encoding_name(&encoding, 1));
    }
    return TV_OK;
}

/* A set with metadata is named after that, whatever its ratings are; counts are always called so. */
enum tv_status tv_detect(struct tv_set *set, const struct tv_input *input, const struct tv_choices *choices,
                         struct tv_error *err)
{
    struct tv_given given;
    *set = (struct tv_set){.input = input, .events.column = -1};
    enum tv_status status = tv_given_parse(&given, choices->columns, err);
    if (status == TV_OK)
        status = find_files(set, input, choices, &given, err);
    if (status == TV_OK)
        status = prefer_folder(set, choices, &given, err);
    if (status != TV_OK)
        return status;
    if (set->chosen[TV_ROLE_RATINGS].file == NULL)
        return no_ratings(set, input, choices, &given, err);
    const struct tv_input_file *file = given.n > 0 ? NULL : misunderstood(set, input, choices->format);
    if (file)
        return tv_refuse_file(input, file, &given, err);
    drop_wordless_tags(set);
    set->generated = set->chosen[TV_ROLE_MARKER].file != NULL;
    set->counts = set->chosen[TV_ROLE_RATINGS].kind->counts;
    status = tv_understand(set, choices, &given, err);
    if (status == TV_OK)
        status = find_encodings(set, err);
    const struct tv_found *metadata = &set->chosen[TV_ROLE_METADATA];
    set->format = (metadata->file && !set->counts ? metadata : &set->chosen[TV_ROLE_RATINGS])->kind->format;
    return status;
}

enum tv_status tv_set_read(struct tv_set *set, enum tv_role role, const struct tv_sink *sink,
                           struct tv_error *err)
{
    const struct tv_found *chosen = &set->chosen[role];
    if (chosen->file == NULL || chosen->kind->read == NULL)
        return TV_OK;
    struct tv_file_reading reading = {.input = set->input,
                                      .file = chosen->file,
                                      .dialect = chosen->dialect,
                                      .has_header = chosen->has_header,
                                      .latin1 = chosen->latin1,
                                      .columns = &chosen->columns,
                                      .forms = chosen->forms,
                                      .codes = {set->codes[TV_CODE_USER], set->codes[TV_CODE_ITEM]},
                                      .genres = set->chosen[TV_ROLE_GENRES].file,
                                      .words = set->chosen[TV_ROLE_WORDS].file,
                                      .events = role == TV_ROLE_RATINGS ? &set->events : NULL,
                                      .sink = sink};
    return chosen->kind->read(&reading, err);
}
