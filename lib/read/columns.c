/* columns: header names and what they mean, and the order of fields where there is no header. The names are those of
 * the rating sets that people load: MovieLens, Last.fm, RecBole's files, and the plain words for the same things. */
#include "trivet/read/columns.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Each name by which a header may call a column. */
static const struct {
    const char *name; /* lower case, without "_" */
    enum tv_column column;
} known[] = {
    {"userid", TV_COLUMN_USER},      {"user", TV_COLUMN_USER},        {"movieid", TV_COLUMN_ITEM},
    {"itemid", TV_COLUMN_ITEM},      {"movie", TV_COLUMN_ITEM},       {"item", TV_COLUMN_ITEM},
    {"artistid", TV_COLUMN_ITEM},    {"artist", TV_COLUMN_ITEM},      {"trackid", TV_COLUMN_ITEM},
    {"track", TV_COLUMN_ITEM},       {"songid", TV_COLUMN_ITEM},      {"song", TV_COLUMN_ITEM},
    {"productid", TV_COLUMN_ITEM},   {"product", TV_COLUMN_ITEM},     {"rating", TV_COLUMN_RATING},
    {"value", TV_COLUMN_RATING},     {"score", TV_COLUMN_RATING},     {"plays", TV_COLUMN_PLAYS},
    {"playcount", TV_COLUMN_PLAYS},  {"listencount", TV_COLUMN_PLAYS}, {"count", TV_COLUMN_PLAYS},
    {"weight", TV_COLUMN_PLAYS},     {"timestamp", TV_COLUMN_TIME},   {"time", TV_COLUMN_TIME},
    {"title", TV_COLUMN_TITLE},      {"movietitle", TV_COLUMN_TITLE}, {"name", TV_COLUMN_TITLE},
    {"itemname", TV_COLUMN_TITLE},   {"artistname", TV_COLUMN_TITLE}, {"trackname", TV_COLUMN_TITLE},
    {"songname", TV_COLUMN_TITLE},   {"productname", TV_COLUMN_TITLE}, {"releaseyear", TV_COLUMN_YEAR},
    {"year", TV_COLUMN_YEAR},        {"genres", TV_COLUMN_GENRES},    {"genre", TV_COLUMN_GENRES},
    {"class", TV_COLUMN_GENRES},     {"tag", TV_COLUMN_TAG},          {"imdbid", TV_COLUMN_IMDB},
    {"tmdbid", TV_COLUMN_TMDB},      {"tagvalue", TV_COLUMN_TAG},
};

/* "user_id:token" -> "userid": RecBole puts a type behind each name. Longer names are cut, and match nothing then. */
static void plain_name(char *out, size_t size, const struct tv_field *f)
{
    size_t o = 0;
    for (size_t i = 0; i < f->n && f->text[i] != ':' && o + 1 < size; i++)
        if (f->text[i] != '_' && f->text[i] != ' ')
            out[o++] = (char)tolower((unsigned char)f->text[i]);
    out[o] = '\0';
}

/* The first column of a meaning wins: of "title" and "name" in one header, say, the one that comes first. */
void tv_columns_from_header(struct tv_columns *c, const struct tv_record *header)
{
    for (int i = 0; i < TV_COLUMN_COUNT; i++)
        c->at[i] = -1;
    c->n = c->least = header->n;
    for (int i = 0; i < header->n; i++) {
        char name[64];
        plain_name(name, sizeof name, &header->fields[i]);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (strcmp(known[k].name, name) == 0 && c->at[known[k].column] < 0)
                c->at[known[k].column] = i;
    }
}

void tv_columns_in_order(struct tv_columns *c, const enum tv_column *order, int n, int least)
{
    *c = (struct tv_columns){.n = least == n ? n : 0, .least = least};
    for (int i = 0; i < TV_COLUMN_COUNT; i++)
        c->at[i] = -1;
    for (int i = 0; i < n; i++)
        if (c->at[order[i]] < 0)
            c->at[order[i]] = i;
}

int tv_columns_have(const struct tv_columns *c, enum tv_column a, enum tv_column b, enum tv_column d)
{
    return c->at[a] >= 0 && c->at[b] >= 0 && c->at[d] >= 0;
}

struct tv_field tv_columns_field(const struct tv_columns *c, const struct tv_record *record,
                                 enum tv_column column)
{
    return c->at[column] < 0 || c->at[column] >= record->n ? (struct tv_field){"", 0} : record->fields[c->at[column]];
}

/* For names that the caller knows and that have no meaning here. */
int tv_columns_find(const struct tv_record *header, const char *name)
{
    for (int i = 0; i < header->n; i++)
        if (header->fields[i].n == strlen(name) &&
            strncasecmp(header->fields[i].text, name, header->fields[i].n) == 0)
            return i;
    return -1;
}
