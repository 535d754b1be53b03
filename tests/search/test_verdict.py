"""Whether the shop has what a photo shows: said of lone photos, by a calibrated encoder, and of nothing else."""

import pytest

from search.calibration import Calibration
from search.engine import SearchEngine
from search.query import PictureTerm, ProductTerm, Query, TextTerm
from search.verdict import CUT, Verdict, judge
from tests.search.shop import RED, make_shop, picture

CURVE = Calibration("fa" * 32, "look", slope=10.0, offset=-5.0, photos=50)
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
    assert Calibration("fa", "look", 1e6, 0.0, 50).has(-1.0) == pytest.approx(0, abs=1e-20)


def test_a_shop_keeps_its_calibration_for_one_encoder(tmp_path):
    assert Calibration.load(tmp_path, CURVE.fingerprint) is None
    CURVE.save(tmp_path)
    assert Calibration.load(tmp_path, CURVE.fingerprint) == CURVE
    assert Calibration.load(tmp_path, "another") is None
    (tmp_path / "calibration.json").write_text('{"slope": 1}')
    assert Calibration.load(tmp_path, CURVE.fingerprint) is None


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


def test_a_page_carries_the_verdict_of_a_shop_that_is_calibrated(home, fake_encoder):
    with make_shop(home) as engine:
        assert engine.search(PHOTO).verdict is None
    CURVE.save(home)
    with SearchEngine.open(home) as engine:
        page = engine.search(PHOTO)
        assert page.verdict.kind == "similar" and page.to_dict()["verdict"]["probability"] > 0.9
        assert engine.search(Query((TextTerm("red"),))).to_dict()["verdict"] is None
