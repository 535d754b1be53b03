"""python -m tests.bench.matches HOME: which share of the best score separates what matches a query from what does not.

Asked of the fashion shop: pictures of products (truth: the same leaf category, itself left out), colour and kind in
words, and kind alone. Half of the kinds choose the shares in search/retrieval/result_set.py; the other half is
reported.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.storage.catalogue import Catalogue
from indexer.encoders.registry import open_encoder
from indexer.generations.store import open_current
from search.query.query_encoder import QueryEncoder
from search.query.terms import PictureTerm, Query, TextTerm
from search.retrieval.result_set import MAX_MATCHES, PICTURE_SHARE, TEXT_SHARE

SHARES = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


@dataclass(frozen=True)
class Case:
    """A query: what it asks with and for which kind, and of the best products the scores and whether they are true."""

    asks: str
    kind: str
    scores: np.ndarray
    true: np.ndarray
    total: int


def main(home: Path) -> None:
    """Print precision, recall and F1 of every share on the choosing half, and of the shares in use on the other."""
    cases = _cases(home)
    for asks in ("picture", "colour and kind", "kind"):
        choosing = [case for case in cases if case.asks == asks and _half(case.kind) == 0]
        judging = [case for case in cases if case.asks == asks and _half(case.kind) == 1]
        for share in SHARES:
            print(f"{asks:16} choosing {share:4.2f} {_judged(choosing, share)}")
        share = PICTURE_SHARE if asks == "picture" else TEXT_SHARE
        print(f"{asks:16} JUDGING  {share:4.2f} {_judged(judging, share)}")


def _judged(cases, share):
    figures = []
    for case in cases:
        found = int((case.scores[:MAX_MATCHES] >= share * case.scores[0]).sum())
        right = case.true[:found].sum()
        precision, recall = right / found, right / min(case.total, MAX_MATCHES)
        figures.append((precision, recall, 2 * precision * recall / max(precision + recall, 1e-9), found))
    mean, error = np.mean(figures, axis=0), np.std(figures, axis=0) / len(figures) ** 0.5
    return (
        f"precision {mean[0]:.3f} recall {mean[1]:.3f} F1 {mean[2]:.3f} +- {1.96 * error[2]:.3f} "
        f"products {np.median([each[3] for each in figures]):.0f} (n {len(cases)})"
    )


def _half(kind):
    return hashlib.sha256(kind.split()[-1].lower().encode()).digest()[0] % 2


def _cases(home):
    generation = open_current(home)
    catalogue = Catalogue.open(home / "catalog.sqlite")
    products = [catalogue.get_many([key])[key] for key in generation.product_keys.tolist()]
    catalogue.close()
    encoder = open_encoder(generation.manifest.encoder.name, runtime="auto", home=home)
    questions = QueryEncoder(encoder, generation.layout, generation.manifest.weights)
    rows = np.asarray(generation.rows, np.float32)
    leaves = np.array([product.category for product in products])
    colours = np.array([product.attributes.get("colour", "") for product in products])
    chance = np.random.default_rng(5)

    def case(asks, kind, term, true):
        scores = rows @ questions.encode([Query((term,))], _none_stored)[0].vector
        order = np.argsort(-scores)
        return Case(asks, kind, scores[order][:MAX_MATCHES], true[order][:MAX_MATCHES], int(true.sum()))

    cases = []
    for place in chance.choice(len(products), 300, replace=False).tolist():
        with Image.open(products[place].pictures[0].path) as opened:
            found = case("picture", leaves[place], PictureTerm(opened.convert("RGB")), leaves == leaves[place])
        if found.total > 3:  # the first hit is the product itself: the best other one counts as the best
            cases.append(Case("picture", found.kind, found.scores[1:], found.true[1:], found.total - 1))
    pairs = [pair for pair, count in Counter(zip(colours, leaves, strict=True)).items() if count >= 5]
    for number in chance.choice(len(pairs), 200, replace=False).tolist():
        colour, leaf = pairs[number]
        words = f"{colour} {leaf.split(' > ')[-1]}".lower()
        cases.append(case("colour and kind", leaf, TextTerm(words), (leaves == leaf) & (colours == colour)))
    for leaf, count in Counter(leaves.tolist()).items():
        if count >= 5:
            cases.append(case("kind", leaf, TextTerm(leaf.split(" > ")[-1].lower()), leaves == leaf))
    return cases


def _none_stored(product_id):
    raise LookupError(product_id)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
