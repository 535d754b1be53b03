"""Colours on the pages: a swatch for a colour's name, and its name in the page's language.

`colours.csv` has the names with their sRGB values. Most are the averages of the xkcd colour survey (CC0); woods, metals
and words of other languages are ours. Names that it lacks are looked up among the colours of CSS.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from flask import current_app
from PIL import ImageColor

from catalog.text.glossary import GLOSSARY, read_glossary
from catalog.text.labelled_csv import read_labelled_csv
from search.listings.attribute_fields import Translations
from search.query.filters import COLOUR, folded
from search.state.listed_colours import listed_colours
from web.i18n.language import language, translations
from web.i18n.languages import CHINESE

EXTENSION = "windowshop.colour_names"
MAX_PARTS = 2  # colours in a swatch
_COLUMNS = ("name", "colour")
_SEVERAL, _CLEAR = "multi", "clear"
_RAINBOW = ("#d64541", "#e9b949", "#3f9b57", "#3f6fb5")


@lru_cache(maxsize=4096)
def swatch(name: str) -> tuple[str, ...]:
    """Return the sRGB values ("#1f2a44") of a colour's swatch; ("clear",) for glass, () where it is not known.

    Of a shade that is not known, it is that of the colour that its last word names.
    """
    parts = [found for part in listed_colours(name)[:MAX_PARTS] if (found := _value(folded(part).replace("-", " ")))]
    if _SEVERAL in parts:
        return _RAINBOW
    return tuple(parts)


def colour_label(name: str) -> str:
    """Return a base colour in the page's language: as the shop translates it, else as the glossary does."""
    if language() != CHINESE:
        return name
    key = folded(name)
    return _shop_names(translations()).get(key) or _chinese_names().get(key, name)


def _value(name: str) -> str:
    known = _values()
    words = name.split()
    for shorter in (name, *(" ".join(words[start:]) for start in range(1, len(words)))):
        if value := known.get(shorter) or ImageColor.colormap.get(shorter.replace(" ", "")):
            return value if isinstance(value, str) else "#{:02x}{:02x}{:02x}".format(*value)
    english = _english_names().get(name, ())
    return next((known[other] for other in english if other in known), "")


@cache
def _values() -> dict[str, str]:
    rows = read_labelled_csv(Path(__file__).with_name("colours.csv"), _COLUMNS, exact=True)
    return {row.values["name"]: row.values["colour"] for row in rows}


@cache
def _english_names() -> dict[str, tuple[str, ...]]:
    return {folded(entry.term): entry.replacements for entry in read_glossary(GLOSSARY) if entry.language == CHINESE}


@cache
def _chinese_names() -> dict[str, str]:
    """Return the Chinese name of each colour of the table; of several, the shortest that says it is a colour."""
    names: dict[str, str] = {}
    for term, english in _english_names().items():
        key = english[0] if english else ""
        if key in _values() and term.endswith("色") and (key not in names or len(term) < len(names[key])):
            names[key] = term
    return names


def _shop_names(translated: Translations) -> dict[str, str]:
    """Return the shop's translations of single colours, also of those that stand only in lists."""
    cached: tuple[Translations, dict[str, str]] | None = current_app.extensions.get(EXTENSION)
    if cached is not None and cached[0] is translated:
        return cached[1]
    names: dict[str, str] = {}
    for field in (COLOUR, "color"):
        for own, other in translated.get(field, {}).items():
            parts, others = listed_colours(own), listed_colours(other)
            if len(parts) == len(others):
                for part, name in zip(parts, others, strict=True):
                    names.setdefault(folded(part), name)
    current_app.extensions[EXTENSION] = (translated, names)
    return names
