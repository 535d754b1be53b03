"""Pictures that repeat each other, and pictures that are worse than the shop's own usual ones."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog import images
from catalog.errors import BadPicture
from catalog.product import Picture
from indexer.layout import WORDS
from indexer.numeric import chunks, sigmoid
from search.dedup.image_alignment import AlignmentImage, overlays
from search.dedup.listing_duplicates import SURE, sketch_of
from search.doctor.audit_rows import AT_ONCE, LEAST_SURE, AuditRows, Finding, Step
from search.listings.attribute_fields import OTHER_LANGUAGE
from search.listings.picture_quality import BLURRED, TOO_SMALL, blur, shrunk
from search.retrieval.collapse import differing_facts, other_numbers, title_key

NEIGHBOURS = 6  # of each picture, that are compared with it point by point
ALIKE = 0.9  # likeness of vectors from which two pictures are laid over each other
PRINT, SAME_PRINT = 12, 0.99  # side of a print; likeness of two from which they are, too
SKETCHES = 1_500  # kept in memory, 48 KiB each
TWICE, FACTS, PICTURE_ONLY = 0.99, 0.97, 0.6  # how sure a same picture makes, with equal words, equal facts, neither
MOST_TOLD = 4  # facts that differ
SMALL_SHARE = 0.5  # of the shop's usual short side
BLANK = 1.5  # of 255, standard deviation: thin jewellery and white things on white have 3 and more
# Logistic curves (slope, offset): over -log(1 - correlation of fine detail) of a pair, where plain look-alikes stay
# under 4.7 and copies saved anew are above 5.2; over spreads of the shop's usual blur.
DETAIL, SPREADS = (4.0, 4.8), (3.0, 6.4)


def duplicate_findings(shop: AuditRows, step: Step) -> Iterator[Finding]:
    """Listings that show one picture, exact or altered; each group is told once, of its newest product."""
    pairs = dict(_pairs(shop, step))
    for (one, other), sure in pairs.items():
        first, second = shop.products[one], shop.products[other]
        same_file = shop.hash_of(one) == shop.hash_of(other)
        variants = other_numbers(first.title, second.title)
        differing = list(differing_facts(first, second))
        differing += ["category"] * (first.category != second.category) + ["the title's numbers"] * variants
        words = bool(title_key(first.title)) and title_key(first.title) == title_key(second.title)
        what = "the same file" if same_file else "the same picture, saved anew or altered"
        shown = [name for name in differing if not name.endswith(OTHER_LANGUAGE)] or differing
        believed, rest = PICTURE_ONLY, f"what differs: {', '.join(shown[:MOST_TOLD])}"
        if not differing:
            believed, rest = (TWICE, "the title and all facts are equal") if words else (FACTS, "all facts are equal")
        why = f"Shows {what} as {first.id}; {rest}."
        yield Finding("shared picture" if differing else "duplicate", second, believed * sure, why, "", "", (first,))


def _pairs(shop: AuditRows, step: Step) -> Iterator[tuple[tuple[int, int], float]]:
    """Places of two pictures that are one, of different products, and how sure that is."""

    @lru_cache(SKETCHES)
    def sketch(place: int) -> AlignmentImage | None:
        return sketch_of(_path(shop, place))

    proposed = _proposed(shop, step)
    for number, (i, others) in enumerate(proposed.items()):
        if number % AT_ONCE == 0:
            step("duplicates", number, len(proposed))
        equal = [j for j in others if shop.hash_of(j) == shop.hash_of(i)]
        yield from ((_pair(shop, i, j), 1.0) for j in equal)
        rest = [(j, other) for j in others if j not in equal and (other := sketch(j)) is not None]
        own = sketch(i) if rest else None
        if own is not None:
            for (j, _), laid in zip(rest, overlays(own, [other for _, other in rest]), strict=True):
                if laid.sure >= SURE:
                    yield _pair(shop, i, j), laid.sure * _curve(-math.log(max(1 - laid.detail, 1e-4)), DETAIL)


def _proposed(shop: AuditRows, step: Step) -> dict[int, list[int]]:
    """Which pictures are worth laying over which others, each pair once: near ones whose vectors or prints agree.

    At 60 x 80 pixels, saving a picture anew takes its vectors as far away as another product's are; its print stays.
    """
    weights = {name: w for name, w in shop.generation.manifest.weights["picture"].items() if name != WORDS}
    prints = _prints(shop, step)
    pairs: dict[int, set[int]] = defaultdict(set)
    for part in chunks(len(shop), AT_ONCE):
        step("look-alikes", part.start, len(shop))
        scores, near = shop.nearest(shop.asking(part, weights), NEIGHBOURS + 1)
        own, others = (prints[of].astype(np.float32) for of in (part, np.maximum(near, 0)))
        same = np.maximum(*(np.einsum("nij,nkij->nk", way, others) for way in (own, own[:, :, ::-1])))
        worth = (near >= 0) & ((scores >= ALIKE) | (same >= SAME_PRINT))
        for i, k in zip(*(found.tolist() for found in np.nonzero(worth)), strict=True):
            one, other = part.start + i, int(near[i, k])
            if shop.products[one].id != shop.products[other].id:
                pairs[max(one, other)].add(min(one, other))
    return {one: sorted(others) for one, others in pairs.items()}


def _prints(shop: AuditRows, step: Step) -> NDArray[np.float16]:
    """Every picture's lightness in few pixels, without its border, (n, 12, 12) of unit length; 0 where it is gone."""
    prints = np.zeros((len(shop), PRINT, PRINT), np.float16)
    for place in range(len(shop)):
        if place % AT_ONCE == 0:
            step("prints of pictures", place, len(shop))
        if (sketch := sketch_of(_path(shop, place))) is not None:
            prints[place] = sketch.print(PRINT)
    return prints


def _curve(value: float, curve: tuple[float, float]) -> float:
    slope, offset = curve
    return sigmoid(slope * (value - offset))


def _pair(shop: AuditRows, one: int, other: int) -> tuple[int, int]:
    """The two places, the one that was listed first in front."""
    return (one, other) if shop.numbers[one] < shop.numbers[other] else (other, one)


def _picture(shop: AuditRows, place: int) -> Picture | None:
    return next((p for p in shop.products[place].pictures if p.sha256 == shop.hash_of(place)), None)


def _path(shop: AuditRows, place: int) -> str:
    picture = _picture(shop, place)
    return picture.path if picture else ""


def picture_findings(shop: AuditRows, step: Step) -> Iterator[Finding]:
    """Pictures that are blank, or smaller or more blurred than is usual in this shop."""
    shorts, blurs, flats = (np.full(len(shop), np.nan) for _ in range(3))
    broken = []
    for place in range(len(shop)):
        if place % AT_ONCE == 0:
            step("pictures", place, len(shop))
        picture = _picture(shop, place)
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
        if flats[place] < BLANK:
            yield Finding("blank picture", shop.products[place], 0.99, "There is nothing to be seen.", "image")
        elif short < min(TOO_SMALL, SMALL_SHARE * usual):
            why = f"Only {short:.0f} pixels on its short side; {usual:.0f} are usual here."
            yield Finding("small picture", shop.products[place], 0.99, why, "image")
        elif (sure := _curve(away, SPREADS)) >= LEAST_SURE and blurs[place] > min(BLURRED, middle + 3 * spread):
            why = f"Blur {blurs[place]:.2f}; {middle:.2f} is usual here."
            yield Finding("blurred picture", shop.products[place], sure, why, "image")
