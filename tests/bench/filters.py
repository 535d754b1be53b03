"""python -m tests.bench.filters HOME: what a filter costs and what it misses, in a shop of some 20,000 products.

Times are of the search itself (mask, index, exact scores), without encoding: by the clock, and of the processor, which
other work on the machine hardly alters.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from catalog.storage.catalogue import Catalogue
from indexer.ann.exact_rerank import exact_scores
from indexer.generations.store import open_current
from search.query.filters import parse_filter
from search.retrieval.facets import facet_counts
from search.retrieval.result_set import MAX_MATCHES
from search.state.column_store import ProductColumns
from search.state.snapshot import GenerationRows, Snapshot

QUERIES = 200
CHANCE = {"50 %": 0.5, "5 %": 0.05, "0.1 %": 0.001}
OWN = (
    {"attributes": {"gender": "Men"}},
    {"category": "Apparel"},
    {"category": "Apparel > Topwear"},
    {"category": "Accessories"},
    {"category": "Footwear"},
    {"category": "Accessories > Watches"},
    {"colour": "Black"},
    {"colour": "Red"},
    {"colour": "Red", "category": "Footwear"},
)


def main(home: Path) -> None:
    """Print a line a filter: what it keeps, what it takes beside no filter, recall@10 against exact."""
    generation = open_current(home)
    with_catalogue = Catalogue.open(home / "catalog.sqlite")
    started = time.perf_counter()
    columns = ProductColumns.read(with_catalogue)
    print(f"{len(columns):,} products; columns read in {time.perf_counter() - started:.2f} s")
    with_catalogue.close()
    snapshot = Snapshot.of(GenerationRows(generation), columns)
    queries = _queries(generation)
    chance = np.random.default_rng(0)
    filters = [({"id": _some(chance, columns, 0.001)}, "0.1 % by id"), *((each, str(each)) for each in OWN)]
    _report("(no filter, all rows allowed)", snapshot, queries, lambda: np.ones(snapshot.pictures, np.bool_))
    for name, share in CHANCE.items():
        mask = chance.random(len(columns)) < share
        _report(f"by chance {name}", snapshot, queries, lambda mask=mask: snapshot.rows_allowed(mask))
    for value, name in filters:
        filter = parse_filter(value)
        _report(
            name[:48],
            snapshot,
            queries,
            lambda filter=filter: snapshot.rows_allowed(columns.matching(filter)),
        )
    for value in ({}, OWN[2], {"colour": "Red", "category": "Apparel > Topwear"}):
        filter = parse_filter(value)
        times = [_timed(lambda filter=filter: facet_counts(columns, filter, columns.matching)) for _ in range(30)]
        print(f"facets within {value}: p50 {np.median(times, axis=0)[1]:.2f} ms of the processor")


def _queries(generation):
    """Half like a product's picture, half like its words, each a little off."""
    chance = np.random.default_rng(1)
    rows = generation.rows[np.sort(chance.choice(len(generation.rows), QUERIES, replace=False))].astype(np.float32)
    layout, queries = generation.layout, []
    for number, row in enumerate(rows):
        kind = ("picture", "text")[number % 2]
        query = np.zeros_like(row)
        for name, weight in generation.manifest.weights[kind].items():
            from_words = kind == "text" and layout.text_block and name in ("meaning", layout.text_block)
            query[layout.slice(name)] = weight * row[layout.slice(layout.text_block if from_words else name)]
        noise = chance.normal(0, 0.02, len(row)) * (query != 0)
        queries.append((query + noise).astype(np.float32))
    return queries


def _some(chance, columns, share):
    return [str(each) for each in chance.choice(columns.ids, max(1, int(share * len(columns))), replace=False)]


def _timed(act):
    """Milliseconds by the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.thread_time()
    act()
    return (time.perf_counter() - clock) * 1000, (time.thread_time() - processor) * 1000


def _report(name, snapshot, queries, allowed):
    """Filtered and unfiltered in turn, so that whatever else the machine does falls on both."""
    free, within, deep = [], [], []
    for query in queries:
        free.append(_timed(lambda query=query: snapshot.search(query, 10)))
        within.append(_timed(lambda query=query: snapshot.search(query, 10, allowed())))
    for query in queries[:20]:
        deep.append(_timed(lambda query=query: snapshot.search(query, MAX_MATCHES, allowed())))
    mask = allowed()
    numbers = np.flatnonzero(mask)
    found = wanted = 0
    for query in queries:
        scores = exact_scores(snapshot.generation_rows.generation.rows, query, numbers)
        truth = numbers[np.lexsort((numbers, -scores))[:10]]
        found += len(np.intersect1d(truth, snapshot.search(query, 10, mask)[1]))
        wanted += len(truth)
    (clock, processor), (free_clock, free_processor) = (np.quantile(each, 0.95, axis=0) for each in (within, free))
    print(
        f"{name:48} keeps {mask.mean():6.1%}  p95 {clock:5.2f} ms, {clock / free_clock:4.2f} times (processor "
        f"{processor:5.2f} ms, {processor / free_processor:4.2f} times)  recall@10 {found / max(1, wanted):.4f}  "
        f"{MAX_MATCHES} deep {np.median(deep, axis=0)[1]:5.1f} ms"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
