/* tally: distinct users and items, repeated pairs, and the scale of the ratings, counted as rows come by. */
#include "etl/load/tally.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/text.h"
#include "trivet/read/number.h"

/* Fibonacci hashing: neighbouring ids land far apart. Returns the slot that holds the id, or the free one
 * where it belongs. */
static struct tv_id_slot *probe(const struct tv_tally_map *map, int64_t id)
{
    size_t i = (size_t)(((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (map->capacity - 1);
    while (map->slots[i].used && map->slots[i].id != id)
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

/* Doubles the room; every id is put where it belongs there. */
static enum tv_status grow(struct tv_tally_map *map, struct tv_error *err)
{
    struct tv_tally_map larger = {.capacity = map->capacity ? 2 * map->capacity : 1024};
    larger.slots = tv_alloc(larger.capacity, sizeof *larger.slots, "the ids seen", err);
    if (larger.slots == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].used)
            *probe(&larger, map->slots[i].id) = map->slots[i];
    free(map->slots);
    map->slots = larger.slots;
    map->capacity = larger.capacity;
    return TV_OK;
}

/* Puts the id's slot into *slot; *known tells whether it was there before. */
static enum tv_status find_or_add(struct tv_tally_map *map, int64_t id, struct tv_id_slot **slot, int *known,
                                  struct tv_error *err)
{
    if (2 * map->n >= map->capacity) {
        enum tv_status status = grow(map, err);
        if (status != TV_OK)
            return status;
    }
    *slot = probe(map, id);
    *known = (*slot)->used;
    if (!*known) {
        **slot = (struct tv_id_slot){.id = id, .used = 1};
        map->n++;
    }
    return TV_OK;
}

void tv_tally_free(struct tv_tally *t)
{
    free(t->users.slots);
    free(t->items.slots);
    *t = (struct tv_tally){.rows = 0};
}

int tv_tally_has_item(const struct tv_tally *t, int64_t item)
{
    return t->items.capacity > 0 && probe(&t->items, item)->used;
}

static void add_end(struct tv_tally_end *end, float value)
{
    if (end->n == 0 || value > end->value) {
        end->has_next = end->n > 0;
        end->next = end->value;
        end->value = value;
        end->n = 1;
    } else if (value == end->value) {
        end->n++;
    } else if (!end->has_next || value > end->next) {
        end->has_next = 1;
        end->next = value;
    }
}

int tv_tally_is_word(const struct tv_tally_end *end)
{
    enum { BEYOND = 5 };
    int is_nines = end->value == 99 || end->value == 999 || end->value == 9999 || end->value == 99999;
    return is_nines && end->has_next && end->value > BEYOND * fabsf(end->next);
}

/* Distinct values are kept while they may be a scale; one more than fit says that they are none. */
static void add_value(struct tv_tally *t, float value)
{
    if (t->rows == 0 || value < t->min)
        t->min = value;
    if (t->rows == 0 || value > t->max)
        t->max = value;
    add_end(&t->high, value);
    add_end(&t->low, -value);
    if (t->n_values > TV_TALLY_MAX_VALUES)
        return;
    for (int i = 0; i < t->n_values; i++)
        if (t->values[i] == value)
            return;
    if (t->n_values < TV_TALLY_MAX_VALUES)
        t->values[t->n_values] = value;
    t->n_values++;
}

/* A row that follows one of the same user needs no look at the users. A known user who comes back after another has
 * rows that do not stand together. */
static enum tv_status add_user(struct tv_tally *t, int64_t user, struct tv_error *err)
{
    struct tv_id_slot *slot;
    int known;
    if (t->rows > 0 && user == t->user)
        return TV_OK;
    enum tv_status status = find_or_add(&t->users, user, &slot, &known, err);
    t->users_apart |= status == TV_OK && known;
    t->user = user;
    return status;
}

/* An item's number is the last user who rated it: the same user once more is a repeated pair. */
enum tv_status tv_tally_add(struct tv_tally *t, int64_t user, int64_t item, float value, struct tv_error *err)
{
    struct tv_id_slot *slot;
    int known;
    enum tv_status status = add_user(t, user, err);
    if (status == TV_OK)
        status = find_or_add(&t->items, item, &slot, &known, err);
    if (status != TV_OK)
        return status;
    t->repeats += known && slot->number == user;
    slot->number = user;
    add_value(t, value);
    t->rows++;
    return TV_OK;
}

static void add_time(struct tv_tally_times *times, int64_t time)
{
    static const int64_t end_1989 = INT64_C(631152000000000);
    times->n += time != TV_NUMBER_NO_TIME && time != 0;
    if (time > 0 && time < end_1989 && times->early++ == 0)
        times->first_early = time;
}

void tv_tally_add_tag_time(struct tv_tally *t, int64_t time)
{
    add_time(&t->tag_times, time);
}

void tv_tally_add_time(struct tv_tally *t, int64_t time)
{
    static const int64_t end_2100 = INT64_C(4133980800000000);
    add_time(&t->times, time);
    t->odd_times += time != TV_NUMBER_NO_TIME && (time < 0 || time >= end_2100);
}

int tv_tally_is_early(const struct tv_tally_times *times)
{
    return 2 * times->early > times->n;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The step of the scale: the smallest gap between two values, if every value is a whole number of such gaps above the
 * smallest one; otherwise 0. Values are float32, so a multiple may be a thousandth of the gap off; the whole range, in so many
 * parts, is told with the least error: 4 in 40 is .1, where 1.1 - 1 is .100000024. */
static double step(const struct tv_tally *t)
{
    if (t->n_values < 2 || t->n_values > TV_TALLY_MAX_VALUES)
        return 0;
    float v[TV_TALLY_MAX_VALUES];
    for (int i = 0; i < t->n_values; i++)
        v[i] = t->values[i];
    qsort(v, (size_t)t->n_values, sizeof *v, ascending);
    double smallest = v[1] - v[0];
    for (int i = 2; i < t->n_values; i++)
        smallest = fmin(smallest, v[i] - v[i - 1]);
    for (int i = 1; i < t->n_values; i++)
        if (fabs(remainder(v[i] - v[0], smallest)) > 1e-3 * smallest)
            return 0;
    double range = (double)v[t->n_values - 1] - (double)v[0];
    return range / round(range / smallest);
}

/* Six digits hide a float32's error in the step. */
char *tv_tally_scale(const struct tv_tally *t, char *out)
{
    char low[TV_TEXT_FLOAT], high[TV_TEXT_FLOAT];
    double by = step(t);
    tv_text_float(low, t->min);
    tv_text_float(high, t->max);
    if (t->rows == 0)
        snprintf(out, 96, "none");
    else if (by > 0)
        snprintf(out, 96, "%s to %s by %.6g", low, high, by);
    else
        snprintf(out, 96, "%s to %s", low, high);
    return out;
}
