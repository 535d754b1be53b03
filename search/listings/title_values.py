"""What a title itself says of a field, word for word: "mug, black and ivory" names two colours, whatever is pictured.

How far that is believed is measured on the shop's own listings: "Summer Cool Shorts" does not say when they are sold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

LEAST_NAMED = 30  # titles that name a value, before they are believed at all


@dataclass(frozen=True, slots=True)
class TitleTrust:
    """How often a listing says what its title names: of titles that name one value, and of those that name several.

    The latter are right when the listing says all of these and nothing else; 0 where there were too few to tell.
    """

    single: float
    several: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class TitleValueMatcher:
    """Finds values of a field in titles; the longest that begins at a place counts, and letters' case does not."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._names = {name.casefold(): name for name in names if name.strip()}
        longest_first = sorted(self._names, key=lambda name: (-len(name), name))
        self._pattern = re.compile("|".join(map(_whole, longest_first))) if longest_first else None

    def of(self, title: str) -> tuple[str, ...]:
        """The values that a title names, in its order."""
        found = self._pattern.findall(title.casefold()) if self._pattern else ()
        return tuple(dict.fromkeys(self._names[name] for name in found))


def title_trust(naming: TitleValueMatcher, titles: Sequence[str], labels: Sequence[tuple[str, ...]]) -> TitleTrust:
    """How far titles are to be believed, from listings that say something in the field; one entry each."""
    right: dict[bool, list[bool]] = {False: [], True: []}
    for title, said in zip(titles, labels, strict=True):
        found = naming.of(title) if said else ()
        if len(found) == 1:
            right[False].append(found[0] in said)
        elif found:
            right[True].append(set(found) == set(said))
    return TitleTrust(_share(right[False]), _share(right[True]))


def apply_title_evidence(confidences: Mapping[str, float], found: Sequence[str], trust: TitleTrust) -> dict[str, float]:
    """Confidences of a field's labels where the title names some of them: what it says is as sure as titles are.

    Several named are one value, joined as listings join them ("black and ivory"). What sums to 1 still does.
    """
    if not found:
        return dict(confidences)
    said = " and ".join(found)
    before, sure = confidences.get(said, 0.0), trust.single if len(found) == 1 else trust.several
    if sure <= before:
        return dict(confidences)
    rest = (1 - sure) / (1 - before)
    return {name: value * rest for name, value in confidences.items()} | {said: sure}


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right) if len(right) >= LEAST_NAMED else 0.0


def _whole(name: str) -> str:
    """A name as a pattern: whole words, in scripts that have spaces between them."""
    return rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name)
