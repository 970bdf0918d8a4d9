/* columns: header names and what they mean, and the order of fields where there is no header. The names are those of
 * the rating sets that people load: MovieLens, Last.fm, RecBole's files, Kaggle's, and the plain words for the same things. */
#include "trivet/read/columns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/hash.h"

/* A name by which a header may call a column. */
struct name {
    const char *name; /* lower case, without "_", "-", "." and blanks */
    const char *thing; /* what kind of thing it names; columns of two kinds are two different things */
    int rank;          /* of two names for one thing that with the lower one is meant */
};

static const struct name users[] = {
    {"userid", "user", 0},         {"user", "user", 1},           {"uid", "user", 0},
    {"username", "user", 2},       {"usersha1", "user", 0},       {"reviewerid", "reviewer", 0},
    {"reviewer", "reviewer", 1},   {"reviewuserid", "reviewer", 0}, {"customerid", "customer", 0},
    {"customer", "customer", 1},   {"visitorid", "visitor", 0},   {"memberid", "member", 0},
    {"member", "member", 1},       {NULL, NULL, 0}};

static const struct name items[] = {
    {"movieid", "movie", 0},       {"movie", "movie", 1},         {"itemid", "item", 0},
    {"item", "item", 1},           {"iid", "item", 0},            {"artistid", "artist", 0},
    {"artist", "artist", 1},       {"trackid", "track", 0},       {"track", "track", 1},
    {"songid", "song", 0},         {"song", "song", 1},           {"productid", "product", 0},
    {"product", "product", 1},     {"filmid", "film", 0},         {"film", "film", 1},
    {"bookid", "book", 0},         {"book", "book", 1},           {"isbn", "isbn", 0},
    {"jokeid", "joke", 0},         {"joke", "joke", 1},           {"animeid", "anime", 0},
    {"anime", "anime", 1},         {"gameid", "game", 0},         {"game", "game", 1},
    {"appid", "app", 0},           {"app", "app", 1},             {"asin", "asin", 0},
    {"parentasin", "parent", 0},   {"businessid", "business", 0}, {"business", "business", 1},
    {"recipeid", "recipe", 0},     {"recipe", "recipe", 1},       {"beerid", "beer", 0},
    {"beer", "beer", 1},           {"showid", "show", 0},         {"show", "show", 1},
    {"videoid", "video", 0},       {"video", "video", 1},         {"newsid", "news", 0},
    {"articleid", "article", 0},   {"article", "article", 1},     {"courseid", "course", 0},
    {"course", "course", 1},       {"restaurantid", "restaurant", 0}, {"restaurant", "restaurant", 1},
    {"placeid", "place", 0},       {"venueid", "venue", 0},       {"hotelid", "hotel", 0},
    {NULL, NULL, 0}};

static const struct name ratings[] = {{"rating", "", 0},      {"rate", "", 1},       {"stars", "", 1},
                                      {"star", "", 1},        {"score", "", 1},      {"value", "", 1},
                                      {"overall", "", 1},     {"bookrating", "", 0}, {"userrating", "", 1},
                                      {"reviewscore", "", 1}, {"starrating", "", 1}, {"ratings", "", 1},
                                      {NULL, NULL, 0}};

static const struct name plays[] = {{"plays", "", 0},    {"playcount", "", 0}, {"listencount", "", 0},
                                    {"count", "", 1},    {"weight", "", 1},    {"numplays", "", 0},
                                    {"playscount", "", 0}, {NULL, NULL, 0}};

static const struct name times[] = {
    {"timestamp", "", 0},      {"time", "", 1},          {"datetime", "", 1},   {"unixreviewtime", "", 1},
    {"ratingtimestamp", "", 0}, {"unixtimestamp", "", 0}, {"unixtime", "", 1},   {"reviewtime", "", 2},
    {"ratedat", "", 1},        {"createdat", "", 2},     {"playedat", "", 1},   {"tstamp", "", 1},
    {"ts", "", 1},             {"date", "", 2},          {"reviewdate", "", 2}, {NULL, NULL, 0}};

static const struct name titles[] = {
    {"title", "", 0},         {"movietitle", "", 0},  {"booktitle", "", 0},   {"name", "", 1},
    {"itemname", "", 1},      {"artistname", "", 2},  {"trackname", "", 1},   {"songname", "", 1},
    {"productname", "", 1},   {"moviename", "", 1},   {"gamename", "", 1},    {"gametitle", "", 0},
    {"animename", "", 1},   {"jokename", "", 1},    {"producttitle", "", 0},
    {"joketext", "", 1},      {"primarytitle", "", 1}, {"originaltitle", "", 2}, {NULL, NULL, 0}};

static const struct name years[] = {{"releaseyear", "", 0},
                                    {"year", "", 0},
                                    {"originalpublicationyear", "", 1},
                                    {"yearofpublication", "", 1},
                                    {NULL, NULL, 0}};
static const struct name genres[] = {{"genres", "", 0}, {"genre", "", 0}, {"class", "", 0}, {NULL, NULL, 0}};
static const struct name tags[] = {{"tag", "", 0}, {"tagvalue", "", 0}, {NULL, NULL, 0}};
static const struct name imdb[] = {{"imdbid", "", 0}, {NULL, NULL, 0}};
static const struct name tmdb[] = {{"tmdbid", "", 0}, {NULL, NULL, 0}};

/* What stands beside ratings in some files and is none. An empty name is the index that pandas and R put in front. */
static const struct name beside_names[] = {
    {"", "", 0},           {"unnamed", "", 0},  {"index", "", 0},      {"row", "", 0},        {"rowid", "", 0},
    {"age", "", 0},        {"zip", "", 0},      {"zipcode", "", 0},    {"helpful", "", 0},    {"helpfulvote", "", 0},
    {"helpfulvotes", "", 0}, {"funny", "", 0},  {"useful", "", 0},     {"cool", "", 0},       {"reviewid", "", 0},
    {"sessionid", "", 0},  {"orderid", "", 0},  {"totalvotes", "", 0}, {NULL, NULL, 0}};

/* The names of each meaning, and the word that --columns has for it. */
static const struct {
    const char *word;
    const struct name *names;
} known[TV_COLUMN_COUNT] = {
    [TV_COLUMN_NONE] = {"not used", beside_names}, [TV_COLUMN_USER] = {"user", users},
    [TV_COLUMN_ITEM] = {"item", items},            [TV_COLUMN_RATING] = {"rating", ratings},
    [TV_COLUMN_PLAYS] = {"plays", plays},          [TV_COLUMN_TIME] = {"time", times},
    [TV_COLUMN_TITLE] = {"title", titles},         [TV_COLUMN_YEAR] = {"year", years},
    [TV_COLUMN_GENRES] = {"genres", genres},       [TV_COLUMN_TAG] = {"tag", tags},
    [TV_COLUMN_IMDB] = {"imdb", imdb},             [TV_COLUMN_TMDB] = {"tmdb", tmdb},
};

/* "user_id:token" -> "userid": RecBole puts a type behind each name. Longer names are cut, and match nothing then. */
static void plain_name(char *out, size_t size, const struct tv_field *f)
{
    size_t o = 0;
    for (size_t i = 0; i < f->n && f->text[i] != ':' && o + 1 < size; i++)
        if (f->text[i] == '\0' || !strchr("_ -./\t", f->text[i]))
            out[o++] = (char)tolower((unsigned char)f->text[i]);
    out[o] = '\0';
}

/* The entry of a field's name; *column is its meaning. NULL where it is not known. */
static const struct name *look_up(const struct tv_field *f, enum tv_column *column)
{
    char plain[64];
    plain_name(plain, sizeof plain, f);
    for (int c = 0; c < TV_COLUMN_COUNT; c++)
        for (const struct name *name = known[c].names; name->name; name++)
            if (strcmp(name->name, plain) == 0) {
                *column = (enum tv_column)c;
                return name;
            }
    return NULL;
}

enum tv_column tv_columns_of_name(const struct tv_field *name, int *beside)
{
    enum tv_column column = TV_COLUMN_NONE;
    const struct name *found = look_up(name, &column);
    *beside = found != NULL && column == TV_COLUMN_NONE;
    return column;
}

uint64_t tv_columns_name_hash(const struct tv_field *name, char *letter)
{
    char plain[64];
    struct tv_field f = *name;
    if (f.n >= 3 && memcmp(f.text, "\xef\xbb\xbf", 3) == 0)
        f = (struct tv_field){f.text + 3, f.n - 3};
    while (f.n > 0 && (*f.text == '"' || *f.text == ' '))
        f = (struct tv_field){f.text + 1, f.n - 1};
    while (f.n > 0 && (f.text[f.n - 1] == '"' || f.text[f.n - 1] == ' '))
        f.n--;
    plain_name(plain, sizeof plain, &f);
    *letter = plain[0];
    return tv_hash(TV_HASH_START, plain, strlen(plain));
}

/* Things that go by two names. */
static int are_alike(const char *a, const char *b)
{
    static const char *const pairs[][2] = {{"movie", "film"},     {"song", "track"},          {"app", "game"},
                                           {"asin", "product"},   {"news", "article"},        {"place", "venue"},
                                           {"business", "place"}, {"business", "restaurant"}, {"business", "venue"}};
    int yes = strcmp(a, b) == 0 || strcmp(a, "item") == 0 || strcmp(b, "item") == 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        yes |= (strcmp(a, pairs[i][0]) == 0 && strcmp(b, pairs[i][1]) == 0) || (strcmp(b, pairs[i][0]) == 0 && strcmp(a, pairs[i][1]) == 0);
    return yes;
}

int tv_columns_may_be_one(const struct tv_field *a, const struct tv_field *b)
{
    enum tv_column of_a = TV_COLUMN_NONE, of_b = TV_COLUMN_NONE;
    const struct name *one = look_up(a, &of_a), *other = look_up(b, &of_b);
    return of_a != TV_COLUMN_ITEM || of_b != TV_COLUMN_ITEM || are_alike(one->thing, other->thing);
}

int tv_columns_names_kind(const struct tv_field *name)
{
    static const char *const names[] = {"event",    "eventtype", "eventname", "action",       "actiontype",      "type",
                                        "behavior", "behaviour", "activity",  "behaviortype", "interactiontype", "interaction",
                                        "status",   "kind",      "verb",      "feedback",     "feedbacktype",    "operation"};
    char plain[64];
    plain_name(plain, sizeof plain, name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], plain) == 0)
            return 1;
    return 0;
}

/* A field whose name is `name` may be the column: whether it takes the place of the one found before, and whether the
 * two cannot be told apart: a plainer name tells which of two is meant, but not which of two things. Of times and of what
 * describes an item the first is as good as any. */
static void weigh(struct tv_columns *c, enum tv_column column, int field, const struct name *name,
                  const struct name **best, const struct name **rival)
{
    int alike = column == TV_COLUMN_USER || column == TV_COLUMN_ITEM || column == TV_COLUMN_RATING ||
                column == TV_COLUMN_PLAYS;
    if (best[column] == NULL) {
        c->at[column] = field;
        best[column] = name;
    } else if (strcmp(best[column]->thing, name->thing) != 0) {
        c->rival[column] = field;
        rival[column] = name;
    } else if (name->rank < best[column]->rank) {
        c->at[column] = field;
        best[column] = name;
        if (rival[column] && strcmp(rival[column]->thing, name->thing) == 0)
            c->rival[column] = -1;
    } else if (name->rank == best[column]->rank && alike && c->rival[column] < 0) {
        c->rival[column] = field;
        rival[column] = name;
    }
}

static void empty(struct tv_columns *c)
{
    for (int i = 0; i < TV_COLUMN_COUNT; i++)
        c->at[i] = c->rival[i] = -1;
}

void tv_columns_from_header(struct tv_columns *c, const struct tv_record *header)
{
    const struct name *best[TV_COLUMN_COUNT] = {NULL}, *rival[TV_COLUMN_COUNT] = {NULL};
    empty(c);
    c->n = c->least = header->n;
    for (int i = 0; i < header->n; i++) {
        enum tv_column column = TV_COLUMN_NONE;
        const struct name *name = look_up(&header->fields[i], &column);
        if (column != TV_COLUMN_NONE)
            weigh(c, column, i, name, best, rival);
    }
}

void tv_columns_in_order(struct tv_columns *c, const enum tv_column *order, int n, int least)
{
    empty(c);
    c->n = least == n ? n : 0;
    c->least = least;
    for (int i = 0; i < n; i++)
        if (order[i] != TV_COLUMN_NONE && c->at[order[i]] < 0)
            c->at[order[i]] = i;
}

int tv_columns_have(const struct tv_columns *c, enum tv_column a, enum tv_column b, enum tv_column d)
{
    return (a == TV_COLUMN_NONE || c->at[a] >= 0) && (b == TV_COLUMN_NONE || c->at[b] >= 0) &&
           (d == TV_COLUMN_NONE || c->at[d] >= 0);
}

struct tv_field tv_columns_field(const struct tv_columns *c, const struct tv_record *record,
                                 enum tv_column column)
{
    return c->at[column] < 0 || c->at[column] >= record->n ? (struct tv_field){"", 0} : record->fields[c->at[column]];
}

enum tv_column tv_columns_meaning(const struct tv_columns *c, int field)
{
    for (int i = TV_COLUMN_NONE + 1; i < TV_COLUMN_COUNT; i++)
        if (c->at[i] == field)
            return (enum tv_column)i;
    return TV_COLUMN_NONE;
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

const char *tv_columns_word(enum tv_column column)
{
    return known[column].word;
}

char *tv_columns_names(enum tv_column column, char *out, size_t size)
{
    size_t n = 0;
    *out = '\0';
    for (const struct name *name = known[column].names; name->name; name++) {
        size_t more = strlen(name->name) + 2;
        if (n + more >= size)
            break;
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", name->name);
    }
    return out;
}
