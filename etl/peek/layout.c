/* layout: a record without a header is judged by the form of its fields alone, and strictly, because what shifts by a field
 * would be a wrong rating and not a refused one. */
#include "etl/peek/layout.h"

#include <ctype.h>

#include "trivet/base/code.h"
#include "trivet/read/time.h"

/* No scale reaches it, and no time since 1973 is below it: so the two are not taken for one another. 0 is
 * what some files write for no time. */
#define LEAST_TIME 1e8

int tv_layout_is_rating(const struct tv_field *f)
{
    float value;
    return tv_number_rating(f, &value, NULL) == TV_OK && value < (float)LEAST_TIME && value > -(float)LEAST_TIME;
}

static int is_time(const struct tv_field *f)
{
    float value;
    enum tv_time_form form = tv_time_form_of(f);
    return form == TV_TIME_ABSENT || tv_time_is_date(form) ||
           (form < TV_TIME_TEXT && tv_number_rating(f, &value, NULL) == TV_OK && (value == 0 || value >= (float)LEAST_TIME));
}

static int is_id(const struct tv_field *f)
{
    return tv_code_refusal(f->text, f->n) == NULL;
}

static int is_capitals_and_digits(const struct tv_field *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (!isdigit((unsigned char)f->text[i]) && !isupper((unsigned char)f->text[i]))
            return 0;
    return 1;
}

/* "A3AF8FFZAZYNE5": an A and at least nine more. */
static int is_amazon_user(const struct tv_field *f)
{
    return f->n >= 10 && f->text[0] == 'A' && is_capitals_and_digits(f);
}

/* "B000123456" or a book's number, always of ten. */
static int is_amazon_item(const struct tv_field *f)
{
    return f->n == 10 && (f->text[0] == 'B' || isdigit((unsigned char)f->text[0])) && is_capitals_and_digits(f);
}

int tv_layout_fitting(int layouts, const struct tv_record *record)
{
    const struct tv_field *f = record->fields;
    if (record->reason || record->n < 3 || record->n > 4 || !is_id(&f[0]) || !is_id(&f[1]) || !tv_layout_is_rating(&f[2]) ||
        (record->n == 4 && !is_time(&f[3])))
        return 0;
    if (!is_amazon_user(&f[0]) || !is_amazon_item(&f[1]))
        layouts &= ~TV_LAYOUT_AMAZON;
    if (!is_amazon_item(&f[0]) || !is_amazon_user(&f[1]))
        layouts &= ~TV_LAYOUT_AMAZON_ITEM_FIRST;
    return layouts;
}

const char *tv_layout_columns(int layouts, int n, struct tv_columns *columns)
{
    static const enum tv_column user_first[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING, TV_COLUMN_TIME},
                                item_first[] = {TV_COLUMN_ITEM, TV_COLUMN_USER, TV_COLUMN_RATING, TV_COLUMN_TIME};
    int swapped = (layouts & TV_LAYOUT_AMAZON_ITEM_FIRST) != 0;
    tv_columns_in_order(columns, swapped ? item_first : user_first, n, n);
    if (swapped)
        return n == 4 ? "item, user, rating, time" : "item, user, rating";
    return n == 4 ? "user, item, rating, time" : "user, item, rating";
}
