/* given: --columns is read strictly, because a slip in it would be a wrong column. */
#include "etl/detect/given.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/text.h"

static const enum tv_column meanings[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING, TV_COLUMN_PLAYS,
                                          TV_COLUMN_TIME};
enum { N_MEANINGS = sizeof meanings / sizeof *meanings };

static unsigned wrong(struct tv_error *err, const char *what, const char *value)
{
    tv_fail(err, TV_ERR_USAGE, "--columns %s: %s", value, what);
    tv_about(err, "columns");
    return tv_hint(err, "for example --columns user=uid,item=sku,rating=points,time=day; in a file without a header "
                        "user=1,item=2,rating=3; rating=none or time=none where there is no such column");
}

/* The meaning of a word, TV_COLUMN_NONE for none. */
static enum tv_column meaning_of(const char *word, size_t n)
{
    for (int i = 0; i < N_MEANINGS; i++)
        if (strlen(tv_columns_word(meanings[i])) == n && strncmp(tv_columns_word(meanings[i]), word, n) == 0)
            return meanings[i];
    return TV_COLUMN_NONE;
}

/* Only a whole number from 1 on is a place. */
static int place_of(const char *name)
{
    int64_t place;
    return tv_text_int64(name, strlen(name), &place) && place >= 1 && place <= TV_RECORD_MAX_FIELDS ? (int)place : 0;
}

/* One "meaning=column" of n bytes. */
static enum tv_status parse_one(struct tv_given *given, const char *text, size_t n, const char *all, struct tv_error *err)
{
    struct tv_given_column column = {.place = 0};
    const char *equals = memchr(text, '=', n);
    size_t size = equals ? n - (size_t)(equals - text) - 1 : 0;
    if (equals == NULL || size == 0 || size >= sizeof column.name)
        return wrong(err, "a part of it is not of the form user=COLUMN", all);
    column.meaning = meaning_of(text, (size_t)(equals - text));
    if (column.meaning == TV_COLUMN_NONE)
        return wrong(err, "known are user, item, rating, plays and time", all);
    memcpy(column.name, equals + 1, size);
    column.none = strcmp(column.name, "none") == 0;
    column.place = place_of(column.name);
    if (column.none && (column.meaning == TV_COLUMN_USER || column.meaning == TV_COLUMN_ITEM))
        return wrong(err, "there is no rating without a user and an item", all);
    for (int i = 0; i < given->n; i++)
        if (given->columns[i].meaning == column.meaning)
            return wrong(err, "a meaning stands twice", all);
        else if (!column.none && strcmp(given->columns[i].name, column.name) == 0)
            return wrong(err, "a column has two meanings", all);
    given->columns[given->n++] = column;
    return TV_OK;
}

/* Whether a meaning was given, with a column or with none. */
static const struct tv_given_column *find(const struct tv_given *given, enum tv_column meaning)
{
    for (int i = 0; i < given->n; i++)
        if (given->columns[i].meaning == meaning)
            return &given->columns[i];
    return NULL;
}

/* Numbers are places only where all are: beside a name they are names. Without a header nothing could name the rest. */
static enum tv_status check(struct tv_given *given, const char *all, struct tv_error *err)
{
    const struct tv_given_column *rating = find(given, TV_COLUMN_RATING), *plays = find(given, TV_COLUMN_PLAYS);
    int places = 0, named = 0;
    for (int i = 0; i < given->n; i++) {
        places += given->columns[i].place > 0;
        named += given->columns[i].place == 0 && !given->columns[i].none;
    }
    for (int i = 0; named > 0 && i < given->n; i++)
        given->columns[i].place = 0;
    if (rating && plays && !rating->none && !plays->none)
        return wrong(err, "a value is a rating or a count of plays", all);
    given->by_place = places > 0 && named == 0;
    given->no_rating = rating && rating->none && (plays == NULL || plays->none);
    if (given->by_place && (!find(given, TV_COLUMN_USER) || !find(given, TV_COLUMN_ITEM) || (!rating && !plays)))
        return wrong(err, "without a header user, item and rating (or plays) are all needed", all);
    return TV_OK;
}

enum tv_status tv_given_parse(struct tv_given *given, const char *text, struct tv_error *err)
{
    *given = (struct tv_given){.n = 0};
    if (text == NULL)
        return TV_OK;
    for (const char *p = text;;) {
        size_t n = strcspn(p, ",");
        enum tv_status status = parse_one(given, p, n, text, err);
        if (status != TV_OK)
            return status;
        if (p[n] == '\0')
            return check(given, text, err);
        p += n + 1;
    }
}

/* The column was not found. With many columns a slip in one name is hard to see. */
static void hint_at_nearest(const struct tv_record *header, const char *name, struct tv_error *err)
{
    char names[TV_RECORD_MAX_FIELDS][64];
    const char *list[TV_RECORD_MAX_FIELDS + 1] = {NULL};
    for (int i = 0; i < header->n; i++) {
        size_t n = header->fields[i].n < sizeof names[i] ? header->fields[i].n : sizeof names[i] - 1;
        memcpy(names[i], header->fields[i].text, n);
        names[i][n] = '\0';
        list[i] = names[i];
    }
    const char *nearest = tv_text_nearest(name, list);
    char shown[260];
    if (nearest)
        tv_hint(err, "did you mean %s?", tv_text_printable(shown, sizeof shown, nearest));
    else
        tv_hint(err, "--columns takes the names that stand in the header");
}

/* The field of the header with this name; -1 and an error where there is none, or more than one. */
static int find_name(const struct tv_record *header, const char *name, struct tv_error *err)
{
    int at = -1;
    for (int i = 0; i < header->n; i++) {
        const struct tv_field *f = &header->fields[i];
        if (f->n != strlen(name) || strncasecmp(f->text, name, f->n) != 0)
            continue;
        if (at >= 0) {
            tv_fail(err, TV_ERR_INPUT, "two columns are called %s", name);
            tv_hint(err, "call one of them otherwise in the header");
            return -1;
        }
        at = i;
    }
    if (at < 0) {
        tv_fail(err, TV_ERR_INPUT, "no column is called %s", name);
        hint_at_nearest(header, name, err);
    }
    return at;
}

/* The column is of this meaning and of no other. */
static void settle(struct tv_columns *c, enum tv_column meaning, int at)
{
    for (int i = 0; i < TV_COLUMN_COUNT; i++) {
        if (c->at[i] == at)
            c->at[i] = -1;
        if (c->rival[i] == at)
            c->rival[i] = -1;
    }
    c->at[meaning] = at;
    c->rival[meaning] = -1;
}

enum tv_status tv_given_apply(const struct tv_given *given, const struct tv_record *first, struct tv_columns *columns,
                              struct tv_error *err)
{
    if (given->by_place) {
        tv_columns_in_order(columns, NULL, 0, 0);
        columns->n = columns->least = first->n;
    } else {
        tv_columns_from_header(columns, first);
    }
    for (int i = 0; i < given->n; i++) {
        const struct tv_given_column *g = &given->columns[i];
        int at = g->none ? -1 : g->place > 0 ? g->place - 1 : find_name(first, g->name, err);
        if (!g->none && at < 0)
            return TV_ERR_INPUT;
        if (at >= first->n) {
            tv_fail(err, TV_ERR_INPUT, "column %d of %d was asked for", at + 1, first->n);
            return tv_hint(err, "places are counted from 1 to %d", first->n);
        }
        if (at >= 0)
            settle(columns, g->meaning, at);
        else
            columns->at[g->meaning] = columns->rival[g->meaning] = -1;
    }
    if (given->no_rating || find(given, TV_COLUMN_PLAYS))
        columns->at[TV_COLUMN_RATING] = columns->rival[TV_COLUMN_RATING] = -1;
    if (given->no_rating || (find(given, TV_COLUMN_RATING) && columns->at[TV_COLUMN_RATING] >= 0))
        columns->at[TV_COLUMN_PLAYS] = columns->rival[TV_COLUMN_PLAYS] = -1;
    return TV_OK;
}

/* Appends a text, as far as there is room, with what a quote within a shell's quotes needs. */
static void append(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);
    for (; *text && n + 5 < size; text++)
        n += (size_t)snprintf(out + n, size - n, *text == '\'' ? "'\\''" : "%c", *text);
}

char *tv_given_with(const struct tv_given *given, enum tv_column meaning, const char *name, char *out, size_t size)
{
    int is_value = meaning == TV_COLUMN_RATING || meaning == TV_COLUMN_PLAYS, is_plain = 1;
    char text[8 * 80 + 80] = "";
    size_t n = 0;
    for (int i = 0; i < given->n; i++) {
        const struct tv_given_column *g = &given->columns[i];
        if (g->meaning != meaning && !(is_value && (g->meaning == TV_COLUMN_RATING || g->meaning == TV_COLUMN_PLAYS)))
            n += (size_t)snprintf(text + n, sizeof text - n, "%s=%s,", tv_columns_word(g->meaning), g->name);
    }
    snprintf(text + n, sizeof text - n, "%s=%s", tv_columns_word(meaning), name);
    for (const char *p = text; *p; p++)
        is_plain &= isalnum((unsigned char)*p) || strchr("=,._-+:/@%", *p) != NULL;
    tv_text_copy(out, size, is_plain ? "" : "'");
    append(out, size, text);
    tv_text_end_whole(out, size);
    if (!is_plain)
        snprintf(out + strlen(out), size - strlen(out), "'");
    return out;
}

const char *tv_given_name(const struct tv_given *given, enum tv_column meaning)
{
    const struct tv_given_column *g = find(given, meaning);
    return g && !g->none && g->place == 0 ? g->name : NULL;
}
