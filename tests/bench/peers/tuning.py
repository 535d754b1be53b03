"""Find the least effort that reaches the recall, and let two indexes search in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexer.ann.exact_rerank import exact_scores
from indexer.types import Floats, Ids, Mask
from tests.bench.peers.contestants import Contestant, Effort

RECALL, DEPTH = 0.995, 10
ROUNDS = 3
FEWEST = 10  # questions of a slow peer, however long they take
TRIED = 20  # questions by which the best of several efforts is chosen


@dataclass(frozen=True)
class Part:
    """Questions of one kind, the scores of their tenth best rows, and the mask of the filter, if any."""

    rows: np.ndarray
    queries: Floats
    truth: Floats
    mask: Mask | None = None

    @property
    def filtered(self) -> bool:
        """Return whether the filter applies."""
        return self.mask is not None

    def recall(self, search: Callable[[Floats], Ids]) -> float:
        """Return the share of the ten best rows that a search finds."""
        return recall_of(search, self.rows, self.queries, self.truth, self.mask)


def side_by_side(own: Contestant, peer: Contestant, part: Part, seconds: float) -> dict[str, Any]:
    """Tune both to the recall, then let them search in turn: recall, p50 and p99 of each, in ms.

    A peer gets as many questions as it answers in about so many seconds of the processor, tuning included, if not all.
    """
    count = _affordable(peer, part, seconds)
    few = count < len(part.queries)
    part = replace(part, queries=part.queries[:count], truth=part.truth[:count])
    both = {"own": (own, *tuned(own, part)), "peer": (peer, *tuned(peer, part))}
    times: dict[str, list[float]] = {name: [] for name in both}
    for number in range(ROUNDS):
        order = sorted(both, reverse=bool(number % 2))
        for query in part.queries:
            for name in order:
                contestant, effort, _ = both[name]
                times[name].append(1000 * _seconds(contestant, query, effort, part.filtered))
    figures: dict[str, Any] = {"queries": len(part.queries), "few": few}
    for name, (_, effort, recall) in both.items():
        p50, p99 = np.quantile(times[name], [0.5, 0.99])
        figures[name] = {"effort": [*effort], "recall": recall, "p50_ms": float(p50), "p99_ms": float(p99)}
    for quantile in ("p50", "p99"):
        figures[f"own_to_peer_{quantile}"] = figures["own"][f"{quantile}_ms"] / figures["peer"][f"{quantile}_ms"]
    return figures


def _affordable(peer: Contestant, part: Part, seconds: float) -> int:
    """Return how many of the questions a peer answers, by what the first three take."""
    widths = peer.widths_for(part.filtered)
    least = Effort(widths[len(widths) // 4], peer.refines[0])
    once = min(_seconds(peer, query, least, part.filtered) for query in part.queries[:3])
    times = ROUNDS + len(peer.refines) * len(widths).bit_length()
    return min(len(part.queries), max(FEWEST, int(seconds / times / max(once, 1e-6))))


def tuned(contestant: Contestant, part: Part) -> tuple[Effort, float]:
    """Return the quickest effort that reaches the recall, or that of the highest recall, and its recall."""
    found = [_least(contestant, part, refine) for refine in contestant.refines]
    reached = [each for each in found if each[1] >= RECALL]
    if not reached:
        return max(found, key=lambda each: each[1])
    if len(reached) == 1:
        return reached[0]

    def median(each: tuple[Effort, float]) -> float:
        return float(np.median([_seconds(contestant, q, each[0], part.filtered) for q in part.queries[:TRIED]]))

    return min(reached, key=median)


def _least(contestant: Contestant, part: Part, refine: int) -> tuple[Effort, float]:
    """Return the least width that reaches the recall with so much refining, or the most, and its recall."""
    efforts = [Effort(width, refine) for width in contestant.widths_for(part.filtered)]
    recalls: dict[int, float] = {}

    def recall(place: int) -> float:
        if place not in recalls:
            effort = efforts[place]
            recalls[place] = part.recall(lambda q: contestant.search(q, DEPTH, effort, part.filtered))
        return recalls[place]

    low, high = 0, len(efforts)
    while low < high:
        middle = (low + high) // 2
        if recall(middle) >= RECALL:
            high = middle
        else:
            low = middle + 1
    place = min(low, len(efforts) - 1)
    return efforts[place], recall(place)


def _seconds(contestant: Contestant, query: Floats, effort: Effort, filtered: bool) -> float:
    """Return the seconds of the processor of a search: of all threads, where the contestant has several."""
    started = contestant.clock()
    contestant.search(query, DEPTH, effort, filtered)
    return contestant.clock() - started


def recall_of(
    search: Callable[[Floats], Ids], rows: np.ndarray, queries: Floats, truth: Floats, allowed: Mask | None = None
) -> float:
    """Return the share of the ten best allowed rows that a search finds; equal scores count, other rows do not."""
    found = 0
    for query, least in zip(queries, truth, strict=True):
        numbers = np.unique(search(query))
        numbers = numbers[numbers >= 0]
        if allowed is not None:
            numbers = numbers[allowed[numbers]]
        found += int((exact_scores(rows, query, numbers) >= least - 1e-5).sum())
    return found / (DEPTH * len(queries))
