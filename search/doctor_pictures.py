"""Pictures that repeat each other, and pictures that are worse than the shop's own usual ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from catalog import images
from catalog.errors import BadPicture
from indexer.vectors import WORDS, chunks
from search.doctor_shop import AT_ONCE, Finding, Shop, Step
from search.duplicates import called, same_facts
from search.picture_match import Sketch, overlays
from search.picture_quality import BLURRED, FLAT, TOO_SMALL, blur, shrunk
from search.same_listing import SURE, sketch_of

NEIGHBOURS = 6  # of each picture, that are compared with it point by point
ALIKE = 0.9  # likeness of vectors below which no two pictures are laid over each other
SKETCHES = 1_500  # kept in memory, 48 KiB each
GROUP = 8  # products named in one finding
TWICE, FILE, PICTURE_ONLY = 0.97, 0.9, 0.6  # how sure a same picture makes, with equal words, equal facts, and neither
SMALL_SHARE = 0.5  # of the shop's usual short side
SPREADS = 6.0  # of the shop's usual blur, above which a picture is blurred


def duplicate_findings(shop: Shop, step: Step) -> Iterator[Finding]:
    """Listings that show one picture, exact or altered; each group is told once, of its newest product."""
    pairs = dict(_pairs(shop, step))
    for (one, other), sure in pairs.items():
        first, second = shop.products[one], shop.products[other]
        same_file = shop.hash_of(one) == shop.hash_of(other)
        facts = same_facts(first, second) and first.category == second.category
        words = bool(called(first.title)) and called(first.title) == called(second.title)
        believed = TWICE if words and facts else FILE if facts else PICTURE_ONLY
        what = "the same file" if same_file else "the same picture, saved anew or altered"
        rest = (
            "the title and all facts are equal"
            if words and facts
            else "all facts are equal"
            if facts
            else "facts differ"
        )
        why = f"Shows {what} as {first.id}; {rest}."
        yield Finding("duplicate" if facts else "shared picture", second, believed * sure, why, "", "", (first,))


def _pairs(shop: Shop, step: Step) -> Iterator[tuple[tuple[int, int], float]]:
    """Places of two pictures that are one, of different products, and how sure that is."""
    weights = {name: w for name, w in shop.generation.manifest.weights["picture"].items() if name != WORDS}

    @lru_cache(SKETCHES)
    def sketch(place: int) -> Sketch | None:
        path = next((p.path for p in shop.products[place].pictures if p.sha256 == shop.hash_of(place)), "")
        return sketch_of(path)

    for part in chunks(len(shop), AT_ONCE):
        step("duplicates", part.start, len(shop))
        scores, near = shop.nearest(shop.asking(part, weights), NEIGHBOURS + 1)
        for i, (row, found) in enumerate(zip(scores.tolist(), near.tolist(), strict=True), part.start):
            worth = [
                j
                for score, j in zip(row, found, strict=True)
                if j > -1
                and score >= ALIKE
                and shop.products[j].id != shop.products[i].id
                and (j < i or i not in found)
            ]
            equal = [j for j in worth if shop.hash_of(j) == shop.hash_of(i)]
            yield from ((_pair(shop, i, j), 1.0) for j in equal)
            rest = [(j, other) for j in worth if j not in equal and (other := sketch(j)) is not None]
            own = sketch(i) if rest else None
            if own is not None:
                for (j, _), laid in zip(rest, overlays(own, [other for _, other in rest]), strict=True):
                    if laid.sure >= SURE:
                        yield _pair(shop, i, j), laid.sure


def _pair(shop: Shop, one: int, other: int) -> tuple[int, int]:
    """The two places, the one that was listed first in front."""
    return (one, other) if shop.numbers[one] < shop.numbers[other] else (other, one)


def picture_findings(shop: Shop, step: Step) -> Iterator[Finding]:
    """Pictures that are blank, or smaller or more blurred than is usual in this shop."""
    shorts, blurs, flats = (np.full(len(shop), np.nan) for _ in range(3))
    broken = []
    for place in range(len(shop)):
        if place % AT_ONCE == 0:
            step("pictures", place, len(shop))
        picture = next((p for p in shop.products[place].pictures if p.sha256 == shop.hash_of(place)), None)
        if picture is None:
            continue
        try:
            decoded = images.decode(images.read_file(Path(picture.path)), at_least=256)
        except BadPicture as error:
            broken.append((place, error.message))
            continue
        pixels = shrunk(decoded)
        shorts[place] = min(picture.width, picture.height) or min(decoded.size)
        blurs[place], flats[place] = blur(pixels), float(pixels.std())
    yield from (Finding("unreadable picture", shop.products[place], 1.0, why, "image") for place, why in broken)
    seen = np.isfinite(blurs)
    if not seen.any():
        return
    usual, middle = float(np.median(shorts[seen])), float(np.median(blurs[seen]))
    spread = max(1.4826 * float(np.median(np.abs(blurs[seen] - middle))), 0.01)
    for place in np.flatnonzero(seen).tolist():
        short, away = shorts[place], (blurs[place] - middle) / spread
        if flats[place] < FLAT:
            yield Finding("blank picture", shop.products[place], 0.97, "There is nothing to be seen.", "image")
        elif short < min(TOO_SMALL, SMALL_SHARE * usual):
            why = f"Only {short:.0f} pixels on its short side; {usual:.0f} are usual here."
            yield Finding("small picture", shop.products[place], 0.97, why, "image")
        elif (sure := 1 / (1 + math.exp(-(away - SPREADS)))) > 0.1 and blurs[place] > min(BLURRED, middle + 3 * spread):
            why = f"Blur {blurs[place]:.2f}; {middle:.2f} is usual here."
            yield Finding("blurred picture", shop.products[place], sure, why, "image")
