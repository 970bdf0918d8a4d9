/* refusal: a file that no kind fits is read once more, by the separator that gives its first line most fields, to say what
 * it is instead. */
#include "etl/detect/refusal.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etl/formats/encoding.h"
#include "etl/peek/foreign.h"
#include "etl/peek/header.h"
#include "etl/peek/layout.h"
#include "trivet/base/shell.h"
#include "trivet/base/text.h"
#include "trivet/read/time.h"

enum { SHOWN = 320, MATRIX_FIELDS = 20 };

static int is_number(const struct tv_field *f)
{
    float value;
    return tv_number_rating(f, &value, NULL) == TV_OK;
}

char *tv_refusal_fields(const struct tv_record *record, char *out, size_t size)
{
    struct tv_buffer text = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = TV_OK;
    for (int i = 0; i < record->n && status == TV_OK && text.size < size; i++) {
        const struct tv_field *f = &record->fields[i];
        status = i ? tv_buffer_text(&text, ", ", NULL) : TV_OK;
        if (status == TV_OK)
            status = f->n ? tv_encoding_printable(&text, f->text, f->n, 60, NULL) : tv_buffer_text(&text, "\"\"", NULL);
    }
    tv_text_mark_cut(out, size, snprintf(out, size, "%s", tv_buffer_string(&text)));
    tv_buffer_free(&text);
    return out;
}

/* Where no name was known: the hint has those that are. */
static unsigned hint_at_names(struct tv_error *err)
{
    char users[80], items[160];
    return tv_hint(err,
                   "say which is which: --columns user=NAME,item=NAME,rating=NAME,time=NAME (rating=none: each line is one "
                   "play; without a header places, user=1,item=2,rating=3); known without it are %s, ... for the user and "
                   "%s, ... for the item",
                   tv_columns_names(TV_COLUMN_USER, users, sizeof users),
                   tv_columns_names(TV_COLUMN_ITEM, items, sizeof items));
}

/* --- what it is instead ----------------------------------------------------------------------------------------- */

/* The first lines of a file, and how they are cut. */
struct look {
    struct tv_dialect dialect;
    int fields;               /* of the first record */
    int records, unlike;      /* of the first TV_LAYOUT_LINES, and those that are not as the layouts have them */
    long long first_unlike;   /* the first such line */
    int numbers, not_numbers; /* fields of the records but the first */
    const char *reason;       /* of the first line that is no record, and its number */
    long long line;
    int wide;                 /* records with too many fields */
    int empty[TV_RECORD_MAX_FIELDS]; /* records without this field */
    long long header;         /* the line, but the first, that names a user and an item; 0: none does */
    int lists, lists_of_others; /* records that are numbers divided by blanks; those with another number of them than the one before */
    int last_list;
    int actions;              /* records like Steam's: user, game, purchase or play, hours, 0 */
};

static int is_action(const struct tv_record *record)
{
    const struct tv_field *f = &record->fields[2];
    return record->n == 5 && ((f->n == 4 && strncmp(f->text, "play", 4) == 0) ||
                              (f->n == 8 && strncmp(f->text, "purchase", 8) == 0));
}

/* How many numbers a field is, divided by blanks; 0 where there is anything else. */
static int count_list(const struct tv_field *f)
{
    int n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->text[i] != ' ' && (f->text[i] < '0' || f->text[i] > '9'))
            return 0;
        else
            n += f->text[i] != ' ' && (i == 0 || f->text[i - 1] == ' ');
    return n;
}

static void add(struct look *look, const struct tv_record *record)
{
    for (int i = 0; i < record->n && look->records > 0; i++) {
        int number = is_number(&record->fields[i]);
        look->numbers += number;
        look->not_numbers += !number && record->fields[i].n > 0;
    }
    if (look->records > 0 && look->header == 0 && tv_header_names_both(record))
        look->header = record->line;
    if (record->n == 1 && count_list(&record->fields[0]) > 0) {
        int n = count_list(&record->fields[0]);
        look->lists_of_others += look->lists++ > 0 && n != look->last_list;
        look->last_list = n;
    }
    for (int i = 0; i < record->n; i++)
        look->empty[i] += record->fields[i].n == 0;
    look->actions += record->n == 5 && is_action(record);
    if (look->records++ == 0)
        look->fields = record->n;
    if (!tv_layout_fitting(TV_LAYOUT_PLAIN, record) && look->unlike++ == 0)
        look->first_unlike = record->line;
}

static void add_refused(struct look *look, const struct tv_record *record)
{
    look->wide += strcmp(record->reason, TV_RECORD_TOO_WIDE) == 0;
    if (look->reason == NULL) {
        look->reason = record->reason;
        look->line = record->line;
    }
}

/* Opens the file's records. */
static enum tv_status open_records(struct tv_records **out, const struct tv_input *input,
                                   const struct tv_input_file *file, const struct tv_dialect *dialect,
                                   struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    enum tv_status status = tv_byte_source_open(&source, input, file, err);
    return status == TV_OK ? tv_records_open(out, source, dialect, err) : status;
}

static enum tv_status look_by(struct look *look, const struct tv_input *input, const struct tv_input_file *file,
                              struct tv_error *err)
{
    struct tv_records *records = NULL;
    struct tv_record *record = NULL;
    enum tv_status status = open_records(&records, input, file, &look->dialect, err);
    for (int i = 0; i < TV_LAYOUT_LINES && status == TV_OK; i++) {
        status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            break;
        if (record->reason == NULL)
            add(look, record);
        else
            add_refused(look, record);
    }
    tv_records_close(records);
    return status;
}

/* Looks with each separator, and keeps the look that gave most fields. */
static enum tv_status look_best(struct look *best, const struct tv_input *input, const struct tv_input_file *file,
                                struct tv_error *err)
{
    static const struct tv_dialect dialects[] = {{",", 1}, {";", 1}, {"\t", 1}, {"|", 1}, {"::", 0}};
    *best = (struct look){.dialect = dialects[0]};
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        struct look look = {.dialect = dialects[i]};
        enum tv_status status = look_by(&look, input, file, err);
        if (status != TV_OK)
            return status;
        if (look.wide > best->wide || (look.wide == best->wide && look.fields > best->fields) || (best->records == 0 && look.reason))
            *best = look;
    }
    return TV_OK;
}

static const char *shown(const struct tv_field *f, char *out, size_t size)
{
    struct tv_record one = {.n = 1, .fields = {*f}};
    return tv_refusal_fields(&one, out, size);
}

/* Two columns that could both be the user, say. 0 where there are none. */
static int say_rivals(const struct tv_columns *c, const struct tv_record *header, const char *fields,
                      const struct tv_given *given, struct tv_error *err)
{
    static const enum tv_column needed[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING, TV_COLUMN_PLAYS};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        enum tv_column m = needed[i];
        if (c->rival[m] < 0)
            continue;
        char a[64], b[64], with[SHOWN];
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s, and both %s and %s could be the %s", fields,
                shown(&header->fields[c->at[m]], a, sizeof a), shown(&header->fields[c->rival[m]], b, sizeof b),
                tv_columns_word(m));
        if (strcasecmp(a, b) == 0)
            tv_hint(err, "call one of the two otherwise in the header, or take it out");
        else
            tv_hint(err, "say which: --columns %s, or %s=%s", tv_given_with(given, m, a, with, sizeof with), tv_columns_word(m), b);
        return 1;
    }
    return 0;
}

/* What a header does not name. */
static enum tv_status say_missing(const struct tv_record *header, const char *separator, const struct tv_given *given,
                                  struct tv_error *err)
{
    char fields[SHOWN];
    struct tv_columns c;
    struct tv_error why = {.status = TV_OK};
    tv_refusal_fields(header, fields, sizeof fields);
    tv_columns_from_header(&c, header);
    if (given->n > 0 && tv_given_apply(given, header, &c, &why) != TV_OK) {
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s, and %s", fields, why.message);
        return tv_hint(err, "%s", why.hint);
    }
    if (tv_columns_have(&c, TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING) && strcmp(separator, "::") == 0) {
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s, divided by \"::\", which is looked for in files called ratings*.dat",
                fields);
        return tv_hint(err, "call the file ratings.dat");
    }
    if (say_rivals(&c, header, fields, given, err))
        return TV_ERR_INPUT;
    if (given->n == 0 && c.at[TV_COLUMN_TAG] < 0 && tv_columns_have(&c, TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_NONE)) {
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s, which are a user's and an item's, and a name by which no such table is known", fields);
        return tv_hint(err, "call it ratings.csv, whatever divides its fields");
    }
    if (c.at[TV_COLUMN_TAG] >= 0 && c.at[TV_COLUMN_USER] >= 0 && c.at[TV_COLUMN_ITEM] >= 0) {
        char with[SHOWN], tag[64];
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s: with %s and no rating it is a file of tags", fields,
                shown(&header->fields[c.at[TV_COLUMN_TAG]], tag, sizeof tag));
        return tv_hint(err, "--columns %s says which column is a count of plays, rating=NAME which is a rating",
                       tv_given_with(given, TV_COLUMN_PLAYS, "NAME", with, sizeof with));
    }
    tv_fail(err, TV_ERR_INPUT, "it has the columns %s, and none is known to be the %s", fields,
            c.at[TV_COLUMN_USER] < 0 && c.at[TV_COLUMN_ITEM] < 0 ? "user, and none the item"
            : c.at[TV_COLUMN_USER] < 0                           ? "user"
            : c.at[TV_COLUMN_ITEM] < 0                           ? "item"
                                                                 : "rating");
    return hint_at_names(err);
}

static enum tv_status say_wide(struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "its lines have more than %d fields", TV_RECORD_MAX_FIELDS);
    return tv_hint(err, "keep the columns of user, item and rating; a matrix, with a column for each item, becomes lines with these "
                        "by pandas.melt");
}

static enum tv_status say_matrix(const struct look *look, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT,
            "it is a matrix, with a line for each user and a column for each item (%d columns), and no list of ratings",
            look->fields);
    return tv_hint(err, "a rating needs a line of its own, with user, item and rating; pandas.melt makes such lines of it");
}

static enum tv_status say_actions(struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "its lines are user, game, purchase or play, and hours: purchases and hours of play are no "
                               "values of one scale");
    return tv_hint(err, "keep the lines of one kind, and name the columns: grep ',play,' steam-200k.csv > plays.csv, then "
                        "trivet-etl load plays.csv --columns user=1,item=2,plays=4");
}

/* A line for people in front of the table, or a header that is marked as one. */
static int is_comment(const struct tv_record *first)
{
    const struct tv_field *f = &first->fields[0];
    return f->n > 0 && (*f->text == '#' || *f->text == '%');
}

static enum tv_status say_comment(const struct tv_record *first, const char *file, struct tv_error *err)
{
    char fields[SHOWN], name[600];
    char mark = *first->fields[0].text;
    tv_fail(err, TV_ERR_INPUT, "its first line is a comment and neither a header nor a rating: %s", tv_refusal_fields(first, fields, sizeof fields));
    return tv_hint(err, "take out the lines that begin so: sed -i.bak '/^%c/d' %s; or, where it is the header, the sign alone", mark,
                   tv_shell_word(name, sizeof name, file));
}

/* Netflix: a line with a film's number and a colon, and then one for each of its ratings. */
static int is_film_alone(const struct tv_record *record)
{
    const struct tv_field *f = &record->fields[0];
    const struct tv_field number = {f->text, f->n - (f->n > 0)};
    int64_t id;
    return record->n == 1 && f->n > 1 && f->text[f->n - 1] == ':' && tv_number_id(&number, &id, NULL) == TV_OK;
}

/* Where a command may write to: a shell empties that file before anything is read. */
static const char *other_than(const char *file, const char *name, const char *instead)
{
    return strcmp(file, name) == 0 ? instead : name;
}

/* Netflix's names for its files, of which each is a part. */
static const char *const parts[] = {"mv_*.txt", "combined_data_*.txt"};

/* The pattern of the file and its likes, where there are some; else its name. As a word of a shell. */
static const char *with_likes(const struct tv_input *input, const char *file, char *out, size_t size)
{
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        int n = 0;
        for (size_t i = 0; i < input->n_files && fnmatch(parts[p], file, 0) == 0; i++)
            n += fnmatch(parts[p], input->files[i].name, 0) == 0;
        if (n > 1)
            return parts[p];
    }
    return tv_shell_word(out, size, file);
}

static enum tv_status say_films(const struct tv_input *input, const struct tv_input_file *file, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "a line with an item and a colon stands before the ratings of that item, as in Netflix's set");
    char name[600], before[300];
    return tv_hint(err, "%smake a line of each rating: awk -F, '/:/ { sub(/:.*/, \"\"); item = $1; next } { print $1 \",\" item \",\" $2 "
                        "\",\" $3 }' %s > %s", tv_foreign_unpack(file, before, sizeof before), with_likes(input, file->name, name, sizeof name), other_than(file->name, "ratings.csv", "ratings-lines.csv"));
}

int tv_refusal_is_films(const struct tv_input *input, const struct tv_input_file *file)
{
    static const struct tv_dialect commas = {",", 1};
    struct tv_records *records = NULL;
    struct tv_record *first = NULL;
    int yes = !file->is_archive && open_records(&records, input, file, &commas, NULL) == TV_OK &&
              tv_records_next(records, &first, NULL) == TV_OK && first && first->reason == NULL && is_film_alone(first);
    tv_records_close(records);
    return yes;
}

/* Blanks between the fields, as many as make columns of them, are no separator: names and titles hold some. */
static int has_blanks(const struct tv_record *record)
{
    const struct tv_field *f = &record->fields[0];
    int blanks = 0;
    for (size_t i = 0; i < f->n; i++)
        blanks += f->text[i] == ' ' && i > 0 && f->text[i - 1] != ' ';
    return record->n == 1 && blanks >= 2 && blanks <= 4;
}

static enum tv_status say_blanks(const struct tv_record *first, const char *file, struct tv_error *err)
{
    char fields[SHOWN], name[600];
    tv_fail(err, TV_ERR_INPUT, "its fields are divided by none of , ; | :: and tabs (the first line is %s)",
            tv_refusal_fields(first, fields, sizeof fields));
    return tv_hint(err, "if blanks divide them: tr -s ' ' '\\t' < %s > %s, which without a header is read as user, item, rating and "
                        "time", tv_shell_word(name, sizeof name, file), other_than(file, "ratings.tsv", "ratings-tabs.tsv"));
}

/* The user has said places, and the first line may be a header. What is none gets one, which then is known. */
static enum tv_status say_places(const struct tv_record *first, const struct look *look, const struct tv_given *given, const char *file,
                                 struct tv_error *err)
{
    char fields[SHOWN], name[600], header[SHOWN] = "";
    const char *divider = strcmp(look->dialect.separator, "\t") == 0 ? "\\t" : look->dialect.separator; /* a tab does not outlive being copied from a terminal */
    size_t n = 0;
    struct tv_columns c;
    struct tv_error why = {.status = TV_OK};
    tv_refusal_fields(first, fields, sizeof fields);
    if (tv_given_apply(given, first, &c, &why) != TV_OK) {
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s, and %s", fields, why.message);
        return tv_hint(err, "%s", why.hint);
    }
    for (int i = 0; i < first->n && n < sizeof header; i++) {
        enum tv_column m = tv_columns_meaning(&c, i);
        n += (size_t)(m == TV_COLUMN_NONE ? snprintf(header + n, sizeof header - n, "%sc%d", i ? divider : "", i + 1)
                                          : snprintf(header + n, sizeof header - n, "%s%s", i ? divider : "", tv_columns_word(m)));
    }
    tv_fail(err, TV_ERR_INPUT, "it has a header, %s, so --columns takes names and not places", fields);
    if (look->numbers > 0 || n >= 120)
        return tv_hint(err, "--columns user=NAME,item=NAME,rating=NAME, with these names");
    return tv_hint(err, "--columns user=NAME,item=NAME,rating=NAME, with these names; where that line is one like the others, put one in front: "
                        "sed -i.bak '1i %s' %s, and leave --columns out", header, tv_shell_word(name, sizeof name, file));
}

static int is_all_text(const struct tv_record *record)
{
    for (int i = 0; i < record->n; i++)
        if (is_number(&record->fields[i]))
            return 0;
    return record->n > 1;
}

/* A moment, or a number that is too large to be a rating. */
static int is_time(const struct tv_field *f)
{
    enum tv_time_form form = tv_time_form_of(f);
    return form == TV_TIME_TEXT || tv_time_is_date(form) || (is_number(f) && !tv_layout_is_rating(f));
}

/* Where no line names the fields. Ids stand in each line; who is who is the user's to say, and the order is the usual one. */
static enum tv_status hint_at_places(const struct look *look, const struct tv_record *first, struct tv_error *err)
{
    int time = -1, ids[2] = {-1, -1}, n = 0, rating = -1;
    char value[24] = "none", when[24] = "";
    for (int i = 0; i < first->n; i++) {
        if (time < 0 && is_time(&first->fields[i]))
            time = i;
        else if (n < 2 && look->empty[i] == 0)
            ids[n++] = i;
        else if (n == 2 && rating < 0 && tv_layout_is_rating(&first->fields[i]))
            rating = i;
    }
    if (n < 2)
        return hint_at_names(err);
    if (rating >= 0)
        snprintf(value, sizeof value, "%d", rating + 1);
    if (time >= 0)
        snprintf(when, sizeof when, ",time=%d", time + 1);
    return tv_hint(err, "say which field is which, counted from 1; if field %d is the user and field %d the item: --columns "
                        "user=%d,item=%d,rating=%s%s%s", ids[0] + 1, ids[1] + 1, ids[0] + 1, ids[1] + 1, value, when,
                   rating < 0 ? " (each line is one play then)" : "; where the last are counts, plays= instead of rating=");
}

/* A spreadsheet's table has a heading above it. */
static enum tv_status say_heading(const struct look *look, const struct tv_record *first, const char *file, struct tv_error *err)
{
    char fields[SHOWN], name[600];
    tv_fail(err, TV_ERR_INPUT, "its columns are named in line %lld, below %s", look->header, tv_refusal_fields(first, fields, sizeof fields));
    return tv_hint(err, "take out what stands above: sed -i.bak '1,%lldd' %s", look->header - 1, tv_shell_word(name, sizeof name, file));
}

/* As the sets of LightGCN and its likes are. */
static enum tv_status say_lists(const struct tv_input_file *file, struct tv_error *err)
{
    char name[300], before[300];
    tv_fail(err, TV_ERR_INPUT, "its lines are lists of different lengths, as where a user stands before all of their items");
    return tv_hint(err, "%sif so, make a line of each: awk 'BEGIN { print \"user,item\" } { for (i = 2; i <= NF; i++) print $1 \",\" $i }' %s > "
                        "%s", tv_foreign_unpack(file, before, sizeof before), tv_shell_word(name, sizeof name, file->name),
                   other_than(file->name, "plays.csv", "plays-lines.csv"));
}

/* Says what the first record tells, now that the lines are counted. */
static enum tv_status say(const struct look *look, const struct tv_record *first, const struct tv_given *given, const struct tv_input *input,
                          const struct tv_input_file *file, struct tv_error *err)
{
    char fields[SHOWN];
    int has_header = 0;
    if (is_comment(first))
        return say_comment(first, file->name, err);
    if (is_film_alone(first))
        return say_films(input, file, err);
    if (look->header > 0 && given->n == 0 && !tv_header_names_both(first))
        return say_heading(look, first, file->name, err);
    if (look->lists == look->records && look->lists_of_others > 0)
        return say_lists(file, err);
    if (has_blanks(first) && look->fields == 1)
        return say_blanks(first, file->name, err);
    enum tv_status status = tv_header_is(input, file, &look->dialect, &has_header, err);
    if (status != TV_OK)
        return status;
    if (given->n == 0 && look->fields >= MATRIX_FIELDS && look->numbers > 9 * look->not_numbers)
        return say_matrix(look, err);
    if (given->n == 0 && look->actions == look->records)
        return say_actions(err);
    if (given->by_place && has_header)
        return say_places(first, look, given, file->name, err);
    if (has_header || given->n > 0)
        return say_missing(first, look->dialect.separator, given, err);
    if (look->unlike == 0 || is_all_text(first)) {
        tv_fail(err, TV_ERR_INPUT, "it has no header, and no name by which its fields are known (the first line is %s)",
                tv_refusal_fields(first, fields, sizeof fields));
        return hint_at_places(look, first, err);
    }
    tv_fail(err, TV_ERR_INPUT,
            "it has no header, and its first lines are not all user, item, rating and perhaps time: line %lld is not (the "
            "first is %s)",
            look->unlike ? look->first_unlike : first->line, tv_refusal_fields(first, fields, sizeof fields));
    return hint_at_names(err);
}

/* No line is a record. */
static enum tv_status say_nothing(const struct look *look, struct tv_error *err)
{
    if (look->reason == NULL) {
        tv_fail(err, TV_ERR_INPUT, "it is empty");
        return tv_hint(err, "copy or download it once more: whatever wrote it may have ended early");
    }
    tv_fail(err, TV_ERR_INPUT, "none of its first lines is a record: line %lld is refused (%s)", look->line, look->reason);
    return tv_hint(err, "a rating needs a line of its own, of user, item and rating; head -c 200 shows how the file begins");
}

enum tv_status tv_refuse_file(const struct tv_input *input, const struct tv_input_file *file,
                              const struct tv_given *given, struct tv_error *err)
{
    struct look look;
    struct tv_records *records = NULL;
    struct tv_record *first = NULL;
    if (tv_foreign_is(input, file))
        return tv_foreign_refuse(input, file, err);
    enum tv_status status = look_best(&look, input, file, err);
    if (status == TV_OK && look.wide > 0) {
        status = say_wide(err);
        return status == TV_OK ? status : tv_context(err, "%s", file->label);
    }
    if (status == TV_OK && look.records == 0)
        status = say_nothing(&look, err);
    if (status == TV_OK)
        status = open_records(&records, input, file, &look.dialect, err);
    while (status == TV_OK && (status = tv_records_next(records, &first, err)) == TV_OK && first && first->reason)
        ;
    if (status == TV_OK && first)
        status = say(&look, first, given, input, file, err);
    else if (status == TV_OK)
        status = tv_fail(err, TV_ERR_INPUT, "it was changed while it was read");
    tv_records_close(records);
    return tv_context(err, "%s", file->label);
}
