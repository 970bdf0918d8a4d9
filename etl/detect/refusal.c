/* refusal: a file that no kind fits is read once more, by the separator that gives its first line most fields, to say what
 * it is instead. */
#include "etl/detect/refusal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etl/detect/layout.h"
#include "etl/formats/encoding.h"
#include "trivet/base/shell.h"
#include "trivet/base/text.h"

enum { HEAD = 256, SHOWN = 320, MATRIX_FIELDS = 20 };

static int is_number(const struct tv_field *f)
{
    float value;
    return tv_number_rating(f, &value, NULL) == TV_OK;
}

int tv_refusal_is_header(const struct tv_record *record)
{
    for (int i = 0; i < record->n; i++)
        if (is_number(&record->fields[i]) || tv_number_commas(&record->fields[i]) == TV_NUMBER_DECIMAL)
            return 0;
    return record->n > 1;
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

/* --- files that are no tables of text ------------------------------------------------------------------------------ */

/* By their first bytes; "%s" in the hint is the file's name, as a word of a shell: a command has it behind its quotes. */
static const struct foreign {
    const char *magic;
    size_t n;
    const char *what, *hint;
} foreigners[] = {
    {"PAR1", 4, "it is a Parquet file", "make a table of it: python3 -c 'import pandas, sys; pandas.read_parquet(sys.argv[1]).to_csv(\"ratings.csv\", index=False)' %s"},
    {"\xd0\xcf\x11\xe0", 4, "it is a spreadsheet or another document of an office", "open %s in a spreadsheet, and save it as CSV"},
    {"PK\3\4", 4, "it is a spreadsheet", "open %s in a spreadsheet, and save it as CSV"},
    {"\x1f\x8b", 2, "it is packed twice", "unpack %s by hand until it is text: gunzip"},
    {"SQLite format 3", 15, "it is a database of SQLite", "write a table of it: sqlite3 -csv -header %s 'SELECT ...' > ratings.csv"},
    {"\x93NUMPY", 6, "it is an array of numpy", "write %s as a table with the columns user, item and rating"},
    {"{\"", 2, "it is JSON", "make a table of it, with a line for each rating: python3 -c 'import pandas, sys; pandas.read_json(sys.argv[1], lines=True, dtype=False, convert_dates=False).to_csv(\"ratings.csv\", index=False)' %s"},
    {"[[", 2, "it is JSON", "make a table of it, with a line for each rating, and name the columns of user, item and rating: python3 -c 'import pandas, sys; pandas.read_json(sys.argv[1], dtype=False, convert_dates=False).to_csv(\"ratings.csv\", index=False)' %s"},
    {"[{", 2, "it is JSON", "make a table of it, with a line for each rating: python3 -c 'import pandas, sys; pandas.read_json(sys.argv[1], dtype=False, convert_dates=False).to_csv(\"ratings.csv\", index=False)' %s"},
    {"<!DOCTYPE", 9, "it is a web page", "download %s anew: what needs a login is downloaded by hand"},
    {"<html", 5, "it is a web page", "download %s anew: what needs a login is downloaded by hand"},
};

/* Whether the head begins so. Of JSON the blanks and line ends are left out, which may stand before and between its brackets, of a page those
 * before it. */
static int begins_with(const struct foreign *f, const char *head, size_t n)
{
    char packed[HEAD];
    size_t size = 0, skip = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (f->magic[0] == '<')
        while (skip < n && strchr(" \t\r\n", head[skip]) != NULL && head[skip] != '\0')
            skip++;
    if (f->magic[0] == '<')
        return n - skip >= f->n && strncasecmp(head + skip, f->magic, f->n) == 0;
    if (f->magic[0] != '[' && f->magic[0] != '{')
        return n >= f->n && strncasecmp(head, f->magic, f->n) == 0;
    for (size_t i = skip; i < n; i++)
        if (head[i] != ' ' && head[i] != '\t' && head[i] != '\n' && head[i] != '\r')
            packed[size++] = head[i];
    return size >= f->n && memcmp(packed, f->magic, f->n) == 0;
}

/* A file that cannot be read is none; reading it for the refusal tells. */
static const struct foreign *foreign_of(const struct tv_input *input, const struct tv_input_file *file)
{
    struct tv_byte_source *source = NULL;
    char head[HEAD];
    size_t n = 0;
    if (tv_byte_source_open(&source, input, file, NULL) != TV_OK)
        return NULL;
    if (source->read(source, head, sizeof head, &n, NULL) != TV_OK)
        n = 0;
    tv_byte_source_close(source);
    for (size_t i = 0; i < sizeof foreigners / sizeof *foreigners; i++)
        if (begins_with(&foreigners[i], head, n))
            return &foreigners[i];
    return NULL;
}

int tv_refusal_is_foreign(const struct tv_input *input, const struct tv_input_file *file)
{
    return !file->is_archive && foreign_of(input, file) != NULL;
}

static enum tv_status say_foreign(const struct foreign *f, const struct tv_input_file *file, struct tv_error *err)
{
    const char *hole = strstr(f->hint, "%s");
    char name[600];
    tv_fail(err, TV_ERR_INPUT, "%s", f->what);
    tv_hint(err, "%.*s%s%s", (int)(hole - f->hint), f->hint, tv_shell_word(name, sizeof name, file->name), hole + 2);
    return tv_context(err, "%s", file->label);
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
    int actions;              /* records like Steam's: user, game, purchase or play, hours, 0 */
};

static int is_action(const struct tv_record *record)
{
    const struct tv_field *f = &record->fields[2];
    return record->n == 5 && ((f->n == 4 && strncmp(f->text, "play", 4) == 0) ||
                              (f->n == 8 && strncmp(f->text, "purchase", 8) == 0));
}

static void add(struct look *look, const struct tv_record *record)
{
    for (int i = 0; i < record->n && look->records > 0; i++) {
        int number = is_number(&record->fields[i]);
        look->numbers += number;
        look->not_numbers += !number && record->fields[i].n > 0;
    }
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
    if (given->by_place && tv_refusal_is_header(header)) {
        tv_fail(err, TV_ERR_INPUT, "it has a header, %s, so --columns takes names and not places", fields);
        return tv_hint(err, "--columns user=NAME,item=NAME,rating=NAME, with these names");
    }
    if (tv_columns_have(&c, TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING) && strcmp(separator, "::") == 0) {
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s, divided by \"::\", which is looked for in files called ratings*.dat",
                fields);
        return tv_hint(err, "call the file ratings.dat");
    }
    if (say_rivals(&c, header, fields, given, err))
        return TV_ERR_INPUT;
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

static enum tv_status say_films(const char *file, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "a line with an item and a colon stands before the ratings of that item, as in Netflix's set");
    char name[600];
    return tv_hint(err, "make a line of each rating: awk -F, '/:/ { sub(/:.*/, \"\"); item = $1; next } { print $1 \",\" item \",\" $2 "
                        "\",\" $3 }' %s > %s", tv_shell_word(name, sizeof name, file), other_than(file, "ratings.csv", "ratings-lines.csv"));
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

/* Says what the first record tells, now that the lines are counted. */
static enum tv_status say(const struct look *look, const struct tv_record *first, const struct tv_given *given, const char *file,
                          struct tv_error *err)
{
    char fields[SHOWN];
    if (is_comment(first))
        return say_comment(first, file, err);
    if (is_film_alone(first))
        return say_films(file, err);
    if (has_blanks(first) && look->fields == 1)
        return say_blanks(first, file, err);
    if (given->n == 0 && look->fields >= MATRIX_FIELDS && look->numbers > 9 * look->not_numbers)
        return say_matrix(look, err);
    if (given->n == 0 && look->actions == look->records)
        return say_actions(err);
    if (tv_refusal_is_header(first) || given->n > 0)
        return say_missing(first, look->dialect.separator, given, err);
    if (look->unlike == 0) {
        tv_fail(err, TV_ERR_INPUT, "it has no header, and no name by which its fields are known (the first line is %s)",
                tv_refusal_fields(first, fields, sizeof fields));
        return hint_at_names(err);
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
    if (look->reason == NULL)
        return tv_fail(err, TV_ERR_INPUT, "it is empty");
    tv_fail(err, TV_ERR_INPUT, "none of its first lines is a record: line %lld is refused (%s)", look->line, look->reason);
    return tv_hint(err, "a rating needs a line of its own, of user, item and rating; head -c 200 shows how the file begins");
}

enum tv_status tv_refuse_file(const struct tv_input *input, const struct tv_input_file *file,
                              const struct tv_given *given, struct tv_error *err)
{
    struct look look;
    struct tv_records *records = NULL;
    struct tv_record *first = NULL;
    const struct foreign *foreign = foreign_of(input, file);
    if (foreign)
        return say_foreign(foreign, file, err);
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
        status = say(&look, first, given, file->name, err);
    else if (status == TV_OK)
        status = tv_fail(err, TV_ERR_INPUT, "it was changed while it was read");
    tv_records_close(records);
    return tv_context(err, "%s", file->label);
}
