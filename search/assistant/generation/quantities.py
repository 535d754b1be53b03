"""Read numbers with their units from texts, in digits and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from search.assistant.generation import wordings

_NUMBER = re.compile(r"\d+(?:[.,:/ ]\d+)*")
_CURRENCY_BEFORE = re.compile(r"([€$£¥]|EUR|USD|GBP|CHF)\s?$", re.IGNORECASE)


def quantities(text: str) -> Iterator[tuple[str, str]]:
    """Yield each number of a text, in digits or words, with the name of its unit, "" for none."""
    found = [(match.start(), match.end(), _plain_number(match.group())) for match in _NUMBER.finditer(text)]
    words = wordings.number_words()
    for match in wordings.number_word_pattern().finditer(text):
        found.append((match.start(), match.end(), words[match.group().lower()]))
    units = wordings.names(wordings.UNIT)
    for start, end, number in found:
        behind = wordings.unit_pattern().match(text, end)
        before = _CURRENCY_BEFORE.search(text[:start])
        unit = behind.group(1) if behind else before.group(1) if before else ""
        yield number, units.get(unit.lower(), "")


def _plain_number(text: str) -> str:
    """Return a number in one way of writing: "4,90" and "4.90" as "4.9", "10:00" as "10"."""
    whole, _, rest = re.sub(r"[,:/ ]", ".", text).partition(".")
    rest = rest.rstrip("0") if len(rest) <= 2 else rest
    return f"{whole.lstrip('0') or '0'}.{rest}" if rest else whole.lstrip("0") or "0"


def has_all(part: str, wanted: set[tuple[str, str]]) -> bool:
    """Return whether a text has all of these numbers, each with its unit."""
    known = set(quantities(part))
    return all(
        (number, unit) in known or (not unit and number in {stated for stated, _ in known}) for number, unit in wanted
    )
