"""Category accuracy on owners' photos of clothes, from labelled photos: python -m tests.quality.clothing --work DIR.

A shop is built from the training photos, titled by their numbers; it categorises the validation photos.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog.images.crop import load_picture
from indexer.build.build import build_index
from indexer.encoders.base import Encoder
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder
from indexer.training.starter_data import Photo, labelled_photos
from search.engine import SearchEngine
from search.evaluation.statistics import mean, measured
from search.listings.attribute_fields import CATEGORY
from search.listings.fit_heads import learn
from search.listings.suggester import ListingSuggester
from tests.quality.report.records import Headline, Outcome, Section, Share, Table

FEW_PHOTOS, DRAWS = 5, 5  # labelled photos of each category, and how often they are drawn
ALL_FLOOR, FEW_FLOOR = 0.90, 0.75


def clothing_categories(data: Path, work: Path, encoder: Encoder) -> Outcome:
    """Measure ten categories, from five labelled photos each and from all."""
    training, holdout = (labelled_photos(data / f"photos_{part}.csv", "category") for part in ("train", "validation"))
    few = [
        right
        for seed in range(DRAWS)
        for right in _outcomes(work / f"few-{seed}", _drawn(training, seed), holdout, encoder)
    ]
    every = _outcomes(work / "all", training, holdout, encoder)
    figures = {
        "photos": len(holdout),
        "learnt": len(training),
        "few": measured("accuracy", mean, few),
        "all": measured("accuracy", mean, every),
    }
    rows = (
        (f"{FEW_PHOTOS} of each, {DRAWS} draws", f"{len(few):,}", Share.of(figures["few"], "accuracy")),
        (f"all {len(training):,}", f"{len(holdout):,}", Share.of(figures["all"], "accuracy")),
    )
    section = Section(
        "Clothing: the category from labelled photos",
        "Owners' photos, another camera than any catalogue's. The encoder was trained on the training photos.",
        (Table(("learnt from", "n", "right"), rows),),
    )
    headlines = (
        Headline("Clothing category, five photos each", rows[0][2], len(few), FEW_FLOOR),
        Headline("Clothing category, all photos", rows[1][2], len(holdout), ALL_FLOOR),
    )
    return Outcome("clothing_categories", figures, section, headlines)


def _outcomes(home: Path, training: Sequence[Photo], holdout: Sequence[Photo], encoder: Encoder) -> list[bool]:
    """Return whether each holdout photo gets its category in a shop of the training photos."""
    (home / "images").mkdir(parents=True, exist_ok=True)
    feed = home / "feed.csv"
    with feed.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "title", "category", "image"))
        for photo in training:
            shutil.copy(photo.file, home / "images")
            number = photo.file.stem
            writer.writerow((number, number, photo.name, f"images/{photo.file.name}"))
    build_index(home / "shop", feed, encoder)
    learn(home / "shop")
    with SearchEngine.open(home / "shop") as engine:
        suggester = ListingSuggester.open(engine, home / "shop")
        labels = suggester.labels(CATEGORY, [load_picture(photo.file) for photo in holdout])
    return [label.top[0].name == photo.name for label, photo in zip(labels, holdout, strict=True)]


def _drawn(rows: Sequence[Photo], seed: int) -> list[Photo]:
    by_category: dict[str, list[Photo]] = defaultdict(list)
    for row in rows:
        by_category[row.name].append(row)
    rng = np.random.default_rng(seed)
    return [own[i] for own in by_category.values() for i in rng.permutation(len(own))[:FEW_PHOTOS].tolist()]


def main() -> None:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.clothing", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/clothing"))
    parser.add_argument("--work", type=Path, required=True, help="where shops are built")
    options = parser.parse_args()
    figures: dict[str, Any] = clothing_categories(options.data, options.work, open_encoder(DEFAULT_ENCODER)).figures
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
