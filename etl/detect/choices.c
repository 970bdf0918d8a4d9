/* choices: a row a flag. */
#include "etl/detect/choices.h"

const struct tv_option tv_choices_options[] = {
    {.name = "format",
     .kind = TV_OPTION_CHOICE,
     .value = "NAME",
     .default_text = "auto",
     .choices = TV_DETECT_FORMATS,
     .help = "look for one format only"},
    {.name = "ids",
     .kind = TV_OPTION_CHOICE,
     .value = "WHAT",
     .default_text = "auto",
     .choices = TV_DETECT_IDS,
     .help = "what ids are: numbers, or codes such as UUIDs; without it, what most of the first 1,000 rows have"},
    {.name = "columns",
     .kind = TV_OPTION_TEXT,
     .value = "WHICH",
     .help = "which columns of the ratings mean what: user=uid,item=sku,rating=points,time=day, or plays=; rating=none: each "
             "line is one play; without a header by place, user=1,item=2,rating=3"},
    {.name = "unrated",
     .kind = TV_OPTION_CHOICE,
     .value = "WHAT",
     .default_text = "refuse",
     .choices = TV_DETECT_UNRATED,
     .help = "what to do with lines whose rating is none, such as -1: leave them out, take all lines as plays, or keep it"},
    {.name = "decimal",
     .kind = TV_OPTION_CHOICE,
     .value = "SIGN",
     .default_text = "auto",
     .choices = TV_DETECT_DECIMAL,
     .help = "the sign before a fraction in ratings and plays, where 4,125 could be 4125, too; without it, what the values show"},
    {.name = "dates",
     .kind = TV_OPTION_CHOICE,
     .value = "ORDER",
     .default_text = "auto",
     .choices = TV_DETECT_DATES,
     .help = "what stands first in dates such as 04.12.2004 or 4/12/2004; without it, what days beyond the twelfth show"},
    {.name = "max-rejects",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "1000",
     .min = 0,
     .max = 1e12,
     .help = "give up, and load nothing, when more lines than that cannot be read"},
    {.name = NULL},
};

struct tv_choices tv_choices_of(const struct tv_settings *s)
{
    return (struct tv_choices){.format = tv_settings_text(s, "format"),
                               .ids = tv_settings_text(s, "ids"),
                               .columns = tv_settings_text(s, "columns"),
                               .unrated = tv_settings_text(s, "unrated"),
                               .dates = tv_settings_text(s, "dates"),
                               .decimal = tv_settings_text(s, "decimal")};
}
