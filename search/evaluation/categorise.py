"""What a photo shows: by what the shop's own products taught, or by words alone when labels are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog.images.crop import load_picture
from catalog.product import CATEGORY_SEPARATOR
from catalog.text.labelled_csv import Progress, in_batches, read_labelled_csv
from indexer.labels.heads import LabelHeads, softmax
from indexer.labels.knn import NEIGHBOURS, SHARPNESS
from indexer.numeric import unit
from indexer.types import Floats
from search.engine import SearchEngine
from search.listings.attribute_fields import CATEGORY
from search.listings.suggester import ListingSuggester
from search.query.terms import PictureTerm, Query

LEAST_LEARNT = 50  # pictures; five of each of ten categories are enough
VOTE_SHARPNESS = SHARPNESS
VOTE_CUT = 0.5
TEMPLATES = ("a photo of a {}", "{}", "a {} product photo")
LABEL_SHARPNESS = 20.0
LABEL_CUT = 0.15


@dataclass(frozen=True, slots=True)
class Guess:
    """The best category and its confidence, 0 to 1; `answered` says whether that is enough to rely on."""

    category: str | None
    confidence: float
    answered: bool


Categoriser = Callable[[Sequence[Image.Image]], list[Guess]]
NO_GUESS = Guess(None, 0.0, False)


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the file: the photo, what is known of its category ("" = nothing), and the guess."""

    photo: str
    truth: str
    guess: Guess

    @property
    def right(self) -> bool:
        """Whether the guess is the true category, by its full path or by its last part, whatever the case."""
        if self.guess.category is None:
            return False
        path = _parts(self.guess.category)
        return _parts(self.truth) in (path, path[-1:])


@dataclass(frozen=True, slots=True)
class Categorisation:
    """The guesses for a file of photos; one that could not be read is a row without a guess, and so is wrong."""

    results: tuple[Result, ...]
    rejected: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; accuracy, coverage and accuracy_when_answered only when the file knew any category."""
        results = [
            {
                "photo": result.photo,
                "category": result.guess.category,
                "confidence": round(result.guess.confidence, 4),
                "answered": result.guess.answered,
            }
            for result in self.results
        ]
        return {"photos": len(self.results), **self.figures(), "results": results, "rejected": list(self.rejected)}

    def figures(self) -> dict[str, float | None]:
        """How often it is right, how often it answers, and how often it is right when it does; shares of all photos."""
        known = [result for result in self.results if result.truth]
        if not known:
            return {}
        answered = [result for result in known if result.guess.answered]
        return {
            "accuracy": _share([result.right for result in known]),
            "coverage": _share([result.guess.answered for result in known]),
            "accuracy_when_answered": _share([result.right for result in answered]),
        }


def categorise_photos(
    engine: SearchEngine, path: Path, labels: Sequence[str], progress: Progress = list
) -> Categorisation:
    """Guess the category of every photo of a CSV file (photo, and category where known); paths relative to the file.

    With labels, words decide and one of the labels is the guess. Raises UnsupportedQuery when words cannot be read.
    """
    categoriser = by_labels(engine, labels) if labels else by_products(engine)
    rows = [
        (sample.line, sample.values["photo"], sample.values.get("category", ""))
        for sample in read_labelled_csv(path, ("photo",))
    ]
    photos = list(dict.fromkeys(photo for _, photo, _ in rows))
    guesses: dict[str, Guess] = {}
    refused: dict[str, str] = {}
    for names, pictures in in_batches(progress(photos), lambda name: load_picture(path.parent / name), refused):
        guesses.update(zip(names, categoriser(pictures), strict=True))
    return Categorisation(
        tuple(Result(photo, truth, guesses.get(photo, NO_GUESS)) for _, photo, truth in rows),
        tuple({"line": line, "photo": photo, "reason": refused[photo]} for line, photo, _ in rows if photo in refused),
    )


def by_products(engine: SearchEngine) -> Categoriser:
    """The shop's heads and neighbours together, with calibrated confidence; the neighbours' vote in a very small shop.

    Heads that the shop has not learnt yet for its encoder are learnt now: a minute for 20,000 pictures.
    """
    home = engine.generation.folder.parent.parent
    if LabelHeads.load(home, engine.encoder.fingerprint) is None and len(engine.generation.rows) >= LEAST_LEARNT:
        from search.listings.fit_heads import learn  # here, because it imports torch

        learn(home)
    lister = ListingSuggester.open(engine, home)
    if not lister.has_learnt(CATEGORY):
        return by_neighbours(engine)

    def guess(pictures: Sequence[Image.Image]) -> list[Guess]:
        found = lister.labels(CATEGORY, pictures)
        return [Guess(f.top[0].name, f.top[0].confidence, f.answer == f.top[0].name) for f in found]

    return guess


def by_neighbours(engine: SearchEngine) -> Categoriser:
    """The shop's own products vote: the nearest ones, the nearer the more; products without a category have no vote."""

    def guess(pictures: Sequence[Image.Image]) -> list[Guess]:
        asked = [Query((PictureTerm(picture),), k=NEIGHBOURS, collapse=False) for picture in pictures]
        pages = engine.search_many(asked)
        return [
            vote([(CATEGORY_SEPARATOR.join(hit.product.category_path), hit.score) for hit in page.hits])
            for page in pages
        ]

    return guess


def by_labels(engine: SearchEngine, labels: Sequence[str]) -> Categoriser:
    """Words decide, without any example: the label whose prompts lie nearest to the photo. Raises UnsupportedQuery."""
    engine.require_texts()
    layout = engine.generation.layout
    span = layout.slice(layout.text_block or "")
    prompts = [template.format(label) for label in labels for template in TEMPLATES]
    encoded = engine.encoder.encode_texts(prompts)[:, span]
    anchors = unit(encoded.reshape(len(labels), len(TEMPLATES), -1).mean(axis=1))

    def guess(pictures: Sequence[Image.Image]) -> list[Guess]:
        cosines = engine.encoder.encode_images(pictures)[:, span] @ anchors.T
        return [_sure(labels, softmax(row * LABEL_SHARPNESS), LABEL_CUT) for row in cosines]

    return guess


def vote(neighbours: Sequence[tuple[str, float]]) -> Guess:
    """The category with the largest share of the vote, from (category, score) of the neighbours."""
    named = [(category, score) for category, score in neighbours if category]
    if not named:
        return NO_GUESS
    shares: dict[str, float] = defaultdict(float)
    weights = softmax(np.array([score for _, score in named], dtype=np.float32) * VOTE_SHARPNESS)
    for (category, _), weight in zip(named, weights.tolist(), strict=True):
        shares[category] += weight
    return _sure(list(shares), np.array(list(shares.values()), dtype=np.float32), VOTE_CUT)


def _sure(names: Sequence[str], shares: Floats, least: float) -> Guess:
    best = int(shares.argmax())
    confidence = min(float(shares[best]), 1.0)
    return Guess(names[best], confidence, confidence >= least)


def _parts(category: str) -> list[str]:
    return [part.strip().casefold() for part in category.split(CATEGORY_SEPARATOR.strip())]


def _share(outcomes: Sequence[bool]) -> float | None:
    return round(sum(outcomes) / len(outcomes), 6) if outcomes else None
