/* model_fixture: a small model in memory, for the tests of models. */
#ifndef TRIVET_TESTS_UNIT_LIB_MODEL_MODEL_FIXTURE_H
#define TRIVET_TESTS_UNIT_LIB_MODEL_MODEL_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "lib/model/model_parts.h"
#include "trivet/core/formats/half.h"

enum { ITEMS = 6, FACTORS = 3 };

/* Six items of three factors, as the SVD leaves them. */
static inline struct tv_model *six_items(void)
{
    struct tv_model *m = NULL;
    assert_int_equal(tv_model_create(&m, 12, FACTORS, ITEMS, NULL), TV_OK);
    for (int i = 0; i < ITEMS; i++)
        m->item_ids[i] = i * 10 - 20;
    for (int i = 0; i < ITEMS * FACTORS; i++)
        m->item_factors[i] = tv_half_from_float((float)i / 4);
    m->sigma = calloc(FACTORS, sizeof *m->sigma);
    for (int f = 0; f < FACTORS; f++)
        m->sigma[f] = FACTORS - f;
    m->sigma_power = 0.5;
    strcpy(m->algorithm, "svd");
    m->checksum = tv_model_checksum(m);
    return m;
}

#endif
