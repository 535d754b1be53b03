"""The verdict on words: is what the shop sells told from what other shops sell, and are its probabilities true?"""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalog.feeds.reader import read_feed
from catalog.home import ShopHome
from catalog.product import Product
from indexer.build.build import build_index
from indexer.encoders.base import Encoder
from search.engine import SearchEngine
from search.evaluation.sold_questions import JudgedQuestion, SoldQuestion, judge_questions, sold_figures
from search.evaluation.statistics import DIGITS
from tests.quality.question_sets.colour_kind import LANGUAGES, REPORT
from tests.quality.question_sets.sold import of_kinds, sold_questions, unsold_questions
from tests.quality.report.records import Failure, Gallery, Headline, Outcome, Section, Share, Shown, Table
from tests.quality.sample_shop import SampleShop

AUROC_FLOOR, CALIBRATION_FLOOR = 0.93, 0.95
SHOPS = 4  # without a quarter of the kinds each
SHOWN = 8
HOW = (
    "Questions for what the shop sells (kinds, colours with kinds, parts of titles, brands, own words) and for what it "
    "does not sell (other shops' kinds, bare and with a colour or an adjective, nonsense, sentences). AUROC is the "
    "chance that a question for something sold is given the higher probability. Calibration is 1 - ECE, the expected "
    "calibration error over ten bins of as many questions."
)


def sample_verdict(shop: SampleShop) -> Outcome:
    """The verdict on words of the sample shop."""
    return verdict_outcome(shop.engine, list(shop.products.values()), "sample", "Words: sold or not sold")


def fashion_verdict(engine: SearchEngine, products: Sequence[Product]) -> Outcome:
    """The verdict on words of a shop of the fashion feed."""
    return verdict_outcome(engine, products, "fashion", "Fashion: words, sold or not sold")


def verdict_outcome(engine: SearchEngine, products: Sequence[Product], shop: str, title: str) -> Outcome:
    """Ask in both languages and show the figures of both together, by language, and by type of question."""
    judged: list[JudgedQuestion] = []
    rows: list[tuple[str | Share, ...]] = []
    figures: dict[str, Any] = {}
    for language in LANGUAGES:
        typed = [*sold_questions(products, shop, language, REPORT), *unsold_questions(shop, language, REPORT)]
        found, _, _ = judge_questions(engine, [SoldQuestion(asked.text, asked.sold) for asked in typed])
        types = {asked.text: asked.type for asked in typed}
        for sold in (True, False):
            for name in dict.fromkeys(asked.type for asked in typed if asked.sold is sold):
                own = [one for one in found if types[one.question.text] == name and one.question.sold is sold]
                rows.append((language, "sold" if sold else "not sold", name, f"{len(own):,}", _shares(own)))
        figures[language] = sold_figures(found)
        judged += found
    key = f"words_verdict_{shop}"
    if not judged:
        why = "The shop's answers to words have no verdict."
        return Outcome(key, {"skipped": why}, Section(title, HOW, note=why))
    figures |= sold_figures(judged)
    by_type = Table(("language", "is", "questions", "n", "verdicts"), tuple(rows))
    return Outcome(
        key,
        figures,
        Section(title, HOW, (_table(figures), by_type), galleries=_galleries(judged)),
        headlines(title, figures),
    )


def removed_kinds(folder: Path, home: Path, work: Path, encoder: Encoder) -> Outcome:
    """Sample shops that each lack a quarter of the kinds: questions for these, and for the kinds that are left.

    `folder` has the feed. `home` is the shop of all products, whose vectors are used again.
    """
    products = [product for product in read_feed(folder / "products.csv") if isinstance(product, Product)]
    kinds = sorted({product.category_path[-1] for product in products})
    random.Random(0).shuffle(kinds)
    judged: list[JudgedQuestion] = []
    for number in range(SHOPS):
        lacking = kinds[number::SHOPS]
        shop = work / f"shop-{number}"
        shutil.copytree(ShopHome(home).cache, ShopHome(shop).cache, dirs_exist_ok=True)
        build_index(shop, _feed_without(lacking, folder, work / f"feed-{number}"), encoder)
        left = [kind for kind in kinds if kind not in lacking]
        asked = [*of_kinds(lacking, REPORT, sold=False), *of_kinds(left[number::SHOPS], REPORT, sold=True)]
        with SearchEngine.open(shop) as engine:
            found, _, _ = judge_questions(engine, [SoldQuestion(one.text, one.sold) for one in asked])
        judged += found
    title = "Words: kinds that were taken out of the shop"
    how = f"{SHOPS} sample shops that each lack another part of the kinds, and questions in English for both parts."
    if not judged:
        why = "The shops' answers to words have no verdict."
        return Outcome("removed_kinds", {"skipped": why}, Section(title, how, note=why))
    figures = sold_figures(judged)
    section = Section(title, how, (_table(figures),), galleries=_galleries(judged))
    return Outcome("removed_kinds", figures, section, (Headline(f"{title}, AUROC", *_auroc(figures)),))


def headlines(title: str, figures: dict[str, Any]) -> tuple[Headline, ...]:
    """AUROC and calibration of both languages together, with their floors."""
    return (
        Headline(f"{title}, AUROC", *_auroc(figures), AUROC_FLOOR),
        Headline(f"{title}, calibration", _calibration(figures), figures["queries"], CALIBRATION_FLOOR),
    )


def _auroc(figures: dict[str, Any]) -> tuple[Share, int]:
    return Share.of(figures, "auroc"), figures["queries"]


def _calibration(figures: dict[str, Any]) -> Share:
    low, high = figures["ece_interval"]
    return Share(round(1 - figures["ece"], DIGITS), (1 - high, 1 - low))


def _table(figures: dict[str, Any]) -> Table:
    sets = {"all": figures} | {language: figures[language] for language in LANGUAGES if language in figures}
    rows = tuple(
        (
            name,
            f"{found['sold']:,}",
            f"{found['unsold']:,}",
            Share.of(found, "auroc"),
            Share.of(found, "ece"),
            f"{found['ece_perfect']:.3f}",
        )
        for name, found in sets.items()
        if found["queries"]
    )
    return Table(("questions", "sold", "not sold", "AUROC", "ECE", "ECE by chance"), rows)


def _shares(judged: Sequence[JudgedQuestion]) -> str:
    kinds = [one.verdict.kind for one in judged]
    return ", ".join(f"{kind} {kinds.count(kind) / len(kinds):.2f}" for kind in sorted(set(kinds)))


def _galleries(judged: Sequence[JudgedQuestion]) -> tuple[Gallery, ...]:
    worst = sorted(judged, key=lambda one: -one.error)
    return tuple(
        Gallery(
            title,
            tuple(_failure(one) for one in worst if one.question.sold is sold)[:SHOWN],
        )
        for title, sold in (("Sold, and least believed to be", True), ("Not sold, and most believed to be", False))
    )


def _failure(one: JudgedQuestion) -> Failure:
    stated = Shown("", one.verdict.kind.replace("_", " "), f"probability {one.verdict.probability:.2f}")
    return Failure(Shown("", one.question.text), (), (stated,))


def _feed_without(kinds: Sequence[str], folder: Path, target: Path) -> Path:
    """A feed of the products of other kinds, with copies of their pictures."""
    with (folder / "products.csv").open(newline="", encoding="utf-8") as opened:
        rows = [row for row in csv.DictReader(opened) if row["category"].split(" > ")[-1] not in kinds]
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "images", target / "images", dirs_exist_ok=True)
    feed = target / "products.csv"
    with feed.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return feed
