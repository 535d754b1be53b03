"""The evaluation: its measures by hand, its tasks on a shop seen by eye, its report on a made-up result."""

import csv
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from catalog.product import Picture, Product
from search.evaluation import statistics
from search.evaluation.evaluate import evaluate_photos, evaluate_texts
from search.evaluation.statistics import calibration_error, perfect_error
from search.hits import SearchHit
from tests.fake_encoder import FakeEncoder
from tests.quality import measures
from tests.quality.__main__ import measure_sample_shop
from tests.quality.objects.scenes import scene_figures
from tests.quality.public_data import measure_public_data
from tests.quality.questions import Answer, Question
from tests.quality.report.failures import worst
from tests.quality.report.plots import Dot, dots, recall_curve
from tests.quality.report.records import Failure, Gallery, Headline, Outcome, Part, Plot, Section, Share, Shown, Table
from tests.quality.report.report import terminal_table, write_report
from tests.quality.sample_shop import TABLES
from tests.quality.sections.no_match import (
    debiased_error,
    judged,
    no_match,
    no_match_figures,
)

COLOURS = {"mug-1a": "red", "mug-1b": "lime", "plate-1a": "blue", "plate-1b": "yellow"}
RED, LIME, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_a_bootstrap_interval_is_drawn_by_its_seed():
    outcomes = np.array([1.0] * 8 + [0.0] * 2)
    low, high = statistics.bootstrap(statistics.mean, outcomes)
    assert (low, high) == statistics.bootstrap(statistics.mean, outcomes)
    assert (low, high) != statistics.bootstrap(statistics.mean, outcomes, seed=1, rounds=50)
    assert low == pytest.approx(0.5, abs=0.051) and high == 1.0  # 0.8 -+ 1.96 * sqrt(0.8 * 0.2 / 10), cut at 1
    assert statistics.bootstrap(statistics.mean, [1, 1, 1]) == (1.0, 1.0)
    assert statistics.bootstrap(statistics.mean, []) is None
    assert statistics.bootstrap(lambda sample: None, [1, 2]) is None
    values = np.random.default_rng(3).random(333)  # means of many rounds together are those of one by one
    assert statistics.bootstrap(statistics.mean, values) == statistics.bootstrap(lambda v: float(v.mean()), values)
    assert statistics.measured("share", statistics.mean, []) == {"share": None, "share_interval": None}


def test_rank_figures_by_hand():
    figures = measures.rank_figures([1, 2, 6, None])
    assert figures["queries"] == 4
    assert [figures[f"recall_at_{k}"] for k in (1, 5, 10)] == [0.25, 0.5, 0.75]
    assert figures["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 6) / 4, abs=1e-4)
    low, high = figures["recall_at_1_interval"]
    assert 0 <= low <= 0.25 <= high <= 1
    assert measures.rank_figures([])["recall_at_1"] is None


def test_auroc_and_roc_by_hand():
    higher, lower = np.array([0.9, 0.5]), np.array([0.5, 0.1])
    assert statistics.auroc(higher, lower) == (1 + 1 + 0.5 + 1) / 4  # a tie counts half
    assert statistics.auroc(lower, higher) == 1 / 8
    let_through, kept = measures.roc_points(higher, lower)
    assert list(zip(let_through.tolist(), kept.tolist(), strict=True)) == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]


def test_precision_ratio_and_kinship_by_hand():
    assert measures.precision(np.array([True, True, False]), np.array([True, False])) == 2 / 3
    assert measures.precision(np.array([False]), np.array([False])) is None
    assert measures.ratio(np.array([(1, 2), (2, 3)])) == 3 / 5
    assert measures.ratio(np.array([(0, 0)])) is None
    assert measures.same_at(["mug", "jug", "mug", "mug"], "mug", 3) == 2 / 3
    assert measures.same_at(["mug"], "mug", 4) == 1 / 4  # a short page has empty places
    assert [measures.best_same_at(members, 3) for members in (1, 3, 10)] == [0, 2 / 3, 1]


def test_reliability_bins_by_hand():
    bins = measures.reliability([0.04, 0.06, 0.95, 1.0], [False, True, True, True])
    assert [(one.low, one.high, one.true, one.count) for one in bins] == [(0, 0.1, 0.5, 2), (0.9, 1.0, 1.0, 2)]
    assert [one.stated for one in bins] == pytest.approx([0.05, 0.975])


def test_scenes_are_resampled_whole():
    figures = scene_figures([[1, 7], [], [None, 3, 2]])
    assert figures["queries"] == 5
    assert [figures[f"recall_at_{k}"] for k in (1, 5, 10)] == [1 / 5, 3 / 5, 4 / 5]
    assert figures["recall_at_1_interval"] == [0.0, 0.5]  # both photos, or one of them twice


def answer_with(probability, kind, found="r"):
    """An answer to a photo of product "r" with that verdict, whose first hit is `found`, less surely the exact one."""
    hit = SearchHit(Product(found, found, ()), Picture(""), 0.5, {})
    page = SimpleNamespace(
        hits=(hit,), verdict=SimpleNamespace(probability=probability, kind=kind, exact=probability * 0.8)
    )
    return Answer(Question(f"photo {probability:.0%}", "r", "test"), page)


OWN = (
    answer_with(0.9, "exact"),
    answer_with(0.8, "similar", "s"),
    answer_with(0.3, "no_match", "s"),
    answer_with(0.7, "exact"),
)
STRANGERS = (answer_with(0.1, "no_match", "s"), answer_with(0.2, "no_match", "s"), answer_with(0.75, "similar", "s"))


def test_no_match_by_hand():
    figures = no_match_figures(judged(OWN), judged(STRANGERS))
    assert figures["auroc"] == pytest.approx((3 + 3 + 2 + 2) / 12, abs=1e-4)
    assert figures["precision"] == figures["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["false_alarms"] == 0.25 and figures["called"] == 3
    assert figures["kinds"]["own"] == {"exact": 2, "similar": 1, "no_match": 1}
    assert figures["reliability"]["the first hit is right"][-1]["true"] == 1.0


def test_a_calibration_error_by_hand():
    rows = np.array([(0.1, 0), (0.2, 0), (0.8, 1), (0.7, 0)])
    assert calibration_error(rows) == pytest.approx((0.1 + 0.2 + 0.2 + 0.7) / 4)
    assert calibration_error(rows, bins=2) == pytest.approx((0.15 + 0.25) / 2)
    assert calibration_error(rows, bins=3) == pytest.approx((2 * 0.15 + 0.7 + 0.2) / 4)  # the first has one more
    figures = no_match_figures(judged(OWN), judged(STRANGERS))
    assert figures["ece"] == pytest.approx((0.1 + 0.2 + 0.7 + 0.3 + 0.1 + 0.2 + 0.75) / 7, abs=1e-4)
    assert figures["exact_ece"] == pytest.approx((0.28 + 0.64 + 0.24 + 0.44 + 0.08 + 0.16 + 0.6) / 7, abs=1e-4)
    assert figures["exact_precision"] == 1.0


def test_what_chance_adds_to_a_calibration_error_is_known_and_taken_off():
    rng = np.random.default_rng(5)
    stated = rng.random(176)
    true = np.column_stack([stated, rng.random(176) < stated])  # perfect, and yet off by chance
    assert 0.05 < perfect_error(true) < 0.1
    assert abs(calibration_error(true) - perfect_error(true)) < 0.05
    assert debiased_error(true) < 0.05
    off = np.column_stack([np.full(4_000, 0.7), rng.random(4_000) < 0.5])  # always 0.2 too sure
    assert debiased_error(off) == pytest.approx(0.2, abs=0.02) and perfect_error(off) < 0.03


def test_no_match_shows_what_the_shop_was_wrong_about():
    outcome = no_match(SimpleNamespace(photos=OWN, strangers=STRANGERS, products={}))
    surest, called = outcome.section.galleries
    assert [failure.asked.title for failure in surest.failures] == ["photo 75%", "photo 20%", "photo 10%"]
    assert [failure.asked.title for failure in called.failures] == ["photo 30%"]
    assert [line.name for line in outcome.headlines if line.share.figure is None] == []
    assert len(outcome.section.plots) == 3 and all(plot.svg.startswith("<svg") for plot in outcome.section.plots)


def test_the_worst_are_those_that_came_latest():
    def at(rank):
        hits = [SimpleNamespace(product=SimpleNamespace(id=f"{i}"), duplicates=()) for i in range(1, 9)]
        return Answer(Question(f"photo {rank}", str(rank)), SimpleNamespace(hits=tuple(hits)))

    assert [answer.rank for answer in worst([at(1), at(3), at(99), at(8), at(2)], 3)] == [None, 8, 3]


def paint(colour, path):
    image = Image.new("RGB", (64, 64), colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def write(path, *rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sample shop of four products whose pictures are their colour, and questions whose answers are seen by eye."""
    folder = tmp_path_factory.mktemp("sample")
    for product_id, colour in COLOURS.items():
        paint(colour, folder / "images" / f"{product_id}.png")
    for name, colour in {"p1": "red", "p2": "lime", "p3": "blue", "u1": "white"}.items():
        paint(colour, folder / "photos" / f"{name}.png")
    both = Image.new("RGB", (64, 64), RED)
    ImageDraw.Draw(both).rectangle((32, 0, 64, 64), fill=BLUE)
    both.save(folder / "photos" / "s1.png")
    write(
        folder / "products.csv",
        ("id", "title", "category", "image", "group"),
        ("mug-1a", "red <mug>", "Table > Mugs", "images/mug-1a.png", "mug-1"),
        ("mug-1b", "green mug", "Table > Mugs", "images/mug-1b.png", "mug-1"),
        ("plate-1a", "blue plate", "Table > Plates", "images/plate-1a.png", "plate-1"),
        ("plate-1b", "red green plate", "Table > Plates", "images/plate-1b.png", "plate-1"),
    )
    write(
        folder / "photos.csv",
        ("photo", "product_id", "split"),
        ("photos/p1.png", "mug-1a", "test"),
        ("photos/p2.png", "plate-1b", "test"),  # lime is nearer to the green mug: rank 2
        ("photos/p3.png", "plate-1a", "train"),
        ("photos/gone.png", "mug-1b", "train"),
    )
    write(folder / "photos_unknown.csv", ("photo", "shows"), ("photos/u1.png", "cloud"))
    boxes = [{"product_id": "mug-1a", "box": [0, 0, 0.5, 1]}, {"product_id": "plate-1a", "box": [0.5, 0, 1, 1]}]
    write(folder / "scenes.csv", ("photo", "boxes"), ("photos/s1.png", json.dumps(boxes)))
    captions = (
        ("red one", "mug-1a", "en", "test"),
        ("blue", "plate-1b", "en", "test"),
        ("红", "mug-1b", "zh", "train"),
    )
    rest = (("blue!", "plate-1a", "en", "train"), ("green one", "mug-1b", "en", "train"))
    write(folder / "captions.csv", ("query", "product_id", "lang", "split"), *captions, *rest)
    return folder


@pytest.fixture(scope="module")
def part(folder):
    encoder = FakeEncoder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.engine.open_encoder", lambda name, *, runtime, home: encoder)
        patch.setattr("tests.quality.photo_verdicts.confusion.DRAWN", 2)  # of each kind: drawing takes longest
        return measure_sample_shop(folder, folder / "home", encoder)


def figures_of(part, key):
    return next(outcome for outcome in part.outcomes if outcome.key == key).figures


def test_photos_and_captions_of_the_tiny_shop(part):
    photos, captions = figures_of(part, "photo_to_product"), figures_of(part, "caption_to_product")
    assert photos["test"]["queries"] == 2 and photos["test"]["recall_at_1"] == 0.5
    assert photos["test"]["recall_at_5"] == 1.0 and photos["test"]["mrr"] == 0.75
    assert photos["all"]["queries"] == 4 and photos["all"]["recall_at_5"] == 0.75  # one photo is not there
    assert [row["reason"] for row in photos["unreadable"]] == ["gone.png cannot be read: No such file or directory."]
    assert photos["test"]["same_group_at_1"] == photos["test"]["same_family_at_1"] == 0.5
    assert captions["en"]["test"]["queries"] == 2 and captions["en"]["test"]["recall_at_1"] == 0.5
    assert captions["zh"]["test"]["queries"] == 0 and captions["zh"]["all"]["queries"] == 1


def test_it_agrees_with_the_evaluate_command(part, folder, monkeypatch):
    from search.engine import SearchEngine

    monkeypatch.setattr("search.engine.open_encoder", lambda name, *, runtime, home: FakeEncoder())
    write(folder / "en.csv", ("query", "product_id"), ("red one", "mug-1a"), ("blue", "plate-1b"))
    with SearchEngine.open(folder / "home") as engine:
        photos = evaluate_photos(engine, folder / "photos.csv")
        words = evaluate_texts(engine, folder / "en.csv")
    assert measures.rank_figures(photos.ranks).items() <= figures_of(part, "photo_to_product")["all"].items()
    assert measures.rank_figures(words.ranks) == figures_of(part, "caption_to_product")["en"]["test"]


def test_scenes_similar_items_and_categories_of_the_tiny_shop(part):
    scenes, similar = figures_of(part, "scenes"), figures_of(part, "similar")
    assert scenes["box"]["all"]["recall_at_1"] == 1.0 and scenes["box"]["all"]["queries"] == 2
    assert scenes["whole"]["all"]["recall_at_1"] <= 0.5 and scenes["any_at_5"] == 1.0
    assert scenes["box"]["test"]["queries"] == 1
    assert similar["all"]["same_family_at_10"] == similar["all"]["same_family_at_10_ceiling"] == 0.1
    assert similar["all"]["same_group_at_3_ceiling"] == pytest.approx(1 / 3, abs=1e-4)
    by_family = figures_of(part, "by_category")["family"]
    assert by_family["Table > Mugs"]["photos"]["recall_at_1"] == 1.0
    assert by_family["Table > Plates"]["captions"]["queries"] == 1


def test_questions_of_the_tiny_shop(part):
    short, own = figures_of(part, "short_questions"), figures_of(part, "own_words")
    assert short["en"]["queries"] == 15 and short["zh"]["queries"] == 0  # no category has a Chinese name
    assert short["en"]["kind_at_1"] == short["en"]["kind_recall_at_10"] == 1.0  # the words of the titles tell
    assert short["en"]["pair_at_1"] is None  # no product has a colour
    assert own["en"]["queries"] == 60 and own["en"]["kind_recall_at_10_queries"] < 10
    facets = figures_of(part, "facets")
    assert facets["clicks"] > 10 and facets["count_is_total"] == 1.0
    names = [line.name for outcome in part.outcomes for line in outcome.headlines]
    assert "Shoppers' own words, English, kind in 3" in names


def test_without_a_calibration_the_verdict_is_left_out(part):
    assert "no calibration" in figures_of(part, "no_match")["skipped"]
    assert "no calibration" in terminal_table([part], 100)


def test_the_tiny_shops_report_is_whole(part, tmp_path):
    page = write_report([part], "fake", tmp_path / "out").read_text(encoding="utf-8")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["sample_shop"]["photo_to_product"]["test"]["recall_at_1"] == 0.5
    assert {"name": "Photo to product, R@1", "floor": 0.6, "figure": 0.5, "met": False} in report["floors"]
    assert report["encoder"] == "fake" and report["machine"]["cores"] >= 1
    assert "red &lt;mug&gt;" in page and "<mug>" not in page
    assert page.count("data:image/jpeg;base64,") >= 4 and page.count("<svg") == 7
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page) and "url(http" not in page
    assert "0.500" in page and "not met" in page


def test_what_is_missing_is_said(tmp_path):
    sample = measure_sample_shop(tmp_path, tmp_path / "home", FakeEncoder())
    public = measure_public_data(tmp_path / "none", tmp_path, FakeEncoder())
    (tmp_path / "data").mkdir()
    broken = measure_public_data(tmp_path / "data", tmp_path, FakeEncoder())
    assert all(name in sample.skipped for name in TABLES)
    assert "none" in public.skipped and "not whole" in broken.skipped
    page = write_report([sample, public], "fake", tmp_path).read_text(encoding="utf-8")
    assert "was skipped" in page and "was skipped" in terminal_table([sample, public], 80)
    assert json.loads((tmp_path / "report.json").read_text())["public_data"]["skipped"] == public.skipped


def test_a_report_of_made_up_figures(tmp_path):
    shown = Shown("data:image/jpeg;base64,AA==", "<script>alert(1)</script>", "rank 7", right=True)
    section = Section(
        title="Finding & keeping",
        how="As <it> is.",
        tables=(Table(("what", "n", "R@1"), (("all", "40", Share(0.6254, (0.5, 0.75))), ("none", "0", Share(None)))),),
        plots=(Plot(dots([Dot("A & B", 0.5, (0.25, 0.75), 4)], "d", "share", best=0.9), "A plot."),),
        galleries=(Gallery("Worst", (Failure(shown, (shown,), (shown,)),)), Gallery("Others", ())),
    )
    lines = (
        Headline("Right first", Share(0.6254, (0.5, 0.75)), 1234, floor=0.6),
        Headline("Right soon", Share(0.7), 40, floor=0.9),
        Headline("Alike", Share(0.4), 40, ceiling=0.9),
        Headline("Untold", Share(None), 0),
    )
    part = Part("made_up", "Made up", (Outcome("finding", {"recall_at_1": 0.6254}, section, lines),))
    page = write_report([part], "fake", tmp_path).read_text(encoding="utf-8")
    for text in (
        "0.625",
        "0.50–0.75",
        "1,234",
        "at most 0.90",
        "1 of 2 floors",
        "Finding &amp; keeping",
        "There are none.",
    ):
        assert text in page
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "NOT MET" in terminal_table([part], 100)


def test_drawings_are_the_same_each_time_and_take_the_pages_colours():
    svg = recall_curve({"test": [1, 2, None], "train": [1, 1, 3]}, "curve", "Recall <of> photos")
    assert svg == recall_curve({"test": [1, 2, None], "train": [1, 1, 3]}, "curve", "Recall <of> photos")
    assert svg.startswith("<svg viewBox=") and 'aria-label="Recall &lt;of&gt; photos"' in svg
    assert "var(--accent)" in svg and "#0" not in svg.replace('"#', "") and "DejaVu" not in svg
    assert not re.search(r"<style|<metadata|http:", svg)
