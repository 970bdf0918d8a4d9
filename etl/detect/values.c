/* values: how ratings and counts of plays are written, and which values are none. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etl/detect/kinds.h"
#include "etl/detect/understand.h"
#include "trivet/base/shell.h"
#include "trivet/base/text.h"

/* --- numbers ---------------------------------------------------------------------------------------------------- */

/* What --decimal says: the form of a column that has any sign of it, or may have one behind the first lines. */
static enum tv_number_form form_given(const struct tv_looking *l, const struct tv_sample_column *c, const char *decimal)
{
    int is_plain = l->sample->rows < TV_SAMPLE_ROWS && c->numbers == c->n && (strcmp(decimal, "point") == 0 || c->fractions + c->grouped == 0);
    return is_plain ? TV_NUMBER_PLAIN : strcmp(decimal, "comma") == 0 ? TV_NUMBER_POINT_GROUPS : TV_NUMBER_THOUSANDS;
}

/* The form that the values with commas have, but for a few that are damaged; TV_NUMBER_PLAIN where there are none, or they do not agree.
 * Between commas as separators only quoted fields have any, and there a comma divides thousands. */
static enum tv_number_form form_of(const struct tv_looking *l, const struct tv_sample_column *c)
{
    enum { ONE_IN = 50 };
    const long long *n = c->commas;
    int decimal = strcmp(l->found->dialect.separator, ",") != 0;
    if (c->point_groups > 0 && c->fractions == 0 && n[TV_NUMBER_GROUPS] == 0)
        return TV_NUMBER_POINT_GROUPS;
    if (n[TV_NUMBER_GROUPS] + n[TV_NUMBER_DECIMAL] + n[TV_NUMBER_EITHER] == 0)
        return TV_NUMBER_PLAIN;
    if (n[TV_NUMBER_DECIMAL] == 0 || n[TV_NUMBER_GROUPS] > ONE_IN * n[TV_NUMBER_DECIMAL])
        return TV_NUMBER_THOUSANDS;
    return decimal && ONE_IN * n[TV_NUMBER_GROUPS] < n[TV_NUMBER_DECIMAL] ? TV_NUMBER_DECIMAL_COMMA : TV_NUMBER_PLAIN;
}

/* Whether values such as 1.234 are to be refused: others show that points divide thousands, and yet others that they do not; or the first
 * lines had no point at all, and are not the whole file. A rating between commas is one of English hands. */
static int has_clear_points(const struct tv_looking *l, const struct tv_sample_column *c, enum tv_column meaning)
{
    if (c->point_groups > 0)
        return l->found->forms.value != TV_NUMBER_POINT_GROUPS;
    int is_english = meaning == TV_COLUMN_RATING && strcmp(l->found->dialect.separator, ",") == 0;
    return l->sample->rows == TV_SAMPLE_ROWS && c->fractions + c->grouped == 0 && !is_english &&
           (l->found->forms.value == TV_NUMBER_PLAIN);
}

static long long readable(const struct tv_sample_column *c, enum tv_number_form form)
{
    const long long *n = c->commas;
    if (form == TV_NUMBER_PLAIN)
        return c->numbers;
    if (form == TV_NUMBER_THOUSANDS)
        return c->numbers + n[TV_NUMBER_EITHER] + n[TV_NUMBER_GROUPS];
    if (form == TV_NUMBER_DECIMAL_COMMA)
        return c->numbers - c->grouped + n[TV_NUMBER_EITHER] + n[TV_NUMBER_DECIMAL];
    return c->numbers - c->fractions + c->point_groups + n[TV_NUMBER_EITHER] + n[TV_NUMBER_DECIMAL];
}

/* Whether each sign in the column could divide thousands or stand before a fraction. Of ratings with points, and of counts with commas,
 * nobody thinks so: 4.125 is a rating, 1,234 a count. Where commas divide the fields, a comma in quotes divides thousands. */
static int is_ambiguous(const struct tv_looking *l, const struct tv_sample_column *c, enum tv_column meaning)
{
    const long long *n = c->commas;
    if (n[TV_NUMBER_GROUPS] + n[TV_NUMBER_DECIMAL] + n[TV_NUMBER_NEITHER] + c->point_groups + c->fractions > 0)
        return 0;
    if (meaning == TV_COLUMN_RATING)
        return n[TV_NUMBER_EITHER] > 0 && strcmp(l->found->dialect.separator, ",") != 0;
    return c->grouped > 0 && n[TV_NUMBER_EITHER] == 0 && strcmp(l->found->dialect.separator, ",") != 0;
}

/* Only the user knows. */
static enum tv_status refuse_ambiguous(const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    const struct tv_field value = {c->either, strlen(c->either)};
    const enum tv_number_form forms[2] = {TV_NUMBER_POINT_GROUPS, TV_NUMBER_THOUSANDS};
    char texts[2][TV_NUMBER_MAX_TEXT];
    for (int i = 0; i < 2; i++) {
        struct tv_field plain;
        char out[TV_NUMBER_MAX_TEXT];
        tv_text_copy(texts[i], sizeof texts[i], c->either);
        if (tv_number_plain(forms[i], &value, out, sizeof out, &plain))
            snprintf(texts[i], sizeof texts[i], "%.*s", (int)plain.n, plain.text);
    }
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds numbers such as %s, which could be %s or %s, and no value that shows which",
            c->name, tv_columns_word(meaning), c->either, texts[0], texts[1]);
    return tv_hint(err, "--decimal comma takes it as %s, --decimal point as %s", texts[0], texts[1]);
}

/* No value stands in the first lines. They are not the whole file where it is longer than what is looked at. */
static enum tv_status refuse_empty(struct tv_looking *l, const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    char lines[64], with[200];
    if (c->absent == 0 || strcmp(l->choices->unrated, "plays") == 0 ||
        (strcmp(l->choices->unrated, "drop") == 0 && l->sample->rows == TV_SAMPLE_ROWS))
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, is empty in all of the first %s", c->name, tv_columns_word(meaning),
            tv_text_count(lines, l->sample->rows, "line"));
    return tv_hint(err, "--columns %s takes each line as one play%s", tv_given_with(l->given, TV_COLUMN_RATING, "none", with, sizeof with),
                   l->sample->rows == TV_SAMPLE_ROWS ? "; where later lines have one, --unrated drop leaves those without out" : "");
}

/* Most values are no numbers, as they are read. */
static enum tv_status refuse_values(struct tv_looking *l, const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    char all[200], with[200];
    const char *decimal = l->choices->decimal ? l->choices->decimal : "auto";
    int by_comma = 2 * readable(c, TV_NUMBER_POINT_GROUPS) > c->n, by_point = 2 * readable(c, TV_NUMBER_THOUSANDS) > c->n;
    int point = strcmp(decimal, "point") == 0;
    if ((point && by_comma) || (strcmp(decimal, "comma") == 0 && by_point)) {
        const char *value = point ? (c->by_comma[0] ? c->by_comma : c->either) : c->fraction[0] ? c->fraction : c->divided;
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds numbers such as %s, which --decimal %s does not read", c->name,
                tv_columns_word(meaning), value, decimal);
        return tv_hint(err, "leave --decimal out, or say --decimal %s", point ? "comma" : "point");
    }
    if (c->by_comma[0] && (c->divided[0] || c->grouped > 0) && by_comma + by_point > 0) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds numbers such as %s and such as %s, of which no two can be read in one way",
                c->name, tv_columns_word(meaning), c->by_comma, c->divided[0] ? c->divided : c->either);
        return tv_hint(err, "--decimal comma takes commas as decimal ones and points as those between thousands, --decimal point the other "
                            "way round, and refuses the lines that cannot be read so");
    }
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds no numbers in most lines, but such as \"%s\"", c->name,
            tv_columns_word(meaning), c->odd[0] ? c->odd : c->by_comma[0] ? c->by_comma : c->either);
    if (2 * readable(c, TV_NUMBER_DECIMAL_COMMA) > c->n && strcmp(decimal, "comma") != 0)
        return tv_hint(err, "--decimal comma takes the commas as decimal ones");
    return tv_hint(err, "write numbers in their place, or say which column it is, of %s: --columns %s; rating=none takes each line as one play",
                   tv_sample_names(l->sample, all, sizeof all), tv_given_with(l->given, meaning, "NAME", with, sizeof with));
}

/* The rating, or the count of plays: most of its values must be numbers. */
enum tv_status tv_understand_value(struct tv_looking *l, enum tv_column meaning, struct tv_error *err)
{
    const struct tv_sample_column *c = tv_sample_of(l->sample, &l->found->columns, meaning);
    if (c == NULL)
        return TV_OK;
    const char *decimal = l->choices->decimal ? l->choices->decimal : "auto";
    int is_given = strcmp(decimal, "auto") != 0;
    if (!is_given && is_ambiguous(l, c, meaning))
        return refuse_ambiguous(c, meaning, err);
    struct tv_forms *forms = &l->found->forms;
    forms->value = is_given ? form_given(l, c, decimal) : form_of(l, c);
    forms->clear_points = !is_given && has_clear_points(l, c, meaning);
    if (!is_given && forms->value == TV_NUMBER_THOUSANDS && c->commas[TV_NUMBER_GROUPS] == 0 && strcmp(l->found->dialect.separator, ",") != 0)
        tv_text_copy(forms->either, sizeof forms->either, c->either);
    if (c->n == 0)
        return refuse_empty(l, c, meaning, err);
    return 2 * readable(c, forms->value) > c->n ? TV_OK : refuse_values(l, c, meaning, err);
}

/* --- values that are none --------------------------------------------------------------------------------------- */

/* A table without a rating is one of plays only if nothing in it could be the rating. */
enum tv_status tv_understand_rest(struct tv_looking *l, struct tv_error *err)
{
    const struct tv_columns *columns = &l->found->columns;
    char all[320], with[320], word[320];
    if (columns->at[TV_COLUMN_RATING] >= 0 || columns->at[TV_COLUMN_PLAYS] >= 0 || l->given->no_rating)
        return TV_OK;
    for (int i = 0; i < l->sample->n; i++) {
        const struct tv_sample_column *c = &l->sample->columns[i];
        struct tv_field name = {c->name, strlen(c->name)};
        int beside = 0, is_known = tv_columns_of_name(&name, &beside) != TV_COLUMN_NONE || beside;
        size_t plain = strcspn(c->name, ":");
        int is_id = plain > 2 && strncasecmp(c->name + plain - 2, "id", 2) == 0;
        int has_meaning = tv_columns_meaning(columns, i) != TV_COLUMN_NONE;
        if (has_meaning || is_known || is_id || 2 * (tv_sample_numbers(c) + c->marks) <= c->n || c->n == 0)
            continue;
        if (tv_columns_names_kind(&name)) {
            tv_fail(err, TV_ERR_INPUT, "it has the columns %s; none is known to be the rating, and %s could be it, or the kind of each line's "
                                       "event", tv_sample_names(l->sample, all, sizeof all), c->name);
            return tv_hint(err, "--columns %s takes each line as one play, of whatever kind; rating=NAME says which column is the rating",
                           tv_given_with(l->given, TV_COLUMN_RATING, "none", with, sizeof with));
        }
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s; none is known to be the rating, and %s could be it",
                tv_sample_names(l->sample, all, sizeof all), c->name);
        return tv_hint(err, "say which is: --columns %s (or plays=%s), with values that are numbers; rating=none takes each line as "
                            "one play",
                       tv_given_with(l->given, TV_COLUMN_RATING, c->name, with, sizeof with), tv_shell_word(word, sizeof word, c->name));
    }
    return TV_OK;
}

static int has_column(const struct tv_looking *l, const char *name)
{
    for (int i = 0; i < l->sample->n; i++)
        if (strcasecmp(l->sample->columns[i].name, name) == 0)
            return 1;
    return 0;
}

/* Whether 0 is said of what nobody rated: Book-Crossing's word for seen, Anime's of later years, Goodreads', and Food.com's of reviews
 * without stars. */
static int zero_is_unrated(const struct tv_looking *l, const struct tv_sample_column *rating)
{
    const struct tv_sample_column *item = tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_ITEM);
    return rating->low >= 1 && (strcasecmp(rating->name, "Book-Rating") == 0 || strcasecmp(rating->name, "book_rating") == 0 ||
                                has_column(l, "is_read") ||
                                (item && (strcasecmp(item->name, "anime_id") == 0 || strcasecmp(item->name, "recipe_id") == 0)));
}

/* Each line is one play, whatever its rating says. */
static enum tv_status take_as_plays(struct tv_looking *l)
{
    l->found->columns.at[TV_COLUMN_RATING] = -1;
    l->found->kind = &tv_kind_given_plays;
    l->set->counts = 1;
    return TV_OK;
}

/* Values that say that there is no rating: what becomes of their lines has to be said. On a scale of -1 and 1 they say
 * something else. */
enum tv_status tv_understand_unrated(struct tv_looking *l, struct tv_error *err)
{
    const struct tv_sample_column *c = tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_RATING);
    const char *choice = l->choices->unrated;
    char low[TV_TEXT_FLOAT], high[TV_TEXT_FLOAT];
    char n[64];
    l->found->forms.absent_left_out = strcmp(choice, "drop") == 0;
    int has_others = c && c->low <= c->high;
    if (c == NULL || strcmp(choice, "keep") == 0)
        return TV_OK;
    if (strcmp(choice, "plays") == 0)
        return take_as_plays(l);
    if (has_others && (c->low < 0 || c->high <= 1))
        return TV_OK;
    int zero = zero_is_unrated(l, c) && c->minus_one == 0;
    long long unrated = zero ? c->zero : c->minus_one;
    char rows[64];
    struct tv_forms *forms = &l->found->forms;
    if (strcmp(choice, "drop") == 0) {
        forms->unrated = TV_UNRATED_LEFT_OUT;
        forms->unrated_value = zero ? 0 : -1;
        return TV_OK;
    }
    if (unrated == 0) {
        forms->unrated = l->sample->rows == TV_SAMPLE_ROWS ? TV_UNRATED_REFUSED : TV_UNRATED_IS_RATING;
        forms->unrated_value = zero ? 0 : -1;
        return TV_OK;
    }
    if (has_others)
        tv_fail(err, TV_ERR_INPUT, "in the column %s %s %d, which is no rating like the others (%s to %s)", c->name,
                tv_text_are(n, unrated, "value"), zero ? 0 : -1, tv_text_float(low, c->low), tv_text_float(high, c->high));
    else
        tv_fail(err, TV_ERR_INPUT, "in the column %s %s %d, which says that there is no rating, and no other is among the first %s", c->name,
                tv_text_are(n, unrated, "value"), zero ? 0 : -1, tv_text_count(rows, l->sample->rows, "line"));
    return tv_hint(err, "--unrated drop leaves these lines out, --unrated plays takes every line of the file as one play, "
                        "--unrated keep takes %d as a rating", zero ? 0 : -1);
}
