/* title: every combination of a pattern and two words, in an order that looks random: index times a stride that has
 * no factor in common with the number of combinations visits each once. Then come the sequels, "Part 2" and so on,
 * so that there are titles for any number of items.
 */
#include "etl/synth/title.h"

#include <stdio.h>

static const char *const adjectives[] = {
    "Silent",    "Golden",  "Broken",   "Distant",  "Hidden",   "Burning",  "Frozen",  "Crimson",
    "Forgotten", "Last",    "Midnight", "Winter",   "Electric", "Paper",    "Velvet",  "Wild",
    "Hollow",    "Bright",  "Quiet",    "Restless", "Secret",   "Endless",  "Scarlet", "Northern",
    "Lonely",    "Stolen",  "Painted",  "Sunken",   "Gentle",   "Savage",   "Clever",  "Borrowed",
    "Copper",    "Crooked", "Drifting", "Early",    "Faithful", "Glass",    "Honest",  "Iron",
    "Jade",      "Kind",    "Laughing", "Marble",   "Narrow",   "Obedient", "Pale",    "Rising",
    "Shattered", "Tender"};
static const char *const nouns[] = {
    "Harbor",  "River",     "Garden",   "Mountain", "Station", "Letter",     "Mirror", "Orchard",  "Lantern",
    "Island",  "Shadow",    "Promise",  "Train",    "Window",  "Forest",     "Bridge", "Circus",   "Library",
    "Voyage",  "Kingdom",   "Season",   "Stranger", "Melody",  "Tide",       "Castle", "Desert",   "Engine",
    "Feather", "Ghost",     "Horizon",  "Journal",  "Key",     "Lighthouse", "Market", "Notebook", "Ocean",
    "Painter", "Queen",     "Road",     "Sailor",   "Theater", "Umbrella",   "Valley", "Witness",  "Archive",
    "Bakery",  "Clock",     "Daughter", "Elephant", "Fortune", "Gambler",    "House",  "Inventor", "Jungle",
    "Kite",    "Labyrinth", "Monsoon",  "Neighbor", "Opera",   "Piano"};
enum { N_ADJECTIVES = sizeof adjectives / sizeof *adjectives, N_NOUNS = sizeof nouns / sizeof *nouns };

/* Each pattern takes two words; they differ in their fixed words, so no two make the same title. */
static const struct {
    const char *format;
    int first_is_adjective;
} patterns[] = {{"The %s %s", 1},         {"%s %s", 1},
                {"A %s %s", 1},           {"The %s of the %s", 0},
                {"The %s and the %s", 0}, {"My %s %s", 1},
                {"Beyond the %s %s", 1},  {"One %s %s", 1},
                {"%s by the %s", 0},      {"Return to the %s %s", 1}};
enum { N_PATTERNS = sizeof patterns / sizeof *patterns };

/* The titles a pattern makes: two nouns are never the same one. */
static uint64_t size_of(int pattern)
{
    return (uint64_t)N_NOUNS * (patterns[pattern].first_is_adjective ? N_ADJECTIVES : N_NOUNS - 1);
}

/* The title of a combination: its pattern, and in that the place of both words. */
static void combine(char *out, size_t size, uint64_t combination)
{
    int pattern = 0;
    for (; combination >= size_of(pattern); pattern++)
        combination -= size_of(pattern);
    uint64_t second = combination % N_NOUNS, first = combination / N_NOUNS;
    if (!patterns[pattern].first_is_adjective && first >= second)
        first++;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(out, size, patterns[pattern].format,
             patterns[pattern].first_is_adjective ? adjectives[first] : nouns[first], nouns[second]);
#pragma GCC diagnostic pop
}

/* Computed from the index alone, so that no list of titles is kept. */
void tv_synth_title(char *out, size_t size, uint64_t index)
{
    static const uint64_t stride = 22271; /* prime, and no factor of 31,620, the sum of all sizes */
    uint64_t all = 0;
    char title[128];
    for (int pattern = 0; pattern < N_PATTERNS; pattern++)
        all += size_of(pattern);
    combine(title, sizeof title, index * stride % all);
    if (index < all)
        snprintf(out, size, "%s", title);
    else
        snprintf(out, size, "%s: Part %llu", title, (unsigned long long)(index / all + 1));
}
