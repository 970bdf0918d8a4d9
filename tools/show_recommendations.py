"""Prints fifteen recommendations as a table, and the address of the page.

usage: show_recommendations.py URL USER...: the first of the users that trivet knows.
"""

import json
import sys
import urllib.error
import urllib.request

TOP = 15


def fetch(url, user):
    request = urllib.request.Request(f"{url}/recs?user_id={user}&top={TOP}", headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main(url, users):
    try:
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
    print(f"\nThe page: {url}/recs?user_id={answer['user_id']}&top={TOP}   (start page: {url}/)")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
