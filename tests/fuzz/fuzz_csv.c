/* fuzz_csv: any bytes as any of the files trivet-etl reads. The first byte chooses the reader, or that detection does. Beside what
 * the sanitizers see, every row that comes out must be fit for Postgres: UTF-8, finite, within ranges; and
 * every refused line must have a reason and lie within the file. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "etl/detect/detect.h"
#include "etl/formats/encoding.h"
#include "etl/load/copy_text.h"
#include "trivet/base/code.h"
#include "trivet/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    enum tv_status (*read)(const struct tv_file_reading *reading, struct tv_error *err);
    struct tv_dialect dialect;
    int has_header;
    const char *header; /* put before the bytes, so that the rows behind it are reached */
} readers[] = {
    {tv_read_ratings, {",", 1}, 1, "userId,movieId,rating,timestamp\n"},
    {tv_read_ratings, {"::", 0}, 0, ""},
    {tv_read_movielens_items, {",", 1}, 1, "movieId,title,genres\n"},
    {tv_read_movielens_items, {"::", 0}, 0, ""},
    {tv_read_links, {",", 1}, 1, "movieId,imdbId,tmdbId\n"},
    {tv_read_tags, {",", 1}, 1, "userId,movieId,tag,timestamp\n"},
    {tv_read_ml100k_items, {"|", 0}, 0, ""},
    {tv_read_recbole_items,
     {"\t", 0},
     1,
     "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"},
    {tv_read_plays, {",", 1}, 1, "user_id,artist_id,plays,timestamp\n"},
    {tv_read_names, {"\t", 0}, 1, "id\tname\turl\tpictureURL\n"},
    {tv_read_tagged, {"\t", 0}, 1, "userID\tartistID\ttagID\tday\tmonth\tyear\n"},
    {tv_read_kaggle_metadata, {",", 1}, 1, "id,title,genres,imdb_id,release_date,overview,runtime\n"},
};

static void require(int truth)
{
    if (!truth)
        abort();
}

static void text_is_fit(const char *text)
{
    require(text == NULL || tv_text_is_utf8(text, strlen(text)));
}

static enum tv_status on_rating(void *context, const struct tv_rating_row *row, struct tv_error *err)
{
    (void)context, (void)err;
    require(isfinite(row->value));
    require(row->time == TV_NUMBER_NO_TIME || llabs(row->time / 1000000) < INT64_C(9224318016000) + 1);
    return TV_OK;
}

static enum tv_status on_item(void *context, const struct tv_item_row *row, struct tv_error *err)
{
    (void)context;
    struct tv_buffer out = TV_BUFFER_INIT(16 << 20);
    text_is_fit(row->title);
    text_is_fit(row->imdb_id);
    require(row->n_genres >= 0 && row->n_genres <= TV_ITEM_MAX_GENRES && row->year >= 0 && row->year <= 9999);
    for (int i = 0; i < row->n_genres; i++)
        text_is_fit(row->genres[i]);
    json_t *extra = row->extra ? json_loads(row->extra, 0, NULL) : json_object();
    require(extra != NULL);
    json_decref(extra);
    enum tv_status status = tv_copy_text_array(&out, row->genres, row->n_genres, !row->has_genres, err);
    if (status == TV_OK)
        status = tv_copy_text_text(&out, row->title, err);
    require(status == TV_OK && memchr(out.data, '\n', out.size) == NULL);
    tv_buffer_free(&out);
    return TV_OK;
}

static enum tv_status on_tag(void *context, const struct tv_tag_row *row, struct tv_error *err)
{
    (void)context;
    struct tv_buffer out = TV_BUFFER_INIT(16 << 20);
    text_is_fit(row->tag);
    require(tv_copy_text_time(&out, row->time, err) == TV_OK);
    tv_buffer_free(&out);
    return TV_OK;
}

static enum tv_status on_code(void *context, enum tv_code_kind kind, const char *text, size_t n, int64_t *id,
                              struct tv_error *err)
{
    (void)context, (void)err;
    require(kind < TV_CODE_KINDS && n > 0 && n <= TV_CODE_MAX && tv_text_is_utf8(text, n) && !memchr(text, 0, n));
    *id = TV_CODE_FIRST;
    return TV_OK;
}

static enum tv_status on_reject(void *context, const char *file, const struct tv_record *record,
                                const struct tv_error *why, struct tv_error *err)
{
    const size_t *file_size = context;
    struct tv_buffer out = TV_BUFFER_INIT(8192);
    require(file && why->status == TV_ERR_RECORD && why->message[0] && record->line >= 1 &&
            (size_t)record->line <= *file_size + 1 && record->raw_size <= *file_size);
    require(tv_encoding_printable(&out, record->raw, record->raw_size, 1000, err) == TV_OK);
    text_is_fit(tv_buffer_string(&out));
    tv_buffer_free(&out);
    return TV_OK;
}

static enum tv_status on_progress(void *context, double bytes, struct tv_error *err)
{
    (void)context, (void)bytes, (void)err;
    return TV_OK;
}

/* Any way in which a file may be written, by its size. */
static struct tv_forms forms_of(size_t size)
{
    enum tv_id_form ids = (enum tv_id_form)(size / 3 % (TV_ID_POINT_GROUPS + 1));
    return (struct tv_forms){.time = (enum tv_time_form)(size / 6 % TV_TIME_FORMS),
                             .value = (enum tv_number_form)(size / 2 % 3),
                             .ids = {ids, ids},
                             .absent_left_out = size % 2};
}

/* Ratings of which nothing is known: what is found out about them, and then the rows. */
static void detect(const struct tv_input *input, const struct tv_sink *sink)
{
    static const struct tv_choices choices = {.format = "auto", .ids = "auto", .unrated = "drop"};
    struct tv_set set;
    struct tv_error err;
    if (tv_detect(&set, input, &choices, &err) != TV_OK) {
        require(tv_text_is_utf8(err.message, strlen(err.message)) && tv_text_is_utf8(err.hint, strlen(err.hint)));
        return;
    }
    require(tv_text_is_utf8(set.chosen[TV_ROLE_RATINGS].how, strlen(set.chosen[TV_ROLE_RATINGS].how)));
    tv_ignore(tv_set_read(&set, TV_ROLE_RATINGS, sink, NULL), "any of the rows may be refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t which = data[0] % (sizeof readers / sizeof *readers);
    size_t header = data[0] == 255 ? 0 : strlen(readers[which].header);
    size_t file_size = header + size - 1;
    int fd = memfd_create("fuzz", 0);
    require(fd >= 0);
    require(write(fd, readers[which].header, header) == (ssize_t)header);
    require(write(fd, data + 1, size - 1) == (ssize_t)size - 1);
    char path[64], name[] = "ratings.csv";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct tv_input_file file = {.name = name, .path = path, .size = (double)file_size};
    struct tv_input input = {.path = path, .files = &file, .n_files = 1};
    struct tv_sink sink = {&file_size, on_rating, on_item, on_tag, on_code, on_reject, on_progress};
    struct tv_file_reading reading = {.input = &input,
                                      .file = &file,
                                      .dialect = readers[which].dialect,
                                      .has_header = readers[which].has_header,
                                      .codes = {size & 1, size & 1},
                                      .forms = forms_of(size),
                                      .sink = &sink};
    if (data[0] == 255)
        detect(&input, &sink);
    else
        tv_ignore(readers[which].read(&reading, NULL), "any bytes may come, and any of them may be refused");
    close(fd);
    return 0;
}
