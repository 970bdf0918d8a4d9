/* npy: NumPy's .npy files, for notebooks and for models that travel as a folder.
 *
 * Format 1.0 (numpy/lib/format.py): "\x93NUMPY", 1, 0, the header's length in two bytes, the header as the text of a
 * Python dict, {'descr': '<f2', 'fortran_order': False, 'shape': (3, 50), }, blanks up to a line feed, then the data,
 * row by row. Types and dimensions are those of codec.h. Files are written and read in pieces of whole rows, so that
 * an array need not fit into memory.
 */
#ifndef TRIVET_CORE_FORMATS_NPY_H
#define TRIVET_CORE_FORMATS_NPY_H

#include <stddef.h>

#include "trivet/base/status.h"
#include "trivet/core/formats/codec.h"

enum { TV_NPY_HEADER = 128 }; /* bytes before the data in a file of ours, whatever its shape */

/* Type and shape, all that a header says. */
struct tv_npy_shape {
    enum tv_dtype dtype;
    int n_dims;      /* 1 or 2 */
    size_t rows;
    size_t columns;  /* 1 when n_dims is 1 */
};

/* The header of a file of that shape. */
void tv_npy_header(char out[TV_NPY_HEADER], const struct tv_npy_shape *shape);
/* Reads the header at the beginning of n bytes that may be anything. *data_at is where the data begin; whether they
 * are all there is for the caller to check. TV_ERR_INPUT says what is wrong. */
enum tv_status tv_npy_parse(struct tv_npy_shape *out, size_t *data_at, const void *bytes, size_t n,
                            struct tv_error *err);

/* --- writing ------------------------------------------------------------------------------------------------ */

struct tv_npy_writer;

/* Creates or empties the file. `columns` is 0 for one dimension. */
enum tv_status tv_npy_create(struct tv_npy_writer **out, const char *path, enum tv_dtype dtype, size_t columns,
                             struct tv_error *err);
/* Appends whole rows, row-major. */
enum tv_status tv_npy_write(struct tv_npy_writer *w, const void *rows, size_t n, struct tv_error *err);
/* Writes the header, now that the rows are counted, waits for the disk, and frees the writer, whatever it returns.
 * NULL is fine. Until then the file is no .npy file, so one that was cut short is never taken for a whole one. */
enum tv_status tv_npy_finish(struct tv_npy_writer *w, struct tv_error *err);
/* Frees the writer without finishing the file. NULL is fine. */
void tv_npy_abandon(struct tv_npy_writer *w);

/* --- reading ------------------------------------------------------------------------------------------------ */

struct tv_npy_reader;

/* Opens and checks the header, the type, the number of dimensions, and that the file holds exactly the data its shape
 * says. TV_ERR_NOT_FOUND: there is no such file; TV_ERR_INPUT: it is something else. Messages name the path. */
enum tv_status tv_npy_open(struct tv_npy_reader **out, const char *path, enum tv_dtype dtype, int n_dims,
                           struct tv_error *err);
const struct tv_npy_shape *tv_npy_shape_of(const struct tv_npy_reader *r);
/* The next n rows. */
enum tv_status tv_npy_read(struct tv_npy_reader *r, void *rows, size_t n, struct tv_error *err);
void tv_npy_close(struct tv_npy_reader *r); /* NULL is fine */

#endif
