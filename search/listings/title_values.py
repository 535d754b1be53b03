"""Match the values of a field in a title, word for word: "mug, black and ivory" names two colours.

The reliability of such a match is measured on the shop's own listings: "Summer Cool Shorts" names no season.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MIN_TITLES = 30  # titles that must name a value before titles are used at all


@dataclass(frozen=True, slots=True)
class TitleTrust:
    """Reliability of titles: how often a listing has the value that its title names, for one and for several values.

    Several are right when the listing has exactly these; 0 where there were too few titles to measure.
    """

    single: float
    several: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


class TitleValueMatcher:
    """Finds values of a field in titles: the longest match at each place, ignoring case."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._names = {name.casefold(): name for name in names if name.strip()}
        longest_first = sorted(self._names, key=lambda name: (-len(name), name))
        self._pattern = re.compile("|".join(map(_whole, longest_first))) if longest_first else None

    def of(self, title: str) -> tuple[str, ...]:
        """Return the values that a title names, in its order."""
        found = self._pattern.findall(title.casefold()) if self._pattern else ()
        return tuple(dict.fromkeys(self._names[name] for name in found))


def title_trust(matcher: TitleValueMatcher, titles: Sequence[str], labels: Sequence[tuple[str, ...]]) -> TitleTrust:
    """Measure the reliability of titles on listings with labels in the field, one entry each."""
    right: dict[bool, list[bool]] = {False: [], True: []}
    for title, own in zip(titles, labels, strict=True):
        found = matcher.of(title) if own else ()
        if found:
            right[len(found) > 1].append(found[0] in own if len(found) == 1 else set(found) == set(own))
    return TitleTrust(_share(right[False]), _share(right[True]))


def apply_title_evidence(confidences: Mapping[str, float], found: Sequence[str], trust: TitleTrust) -> dict[str, float]:
    """Raise the confidence of the value that the title names (`found`) to the reliability of titles.

    Several values count as one, joined as listings join them ("black and ivory"). The sum stays the same.
    """
    if not found:
        return dict(confidences)
    value = " and ".join(found)
    before, after = confidences.get(value, 0.0), trust.single if len(found) == 1 else trust.several
    if after <= before:
        return dict(confidences)
    rest = (1 - after) / (1 - before)
    return {name: confidence * rest for name, confidence in confidences.items()} | {value: after}


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right) if len(right) >= MIN_TITLES else 0.0


def _whole(name: str) -> str:
    """Return a pattern for a name: whole words, in scripts that separate words by spaces."""
    return rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name)
