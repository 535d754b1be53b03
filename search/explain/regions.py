"""The objects of a picture with their hits: what kind of product each is, and which boxes show one object."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.product import levels_of
from catalog.translated_attributes import OTHER_LANGUAGES
from search.explain.object_proposals import Box
from search.hits import SearchHit

CATEGORY = "category"
CHINESE_KIND = "kind_zh"  # always there, as in the first version of the API
KIND_HITS = 10  # hits of a crop that vote for its kind
VOTE_SCALE = 0.03  # difference of scores that makes a vote e times smaller
NAMED_SHARE = 0.5  # share of the votes from which a kind names the object
FIRST_SHARE = 0.95  # share from which products of the kind come first: below that it moved right answers down


@dataclass(frozen=True, slots=True)
class Region:
    """The box of one object, in fractions of the picture, and the products that match its crop, best first.

    `kind` is the deepest category that the hits agree on, "" when they do not agree; `translated_kinds` has the same
    by language, for the languages that the feed has.
    """

    box: Box
    hits: tuple[SearchHit, ...]
    kind: str = ""
    translated_kinds: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the region as JSON values."""
        hits = [hit.to_dict(rank) for rank, hit in enumerate(self.hits, 1)]
        box = [round(side, 4) for side in self.box.sides]
        translated = {f"kind_{language}": self.translated_kinds.get(language, "") for language in OTHER_LANGUAGES}
        names = {name: kind for name, kind in translated.items() if kind or name == CHINESE_KIND}
        return {"box": box, "score": round(self.box.score, 4), "kind": self.kind, **names, "hits": hits}


@dataclass(frozen=True, slots=True)
class Regions:
    """The objects of a picture; after a timeout, which `degraded` names, boxes without hits, or none."""

    items: tuple[Region, ...] = ()
    degraded: tuple[str, ...] = ()


def named_region(box: Box, hits: Sequence[SearchHit], k: int) -> Region:
    """Return a region with the kind of its hits, and the first k hits; where most agree, those of the kind first."""
    votes: dict[str, float] = defaultdict(float)
    for hit in hits[:KIND_HITS]:
        votes[hit.product.category] += math.exp((hit.score - hits[0].score) / VOTE_SCALE)
    category = max(votes, key=lambda name: votes[name], default="")
    share = votes[category] / sum(votes.values()) if category else 0.0
    if share < NAMED_SHARE:
        return Region(box, tuple(hits[:k]))
    if share >= FIRST_SHARE:
        hits = sorted(hits, key=lambda hit: hit.product.category != category)
    attributes = next(hit.product for hit in hits if hit.product.category == category).attributes
    paths = {language: levels_of(attributes.get(f"{CATEGORY}_{language}", "")) for language in OTHER_LANGUAGES}
    translated = {language: path[-1] for language, path in paths.items() if path}
    return Region(box, tuple(hits[:k]), levels_of(category)[-1] if levels_of(category) else "", translated)


def distinct(regions: Sequence[Region]) -> list[Region]:
    """Merge a region into an earlier one that overlaps it and has the same first hit: both show one object."""
    merged: list[Region] = []
    for region in regions:
        twin = next((i for i, earlier in enumerate(merged) if _same_object(earlier, region)), None)
        if twin is None:
            merged.append(region)
        else:
            merged[twin] = replace(merged[twin], hits=_merge_hits(merged[twin].hits, region.hits))
    return merged


def _same_object(earlier: Region, later: Region) -> bool:
    if not earlier.hits or not later.hits or earlier.hits[0].product.id != later.hits[0].product.id:
        return False
    a, b = earlier.box, later.box
    return min(a.right, b.right) > max(a.left, b.left) and min(a.bottom, b.bottom) > max(a.top, b.top)


def _merge_hits(earlier: Sequence[SearchHit], later: Sequence[SearchHit]) -> tuple[SearchHit, ...]:
    best: dict[str, SearchHit] = {}
    for hit in sorted((*earlier, *later), key=lambda hit: (-hit.score, hit.product.id)):
        best.setdefault(hit.product.id, hit)
    return tuple(best.values())[: max(len(earlier), len(later))]
