/* given: a division of ratings that others have published: a file to learn from, and one to judge on. It is read
 * here and not loaded into Postgres, so that two such files can be compared with published numbers whatever a
 * database holds.
 */
#include "train/judge/given.h"

#include <inttypes.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/cli/interrupt.h"
#include "trivet/read/columns.h"
#include "trivet/read/input.h"
#include "trivet/read/number.h"
#include "trivet/read/record.h"

/* One rating as it was read. */
struct row {
    int64_t user, item;
    float value;
    uint8_t portion;
    size_t place; /* in the order of reading */
};

/* The ratings of both files, gathered before they are sorted by pair. */
struct rows {
    struct row *row; /* (n) */
    size_t n, capacity;
};

/* --- one file ---------------------------------------------------------------------------------------------------- */

/* Keeps a row; its place settles the order of rows of the same pair. */
static enum tv_status add(struct rows *rows, const struct row *row, struct tv_error *err)
{
    if (rows->n == rows->capacity) {
        size_t capacity = rows->capacity ? 2 * rows->capacity : 16384;
        struct row *grown = realloc(rows->row, capacity * sizeof *grown);
        if (grown == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for %zu ratings", capacity);
        rows->row = grown;
        rows->capacity = capacity;
    }
    rows->row[rows->n] = *row;
    rows->row[rows->n].place = rows->n;
    rows->n++;
    return TV_OK;
}

/* TV_ERR_RECORD: the record is no rating. */
static enum tv_status parse(struct row *row, const struct tv_columns *c, const struct tv_record *record,
                            struct tv_error *err)
{
    if (record->reason)
        return tv_fail(err, TV_ERR_RECORD, "%s", record->reason);
    if (record->n < c->least)
        return tv_fail(err, TV_ERR_RECORD, "wrong number of fields");
    enum tv_status status = tv_number_id_written(TV_ID_CLEAR, &record->fields[c->at[TV_COLUMN_USER]], &row->user, err);
    if (status == TV_OK)
        status = tv_number_id_written(TV_ID_CLEAR, &record->fields[c->at[TV_COLUMN_ITEM]], &row->item, err);
    return status == TV_OK ? tv_number_rating(&record->fields[c->at[TV_COLUMN_RATING]], &row->value, err) : status;
}

/* How a file is written. */
struct layout {
    struct tv_dialect dialect;
    struct tv_columns columns;
    int has_header;
};

/* Finds out from the first record where user, item and rating stand: a header names them, a rating has them first.
 * 0 if the record is neither. */
static int understand(struct layout *l, const struct tv_record *first)
{
    struct row row;
    tv_columns_from_header(&l->columns, first);
    l->has_header = tv_columns_have(&l->columns, TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING) &&
                    l->columns.rival[TV_COLUMN_USER] < 0 && l->columns.rival[TV_COLUMN_ITEM] < 0;
    if (l->has_header)
        return 1;
    l->columns.least = 3;
    l->columns.at[TV_COLUMN_USER] = 0;
    l->columns.at[TV_COLUMN_ITEM] = 1;
    l->columns.at[TV_COLUMN_RATING] = 2;
    return parse(&row, &l->columns, first, NULL) == TV_OK;
}

/* On success the records own the source. */
static enum tv_status open_records(struct tv_records **out, const struct tv_input *input,
                                   const struct tv_dialect *dialect, struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    enum tv_status status = tv_byte_source_open(&source, input, &input->files[0], err);
    return status == TV_OK ? tv_records_open(out, source, dialect, err) : status;
}

/* Finds the first separator with which the first record makes sense. */
static enum tv_status find_layout(struct layout *l, const struct tv_input *input, struct tv_error *err)
{
    static const struct tv_dialect dialects[] = {{"\t", 0}, {"::", 0}, {",", 1}, {";", 1}};
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        struct tv_records *records = NULL;
        struct tv_record *first = NULL;
        l->dialect = dialects[i];
        enum tv_status status = open_records(&records, input, &l->dialect, err);
        if (status == TV_OK)
            status = tv_records_next(records, &first, err);
        int fits = status == TV_OK && first && first->reason == NULL && understand(l, first);
        tv_records_close(records);
        if (status != TV_OK || fits)
            return status;
    }
    tv_fail(err, TV_ERR_INPUT, "the first line of %s is no rating", input->path);
    return tv_hint(err, "a line has user, item and rating, divided by tab, \"::\", comma or semicolon; or a header names them");
}

/* All ratings of a file. The first line that is none ends the command: a published split with lines missing would
 * not be that split. */
static enum tv_status take_records(struct rows *rows, const struct tv_input *input, uint8_t portion,
                                   const struct layout *l, struct tv_records *records, struct tv_error *err)
{
    for (int header = l->has_header;; header = 0) {
        struct tv_record *record;
        struct row row = {.portion = portion};
        enum tv_status status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            return status;
        if (header)
            continue;
        struct tv_error why;
        if (parse(&row, &l->columns, record, &why) != TV_OK)
            return tv_fail(err, TV_ERR_INPUT, "%s, line %lld: %s", input->path, record->line, why.message);
        status = tv_interrupted() ? tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while reading %s", input->path)
                                  : add(rows, &row, err);
        if (status != TV_OK)
            return status;
    }
}

/* One file, alone or in an archive, whatever its name. */
static enum tv_status read_file(struct rows *rows, const char *path, uint8_t portion, struct tv_error *err)
{
    struct tv_input *input = NULL;
    struct tv_records *records = NULL;
    struct layout layout;
    enum tv_status status = tv_input_open(&input, path, err);
    if (status == TV_OK && input->n_files != 1) {
        tv_fail(err, TV_ERR_INPUT, "%s holds %zu files", path, input->n_files);
        status = tv_hint(err, "name the one with the ratings");
    }
    if (status == TV_OK)
        status = find_layout(&layout, input, err);
    if (status == TV_OK)
        status = open_records(&records, input, &layout.dialect, err);
    if (status == TV_OK)
        status = take_records(rows, input, portion, &layout, records, err);
    tv_records_close(records);
    tv_input_close(input);
    return status;
}

/* --- both -------------------------------------------------------------------------------------------------------- */

/* By user and item, and then in the order of reading. */
static int by_pair(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    if (a->user != b->user)
        return a->user < b->user ? -1 : 1;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static int same_pair(const struct row *a, const struct row *b)
{
    return a->user == b->user && a->item == b->item;
}

/* Refuses two files that share a pair. After sorting, the rows of a pair stand together, those of the training file
 * first, so neighbours of different portions are enough to look at. */
static enum tv_status refuse_leak(const struct rows *rows, const char *training, const char *test, struct tv_error *err)
{
    size_t leaks = 0, first = 0;
    for (size_t i = 1; i < rows->n; i++)
        if (same_pair(&rows->row[i - 1], &rows->row[i]) && rows->row[i - 1].portion != rows->row[i].portion &&
            leaks++ == 0)
            first = i;
    if (leaks == 0)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "%zu pairs stand in both %s and %s, the first that of user %" PRId64 " and item %" PRId64, leaks,
            training, test, rows->row[first].user, rows->row[first].item);
    return tv_hint(err, "a model is not judged on ratings it has learned: take them out of one of the files");
}

/* Rows come by pair, so each begins a new pair or adds to the mean of the last. A pair lies in one portion, because
 * refuse_leak was asked before. */
static enum tv_status gather(struct tv_evidence *all, struct tv_split *split, const struct rows *rows, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    split->portion = tv_alloc(rows->n, sizeof *split->portion, "a split", err);
    if (split->portion == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < rows->n && status == TV_OK; i++) {
        const struct row *row = &rows->row[i];
        status = tv_evidence_add(all, row->user, row->item, row->value, err);
        if (status == TV_OK && (i == 0 || !same_pair(&rows->row[i - 1], row))) {
            split->portion[all->n_pairs - 1] = row->portion;
            split->n[row->portion]++;
        }
    }
    return status;
}

/* A file with nothing but a header is read without an error, and refused here. */
static enum tv_status refuse_empty(const struct tv_split *split, const char *training, const char *test,
                                   struct tv_error *err)
{
    if (split->n[TV_TRAINING] > 0 && split->n[TV_TEST] > 0)
        return TV_OK;
    return tv_fail(err, TV_ERR_INPUT, "%s holds no ratings", split->n[TV_TRAINING] == 0 ? training : test);
}

/* The rows of both files are sorted together, so that a pair that is in both stands in neighbouring rows. */
enum tv_status tv_given_read(struct tv_evidence *all, struct tv_split *split, const char *training, const char *test,
                             struct tv_error *err)
{
    struct rows rows = {0};
    *all = (struct tv_evidence)TV_EVIDENCE_INIT;
    *split = (struct tv_split){0};
    enum tv_status status = read_file(&rows, training, TV_TRAINING, err);
    if (status == TV_OK)
        status = read_file(&rows, test, TV_TEST, err);
    if (rows.n > 0)
        qsort(rows.row, rows.n, sizeof *rows.row, by_pair);
    if (status == TV_OK)
        status = refuse_leak(&rows, training, test, err);
    if (status == TV_OK)
        status = gather(all, split, &rows, err);
    if (status == TV_OK)
        status = refuse_empty(split, training, test, err);
    free(rows.row);
    if (status != TV_OK) {
        tv_evidence_free(all);
        tv_split_free(split);
    }
    return status;
}
