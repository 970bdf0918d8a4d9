/* test_detect: which file of a folder is taken for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "etl/detect/detect.h"

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
    const struct tv_choices choices = {.format = format, .ids = "auto", .unrated = "refuse"};
    make_folder(folder, files);
    assert_int_equal(tv_input_open(&input, folder, &err), TV_OK);
    if (tv_detect(&set, input, &choices, &err) != TV_OK) {
        assert_int_equal(err.status, TV_ERR_INPUT);
        strcpy(got, "none");
    } else {
        strcpy(got, set.format);
        for (int role = 0; role < TV_ROLE_COUNT; role++)
            if (set.chosen[role].file)
                snprintf(got + strlen(got), sizeof got - strlen(got), " %s=%s", tv_role_name((enum tv_role)role),
                         set.chosen[role].file->name);
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
    check(FILES("ratings.dat", "a::b::3::4\n", "movies.dat", "b::Toy Story (1995)::Comedy\n", "tags.dat", "a::b::fun::4\n"),
          "auto", "ml-1m ratings=ratings.dat items=movies.dat tags=tags.dat"); /* ids may be text in all of them */
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

static void plays_are_found(void **state)
{
    (void)state;
    check(FILES("user_artists.dat", "userID\tartistID\tweight\n2\t51\t13883\n", "artists.dat",
                "id\tname\turl\tpictureURL\n", "tags.dat", "tagID\ttagValue\n", "user_taggedartists.dat",
                "userID\tartistID\ttagID\tday\tmonth\tyear\n", "user_friends.dat", "userID\tfriendID\n"),
          "auto",
          "lastfm ratings=user_artists.dat items=artists.dat tags=user_taggedartists.dat words of tags=tags.dat "
          "ignored=user_friends.dat");
    check(FILES("user_artists.dat", "userID\tartistID\tweight\n", "user_taggedartists.dat",
                "userID\tartistID\ttagID\tday\tmonth\tyear\n"),
          "auto", "lastfm ratings=user_artists.dat ignored=user_taggedartists.dat"); /* numbers without words */
    check(FILES("lastfm_play.csv", "user_id,artist_id\n", "lastfm_artist.csv", "artist_id,artist_name\n",
                "lastfm_user.csv", "user_id,age\n"),
          "auto", "plays-csv ratings=lastfm_play.csv items=lastfm_artist.csv ignored=lastfm_user.csv");
    check(FILES("events.csv", "time;user;song_id;plays\n", "songs.csv", "song_id;title\n"), "auto",
          "plays-csv ratings=events.csv ignored=songs.csv");
    check(FILES("ratings.csv", "userId,movieId,rating\n", "plays.csv", "user,item\n"), "auto",
          "movielens-csv ratings=ratings.csv ignored=plays.csv");
    check(FILES("tags.csv", "userId,movieId,tag\n"), "auto", "none");
}

/* Ids of a ratings.csv: "codes numbers 4/5 0/5" for users and items. */
static void check_ids(const char *text, const char *choice, const char *expected)
{
    char folder[64], got[128];
    struct tv_input *input = NULL;
    struct tv_set set;
    const char *const *files = FILES("ratings.csv", text);
    make_folder(folder, files);
    assert_int_equal(tv_input_open(&input, folder, NULL), TV_OK);
    const struct tv_choices choices = {.format = "auto", .ids = choice, .unrated = "refuse"};
    assert_int_equal(tv_detect(&set, input, &choices, NULL), TV_OK);
    snprintf(got, sizeof got, "%s %s %lld/%lld %lld/%lld", set.codes[TV_CODE_USER] ? "codes" : "numbers",
             set.codes[TV_CODE_ITEM] ? "codes" : "numbers", set.n_texts[TV_CODE_USER], set.n_sampled,
             set.n_texts[TV_CODE_ITEM], set.n_sampled);
    tv_input_close(input);
    remove_folder(folder, files);
    assert_string_equal(got, expected);
}

static void most_of_the_first_ids_decide(void **state)
{
    (void)state;
    check_ids("userId,movieId,rating\n1,2,3\n4,5,6\n", "auto", "numbers numbers 0/2 0/2");
    check_ids("a,2,3\nb,5,6\n", "auto", "codes numbers 2/2 0/2");
    check_ids("movieId,rating,userId\na,3,2\nb,3,2\n7,3,2\n", "auto", "numbers codes 0/3 2/3");
    check_ids("a,2,3\n4,5,6\n", "auto", "numbers numbers 1/2 0/2"); /* half is damage, not a habit */
    check_ids("a,2,3\n4,5,6\n", "codes", "codes codes 1/2 0/2");
    check_ids("a,b,3\nc,d,6\n", "numbers", "numbers numbers 2/2 2/2");
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
        cmocka_unit_test(plays_are_found),
        cmocka_unit_test(most_of_the_first_ids_decide),
        cmocka_unit_test(a_format_narrows_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
