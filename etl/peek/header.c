/* header: a name stands in its column once, a value often again. */
#include "etl/peek/header.h"

#include "etl/peek/layout.h"
#include "trivet/base/hash.h"
#include "trivet/read/time.h"

static int is_number(const struct tv_field *f)
{
    float value;
    return tv_number_rating(f, &value, NULL) == TV_OK || tv_number_commas(f) == TV_NUMBER_DECIMAL;
}

static int is_moment(const struct tv_field *f)
{
    enum tv_time_form form = tv_time_form_of(f);
    return form == TV_TIME_TEXT || tv_time_is_date(form);
}

int tv_header_may_be(const struct tv_record *record)
{
    for (int i = 0; i < record->n; i++)
        if (is_number(&record->fields[i]) || is_moment(&record->fields[i]))
            return 0;
    return record->n > 1;
}

/* How many of the two kinds of ids it names. */
static int ids_named(const struct tv_record *record)
{
    struct tv_columns c;
    tv_columns_from_header(&c, record);
    return (c.at[TV_COLUMN_USER] >= 0) + (c.at[TV_COLUMN_ITEM] >= 0);
}

int tv_header_names_both(const struct tv_record *record)
{
    return record->reason == NULL && ids_named(record) == 2;
}

/* The fields of the first record, to be known again; 0 is one that tells nothing. */
struct first {
    int n;
    uint64_t hashes[TV_RECORD_MAX_FIELDS];
};

static uint64_t hash_of(const struct tv_field *f)
{
    return f->n ? tv_hash(TV_HASH_START, f->text, f->n) | 1 : 0;
}

static void remember(struct first *first, const struct tv_record *record)
{
    first->n = record->n;
    for (int i = 0; i < record->n; i++)
        first->hashes[i] = hash_of(&record->fields[i]);
}

/* Whether some of its fields are the first one's. All are where a header stands twice, in files that were put together. */
static int returns(const struct first *first, const struct tv_record *record)
{
    int same = 0, other = 0;
    for (int i = 0; i < record->n && record->n == first->n; i++) {
        int is_same = first->hashes[i] == hash_of(&record->fields[i]);
        same += is_same && first->hashes[i] != 0;
        other += !is_same;
    }
    return same > 0 && other > 0;
}

enum tv_status tv_header_is(const struct tv_input *input, const struct tv_input_file *file, const struct tv_dialect *dialect, int *yes,
                            struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    struct tv_records *records = NULL;
    struct tv_record *record = NULL;
    struct first first = {.n = 0};
    int is_sure = 0;
    *yes = 0;
    enum tv_status status = tv_byte_source_open(&source, input, file, err);
    if (status == TV_OK)
        status = tv_records_open(&records, source, dialect, err);
    if (status == TV_OK)
        status = tv_records_next(records, &record, err);
    if (status == TV_OK && record && record->reason == NULL) {
        is_sure = ids_named(record) > 0;
        *yes = tv_header_may_be(record) || ids_named(record) == 2; /* pandas calls a column without a name 0 */
        remember(&first, record);
    }
    for (int i = 0; i < TV_LAYOUT_LINES && status == TV_OK && *yes && !is_sure; i++) {
        status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            break;
        *yes = !returns(&first, record);
    }
    tv_records_close(records);
    return status;
}
