/* test_input: a folder, an archive or one file gives named byte sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trivet/base/hash.h"
#include "trivet/read/input.h"

static char folder[] = "/tmp/trivet_input_XXXXXX";

static const char *path_of(const char *name)
{
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof *path, "%s/%s", folder, name);
    return path[next];
}

static void put(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void put_entry(struct archive *a, const char *name, const char *text)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)strlen(text));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, text, strlen(text)), strlen(text));
    archive_entry_free(entry);
}

static void put_archive(const char *name, int (*format)(struct archive *), int (*filter)(struct archive *))
{
    struct archive *a = archive_write_new();
    assert_int_equal(format(a), ARCHIVE_OK);
    assert_int_equal(filter(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path_of(name)), ARCHIVE_OK);
    put_entry(a, "ml/ratings.csv", "1,2,3\n");
    put_entry(a, "__MACOSX/ml/ratings.csv", "no");
    put_entry(a, "ml/.hidden", "no");
    put_entry(a, "ml/movies.csv", "2,Heat\n");
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || mkdir(path_of("data"), 0700) != 0 || mkdir(path_of("data/inner"), 0700) != 0)
        return -1;
    put("data/ratings.csv", "1,2,3\n", 6);
    put("data/movies.csv", "2,Heat\n", 7);
    put("data/.hidden", "no", 2);
    put("data/inner/more.csv", "no", 2);
    put_archive("ml.zip", archive_write_set_format_zip, archive_write_add_filter_none);
    put_archive("ml.tar", archive_write_set_format_ustar, archive_write_add_filter_none);
    put_archive("ml.tgz", archive_write_set_format_pax, archive_write_add_filter_gzip);
    put_archive("ml.tar.xz", archive_write_set_format_gnutar, archive_write_add_filter_xz);
    put_archive("ml.tar.bz2", archive_write_set_format_pax, archive_write_add_filter_bzip2);
    put_archive("ml.tar.zst", archive_write_set_format_pax, archive_write_add_filter_zstd);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"data/ratings.csv", "data/movies.csv", "data/.hidden", "data/inner/more.csv",
                                        "ml.zip", "ml.tar", "ml.tgz", "ml.tar.xz", "ml.tar.bz2", "ml.tar.zst", "long.tgz", "ratings.gz", "broken.zip"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(path_of(names[i]));
    rmdir(path_of("data/inner"));
    rmdir(path_of("data"));
    return rmdir(folder);
}

/* Everything that a stream gives, three bytes at a time, and that `consumed` counts it. */
static const char *all_of(struct tv_byte_source *s)
{
    static char text[256];
    size_t n = 0, got = 1;
    while (got > 0) {
        assert_int_equal(s->read(s, text + n, 3, &got, NULL), TV_OK);
        n += got;
        assert_true(s->consumed == (double)n);
    }
    text[n] = '\0';
    tv_byte_source_close(s);
    return text;
}

static uint64_t check_two_files(const char *path, const char *packing)
{
    struct tv_input *input = NULL;
    struct tv_byte_source *ratings = NULL, *movies = NULL;
    uint64_t hash = TV_HASH_START;
    assert_int_equal(tv_input_open(&input, path, NULL), TV_OK);
    assert_true(packing ? strcmp(input->packing, packing) == 0 : input->packing == NULL);
    assert_int_equal(input->n_files, 2);
    assert_string_equal(input->files[0].name, "movies.csv");
    assert_string_equal(input->files[1].name, "ratings.csv");
    assert_int_equal(tv_byte_source_open(&movies, input, &input->files[0], NULL), TV_OK); /* both at the same time */
    assert_int_equal(tv_byte_source_open(&ratings, input, &input->files[1], NULL), TV_OK);
    assert_string_equal(all_of(ratings), "1,2,3\n");
    assert_string_equal(all_of(movies), "2,Heat\n");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(tv_input_hash(&hash, input, &input->files[i], NULL), TV_OK);
    tv_input_close(input);
    return hash;
}

static void folder_and_archive_hold_the_same(void **state)
{
    (void)state;
    uint64_t of_folder = check_two_files(path_of("data"), NULL), expected = TV_HASH_START;
    assert_true(check_two_files(path_of("ml.zip"), "in a zip archive") == of_folder);
    static const char *const tars[] = {"ml.tar", "ml.tgz", "ml.tar.xz", "ml.tar.bz2", "ml.tar.zst"};
    for (size_t i = 0; i < sizeof tars / sizeof *tars; i++)
        assert_true(check_two_files(path_of(tars[i]), "in a tar archive") == of_folder);
    expected = tv_hash(tv_hash(expected, "movies.csv", 11), "2,Heat\n", 7);
    expected = tv_hash(tv_hash(expected, "ratings.csv", 12), "1,2,3\n", 6);
    assert_true(of_folder == expected);
}

/* The head that the list kept ends in the middle of the file, and the stream goes on in the archive. */
static void a_file_longer_than_its_head_is_whole(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct tv_input *input = NULL;
    struct archive *a = archive_write_new();
    char *text = malloc(N + 1), *got = malloc(N + 1);
    for (int i = 0; i < N; i++)
        text[i] = (char)('a' + i % 26);
    text[N] = '\0';
    archive_write_set_format_ustar(a);
    archive_write_add_filter_gzip(a);
    assert_int_equal(archive_write_open_filename(a, path_of("long.tgz")), ARCHIVE_OK);
    static const int sizes[] = {65535, 65536, 65537, N};
    for (int i = 0; i < 4; i++) {
        char name[8];
        sprintf(name, "%d", i);
        put_entry(a, name, text + N - sizes[i]);
    }
    archive_write_close(a);
    archive_write_free(a);
    assert_int_equal(tv_input_open(&input, path_of("long.tgz"), NULL), TV_OK);
    for (size_t i = 0; i < 4; i++) {
        struct tv_byte_source *s = NULL;
        size_t n = 0, some = 1;
        assert_int_equal(input->files[i].whole, i < 2);
        assert_int_equal(tv_byte_source_open(&s, input, &input->files[i], NULL), TV_OK);
        for (; some > 0; n += some)
            assert_int_equal(s->read(s, got + n, N - n < 1000 ? N - n + 1 : 1000, &some, NULL), TV_OK);
        assert_int_equal(n, sizes[i]);
        assert_memory_equal(got, text + N - sizes[i], n);
        tv_byte_source_close(s);
    }
    tv_input_close(input);
    free(text);
    free(got);
}

static void names_lose_their_endings(void **state)
{
    (void)state;
    char name[64];
    tv_input_name(path_of("ml.tar.bz2"), name, sizeof name);
    assert_string_equal(name, "ml");
    tv_input_name(path_of("ml.zip"), name, sizeof name);
    assert_string_equal(name, "ml");
    tv_input_name(path_of("data"), name, sizeof name);
    assert_string_equal(name, "data");
    tv_input_name(path_of("data/ratings.csv"), name, sizeof name);
    assert_string_equal(name, "ratings.csv");
}

static void one_file_is_a_list_of_one(void **state)
{
    (void)state;
    struct tv_input *input = NULL;
    struct tv_byte_source *s = NULL;
    assert_int_equal(tv_input_open(&input, path_of("data/ratings.csv"), NULL), TV_OK);
    assert_int_equal(input->n_files, 1);
    assert_string_equal(input->files[0].name, "ratings.csv");
    assert_true(input->files[0].size == 6);
    assert_int_equal(tv_byte_source_open(&s, input, &input->files[0], NULL), TV_OK);
    assert_string_equal(all_of(s), "1,2,3\n");
    tv_input_close(input);
    tv_input_close(NULL);
}

static void memory_is_a_stream(void **state)
{
    (void)state;
    struct tv_byte_source *s = NULL;
    assert_int_equal(tv_byte_source_memory(&s, "abcdefg", 7, NULL), TV_OK);
    assert_string_equal(all_of(s), "abcdefg");
    assert_int_equal(tv_byte_source_memory(&s, NULL, 0, NULL), TV_OK);
    assert_string_equal(all_of(s), "");
    tv_byte_source_close(NULL);
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    struct tv_input *input = NULL;
    struct tv_byte_source *s = NULL;
    struct tv_error err;
    const struct tv_input_file gone = {.path = (char *)"/nowhere/at/all"};
    const struct tv_input none = {.packing = NULL};
    assert_int_equal(tv_input_open(&input, path_of("absent"), &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.hint, "zip archive"));
    put("ratings.gz", "\x1f\x8b\x08", 3);
    assert_int_equal(tv_input_open(&input, path_of("ratings.gz"), &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.hint, "gzip -t"));
    put("ratings.gz", "7z\xbc\xaf", 4);
    assert_int_equal(tv_input_open(&input, path_of("ratings.gz"), &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.hint, "7z x"));
    put("broken.zip", "PK\3\4 and no more", 16);
    assert_int_equal(tv_input_open(&input, path_of("broken.zip"), &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "broken.zip"));
    assert_null(input);
    assert_int_equal(tv_byte_source_open(&s, &none, &gone, &err), TV_ERR_IO);
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_and_archive_hold_the_same),
        cmocka_unit_test(a_file_longer_than_its_head_is_whole),
        cmocka_unit_test(names_lose_their_endings),
        cmocka_unit_test(one_file_is_a_list_of_one),
        cmocka_unit_test(memory_is_a_stream),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
