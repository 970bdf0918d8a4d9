/* stage: rows from the readers into Postgres by COPY: ratings binary into the load's own table, items and
 * tags as text into temporary tables. One COPY is open at a time. */
#ifndef TRIVET_ETL_LOAD_STAGE_H
#define TRIVET_ETL_LOAD_STAGE_H

#include "etl/formats/reader.h"
#include "etl/load/rejects.h"
#include "etl/load/tally.h"
#include "trivet/cli/progress.h"

struct tv_stage {
    struct tv_pg *pg;      /* not owned, inside the load's transaction */
    struct tv_buffer out;  /* bytes not yet sent */
    int open;              /* a COPY is running */
    int binary;            /* it is the ratings' */
    const char *kind;      /* of the item rows: item, link, metadata */
    long long rows;        /* of the present COPY */
    long long items;       /* item rows of all files: which of two came first */
    struct tv_tally tally; /* of the ratings */
    struct tv_codes *codes; /* not owned */
    struct tv_rejects *rejects;
    struct tv_progress progress;
    double file_bytes; /* of the file being read; 0: unknown */
};

void tv_stage_init(struct tv_stage *s, struct tv_pg *pg, struct tv_codes *codes, struct tv_rejects *rejects);
void tv_stage_free(struct tv_stage *s);
struct tv_sink tv_stage_sink(struct tv_stage *s);

enum tv_status tv_stage_begin_ratings(struct tv_stage *s, int64_t load, struct tv_error *err);
enum tv_status tv_stage_begin_items(struct tv_stage *s, const char *kind, struct tv_error *err);
enum tv_status tv_stage_begin_tags(struct tv_stage *s, struct tv_error *err);

/* Ends the COPY: all rows are in, or an error. */
enum tv_status tv_stage_end(struct tv_stage *s, struct tv_error *err);
/* Ends it so that nothing is in; safe when none is open. */
void tv_stage_abort(struct tv_stage *s);

#endif
