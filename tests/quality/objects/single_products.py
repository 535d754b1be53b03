"""Photos of one product: the share of them in which no second object is boxed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from catalog.errors import BadPicture
from catalog.images.crop import load_picture
from catalog.sample.generator.catalogue.plan import TEST
from search.engine import SearchEngine
from search.evaluation.statistics import mean, measured
from tests.quality.questions import of_split
from tests.quality.report.records import Headline, Outcome, Section, Share, Table
from tests.quality.sample_shop import SampleShop

AT_MOST_ONE = "at_most_one_box"
FLOOR = 0.9
MOST_PHOTOS = 120  # of each kind


def sample_single_products(shop: SampleShop) -> Outcome:
    """Count boxes in shoppers' photos and in catalogue pictures of products that no training saw."""
    photos = [Path(answer.question.asked) for answer in of_split(shop.photos, TEST)]
    pictures = [Path(shop.products[one].pictures[0].path) for one, split in shop.splits.items() if split == TEST]
    return single_products(shop.engine, {"shoppers' photos": photos, "catalogue pictures": pictures})


def single_products(engine: SearchEngine, photos: Mapping[str, Sequence[Path]]) -> Outcome:
    """Count boxes in photos of one product each, by the kind of photo."""
    figures: dict[str, Any] = {}
    rows, headlines = [], []
    for name, files in photos.items():
        few = [boxes <= 1 for boxes in islice(_boxes(engine, files), MOST_PHOTOS)]
        figures[name] = {"photos": len(few), **measured(AT_MOST_ONE, mean, few)}
        share = Share.of(figures[name], AT_MOST_ONE)
        rows.append((name, str(len(few)), share))
        headlines.append(Headline(f"One product, at most one box, {name}", share, len(few), FLOOR))
    section = Section(
        "Photos of one product",
        "A photo of one product needs no boxes: the whole photo shows it. This is the share with at most one.",
        (Table(("photos", "n", "at most one box"), tuple(rows)),),
    )
    return Outcome("single_products", figures, section, tuple(headlines))


def _boxes(engine: SearchEngine, files: Iterable[Path]) -> Iterable[int]:
    """Yield the number of boxes of each photo that can be read."""
    for file in files:
        try:
            picture = load_picture(file)
        except BadPicture:
            continue
        yield len(engine.detect_objects(picture, 1).items)
