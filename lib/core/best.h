/* best: the best n of the items that are offered one after the other, in a heap whose root is the worst of them. The one
 * place that says which of two items stands first in a list; top_n.c and scan/scan.c offer.
 */
#ifndef TRIVET_CORE_BEST_H
#define TRIVET_CORE_BEST_H

#include <math.h>
#include <stddef.h>

#include "trivet/core/top_n.h"

/* Whether a belongs below b in the list. A NaN compares false. */
static inline int tv_is_worse(struct tv_scored a, struct tv_scored b)
{
    return a.score < b.score || (a.score == b.score && a.item > b.item);
}

/* Puts `entry` at place `at` of a heap of n whose worst entry is the root, and restores the order below. */
static inline void tv_sift_down(struct tv_scored *heap, size_t n, size_t at, struct tv_scored entry)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && tv_is_worse(heap[child + 1], heap[child]))
            child++;
        if (!tv_is_worse(heap[child], entry))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

static inline void tv_heapify(struct tv_scored *heap, size_t n)
{
    for (size_t at = n / 2; at-- > 0;)
        tv_sift_down(heap, n, at, heap[at]);
}

/* Makes the list of a heap: best first. */
static inline void tv_sort_heap(struct tv_scored *heap, size_t n)
{
    for (size_t last = n; last-- > 1;) { /* the worst of what is left goes to the end */
        struct tv_scored worst_left = heap[0];
        tv_sift_down(heap, last, 0, heap[last]);
        heap[last] = worst_left;
    }
}

/* The heap of a list that is being made. `entry` becomes one when it is full, so what was offered first costs a copy. */
struct tv_best {
    struct tv_scored *entry; /* (top) */
    size_t n, top;
};

/* In any order of items, and as often as wanted; NaN is never taken. */
static inline void tv_best_offer(struct tv_best *b, struct tv_scored s)
{
    if (b->n < b->top) {
        if (isnan(s.score))
            return;
        b->entry[b->n++] = s;
        if (b->n == b->top)
            tv_heapify(b->entry, b->n);
    } else if (tv_is_worse(b->entry[0], s)) {
        tv_sift_down(b->entry, b->n, 0, s);
    }
}

/* Ends the offering. */
static inline void tv_best_finish(struct tv_best *b)
{
    if (b->n < b->top)
        tv_heapify(b->entry, b->n);
    tv_sort_heap(b->entry, b->n);
}

#endif
