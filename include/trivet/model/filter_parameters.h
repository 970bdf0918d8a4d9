/* filter_parameters: what is known of each parameter of trivet.user_item: its name, range, default, meaning, and what it acts on.
 *
 * The rows stand in filter_parameters.def. Values are read, checked, sent to SQL and written by loops over them (filter.h). */
#ifndef TRIVET_MODEL_FILTER_PARAMETERS_H
#define TRIVET_MODEL_FILTER_PARAMETERS_H

#include <stddef.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"

enum tv_filter_kind { TV_FILTER_INTEGER, TV_FILTER_REAL, TV_FILTER_TIME, TV_FILTER_NAMES };

/* The step of trivet.funnel that a parameter acts in, with its number there. The first three are conditions on rows. */
enum tv_filter_step {
    TV_FILTER_TIMES = 2,
    TV_FILTER_VALUES = 3,
    TV_FILTER_ITEMS = 4,
    TV_FILTER_ITEM_CUT = 5,
    TV_FILTER_USER_CUT = 6,
    TV_FILTER_SAMPLE = 7,
    TV_FILTER_ROW_LIMIT = 9
};

/* The parameters that an SQL function takes. Bits: a parameter may belong to several. */
enum tv_filter_subset {
    TV_FILTER_ALL = 1,      /* trivet.user_item and the reports */
    TV_FILTER_EVIDENCE = 2, /* trivet.evidence, and trivet.chosen_rows for it: the conditions on rows, those aside that
                               only decide what is learned */
    TV_FILTER_CUTS = 4      /* no function takes these alone: the cuts and the row limit, which count
                               the rows that are left */
};

/* One parameter. All of it is constant; texts are literals. */
struct tv_filter_parameter {
    const char *name;
    enum tv_filter_kind kind;
    const char *type;        /* in SQL */
    double least, most;      /* of INTEGER and REAL, inclusive */
    int above;               /* the least itself is out */
    const char *not_below;   /* another number that it must not be below, where neither is null; or NULL */
    const char *standard;    /* the default as text; NULL: SQL null, no condition */
    enum tv_filter_step step;
    int only_learning;       /* a condition on rows that users are not folded in by */
    const char *meaning;     /* for people, in --help and on the page */
    const char *slider;      /* of the page: "counts", "limits" or "shares" (serve/pages/lab_filter.js); NULL: a field without */
    const char *sweep;       /* values that the page's sweep begins with */
};

/* In the order of trivet.user_item's signature; name NULL ends it. */
extern const struct tv_filter_parameter tv_filter_parameters[];
enum {
    TV_FILTER_PARAMETERS = 0
#define PARAMETER(...) +1
#include "trivet/model/filter_parameters.def"
#undef PARAMETER
};

/* The place of the parameter whose name is the first n bytes of `name`; -1: there is none. */
int tv_filter_find(const char *name, size_t n);
/* The bits of enum tv_filter_subset that the parameter belongs to, together. */
unsigned tv_filter_parts(const struct tv_filter_parameter *p);
/* Refuses the first n bytes of `text`, which name none, with the nearest name as a hint. */
enum tv_status tv_filter_unknown(const char *text, size_t n, struct tv_error *err);
/* A table of names, defaults and meanings for --help. */
const char *tv_filter_help(void);
/* The parameters as the pages need them for their fields: a JSON array of name, kind, meaning, step, slider and
 * sweep. */
enum tv_status tv_filter_fields(struct tv_buffer *json, struct tv_error *err);

#endif
