"""Categorise photos: with the shop's listing suggester, or zero-shot by words when labels are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from catalog.images.crop import load_picture
from catalog.product import CATEGORY_SEPARATOR
from catalog.text.labelled_csv import Progress, in_batches, read_labelled_csv
from indexer.numeric import softmax, unit
from search.engine import SearchEngine
from search.listings.attribute_fields import CATEGORY
from search.listings.fit_heads import learn_if_missing
from search.listings.suggester import ListingSuggester

TEMPLATES = ("a photo of a {}", "{}", "a {} product photo")
LABEL_SHARPNESS = 20.0
LABEL_THRESHOLD = 0.15


@dataclass(frozen=True, slots=True)
class Guess:
    """The best category and its confidence, 0 to 1; `answered` is False where the shop abstains."""

    category: str | None
    confidence: float
    answered: bool


Categoriser = Callable[[Sequence[Image.Image]], list[Guess]]
NO_GUESS = Guess(None, 0.0, False)


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the file: the photo, its true category ("" = unknown), and the guess."""

    photo: str
    truth: str
    guess: Guess

    @property
    def right(self) -> bool:
        """Return whether the guess is the true category: its full path or its last part, ignoring case."""
        if self.guess.category is None:
            return False
        path = _parts(self.guess.category)
        return _parts(self.truth) in (path, path[-1:])


@dataclass(frozen=True, slots=True)
class Categorisation:
    """The guesses for a file of photos; a photo that cannot be read has no guess and counts as wrong."""

    results: tuple[Result, ...]
    rejected: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; accuracy, coverage and accuracy_when_answered only where the file has a category."""
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
        """Return accuracy, coverage, and accuracy of the answered photos, of all photos with a category."""
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
    """Categorise every photo of a CSV file with the columns photo and perhaps category; paths relative to the file.

    With labels, one of them is the guess (zero-shot). Raises UnsupportedQuery when the encoder reads no words.
    """
    categoriser = by_labels(engine, labels) if labels else by_products(engine)
    table = read_labelled_csv(path, ("photo",))
    rows = [(row.line, row.values["photo"], row.values.get("category", "")) for row in table]
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
    """Categorise with the shop's suggester; a very small shop has no heads, and its k-NN vote decides alone.

    Missing heads are learnt first: a minute for 20,000 pictures.
    """
    learn_if_missing(engine)
    suggester = ListingSuggester.open(engine, engine.home)

    def guess(pictures: Sequence[Image.Image]) -> list[Guess]:
        guesses = []
        for label in suggester.labels(CATEGORY, pictures):
            best = label.top[0] if label.top else None
            guesses.append(Guess(best.name, best.confidence, best.name == label.answer) if best else NO_GUESS)
        return guesses

    return guess


def by_labels(engine: SearchEngine, labels: Sequence[str]) -> Categoriser:
    """Categorise zero-shot: the label whose prompts are nearest to the photo. Raises UnsupportedQuery."""
    engine.require_texts()
    layout = engine.generation.layout
    span = layout.slice(layout.text_block or "")
    prompts = [template.format(label) for label in labels for template in TEMPLATES]
    encoded = engine.encoder.encode_texts(prompts)[:, span]
    anchors = unit(encoded.reshape(len(labels), len(TEMPLATES), -1).mean(axis=1))

    def guess(pictures: Sequence[Image.Image]) -> list[Guess]:
        cosines = engine.encoder.encode_images(pictures)[:, span] @ anchors.T
        guesses = []
        for shares in softmax(cosines * LABEL_SHARPNESS):
            best = int(shares.argmax())
            confidence = min(float(shares[best]), 1.0)
            guesses.append(Guess(labels[best], confidence, confidence >= LABEL_THRESHOLD))
        return guesses

    return guess


def _parts(category: str) -> list[str]:
    return [part.strip().casefold() for part in category.split(CATEGORY_SEPARATOR.strip())]


def _share(outcomes: Sequence[bool]) -> float | None:
    return round(sum(outcomes) / len(outcomes), 6) if outcomes else None
