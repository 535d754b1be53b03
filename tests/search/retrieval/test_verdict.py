"""Whether the shop has what a photo shows, and whether the first hit is it: said of lone photos and of nothing else."""

import pytest

from indexer.generations.match_curve import Curve, MatchCalibration
from search.engine import SearchEngine
from search.hits import EXACT_THRESHOLD, NO_MATCH_THRESHOLD, Verdict
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from search.retrieval.verdict import Calibration, MatchClassifier
from tests.search.shop_fixtures import RED, make_shop, picture

PHOTOS = Calibration("fa" * 32, "look", slope=10.0, offset=-5.0, photos=50)
CATALOGUE = MatchCalibration(
    (Curve("look", 10.0, 0.5, {"Hats": 0.7}), Curve("score", 20.0, 0.6)), spread=0.1, queries=100, with_views=40
)
TWO_IN_THREE = 2 / 3  # what is assumed, where a photo tells nothing
WEIGHTS = {"look": 0.5, "meaning": 1.5}
PHOTO = Query((PictureTerm(picture(RED)),))
JUDGE = MatchClassifier(WEIGHTS, CATALOGUE)


def parts(look, score=0.4):
    """The shares of a hit with that cosine in "look", at a quarter of all weight, and that score."""
    return {"look": look / 4, "meaning": score - look / 4}


def test_the_share_of_the_score_becomes_a_cosine_again():
    verdict = MatchClassifier(WEIGHTS, calibration=PHOTOS).verdict(PHOTO, "Hats", parts(0.5))
    assert verdict.probability == pytest.approx(TWO_IN_THREE)
    assert verdict.kind == "similar"
    assert verdict.to_dict() == {"kind": "similar", "probability": 0.6667, "exact_probability": None}


def test_below_the_cut_there_is_no_match():
    assert Verdict(NO_MATCH_THRESHOLD).kind == "similar"
    assert Verdict(NO_MATCH_THRESHOLD - 1e-6).kind == "no_match"
    assert Verdict(0.9, EXACT_THRESHOLD).kind == "exact"
    assert Verdict(0.9, EXACT_THRESHOLD - 1e-6).kind == "similar"
    assert JUDGE.verdict(PHOTO, "", parts(0.0)).kind == "no_match"


def test_the_evidence_that_speaks_for_it_most_decides():
    assert JUDGE.verdict(PHOTO, "", parts(0.9, 0.0)).probability == pytest.approx(0.991, abs=1e-3)  # by look
    assert JUDGE.verdict(PHOTO, "", parts(0.1, 0.7)).probability == pytest.approx(0.937, abs=1e-3)  # by the whole


def test_a_category_may_have_a_threshold_of_its_own():
    assert JUDGE.verdict(PHOTO, "Scarves", parts(0.7)).probability > 0.85
    assert JUDGE.verdict(PHOTO, "Hats", parts(0.7)).probability == pytest.approx(TWO_IN_THREE)


def test_photos_of_the_shop_win_over_its_catalogue():
    both = MatchClassifier(WEIGHTS, CATALOGUE, PHOTOS)
    assert both.verdict(PHOTO, "Hats", parts(0.6)).probability == pytest.approx(0.845, abs=1e-3)
    assert both.verdict(PHOTO, "Hats", parts(0.6, 0.5), parts(0.1, 0.1)).exact is not None


def test_the_further_the_next_product_the_surer_that_it_is_this_one():
    near, far = (JUDGE.verdict(PHOTO, "", parts(0.65, 0.65), parts(0.6, score)) for score in (0.64, 0.4))
    assert near.exact < far.exact < far.probability == near.probability
    assert near.kind == "similar" and far.kind == "exact"
    assert JUDGE.verdict(PHOTO, "", parts(0.8, 0.7)).exact is None  # no other product to tell it from


def test_what_the_shop_does_not_have_is_never_the_exact_thing():
    lone = JUDGE.verdict(PHOTO, "", parts(0.1, 0.3), {"look": -1.0, "meaning": -1.0})
    assert lone.exact <= lone.probability < NO_MATCH_THRESHOLD and lone.kind == "no_match"


def test_the_curve_rises_and_never_overflows():
    assert PHOTOS.has(0.9) > PHOTOS.has(0.5) > PHOTOS.has(0.1)
    assert Calibration("fa", "look", 1e6, 0.0, 50).has(-1.0) == pytest.approx(0, abs=1e-20)


def test_a_shop_keeps_its_calibration_for_one_encoder(tmp_path):
    assert Calibration.load(tmp_path, PHOTOS.fingerprint) is None
    PHOTOS.save(tmp_path)
    assert Calibration.load(tmp_path, PHOTOS.fingerprint) == PHOTOS
    assert Calibration.load(tmp_path, "another") is None
    (tmp_path / "calibration.json").write_text('{"slope": 1}')
    assert Calibration.load(tmp_path, PHOTOS.fingerprint) is None


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
    assert JUDGE.verdict(query, "", parts(0.1)) is None


def test_without_a_curve_or_its_block_nothing_is_said():
    assert MatchClassifier(WEIGHTS).verdict(PHOTO, "", parts(0.1)) is None
    assert MatchClassifier({"meaning": 1.0}, calibration=PHOTOS).verdict(PHOTO, "", {"meaning": 0.1}) is None


def test_a_page_carries_the_verdict_of_a_shop_that_is_calibrated(home, fake_encoder):
    with make_shop(home) as engine:
        assert engine.search(PHOTO).verdict is None
    PHOTOS.save(home)
    with SearchEngine.open(home) as engine:
        page = engine.search(PHOTO)
        assert page.verdict.kind == "similar" and page.to_dict()["verdict"]["probability"] > 0.9
        assert engine.search(Query((TextTerm("red"),))).to_dict()["verdict"] is None
