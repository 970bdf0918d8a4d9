/* plan: what a training would take, told before the first write (--dry-run). */
#include <stdio.h>

#include "train/fit/fit.h"
#include "trivet/base/clock.h"
#include "trivet/base/text.h"

/* A document's bytes beside the numbers in it: its fields, their names, and what its four blobs have around them.
 * Measured on MovieLens and Epinions. */
enum { DOCUMENT_OVERHEAD = 420, BYTES_A_RATING = 12 };

/* An estimate from the sizes alone, as nothing has been computed yet. Redis has the item side (float16 factors, int64
 * ids) and the factors once more for notebooks, in the key item_factors. MongoDB has a document a user and the item
 * side. k counts the two columns of biases. */
enum tv_status tv_fit_print_plan(struct tv_fit *f, struct tv_error *err)
{
    char memory[32], redis[32], mongo[32], text[32];
    (void)err;
    const struct tv_csr *m = &f->training_matrix.csr;
    double items = m->n_cols, k = f->learning.settings.factors + 2 * f->learning.settings.biases;
    double redis_bytes = items * (2 * k + 8) + 2 * items * k;
    double mongo_bytes = (double)f->reading.evidence.n_users * (2 * k + DOCUMENT_OVERHEAD) + (double)f->reading.evidence.n_pairs * BYTES_A_RATING + items * (2 * k + 8);
    printf("would learn %d factors from %s ratings", f->learning.settings.factors, tv_text_number(text, f->counts.rows));
    printf(" of %s users", tv_text_number(text, f->counts.users));
    printf(" and %s items", tv_text_number(text, f->counts.items));
    printf(", and fold in %s users\n", tv_text_number(text, (long long)f->reading.evidence.n_users));
    printf("memory  about %s (so far %s)\n",
           tv_text_bytes(memory, tv_peak_memory() + tv_learn_memory(&f->learning.settings, &f->training_matrix)),
           tv_text_bytes(text, tv_peak_memory()));
    printf("Redis   about %s\n", tv_text_bytes(redis, redis_bytes));
    printf("MongoDB about %s before its own compression\n", tv_text_bytes(mongo, mongo_bytes));
    printf("nothing was written\n");
    return TV_OK;
}
