"""Pictures that several listings show, and pictures that are worse than usual in the shop."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog import images
from catalog.errors import BadPicture
from catalog.product import Picture
from catalog.translated_attributes import translates
from indexer.layout import WORDS
from indexer.numeric import chunks, sigmoid
from search.dedup.image_alignment import AlignmentImage, align_images
from search.dedup.listing_duplicates import SAME_PICTURE_THRESHOLD, load_alignment_image
from search.doctor.audit_rows import MIN_CONFIDENCE, ROWS_PER_CHUNK, AuditRows, Finding, ReportProgress
from search.listings.picture_quality import MAX_BLUR, MIN_SHORT_SIDE, blur, shrunk
from search.retrieval.collapse import differing_facts, other_numbers, title_key

ALIGNED_NEIGHBOURS = 6  # neighbours that each picture is compared with point by point
MIN_COSINE = 0.9  # cosine from which two pictures are aligned and compared
PRINT_SIDE, MIN_PRINT_COSINE = 12, 0.99  # side of a print in pixels; cosine of two from which they are aligned, too
CACHED_IMAGES = 1_500  # kept in memory, 48 KiB each
# How far a same picture proves a duplicate: with equal titles and facts, with equal facts, with neither.
EQUAL_TITLE, EQUAL_FACTS, PICTURE_ONLY = 0.99, 0.97, 0.6
MAX_FACTS = 4  # differing facts that are named
SMALL_SHARE = 0.5  # share of the shop's usual short side, below which a picture is small
# Standard deviation of 255 grey levels: thin jewellery and white things on white have 3 and more.
MAX_BLANK_DEVIATION = 1.5
# Logistic curves: over -log(1 - correlation of fine detail) of a pair, where plain look-alikes stay
# under 4.7 and re-encoded copies are above 5.2; over spreads of the shop's usual blur.
DETAIL_SLOPE, DETAIL_OFFSET = 4.0, 4.8
BLUR_SLOPE, BLUR_OFFSET = 3.0, 6.4


def duplicate_findings(shop: AuditRows, progress: ReportProgress) -> Iterator[Finding]:
    """Find listings that show one picture, exact or altered; each pair is reported for the newer product."""
    for older, newer, confidence in _same_picture_pairs(shop, progress):
        first, second = shop.products[older], shop.products[newer]
        same_file = shop.hash_of(older) == shop.hash_of(newer)
        differing = list(differing_facts(first, second)) + ["category"] * (first.category != second.category)
        differing += ["the title's numbers"] * other_numbers(first.title, second.title)
        equal_titles = bool(title_key(first.title)) and title_key(first.title) == title_key(second.title)
        what = "the same file" if same_file else "the same picture, re-encoded or altered"
        named = [name for name in differing if not translates(name, differing)] or differing
        weight, rest = PICTURE_ONLY, f"what differs: {', '.join(named[:MAX_FACTS])}"
        if not differing and equal_titles:
            weight, rest = EQUAL_TITLE, "the title and all facts are equal"
        elif not differing:
            weight, rest = EQUAL_FACTS, "all facts are equal"
        why = f"Shows {what} as {first.id}; {rest}."
        kind = "shared picture" if differing else "duplicate"
        yield Finding(kind, second, weight * confidence, why, others=(first,))


def _same_picture_pairs(shop: AuditRows, progress: ReportProgress) -> Iterator[tuple[int, int, float]]:
    """Yield the places, rising, of two pictures of different products that are one picture, and the confidence."""
    image_of = lru_cache(CACHED_IMAGES)(partial(_image, shop))
    candidates = _candidate_pairs(shop, progress)
    for number, (place, others) in enumerate(candidates.items()):
        if number % ROWS_PER_CHUNK == 0:
            progress("duplicates", number, len(candidates))
        equal = [other for other in others if shop.hash_of(other) == shop.hash_of(place)]
        yield from ((other, place, 1.0) for other in equal)
        rest = [(other, image) for other in others if other not in equal and (image := image_of(other)) is not None]
        own = image_of(place) if rest else None
        if own is not None:
            alignments = align_images(own, [image for _, image in rest])
            for (other, _), alignment in zip(rest, alignments, strict=True):
                if alignment.confidence >= SAME_PICTURE_THRESHOLD:
                    detail = sigmoid(DETAIL_SLOPE * (-math.log(max(1 - alignment.detail, 1e-4)) - DETAIL_OFFSET))
                    yield other, place, alignment.confidence * detail


def _candidate_pairs(shop: AuditRows, progress: ReportProgress) -> dict[int, list[int]]:
    """Return which earlier pictures to align each picture with: k-NN whose vectors or prints agree.

    At 60 x 80 pixels, re-encoding moves a picture's vector as far as another product's; its print stays.
    """
    weights = {name: w for name, w in shop.generation.manifest.weights["picture"].items() if name != WORDS}
    prints = _prints(shop, progress)
    pairs: dict[int, set[int]] = defaultdict(set)
    for part in chunks(len(shop), ROWS_PER_CHUNK):
        progress("look-alikes", part.start, len(shop))
        scores, near = shop.nearest(shop.picture_queries(part, weights), ALIGNED_NEIGHBOURS + 1)
        own, others = (prints[chosen].astype(np.float32) for chosen in (part, np.maximum(near, 0)))
        same = np.maximum(*(np.einsum("nij,nkij->nk", print_, others) for print_ in (own, own[:, :, ::-1])))
        promising = (near >= 0) & ((scores >= MIN_COSINE) | (same >= MIN_PRINT_COSINE))
        for i, k in np.argwhere(promising).tolist():
            place, other = part.start + i, int(near[i, k])
            if shop.products[place].id != shop.products[other].id:
                pairs[max(place, other)].add(min(place, other))
    return {place: sorted(others) for place, others in pairs.items()}


def _prints(shop: AuditRows, progress: ReportProgress) -> NDArray[np.float16]:
    """Return each picture's print, (n, PRINT_SIDE, PRINT_SIDE) of unit length; 0 where the file cannot be read."""
    prints = np.zeros((len(shop), PRINT_SIDE, PRINT_SIDE), np.float16)
    for place in range(len(shop)):
        if place % ROWS_PER_CHUNK == 0:
            progress("prints of pictures", place, len(shop))
        if (image := _image(shop, place)) is not None:
            prints[place] = image.print(PRINT_SIDE)
    return prints


def _picture(shop: AuditRows, place: int) -> Picture | None:
    return next((p for p in shop.products[place].pictures if p.sha256 == shop.hash_of(place)), None)


def _image(shop: AuditRows, place: int) -> AlignmentImage | None:
    picture = _picture(shop, place)
    return load_alignment_image(picture.path) if picture else None


def picture_findings(shop: AuditRows, progress: ReportProgress) -> Iterator[Finding]:
    """Find pictures that are unreadable, blank, or smaller or more blurred than usual in this shop."""
    short_sides, blurs, deviations = (np.full(len(shop), np.nan) for _ in range(3))
    for place in range(len(shop)):
        if place % ROWS_PER_CHUNK == 0:
            progress("pictures", place, len(shop))
        if (picture := _picture(shop, place)) is None:
            continue
        try:
            decoded = images.decode(images.read_file(Path(picture.path)), at_least=256)
        except BadPicture as error:
            yield Finding("unreadable picture", shop.products[place], 1.0, error.message, "image")
            continue
        pixels = shrunk(decoded)
        short_sides[place] = min(picture.width, picture.height) or min(decoded.size)
        blurs[place], deviations[place] = blur(pixels), float(pixels.std())
    readable = np.isfinite(blurs)
    if not readable.any():
        return
    usual, middle = float(np.median(short_sides[readable])), float(np.median(blurs[readable]))
    spread = max(1.4826 * float(np.median(np.abs(blurs[readable] - middle))), 0.01)
    for place in np.flatnonzero(readable).tolist():
        product, short = shop.products[place], short_sides[place]
        confidence = sigmoid(BLUR_SLOPE * ((blurs[place] - middle) / spread - BLUR_OFFSET))
        if deviations[place] < MAX_BLANK_DEVIATION:
            yield Finding("blank picture", product, 0.99, "The picture shows nothing.", "image")
        elif short < min(MIN_SHORT_SIDE, SMALL_SHARE * usual):
            why = f"Only {short:.0f} pixels on its short side; {usual:.0f} are usual here."
            yield Finding("small picture", product, 0.99, why, "image")
        elif confidence >= MIN_CONFIDENCE and blurs[place] > min(MAX_BLUR, middle + 3 * spread):
            why = f"Blur {blurs[place]:.2f}; {middle:.2f} is usual here."
            yield Finding("blurred picture", product, confidence, why, "image")
