"""Merge past prices of a file into the history of one product.

What the catalogue recorded itself is never altered: a past price counts up to the first change that was recorded, and
what a file says of later times is only compared. A past price at the time of one that was imported before takes its
place, so that a corrected file corrects. One that says what is in force already adds nothing, so the same file adds
nothing when it is imported again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.price_history.price_change import PriceChange
from catalog.price_history.readings import price_at


@dataclass(frozen=True, slots=True)
class Conflict:
    """A past price of a file, and what the catalogue recorded for that time."""

    past: PriceChange
    recorded: PriceChange


@dataclass(frozen=True, slots=True)
class Merge:
    """The history of a product with past prices: how many were added, replaced others, were there already."""

    changes: tuple[PriceChange, ...]
    added: int = 0
    replaced: int = 0
    known: int = 0
    conflicts: tuple[Conflict, ...] = ()


def merge(stored: Sequence[PriceChange], past: Sequence[PriceChange]) -> Merge:
    """Merge past prices, in the order of time and at most one a moment, into a history, the oldest first."""
    own = [change for change in stored if not change.imported]
    imported = {change.at: change for change in stored if change.imported}
    before = dict(imported)
    conflicts = list[Conflict]()
    for change in past:
        if not own or change.at < own[0].at:
            imported[change.at] = change
            continue
        recorded = price_at(own, change.at) or own[0]
        if (recorded.price, recorded.currency) != (change.price, change.currency):
            conflicts.append(Conflict(change, recorded))
    distinct = list[PriceChange]()
    for _, change in sorted(imported.items()):
        if not distinct or not distinct[-1].same_state_as(change):
            distinct.append(change)
    added = sum(change.at not in before for change in distinct)
    replaced = sum(at in before and not before[at].same_state_as(change) for at, change in imported.items())
    known = len(past) - len(conflicts) - added - replaced
    return Merge((*distinct, *own), added, replaced, known, tuple(conflicts))
