/* detect: which role the files of an input have in which rating set, by their names and first records. */
#ifndef TRIVET_ETL_DETECT_DETECT_H
#define TRIVET_ETL_DETECT_DETECT_H

#include "etl/formats/reader.h"

/* The roles that files have in a set, at most one file each. TV_ROLE_WORDS is the file that says which word each number
 * among HetRec's tags stands for, TV_ROLE_MARKER the one that trivet-etl synth leaves beside its files. */
enum tv_role {
    TV_ROLE_RATINGS,
    TV_ROLE_ITEMS,
    TV_ROLE_LINKS,
    TV_ROLE_METADATA,
    TV_ROLE_TAGS,
    TV_ROLE_GENRES,
    TV_ROLE_WORDS,
    TV_ROLE_MARKER,
    TV_ROLE_COUNT
};

struct tv_kind; /* one row of the table of known files */

/* A file that has been recognised, and how it is to be read. */
struct tv_found {
    const struct tv_input_file *file; /* NULL: the set has no file of that role */
    const struct tv_kind *kind;
    int rank; /* its kind's row, or that which its name is like; the lower the better */
    struct tv_dialect dialect;
    int has_header;
    struct tv_columns columns;
    struct tv_forms forms;
    int latin1;         /* of a file beside the ratings: text that is no UTF-8 is ISO-8859-1 */
    const char *item;   /* while it is looked at: what --columns calls the item, as other files may, too; else NULL */
    const char *layout; /* of ratings without a header: what their fields were taken for, or NULL */
    int text_items;     /* items are Amazon's, of which those of books may be digits with zeros in front */
    char time[64];      /* the column of times, fit to be shown; or "" */
    char how[512];      /* for people, behind its role: ", with user=uid, item=movie, rating=stars; not used: age" */
};

/* A rating set as it was found; the input must live as long. */
struct tv_set {
    const struct tv_input *input;
    const char *format; /* one of TV_DETECT_FORMATS */
    int counts;         /* 1: the values are counts of plays, not ratings */
    struct tv_found chosen[TV_ROLE_COUNT];
    struct tv_events events;                     /* of the ratings, while and after they are read */
    int generated;                               /* written by trivet-etl synth */
    int codes[TV_CODE_KINDS];                    /* 1: ids of that kind may be text */
    long long n_sampled, n_texts[TV_CODE_KINDS]; /* ratings looked at, and those of them whose id is no integer */
    char unlike[400]; /* a warning: a file is left out, since its items are other things; or "" */
    size_t n_passed_over;
    const char *passed_over; /* the first of the files that hold ratings, too, and are not used */
    size_t n_ignored;
    const char *ignored[64]; /* names of files that are not used */
};

/* The choices of --format. */
#define TV_DETECT_FORMATS "auto|movielens-csv|ml-1m|ml-100k|recbole|kaggle-movies|lastfm|plays-csv"
/* The choices of --ids. */
#define TV_DETECT_IDS "auto|numbers|codes"

/* The choices of --unrated. */
#define TV_DETECT_UNRATED "refuse|drop|plays|keep"

/* The choices of --dates. */
#define TV_DETECT_DATES "auto|day-first|month-first"

/* The choices of --decimal. */
#define TV_DETECT_DECIMAL "auto|comma|point"

/* What people say about their files: the flags of these names. */
struct tv_choices {
    const char *format; /* narrows the search; "auto" does not */
    const char *ids;    /* which ids are codes: none with "numbers", all that are text with "codes"; with "auto", users are
                         * codes if more than half of the first 1,000 ratings name them so, and items likewise */
    const char *columns; /* user=NAME,item=NAME,...; or NULL */
    const char *unrated; /* what becomes of lines whose rating is none, such as -1 */
    const char *dates;   /* whether day or month stands first in dates with the year last; NULL is "auto" */
    const char *decimal; /* which sign stands before a fraction; NULL is "auto" */
};

/* Chooses the files of a set, and decides how each is read. TV_ERR_INPUT with a hint if there are no ratings, or a column
 * of them is not understood. */
enum tv_status tv_detect(struct tv_set *set, const struct tv_input *input, const struct tv_choices *choices,
                         struct tv_error *err);

/* "ratings", "items", ... */
const char *tv_role_name(enum tv_role role);

/* 1 if all that a load takes from the file, it takes by the meanings of its columns. */
int tv_found_by_columns(const struct tv_found *found);

/* Reads the file of one role into the sink. Nothing is done for a role without a file, nor for genres and words, which
 * the readers of items and of tags read themselves, nor for the marker, whose being there says all. */
enum tv_status tv_set_read(struct tv_set *set, enum tv_role role, const struct tv_sink *sink,
                           struct tv_error *err);

#endif
