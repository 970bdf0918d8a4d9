"""Small data sets for tests, and what people see of the one that is current."""

import random

FIRST = "userId,movieId,rating,timestamp\n1,10,4,1000\n1,11,5,1001\n2,10,1,1002\n"
FIRST_ITEMS = "movieId,title,genres\n10,First ten (1990),Drama\n11,First eleven (1991),Comedy\n"
SECOND = "userId,movieId,rating,timestamp\n1,10,40,1000\n2,12,90,1001\n"
SECOND_ITEMS = "movieId,title,genres\n10,Second ten (2010),War\n12,Second twelve (2012),War\n"
CODES = "userId,movieId,rating\nann,10,3\nbob,11,4\nbob,knife,5\n"

# All that belongs to a data set, as people see it.
SHOWN = {
    "ratings": "SELECT user_id, item_id, value, rated_at, load_id FROM trivet.rating ORDER BY 1, 2, 3",
    "items": "SELECT item_id, title, year, genres FROM trivet.item ORDER BY 1",
    "tags": "SELECT * FROM trivet.tag ORDER BY 1, 2, 3",
    "codes": "SELECT * FROM trivet.code ORDER BY 1, 2",
    "users changed": "SELECT * FROM trivet.user_change ORDER BY 1",
    "items changed": "SELECT * FROM trivet.item_change ORDER BY 1",
    "scale": "SELECT low, high FROM trivet.known_scale()",
    "state": "SELECT * FROM trivet.data_state()",
    "movies": "SELECT * FROM movies ORDER BY 1",
}


def shown(stores):
    return {name: stores.psql(sql) for name, sql in SHOWN.items()}


def rate(stores, user, item, value):
    assert stores.psql(f"SELECT refused IS NULL FROM trivet.rate({user}, '{{{item}}}', '{{{value}}}')") == "t"


def films(word, n=24):
    return "movieId,title,genres\n" + "".join(f"{i},{word} {i} (1990),Drama\n" for i in range(1, n + 1))


def grades(n=24, high=5):
    return "userId,movieId,rating,timestamp\n" + "".join(
        f"{u},{i},{1 + (u * i) % high},1000\n" for u in range(1, 31) for i in range(1, n + 1) if (u + i) % 3)


def untitled(seed, users=range(1, 81), items=40, share=0.2, id="{}"):
    """Ratings without titles, of users and items of the same small numbers whatever the seed."""
    draw = random.Random(seed)
    return "userId,movieId,rating,timestamp\n" + "".join(
        f"{id.format(u)},{i},{draw.randint(1, 5)},1000\n" for u in users for i in range(1, items + 1) if draw.random() < share)
