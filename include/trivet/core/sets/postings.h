/* postings: of which items a user is a witness, packed; several users to a page. Pages are what an index of similar
 * items stores: docs/formats.md has their bytes. (An inverted index's lists: Zobel and Moffat, 2006.)
 *
 * A page is a run of records, ascending by witness (the hash of a user, minhash.h). A record has, for each row (an
 * item's number, from zero) of whose signature the user is a witness, the positions at which it is. Two items share a
 * value where both have the same witness at the same position.
 */
#ifndef TRIVET_CORE_SETS_POSTINGS_H
#define TRIVET_CORE_SETS_POSTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"

/* --- writing ------------------------------------------------------------------------------------------------ */

/* Bytes of an entry: the row, `step` behind the one before (the first: the row itself, else row - before - 1), and n >
 * 0 positions, ascending, below `size`, the values of a signature. */
size_t tv_postings_entry_size(uint32_t step, const uint16_t *positions, int n, int size);
/* Writes that many bytes; returns what follows them. */
uint8_t *tv_postings_put_entry(uint8_t *out, uint32_t step, const uint16_t *positions, int n, int size);
/* Appends a record, whose n > 0 bytes of entries are made already. The page's witnesses must be below this one. */
enum tv_status tv_postings_append(struct tv_buffer *page, uint32_t witness, const void *entries, size_t n,
                                  struct tv_error *err);
/* The positions at which a witness has a row. */
struct tv_postings_entry {
    uint32_t witness, row;
    const uint16_t *positions; /* (n) ascending */
    int n;
};
/* Puts into `out` (emptied first) the page in which the witness has these positions of the row and no others; n = 0:
 * none at all. A record that loses its last row goes. Equal contents have equal bytes, whatever led to them. */
enum tv_status tv_postings_change(struct tv_buffer *out, const void *page, size_t page_size,
                                  const struct tv_postings_entry *entry, int size, struct tv_error *err);

/* --- counting ----------------------------------------------------------------------------------------------- */

/* The positions that a question looks for, as bits: bit p % 8 of byte p / 8. */
struct tv_postings_wanted {
    uint8_t *bits; /* ((size + 7) / 8) */
    int n, size;   /* how many bits are set; values of a signature */
};

/* Values shared with each row. Between uses all of `count` is zero. */
struct tv_postings_counts {
    uint16_t *count;   /* (n_rows + TV_POSTINGS_SPARE) */
    uint32_t *touched; /* (n_touched, room for n_rows + 1) rows with a count, each once: after tv_postings_gather */
    size_t n_rows, n_touched;
    int many; /* rows were counted eight at a time (row_list.h), so that touched does not have them all */
};
enum { TV_POSTINGS_SPARE = 8 };
/* Adds to each row the number of wanted positions at which it has this witness; a page without the witness adds
 * nothing. TV_ERR_CORRUPT if the bytes are no page, or name a row beyond n_rows. */
enum tv_status tv_postings_count(struct tv_postings_counts *counts, const void *page, size_t n, uint32_t witness,
                                 const struct tv_postings_wanted *wanted, struct tv_error *err);
/* Makes `touched` all rows with a count, in no order. */
void tv_postings_gather(struct tv_postings_counts *counts);
/* Makes all counts zero again; for that, tv_postings_gather need not have been called. */
void tv_postings_clear(struct tv_postings_counts *counts);

/* --- checking ----------------------------------------------------------------------------------------------- */

/* Every entry of a page: positions (n) ascend and are lent. */
typedef enum tv_status (*tv_postings_take)(void *context, uint32_t witness, uint32_t row, const uint16_t *positions,
                                           int n, struct tv_error *err);
enum tv_status tv_postings_each(const void *page, size_t n, int size, tv_postings_take take, void *context,
                                struct tv_error *err);

#endif
