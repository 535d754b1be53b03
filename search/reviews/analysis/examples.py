"""The examples that the shipped heads are fitted on: sentences with aspects and polarity, written for this project."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

EXAMPLES_FILE = Path(__file__).with_name("examples.csv")


@dataclass(frozen=True, slots=True)
class ReviewExample:
    """A sentence of a review: the polarity of each aspect in it, and of the sentence as a whole."""

    language: str
    text: str
    aspects: Mapping[str, str]
    polarity: str


def read_examples() -> list[ReviewExample]:
    """Return the shipped examples."""
    with EXAMPLES_FILE.open(encoding="utf-8", newline="") as file:
        return [
            ReviewExample(row["language"], row["text"], parse_aspects(row["aspects"]), row["polarity"])
            for row in csv.DictReader(file)
        ]


def parse_aspects(text: str) -> dict[str, str]:
    """Return the polarity of each aspect of "size:negative colour:positive". Raises ValueError."""
    pairs = (part.split(":") for part in text.split())
    return {aspect: polarity for aspect, polarity in pairs}  # noqa: C416


def examples_digest() -> str:
    """Return the digest of the examples, which the shipped heads hold."""
    return hashlib.sha256(EXAMPLES_FILE.read_bytes()).hexdigest()
