"""What the clients remember: each request that changes ratings, what it asked for, and what it was told."""

import dataclasses
import enum


class Outcome(enum.Enum):
    TAKEN = "taken"      # 200, 202: it must be there afterwards
    REFUSED = "refused"  # 4xx: it must not
    UNKNOWN = "unknown"  # 503, or the connection broke: either


@dataclasses.dataclass
class Change:
    client: int
    user: str
    values: dict  # {item: value, or None for a rating taken back}
    sent: float   # time.time()
    done: float = 0
    outcome: Outcome = Outcome.UNKNOWN
    status: int = 0  # of the answer; 0: none
    rev: int = 0
    text: str = ""


# A request whose answer did not come may still be under way in the server. Later than that it is not.
IN_DOUBT_SECONDS = 45


def possible(changes, item):
    """What a pair may hold after all changes of it, in the order they were sent: [(value, or None for nothing; the change, or
    None if nothing ever changed it)]. The last acknowledged one, or one of unknown outcome that may have come after that."""
    touching = [c for c in changes if item in c.values and c.outcome is not Outcome.REFUSED]
    last = next((c for c in reversed(touching) if c.outcome is Outcome.TAKEN), None)
    late = [c for c in touching if c.outcome is Outcome.UNKNOWN and (last is None or c.sent > last.sent - IN_DOUBT_SECONDS)]
    return [(last and last.values[item], last), *((c.values[item], c) for c in late)]
