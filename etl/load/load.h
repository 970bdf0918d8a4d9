/* load: one load while it works, and its steps in their order. Only the sources of this command include it.
 */
#ifndef TRIVET_ETL_LOAD_LOAD_H
#define TRIVET_ETL_LOAD_LOAD_H

#include "etl/detect/detect.h"
#include "etl/load/report.h"
#include "etl/load/stage.h"
#include "etl/load/target.h"
#include "trivet/cli/options.h"
#include "trivet/model/life/lock.h"

/* One load; lives in tv_etl_load, which gives all of it back. */
struct tv_load {
    const struct tv_settings *settings;
    const char *given;   /* what the data are to be had from: a path or an address */
    char path[4096];     /* where they lie */
    char source[600];    /* what may be written down of `given` */
    int append;
    char name[256];    /* of the data, for people */
    const char *given_name; /* --name, or NULL; once it is checked, `name` */
    char options[1600]; /* JSON: what --if-changed compares beside the fingerprint */
    char fingerprint[24];
    struct tv_input *input;
    struct tv_set set;
    struct tv_lock *lock;
    struct tv_pg *journal; /* the lock's connection */
    struct tv_pg *data;
    struct tv_codes *codes;
    int64_t id; /* 0: the journal has no row yet */
    char id_text[24];
    struct tv_target target; /* read under the lock */
    struct tv_rejects rejects;
    struct tv_stage stage;
    int summed; /* Postgres has added plays up since they were counted */
    struct tv_report report;
    double clock; /* when the present step began */
};

/* Finds out what is to be loaded, and refuses what can be refused without a database (look.c). */
enum tv_status tv_load_look(struct tv_load *l, struct tv_error *err);
/* Transaction 1: rows into the load's own table, with its index (fill.c). */
enum tv_status tv_load_fill(struct tv_load *l, struct tv_error *err);
/* Transaction 2: what was filled becomes visible (publish.c). */
enum tv_status tv_load_publish(struct tv_load *l, struct tv_error *err);

#endif
