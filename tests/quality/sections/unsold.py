"""The verdict on public shops that lack some kinds: photos of groceries that they have, and of those they lack."""

from __future__ import annotations

import csv
import random
import shutil
from pathlib import Path
from typing import Any

from catalog.images.crop import load_picture
from indexer.build.build import build_index
from indexer.encoders.base import Encoder
from search.engine import SearchEngine
from search.evaluation.statistics import auroc, mean, measured
from search.query.terms import PictureTerm
from tests.quality.photo_verdicts.confusion import (
    FOREIGN,
    KIND_NOT_SOLD,
    NO_PRODUCT,
    PRODUCT_SOLD,
    asked_verdicts,
    confusion,
    drawn_verdicts,
    labelled_questions,
)
from tests.quality.questions import Question, ask
from tests.quality.report.records import Headline, Outcome, Section, Share, Table
from tests.quality.sections.no_match import Judged, calibration_figures, judged, probabilities

SHOPS = 5  # each lacks another fifth of the kinds
OWN_FOR_A_STRANGER = 2  # a verdict takes it that two of three photos show what the shop has


def grocery_unsold(data: Path, work: Path, encoder: Encoder) -> tuple[Outcome, Outcome]:
    """Shops that each lack a fifth of the kinds: every photo is asked of the one that lacks it and of two others."""
    grocery = data / "grocery"
    with (grocery / "products.csv").open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    with (grocery / "photos_val.csv").open(newline="", encoding="utf-8") as opened:
        photos = [Question(str(grocery / row["photo"]), row["product_id"]) for row in csv.DictReader(opened)]
    kinds = sorted({row["category"] for row in rows})
    random.Random(0).shuffle(kinds)
    number = {kind: place % SHOPS for place, kind in enumerate(kinds)}
    lacking = {row["id"]: number[row["category"]] for row in rows}
    own: list[Judged] = []
    strangers: list[Judged] = []
    clothes = labelled_questions(data / "clothing" / "photos_validation.csv", "category")[:: 341 // FOREIGN]
    foreign: list[str] = []
    drawn: list[str] = []
    for shop in range(SHOPS):
        sold = [row for row in rows if lacking[row["id"]] != shop]
        home = work / f"shop-{shop}"
        build_index(home, _feed(sold, grocery, work / f"feed-{shop}"), encoder)
        with SearchEngine.open(home) as engine:
            asked = [one for one in photos if (shop - lacking[one.product_id]) % SHOPS <= OWN_FOR_A_STRANGER]
            answers = ask(engine, asked, lambda photo: PictureTerm(load_picture(Path(photo))))
            if not shop:
                foreign, drawn = asked_verdicts(engine, clothes), drawn_verdicts(engine)
        own += judged(answer for answer in answers if lacking[answer.question.product_id] != shop)
        strangers += judged(answer for answer in answers if lacking[answer.question.product_id] == shop)
    table = {
        ("shelf photos", PRODUCT_SOLD): [one.kind for one in own],
        ("shelf photos, kinds removed", KIND_NOT_SOLD): [one.kind for one in strangers],
        ("clothes", KIND_NOT_SOLD): foreign,
        ("drawings", NO_PRODUCT): drawn,
    }
    return _outcome(own, strangers), confusion("grocery_confusion", "Grocery: not sold", table)


def _feed(rows: list[dict[str, str]], grocery: Path, folder: Path) -> Path:
    """A feed of these rows with copies of their pictures."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    feed = folder / "products.csv"
    with feed.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        shutil.copy(grocery / row["image"], folder / row["image"])
    return feed


def _outcome(own: list[Judged], strangers: list[Judged]) -> Outcome:
    figures: dict[str, Any] = {
        "own": len(own),
        "strangers": len(strangers),
        **measured("auroc", auroc, probabilities(own), probabilities(strangers)),
        **calibration_figures(own, strangers),
        **measured("false_alarms", mean, [one.called for one in own]),
        **measured("recall", mean, [one.called for one in strangers]),
    }
    names = {
        "auroc": "AUROC",
        "ece": "ECE",
        "ece_without_chance": "without chance",
        "recall": "recall of no match",
        "false_alarms": "false alarms",
    }
    section = Section(
        "Grocery: what is not sold",
        f"{SHOPS} shops that each lack another part of the kinds are asked {len(own)} photos of what they have and "
        f"{len(strangers)} of what they lack. ECE, and what is left of it without chance, as for the sample shop; a "
        f"perfect predictor would show {figures['ece_perfect']:.3f}.",
        (
            Table(
                ("own", "strangers", *names.values()),
                ((str(len(own)), str(len(strangers)), *(Share.of(figures, name) for name in names)),),
            ),
        ),
    )
    headline = Headline("Grocery not sold, AUROC", Share.of(figures, "auroc"), len(own) + len(strangers))
    return Outcome("grocery_not_sold", figures, section, (headline,))
