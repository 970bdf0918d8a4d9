/* ids: whether ids are numbers or text, and how the numbers are written. */
#include <string.h>
#include <strings.h>

#include "etl/detect/understand.h"
#include "trivet/base/text.h"

static const enum tv_column of_kind[TV_CODE_KINDS] = {[TV_CODE_USER] = TV_COLUMN_USER, [TV_CODE_ITEM] = TV_COLUMN_ITEM};

/* Whether the file's numbers have decimal commas, or decimal points, as --decimal or its values say. */
static int has_decimal(const struct tv_looking *l, const char *sign)
{
    const struct tv_found *found = l->found;
    const struct tv_sample_column *ratings = tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_RATING),
                                  *plays = tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_PLAYS);
    const struct tv_sample_column *values = ratings ? ratings : plays;
    const char *decimal = l->choices->decimal ? l->choices->decimal : "auto";
    int comma = strcmp(sign, "comma") == 0;
    if (strcmp(decimal, "auto") != 0)
        return strcmp(decimal, sign) == 0;
    if (comma)
        return found->forms.value == TV_NUMBER_DECIMAL_COMMA || found->forms.value == TV_NUMBER_POINT_GROUPS;
    return values && values->fractions > 0 && found->forms.value != TV_NUMBER_DECIMAL_COMMA;
}

/* How the numbers of a column of ids are written. Points divide thousands where no id and no rating says otherwise, and one shows it:
 * nobody writes 1.000 for 1 beside 2 and 3, and beside ratings with decimal commas 1.001 is no whole number else. Where all ids have a point
 * and three digits, those with three zeros are whole numbers with a fraction; all others may be numbers of articles, which are text.
 * Beside ratings with decimal commas nobody knows of three zeros, and *doubt is 1. */
static enum tv_id_form id_form_of(const struct tv_looking *l, const struct tv_sample_column *c, int *doubt)
{
    int comma = l->comma, point = l->point;
    long long by_commas = c->commas[TV_NUMBER_GROUPS] + c->commas[TV_NUMBER_EITHER], by_points = c->grouped + c->point_groups;
    *doubt = 0;
    if (by_commas > 0) {
        *doubt = comma && 2 * by_commas > c->n;
        return comma || c->commas[TV_NUMBER_DECIMAL] > 0 ? TV_ID_CLEAR : TV_ID_COMMA_GROUPS;
    }
    int shown = c->point_groups + c->pointless > 0 || (comma && c->uneven > 0);
    int may_be = !point && c->fractions == 0 && c->long_ones == 0 && (comma || strcmp(l->found->dialect.separator, ";") == 0);
    if (by_points > 0 && may_be && shown)
        return TV_ID_POINT_GROUPS;
    int decimal = point || c->fractions > 0 || c->long_ones > 0; /* and so no point divides thousands */
    if (by_points > 0 && !comma && c->point_groups == 0 && (decimal || c->pointless + c->uneven == 0))
        return TV_ID_FRACTIONS;
    *doubt = 2 * by_points > c->n;
    return TV_ID_CLEAR;
}

static enum tv_status refuse_doubtful(const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s, which could be thousands or a fraction, and nothing that shows "
                               "which", c->name, tv_columns_word(meaning), c->either);
    return tv_hint(err, "write them without that sign; --ids codes takes all ids as text, as they stand there");
}

/* Book numbers are text, though most of them look like integers: a zero in front counts, and some end in X. */
static int is_text_by_name(const struct tv_sample_column *c)
{
    return strcasecmp(c->name, "isbn") == 0 || strcasecmp(c->name, "asin") == 0 || strcasecmp(c->name, "parent_asin") == 0;
}

/* With "auto" more than half of the ids must be text: a few damaged ids among integers must be refused as such, and not turn
 * a set of numbers into one of codes. Where they are neither few nor most, nobody but the user knows. */
enum tv_status tv_understand_ids(struct tv_looking *l, enum tv_code_kind kind, struct tv_error *err)
{
    enum { MANY = 20, ONE_IN = 50 };
    const struct tv_sample_column *c = tv_sample_of(l->sample, &l->found->columns, of_kind[kind]);
    const char *choice = l->choices->ids;
    struct tv_set *set = l->set;
    char n[32], rows[32];
    if (c == NULL)
        return TV_OK;
    if (2 * c->quoted_inside > set->n_sampled) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s, whose quotes would be part of them", c->name,
                tv_columns_word(of_kind[kind]), c->odd);
        return tv_hint(err, "take out what stands before the quotes: sed -E 's/(^|,)[ =]+\"/\\1\"/g'");
    }
    if (2 * c->single_quoted > set->n_sampled) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s, whose quotes would be part of them", c->name,
                tv_columns_word(of_kind[kind]), c->odd);
        return tv_hint(err, "write double quotes, or none: tr -d \"'\" takes all out");
    }
    if (ONE_IN * c->not_utf8 > set->n_sampled && 2 * (c->not_utf8 + c->texts) > set->n_sampled) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids that are no UTF-8, such as \"%s\"", c->name,
                tv_columns_word(of_kind[kind]), c->first_not_utf8);
        return tv_hint(err, "write the file as UTF-8: iconv -f ISO-8859-1 -t UTF-8, or from whatever encoding it has");
    }
    if (2 * c->rounded > set->n_sampled) {
        const struct tv_field rounded = {c->first_rounded, strlen(c->first_rounded)};
        int is_fraction = tv_number_has_lost_digits(&rounded);
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s: %s has rounded them, and different ones have become "
                                   "the same", c->name, tv_columns_word(of_kind[kind]), c->first_rounded,
                is_fraction ? "a program that took them for fractions" : "a spreadsheet");
        return tv_hint(err, is_fraction ? "write the ids as whole numbers or text where the file is made: dtype=\"Int64\" in pandas"
                                        : "load the file as it was before a spreadsheet saved it");
    }
    int doubt;
    l->comma = has_decimal(l, "comma");
    l->point = has_decimal(l, "point");
    l->found->forms.ids[kind] = id_form_of(l, c, &doubt);
    long long texts = c->texts - (l->found->forms.ids[kind] == TV_ID_POINT_GROUPS ? c->point_texts : 0);
    int by_name = (is_text_by_name(c) && texts + c->zero_led > 0) || (kind == TV_CODE_ITEM && l->found->text_items);
    int is_auto = strcmp(choice, "auto") == 0;
    set->n_texts[kind] = texts;
    set->codes[kind] = strcmp(choice, "codes") == 0 || (is_auto && (by_name || 2 * texts > set->n_sampled));
    if (!set->codes[kind] && doubt)
        return refuse_doubtful(c, of_kind[kind], err);
    if (!is_auto || set->codes[kind] || texts < MANY || ONE_IN * texts < set->n_sampled)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "in the column %s, the %s, %s of the first %s ids are no integers, such as \"%s\"", c->name,
            tv_columns_word(of_kind[kind]), tv_text_number(n, texts), tv_text_number(rows, set->n_sampled), c->odd[0] ? c->odd : c->either);
    return tv_hint(err, "--ids codes takes all of them as text, --ids numbers refuses the lines with these");
}

void tv_understand_ids_beside(struct tv_looking *l, enum tv_code_kind kind)
{
    const struct tv_sample_column *c = tv_sample_of(l->sample, &l->found->columns, of_kind[kind]);
    int doubt, is_signed = c && c->commas[TV_NUMBER_GROUPS] + c->commas[TV_NUMBER_EITHER] + c->grouped + c->point_groups > 0;
    l->found->forms.ids[kind] = is_signed ? id_form_of(l, c, &doubt) : l->set->chosen[TV_ROLE_RATINGS].forms.ids[kind];
}
