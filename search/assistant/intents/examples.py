"""Examples of what customers write, with the intent of each: those that are shipped, and files of the same form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import BadFeed
from catalog.text.glossary import ENGLISH
from catalog.text.labelled_csv import read_labelled_csv
from search.language.detection import language_of

SEEDS = Path(__file__).with_name("seeds.csv")
TEXT, INTENT, LANGUAGE, LANG = "text", "intent", "language", "lang"


@dataclass(frozen=True, slots=True)
class IntentExample:
    """A message, its intent and its language."""

    text: str
    intent: str
    language: str = ENGLISH


def read_examples(path: Path) -> tuple[IntentExample, ...]:
    """Read a CSV file with the columns text, intent and language (or lang; else the text shows it). Raises BadFeed."""
    rows = read_labelled_csv(path, (TEXT, INTENT))
    for row in rows:
        if not row.values[TEXT] or not row.values[INTENT]:
            raise BadFeed(f"{path}, line {row.line}: text or intent is empty.", "Fill both, or remove the line.")
    return tuple(IntentExample(row.values[TEXT], row.values[INTENT], _language(row.values)) for row in rows)


def shipped_examples() -> tuple[IntentExample, ...]:
    """Read the examples that the shipped classifier was fitted on."""
    return read_examples(SEEDS)


def examples_digest(examples: Sequence[IntentExample]) -> str:
    """Return what identifies the examples, whatever their order."""
    lines = sorted(f"{example.text}\t{example.intent}\t{example.language}" for example in examples)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _language(values: Mapping[str, str]) -> str:
    return values.get(LANGUAGE) or values.get(LANG) or language_of(values[TEXT])
