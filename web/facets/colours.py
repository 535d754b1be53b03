"""Colours on the pages: a swatch for a colour's name, and its name in the page's language.

`colours.csv` has the names with their sRGB values. Most are the averages of the xkcd colour survey (CC0); woods, metals
and words of other languages are ours. Names that it lacks are looked up among the colours of CSS. `colour_names.csv`
has the names in German, French and Spanish; the glossary has those in Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from web.i18n.languages import CHINESE, ENGLISH, FRENCH, GERMAN, SPANISH

EXTENSION = "windowshop.colour_names"
NAMED_LANGUAGES = (GERMAN, FRENCH, SPANISH)  # of colour_names.csv
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
    """Return a base colour in the page's language: as the shop translates it, else as our tables do.

    The name begins with a capital where the shop's does.
    """
    code = language()
    if code == ENGLISH:
        return name
    key = folded(name)
    known = _chinese_names() if code == CHINESE else _names_in(code)
    found = _shop_names(translations(), code).get(key) or known.get(key, name)
    return found[:1].upper() + found[1:] if name[:1].isupper() else found


def _value(name: str) -> str:
    known = _values()
    words = name.split()
    for shorter in (name, *(" ".join(words[start:]) for start in range(1, len(words)))):
        if value := known.get(shorter) or ImageColor.colormap.get(shorter.replace(" ", "")):
            return value if isinstance(value, str) else "#{:02x}{:02x}{:02x}".format(*value)
    english = _english_names().get(name) or _names_of_tables().get(name, ())
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


@cache
def _rows_of_names() -> tuple[Mapping[str, str], ...]:
    path = Path(__file__).with_name("colour_names.csv")
    return tuple(row.values for row in read_labelled_csv(path, ("name", *NAMED_LANGUAGES), exact=True))


@cache
def _names_in(code: str) -> dict[str, str]:
    return {row["name"]: row[code] for row in _rows_of_names()}


@cache
def _names_of_tables() -> dict[str, tuple[str, ...]]:
    """Return the English names of each name in another language, the most common colours of a name first."""
    names: dict[str, tuple[str, ...]] = {}
    for row in _rows_of_names():
        for code in NAMED_LANGUAGES:
            own = folded(row[code]).replace("-", " ")
            names[own] = (*names.get(own, ()), row["name"])
    return names


def _shop_names(translated: Translations, code: str) -> dict[str, str]:
    """Return the shop's translations of single colours, also of those that stand only in lists."""
    cached: tuple[Translations, dict[str, dict[str, str]]] | None = current_app.extensions.get(EXTENSION)
    if cached is None or cached[0] is not translated:
        cached = current_app.extensions[EXTENSION] = (translated, {})
    if code in cached[1]:
        return cached[1][code]
    names: dict[str, str] = {}
    for field in (COLOUR, "color"):
        for own, other in translated.get(f"{field}_{code}", {}).items():
            parts, others = listed_colours(own), listed_colours(other)
            if len(parts) == len(others):
                for part, name in zip(parts, others, strict=True):
                    names.setdefault(folded(part), name)
    cached[1][code] = names
    return names
