"""Prints fifteen recommendations as a table, and the address of the page.

usage: show_recommendations.py URL MODEL USER...: the first of the users that trivet knows, once the server has that model,
which takes it a moment after a training; or, if it has not in a while, from the one that it has.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TOP = 15
PATIENCE = 15  # seconds


def address_of(url, user):
    return f"{url}/recs?user_id={urllib.parse.quote(str(user), safe='')}&top={TOP}"


def fetch(url, user):
    request = urllib.request.Request(address_of(url, user), headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def served(url):
    """The number of the model that the server has; None: none."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=30) as answer:
            return json.load(answer)["model"]
    except urllib.error.HTTPError as error:
        return json.load(error)["model"]


def wait_for(url, model):
    deadline = time.monotonic() + PATIENCE
    while served(url) != model and time.monotonic() < deadline:
        time.sleep(0.1)


def main(url, model, users):
    try:
        if model:
            wait_for(url, int(model))
        answer = next((a for a in (fetch(url, user) for user in users) if a["reason"] != "popular"), None)
        answer = answer or fetch(url, users[0])
    except urllib.error.HTTPError as error:
        sys.exit(f"quickstart: {url} answers {error.code}: {error.read().decode(errors='replace')[:500]}")
    except OSError as error:
        sys.exit(f"quickstart: {url} does not answer: {error}")
    print(f"\nRecommendations for user {answer['user_id']} (model {answer['model']}, {answer['reason']}):\n")
    for item in answer["items"]:
        title, year = item.get("title") or f"item {item['id']}", item.get("year")
        if year and not title.endswith(f"({year})"):
            title += f" ({year})"
        print(f"{item['rank']:4}  {item['score']:8.4f}  {title:50.50}  {', '.join(item.get('genres') or [])}")
    print(f"\nThe page: {address_of(url, answer['user_id'])}   (start page: {url}/)")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
