"""Compare indexes at equal recall: the least effort that finds 0.995 of the ten best, and what a search then takes.

Times are of the searching process's processor. Each peer's searches alternate with ours, so that whatever else the
machine does falls on both.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from indexer.ann.block_weights import shop_weights
from indexer.ann.exact_rerank import exact_scores, top_rows
from indexer.ann.recall import Goal, sample_queries
from indexer.generations.store import open_current
from indexer.layout import RowLayout
from indexer.types import Floats, Ids, Mask
from tests.bench.peers.contestants import CONTESTANTS, Contestant, Windowshop, mask_of

RECALL, DEPTH = 0.995, 10
QUERIES = 200
Search = Callable[[Floats], Ids]


def comparing(home: Path, count: int) -> dict[str, Any]:
    """Rows of a shop and questions that are not among them: every contestant's figures, or why it has none."""
    generation = open_current(home, mapped=True)
    chance = np.random.default_rng(0)
    order = chance.permutation(len(generation.product_keys))
    stored = generation.vectors.rows
    rows = np.asarray(stored[np.sort(order[QUERIES : QUERIES + count])])
    held_out = np.asarray(stored[np.sort(order[:QUERIES])])
    layout = generation.layout
    questions = sample_queries(layout, held_out, shop_weights(layout), Goal(queries=QUERIES))
    return comparing_rows(rows, questions, emphasis_of(layout))


def emphasis_of(layout: RowLayout) -> Floats:
    """Return what each number of a row counts when rows are assigned to lists, as in a build."""
    return layout.weigh(np.ones(layout.dim, np.float32), shop_weights(layout)["picture"])


def comparing_rows(rows: np.ndarray, questions: Mapping[str, Floats], emphasis: Floats) -> dict[str, Any]:
    """Compare on these rows and questions; a part is a kind of question, with and without the filter."""
    mask = mask_of(len(rows))
    truths = {
        (kind, filtered): least_scores(rows[mask] if filtered else rows, vectors)
        for kind, vectors in questions.items()
        for filtered in (False, True)
    }
    own = Windowshop()
    report: dict[str, Any] = {"rows": len(rows), "rows_mb": rows.nbytes / 1e6, "windowshop": built(own, rows, emphasis)}
    for name, kind in CONTESTANTS.items():
        figures: dict[str, Any] = {}
        report[name] = figures
        try:
            peer = kind()
            figures |= built(peer, rows, emphasis)
            for (part, filtered), truth in truths.items():
                title = f"{part}, 5 %" if filtered else part
                if filtered and not peer.filters:
                    figures[title] = {"skipped": "takes no filter"}
                    continue
                figures[title] = beside(own, peer, rows, questions[part], truth, mask if filtered else None)
        except ModuleNotFoundError as error:
            figures["skipped"] = f"{error.name} is not installed: pip install 'windowshop[bench]'"
        except Exception as error:  # whatever a peer raises, the others are compared
            figures["skipped"] = f"failed: {error!r}"
    return report


def built(contestant: Contestant, rows: np.ndarray, emphasis: Floats) -> dict[str, float]:
    """Return the seconds of processor time of a build, and by how many MB this process's own memory grew."""
    before, started = own_memory(), time.process_time()
    contestant.build(rows, emphasis)
    return {"build_s": time.process_time() - started, "memory_mb": own_memory() - before}


def own_memory() -> float:
    """Return the MB of this process that are in no file; 0 where the system does not say."""
    gc.collect()
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1e3


def least_scores(rows: np.ndarray, queries: Floats) -> Floats:
    """Return the score of the tenth best row of each query."""
    best = top_rows(rows, queries, DEPTH)
    return np.array([exact_scores(rows, q, found).min() for q, found in zip(queries, best, strict=True)], np.float32)


def beside(
    own: Contestant, peer: Contestant, rows: np.ndarray, queries: Floats, truth: Floats, allowed: Mask | None
) -> dict[str, Any]:
    """Tune both to the recall, then let them search in turn."""
    tuned = {}
    for name, each in (("own", own), ("peer", peer)):
        for effort in each.efforts if allowed is None else each.filtered_efforts or each.efforts:
            recall = recall_of(
                lambda q, e=each, f=effort: e.search(q, DEPTH, f, allowed), rows, queries, truth, allowed
            )
            if recall >= RECALL:
                break
        tuned[name] = (effort, recall)
    times: dict[str, list[float]] = {"own": [], "peer": []}
    for query in queries:
        for name, each in (("own", own), ("peer", peer)):
            started = time.process_time()
            each.search(query, DEPTH, tuned[name][0], allowed)
            times[name].append((time.process_time() - started) * 1000)
    figures: dict[str, Any] = {}
    for name in ("own", "peer"):
        effort, recall = tuned[name]
        p50, p99 = np.quantile(times[name], [0.5, 0.99])
        figures[name] = {"effort": effort, "recall": recall, "p50_ms": float(p50), "p99_ms": float(p99)}
    figures["own_to_peer_p50"] = figures["own"]["p50_ms"] / figures["peer"]["p50_ms"]
    return figures


def recall_of(search: Search, rows: np.ndarray, queries: Floats, truth: Floats, allowed: Mask | None = None) -> float:
    """Return the share of the ten best allowed rows that a search finds; equal scores count, other rows do not."""
    found = 0
    for query, least in zip(queries, truth, strict=True):
        numbers = np.unique(search(query))
        numbers = numbers[numbers >= 0]
        if allowed is not None:
            numbers = numbers[allowed[numbers]]
        found += int((exact_scores(rows, query, numbers) >= least - 1e-5).sum())
    return found / (DEPTH * len(queries))
