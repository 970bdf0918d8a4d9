"""An evaluation computed once more: divisions, metrics, intervals and baselines as docs/metrics.md has them, in numpy and,
where it has them, with scikit-learn. Nothing of trivet takes part."""

import numpy as np
from sklearn import metrics

CUTS = (5, 10, 15, 100)
DEPTH, RESAMPLES, PAIRS = 100, 1000, 10000


# --- draws -------------------------------------------------------------------------------------------------------


def splitmix64(seed, n):
    """The first n outputs."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)


def real(x):
    return (x >> np.uint64(11)).astype(float) * 2.0**-53


def below(x, n):
    """floor(x n / 2^64), for n below 2^31, without 128 bits."""
    n, high, low = np.uint64(n), x >> np.uint64(32), x & np.uint64(0xFFFFFFFF)
    return ((high * n + (low * n >> np.uint64(32))) >> np.uint64(32)).astype(int)


# --- divisions: 0 is training, 1 test, 2 validation ----------------------------------------------------------------


def parts_at_random(n, test, validation, seed):
    u = real(splitmix64(seed, n))
    return np.where(u < test, 1, np.where(u < test + validation, 2, 0))


def parts_by_time(time, test, validation):
    newest = np.sort(time)[::-1]
    after = [newest[int(np.floor(share * len(time) + 0.5))] for share in (test, test + validation)]
    return np.where(time > after[0], 1, np.where(time > after[1], 2, 0))


def last_of_each_user(user, item, time, k):
    part = np.zeros(len(user), int)
    for u in np.unique(user):
        mine = np.flatnonzero(user == u)
        if len(mine) > k:
            part[mine[np.lexsort((item[mine], time[mine]))[-k:]]] = 1
    return part


# --- judging -----------------------------------------------------------------------------------------------------


class Division:
    """Pairs in the order of user and item. `learned` marks which of the training pairs are learned from (default: all)."""

    def __init__(self, user, item, value, part, judged=1, learned=None):
        training = part == 0
        self.users, row = np.unique(user[training], return_inverse=True)
        self.items, column = np.unique(item[training], return_inverse=True)
        self.seen = np.zeros((len(self.users), len(self.items)), bool)
        self.seen[row, column] = True
        self.counts = self.seen.sum(0)
        learned = np.ones(len(row), bool) if learned is None else learned
        self.row, self.column, self.value = row[learned], column[learned], value[training][learned].astype(float)
        held = np.flatnonzero(part == judged)
        known_user, known_item = np.isin(user[held], self.users), np.isin(item[held], self.items)
        warm = held[known_user & known_item]
        self.test_row, self.test_column = np.searchsorted(self.users, user[warm]), np.searchsorted(self.items, item[warm])
        self.test_value = value[warm].astype(float)
        self.unreachable = np.bincount(np.searchsorted(self.users, user[held[known_user & ~known_item]]), minlength=len(self.users))
        self.relevant = np.zeros_like(self.seen)
        self.relevant[self.test_row, self.test_column] = True
        self.judged = np.flatnonzero(self.relevant.sum(1) + self.unreachable)
        self.holdout = {"rows": len(held), "users": len(np.unique(user[held])), "items": len(np.unique(item[held])),
                        "cold_users": len(np.unique(user[held[~known_user]])), "cold_user_rows": int((~known_user).sum()),
                        "cold_items": len(np.unique(item[held[~known_item]])), "cold_item_rows": int((known_user & ~known_item).sum())}

    # baselines: scores for lists (None: none), and predicted ratings of the test pairs (None: none)

    def baselines(self):
        n_users, n_items = self.seen.shape
        mean, count = self.value.mean(), np.bincount(self.column, minlength=n_items)
        total = np.bincount(self.column, self.value, minlength=n_items)
        item_mean = np.where(count > 0, total / np.maximum(count, 1), mean)
        b_i = (total - count * mean) / (25 + count)  # sums of stars are exact: items with equal ratings tie
        b_u = (np.bincount(self.row, self.value - mean - b_i[self.column], minlength=n_users)
               / (10 + np.bincount(self.row, minlength=n_users)))
        everybody = np.ones((n_users, 1))
        u, i = self.test_row, self.test_column
        return {"mean": (None, np.full(len(u), mean)), "item_mean": (everybody * item_mean, item_mean[i]),
                "bias": (mean + b_u[:, None] + b_i, mean + b_u[u] + b_i[i]), "popular": (everybody * count, None),
                "random": (np.array([real(splitmix64(s, n_items)) for s in splitmix64(1, n_users)]), None)}

    # numbers

    def lists(self, scores):
        """(judged, DEPTH) columns, best first, -1 from the end of a list on. An item scored NaN is in no list."""
        scores = np.where(self.seen | np.isnan(scores), -np.inf, scores)[self.judged]
        order = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
        order[np.take_along_axis(scores, order, 1) == -np.inf] = -1
        return np.pad(order, ((0, 0), (0, DEPTH - order.shape[1])), constant_values=-1)

    def ranking(self, scores):
        """{cut: {measure: value}}; ndcg with its interval."""
        lists = self.lists(scores)
        hits = np.take_along_axis(self.relevant[self.judged], np.maximum(lists, 0), 1) & (lists >= 0)
        n_relevant = self.relevant[self.judged].sum(1) + self.unreachable[self.judged]
        return {str(k): {**quality(hits, n_relevant, k), **self.diversity(lists[:, :k])} for k in CUTS}

    def diversity(self, lists):
        n, members = len(lists), [set(row[row >= 0].tolist()) for row in lists]
        if n * (n - 1) // 2 <= PAIRS:
            pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
        else:
            draws = splitmix64(1, 2 * PAIRS)
            first, second = below(draws[0::2], n), below(draws[1::2], n - 1)
            pairs = zip(first, second + (second >= first))
        common = np.array([(len(members[a] & members[b]), len(members[a] | members[b])) for a, b in pairs], float)
        return {"coverage": len(set().union(*members)) / len(self.items), "popularity": self.counts[lists[lists >= 0]].mean(),
                "overlap": common[:, 0].mean(), "jaccard": (common[:, 0] / np.maximum(common[:, 1], 1)).mean()}

    def rating_error(self, predicted):
        known = ~np.isnan(predicted)
        p, r, u = predicted[known], self.test_value[known], self.test_row[known]
        rows = np.bincount(u)
        some = rows > 0
        squared, rows = np.bincount(u, (p - r) ** 2)[some], rows[some]
        low, high = bootstrap(squared, rows)
        return {"rmse": {"value": metrics.mean_squared_error(r, p) ** 0.5, "low": low**0.5, "high": high**0.5},
                "mae": metrics.mean_absolute_error(r, p), "r2": metrics.r2_score(r, p)}


def quality(hits, n_relevant, k):
    h, places = hits[:, :k], np.arange(1, k + 1)
    ideal = np.cumsum(1 / np.log2(places + 1))[np.minimum(n_relevant, k) - 1]
    ndcg = (h / np.log2(places + 1)).sum(1) / ideal
    first = np.where(h.any(1), h.argmax(1), -1)
    low, high = bootstrap(ndcg, np.ones(len(ndcg)))
    assert abs(ndcg.mean() - ndcg_of_sklearn(hits, n_relevant, k)) < 1e-12
    return {"ndcg": {"value": ndcg.mean(), "low": low, "high": high}, "precision": h.mean(1).mean(),
            "recall": (h.sum(1) / n_relevant).mean(), "hit_rate": h.any(1).mean(),
            "mrr": np.where(first >= 0, 1 / (first + 1.0 + (first < 0)), 0).mean(),
            "map": ((h * np.cumsum(h, 1) / places).sum(1) / np.minimum(n_relevant, k)).mean()}


def ndcg_of_sklearn(hits, n_relevant, k):
    """Relevant items that are in no list stand behind as many places as count."""
    missed = n_relevant - hits.sum(1)
    behind = np.arange(missed.max()) < missed[:, None]
    truth = np.hstack([hits, np.zeros((len(hits), DEPTH)), behind])
    return metrics.ndcg_score(truth, np.tile(-np.arange(truth.shape[1], dtype=float), (len(hits), 1)), k=k, ignore_ties=True)


def bootstrap(above, below_line):
    """The 25th and 975th of 1,000 ratios of sums, users drawn with repetition."""
    n, values = len(above), []
    for seed in splitmix64(1, RESAMPLES):
        drawn = below(splitmix64(seed, n), n)
        values.append(above[drawn].sum() / below_line[drawn].sum())
    values.sort()
    return values[24], values[974]
