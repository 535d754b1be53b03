"""Read the words of captions, and inflect them: nouns with a gender, adjectives that agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.text.labelled_csv import read_labelled_csv

CAPTION_WORDS = Path(__file__).with_name("caption_words.csv")
LANGUAGES = ("zh", "de", "fr", "es", "ja")
_GERMAN_ENDINGS = {"m": "er", "f": "e", "n": "es", "p": "e"}


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun of a table cell: `gender` is m, f or n, or p for a German plural; a `fixed` one takes no adjective.

    Cells write them as "Tasse:f", "zapatos:mp" (plural) and "rote Bete:f0" (fixed, as it has its adjective already).
    """

    text: str
    gender: str = ""
    plural: bool = False
    fixed: bool = False

    @classmethod
    def read(cls, cell: str) -> Noun:
        """Read one alternative of a cell."""
        text, _, form = cell.partition(":")
        return cls(text, form[:1], "p" in form, form.endswith("0"))


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective of a table cell: `base` as in a dictionary, and `other`, its second form or "" if it never changes.

    The second form is the stem in German, the feminine in French and Spanish, the attributive form in Japanese.
    `name` is the German noun for the colour, as in "in Rot". Cells write them as "silbern|silbern|Silber".
    """

    base: str
    other: str = ""
    name: str = ""

    @classmethod
    def read(cls, cell: str) -> Adjective:
        """Read one alternative of a cell."""
        base, other, name = (*cell.split("|"), "", "")[:3]
        name = name or base.removesuffix("farben")
        return cls(base, other, name[:1].upper() + name[1:])


def german(adjective: Adjective, noun: Noun, dative: bool = False) -> str:
    """Return the adjective before the noun: "roter", "rote", "rotes"; the dative follows "einem" or "einer"."""
    if not adjective.other:
        return adjective.base
    return adjective.other + ("en" if dative else _GERMAN_ENDINGS[noun.gender])


def german_dative(noun: Noun) -> str:
    """Return the noun after "von": with its article in the singular, with the ending of a plural otherwise."""
    return noun.text if not noun.plural or noun.text.endswith(("n", "s")) else f"{noun.text}n"


def french(adjective: Adjective, noun: Noun) -> str:
    """Return the adjective after the noun: "vert", "verte", "verts", "vertes"."""
    form = _gendered(adjective, noun)
    return form if not _counted(adjective, noun) or form.endswith(("s", "x")) else f"{form}s"


def spanish(adjective: Adjective, noun: Noun) -> str:
    """Return the adjective after the noun: "rojo", "roja", "azules", "marrones"."""
    form = _gendered(adjective, noun)
    if not _counted(adjective, noun):
        return form
    if form.endswith("ón"):
        return f"{form[:-2]}ones"
    return form + ("s" if form[-1] in "aeiou" else "es")


def _gendered(adjective: Adjective, noun: Noun) -> str:
    return adjective.other if adjective.other and noun.gender == "f" else adjective.base


def _counted(adjective: Adjective, noun: Noun) -> bool:
    return bool(adjective.other) and noun.plural


@cache
def caption_words() -> Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]:
    """Return the table: by role and English word (lower case), the alternatives of each language."""
    rows = read_labelled_csv(CAPTION_WORDS, ("english", "role", *LANGUAGES))
    return {
        (row.values["role"], row.values["english"]): {
            language: tuple(row.values[language].split(";")) for language in LANGUAGES
        }
        for row in rows
    }


def alternatives(english: str, language: str, *roles: str) -> tuple[str, ...]:
    """Return the words for an English one, as cells write them, the most usual first; none if the table lacks it."""
    found = (caption_words().get((role, english.strip().casefold())) for role in roles)
    return next((words[language] for words in found if words), ())
