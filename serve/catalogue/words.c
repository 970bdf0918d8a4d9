/* words: the words of pages that differ between ratings and plays. The templates of serve/pages have slots for them, so
 * one page serves both kinds of data. A new word is a member of struct tv_words and a line in each of the two tables.
 */
#include "serve/catalogue/words.h"

#include <stddef.h>

/* Where values are ratings. An item without an address is looked for at IMDb, as if it were a film. */
static const struct tv_words ratings = {
    .hero = "What to watch next, from who rated what.",
    .lead = "trivet learns from ratings which tastes there are, places everybody among them, and ranks what they have "
            "not rated yet. Pick somebody and look.",
    .from = "From your ",
    .from_one = " rating",
    .from_many = " ratings",
    .stranger = "We don't know you yet: what most people rate",
    .nothing_known = "This model knows nothing you rated: what most people rate",
    .no_place = "This model has no place for what you rated: what most people rate",
    .folded_in = "The model did not learn from this user; their ratings place them in it. ",
    .because = "Because you liked ",
    .did = "rated",
    .best = "Rated highest",
    .kind = "stars",
    .popularity = "number of ratings",
    .learned = "Ratings learned from",
    .one = "rating",
    .many = "ratings",
    .at_least = "Ratings, at least",
    .known_too = "also what was rated already",
    .rate_more = "Rate something else",
    .rated_it = "Rated",
    .new_here = "Rate five, get a list",
    .rate_lead = "Tell what you thought of five films you know. Your list is there as soon as you look.",
    .search_name = "Search IMDb",
    .search_url = "https://www.imdb.com/find/?q=",
};

/* Where values are counts of plays: what was played may be anything, so the web is searched. A user's number is one of
 * titles, not of plays, because a pair is one row however often it was played. */
static const struct tv_words plays = {
    .hero = "What to play next, from who played what.",
    .lead = "trivet learns from plays which tastes there are, places everybody among them, and ranks what they have "
            "not played yet. Pick somebody and look.",
    .from = "From ",
    .from_one = " title you played",
    .from_many = " titles you played",
    .stranger = "We don't know you yet: what most people play",
    .nothing_known = "This model knows nothing you played: what most people play",
    .no_place = "This model has no place for what you played: what most people play",
    .folded_in = "The model did not learn from this user; what they played places them in it. ",
    .because = "Because you played ",
    .did = "played",
    .best = "Played most",
    .kind = "plays",
    .popularity = "users who played it",
    .learned = "Counts learned from",
    .one = "title",
    .many = "titles",
    .at_least = "Users, at least",
    .known_too = "also what was played already",
    .rate_more = "Add something you played",
    .rated_it = "Played",
    .new_here = "Name five, get a list",
    .rate_lead = "Pick five you have played; each press is one more play. Your list is there as soon as you look.",
    .search_name = "Search the web",
    .search_url = "https://duckduckgo.com/?q=",
};

/* The description of the model says what its values are. Without a model the pages speak of ratings. */
const struct tv_words *tv_words_of(const struct tv_model_info *info)
{
    return info && info->counts ? &plays : &ratings;
}
