"""Whether the shop has what a photo shows: said of lone photos, by a calibrated encoder, and of nothing else."""

import pytest

from indexer.calibration import Calibration
from search.query import PictureTerm, ProductTerm, Query, TextTerm
from search.verdict import CUT, Verdict, judge
from tests.search.shop import RED, picture

CURVE = Calibration("look", slope=10.0, offset=-5.0)
WEIGHTS = {"look": 0.5, "meaning": 1.5}
PHOTO = Query((PictureTerm(picture(RED)),))


def test_the_share_of_the_score_becomes_a_cosine_again():
    parts = {"look": 0.125, "meaning": 0.3}  # a cosine of 0.5 at a quarter of all weight
    verdict = judge(CURVE, WEIGHTS, PHOTO, parts)
    assert verdict.probability == pytest.approx(0.5)
    assert verdict.kind == "similar"
    assert verdict.to_dict() == {"kind": "similar", "probability": 0.5}


def test_below_the_cut_there_is_no_match():
    assert Verdict(CUT).kind == "similar"
    assert Verdict(CUT - 1e-6).kind == "no_match"
    assert judge(CURVE, WEIGHTS, PHOTO, {"look": 0.0}).kind == "no_match"


def test_the_curve_rises_and_never_overflows():
    assert CURVE.has(0.9) > CURVE.has(0.5) > CURVE.has(0.1)
    assert Calibration("look", 1e6, 0.0).has(-1.0) == pytest.approx(0, abs=1e-20)
    assert Calibration.of_card({}) is None
    assert Calibration.of_card({"calibration": {"block": "look", "slope": 10, "offset": -5}}) == CURVE


@pytest.mark.parametrize(
    "query",
    [
        Query((TextTerm("red"),)),
        Query((ProductTerm("r"),)),
        Query((PictureTerm(picture(RED)), TextTerm("red"))),
        Query((PictureTerm(picture(RED), -1.0), ProductTerm("r"))),
        Query((PictureTerm(picture(RED)),), offset=10),
        Query((PictureTerm(picture(RED)),), blocks={"look": 1.0}),
    ],
)
def test_only_a_lone_photo_is_judged(query):
    assert judge(CURVE, WEIGHTS, query, {"look": 0.1}) is None


def test_without_a_calibration_or_its_block_nothing_is_said():
    assert judge(None, WEIGHTS, PHOTO, {"look": 0.1}) is None
    assert judge(CURVE, {"meaning": 1.0}, PHOTO, {"meaning": 0.1}) is None


def test_a_page_carries_the_verdict(engine, monkeypatch):
    assert engine.search(PHOTO).verdict is None
    monkeypatch.setattr(engine.encoder, "calibration", CURVE)
    page = engine.search(PHOTO)
    assert page.verdict.kind == "similar" and page.to_dict()["verdict"]["probability"] > 0.9
    assert engine.search(Query((TextTerm("red"),))).to_dict()["verdict"] is None
