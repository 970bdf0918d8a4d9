/* test_etl_detect: which file of a folder is taken for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "etl/detect.h"

/* A new folder with files: name, content, name, content, ..., NULL. */
static void make_folder(char *folder, const char *const *files)
{
    char path[512];
    strcpy(folder, "/tmp/trivet-detect-XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (; files[0]; files += 2) {
        snprintf(path, sizeof path, "%s/%s", folder, files[0]);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        fputs(files[1], f);
        fclose(f);
    }
}

static void remove_folder(const char *folder, const char *const *files)
{
    char path[512];
    for (; files[0]; files += 2) {
        snprintf(path, sizeof path, "%s/%s", folder, files[0]);
        unlink(path);
    }
    rmdir(folder);
}

/* "movielens-csv ratings=ratings.csv items=movies.csv ignored=x" or the error's message. */
static void check(const char *const *files, const char *format, const char *expected)
{
    char folder[64], got[1024] = "";
    struct tv_input *input = NULL;
    struct tv_set set;
    struct tv_error err = {0};
    make_folder(folder, files);
    assert_int_equal(tv_input_open(&input, folder, &err), TV_OK);
    if (tv_detect(&set, input, format, &err) != TV_OK) {
        assert_int_equal(err.status, TV_ERR_INPUT);
        strcpy(got, "none");
    } else {
        strcpy(got, set.format);
        for (int role = 0; role < TV_ROLE_COUNT; role++)
            if (set.parts[role].file)
                snprintf(got + strlen(got), sizeof got - strlen(got), " %s=%s",
                         tv_role_name((enum tv_role)role), set.parts[role].file->name);
        for (size_t i = 0; i < set.n_ignored; i++)
            snprintf(got + strlen(got), sizeof got - strlen(got), " ignored=%s", set.ignored[i]);
    }
    tv_input_close(input);
    remove_folder(folder, files);
    assert_string_equal(got, expected);
}

#define FILES(...) ((const char *const[]){__VA_ARGS__, NULL, NULL})

static void formats_are_found(void **state)
{
    (void)state;
    check(FILES("ratings.csv", "userId,movieId,rating,timestamp\r\n1,2,3,4\r\n"), "auto",
          "movielens-csv ratings=ratings.csv");
    check(FILES("ratings.csv", "\xef\xbb\xbfuserId;movieId;rating\n1;2;3\n"), "auto",
          "movielens-csv ratings=ratings.csv");
    check(FILES("ratings.csv", "1,2,3\n"), "auto", "movielens-csv ratings=ratings.csv");
    check(FILES("ratings.csv", "userId,movieId,rating\n", "movies.csv", "movieId,title,genres\n", "links.csv",
                "movieId,imdbId,tmdbId\n", "tags.csv", "userId,movieId,tag,timestamp\n", "README.txt", "x\n"),
          "auto",
          "movielens-csv ratings=ratings.csv items=movies.csv links=links.csv tags=tags.csv "
          "ignored=README.txt");
    check(FILES("ratings.dat", "1::2::3::4\n", "movies.dat", "1::Toy Story (1995)::Comedy\n", "users.dat",
                "1::F::1::1::1\n"),
          "auto", "ml-1m ratings=ratings.dat items=movies.dat ignored=users.dat");
    check(FILES("u.data", "1\t2\t3\t4\n", "u.item", "1|Toy|d||u|0|1\n", "u.genre", "unknown|0\n"), "auto",
          "ml-100k ratings=u.data items=u.item genres=u.genre");
    check(FILES("x.inter", "user_id:token\titem_id:token\trating:float\n", "x.item",
                "item_id:token\tmovie_title:token_seq\n"),
          "auto", "recbole ratings=x.inter items=x.item");
    check(FILES("ratings_small.csv", "userId,movieId,rating\n", "links_small.csv", "movieId,imdbId,tmdbId\n",
                "movies_metadata.csv", "adult,genres,id,imdb_id,title\n"),
          "auto",
          "kaggle-movies ratings=ratings_small.csv links=links_small.csv metadata=movies_metadata.csv");
    check(FILES("ratings.csv", "userId,movieId,rating\n", "trivet-synth.json", "{}\n"), "auto",
          "movielens-csv ratings=ratings.csv marker of a generated set=trivet-synth.json");
}

static void the_better_of_two_is_used(void **state)
{
    (void)state;
    check(FILES("ratings_small.csv", "userId,movieId,rating\n1,2,3\n", "ratings.csv",
                "userId,movieId,rating\n"),
          "auto", "movielens-csv ratings=ratings.csv ignored=ratings_small.csv");
    check(
        FILES("ratings_a.csv", "userId,movieId,rating\n", "ratings_b.csv", "userId,movieId,rating\n1,2,3\n"),
        "auto", "movielens-csv ratings=ratings_b.csv ignored=ratings_a.csv");
}

static void a_name_alone_proves_nothing(void **state)
{
    (void)state;
    check(FILES("ratings.csv", "one,two\n1,2\n"), "auto", "none");
    check(FILES("ratings.csv", ""), "auto", "none");
    check(FILES("u.data", "not what it seems\n"), "auto", "none");
    check(FILES("notes.txt", "1,2,3\n"), "auto", "none");
    check(FILES("u.data", "damaged\n1\t2\t3\t4\n"), "auto",
          "ml-100k ratings=u.data"); /* the second line fits */
}

static void a_format_narrows_the_search(void **state)
{
    (void)state;
    check(FILES("ratings.csv", "userId,movieId,rating\n", "ratings.dat", "1::2::3::4\n"), "ml-1m",
          "ml-1m ratings=ratings.dat ignored=ratings.csv");
    check(FILES("ratings.csv", "userId,movieId,rating\n"), "recbole", "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_found),
        cmocka_unit_test(the_better_of_two_is_used),
        cmocka_unit_test(a_name_alone_proves_nothing),
        cmocka_unit_test(a_format_narrows_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
