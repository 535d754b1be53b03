"""What reviews tell an owner: falls that are no chance, sizes and colours that several customers name."""

import time

import pytest

from catalog.reviews.review import (
    APPROVED,
    COLOUR,
    NEGATIVE,
    PENDING,
    POSITIVE,
    SIZE,
    Opinion,
    ReviewAnalysis,
    ReviewDraft,
)
from catalog.reviews.review_query import DatedOpinion, NewReview
from catalog.reviews.review_store import ReviewStore
from search.doctor.audit_rows import AuditRows
from search.doctor.review_checks import review_findings
from search.reviews.insights.review_insights import (
    colour_disappointments,
    fallen_aspects,
    review_insights,
    size_disappointments,
)
from search.reviews.insights.size_direction import size_direction
from tests.search.shop_fixtures import make_shop

NOW = 1_800_000_000
DAY = 86_400


def opinions(count, polarity, aspect="quality", product="p", text="the seam came apart", first=0, at=NOW):
    return [DatedOpinion(product, f"{product}{first + i}", at, aspect, polarity, 0.9, text, 3) for i in range(count)]


@pytest.mark.parametrize(
    ("clause", "direction"),
    [
        ("runs small, go up a size", "smaller"),
        ("it is two sizes too big", "larger"),
        ("fits perfectly", ""),
        ("not too small at all", ""),
        ("the sleeves are too long but the body is too tight", ""),
        ("尺码偏小,建议买大一码", "smaller"),
        ("衣服太大了", "larger"),
        ("一点都不小了", ""),
        ("I sized down and it is still loose", "larger"),
        ("a tightly woven fabric", ""),
    ],
)
def test_the_direction_of_a_size_is_read(clause, direction):
    assert size_direction(clause) == direction


def test_a_fall_is_named_and_chance_is_not():
    month = [*opinions(4, POSITIVE), *opinions(12, NEGATIVE, first=4)]
    before = [*opinions(40, POSITIVE), *opinions(4, NEGATIVE, first=40)]
    found = fallen_aspects(month, before)
    assert [(one.product_id, one.aspect) for one in found] == [("", "quality"), ("p", "quality")]
    assert found[1].now == (4, 16) and found[1].before == (40, 44) and found[1].quotes == ("the seam came apart",)
    assert fallen_aspects(opinions(7, NEGATIVE), before) == ()  # too few
    assert fallen_aspects([*opinions(15, POSITIVE), *opinions(2, NEGATIVE, first=15)], before) == ()
    assert fallen_aspects(before, month) == ()  # a rise


def test_a_review_counts_once_for_an_aspect():
    before = opinions(20, POSITIVE)
    loud = opinions(1, NEGATIVE) * 30
    assert fallen_aspects([*loud, *opinions(8, POSITIVE, first=1)], before) == ()


def test_sizes_that_disappoint_one_way_are_named():
    small = opinions(3, NEGATIVE, SIZE, text="runs small")
    large = opinions(1, NEGATIVE, SIZE, text="too big", first=3)
    (found,) = size_disappointments([*small, *large, *opinions(2, POSITIVE, SIZE, text="fits", first=4)])
    assert (found.kind, found.customers, found.speaking, found.quotes) == ("smaller", 3, 6, ("runs small",))
    assert size_disappointments([*small, *opinions(2, NEGATIVE, SIZE, text="too big", first=3)]) == ()  # they disagree
    assert size_disappointments(small[:2]) == ()
    assert size_disappointments([*small, *opinions(20, POSITIVE, SIZE, text="fits", first=3)]) == ()


def test_colours_that_are_not_as_pictured_are_named():
    bad = opinions(4, NEGATIVE, COLOUR, text="not the blue of the picture")
    (found,) = colour_disappointments([*bad, *opinions(1, POSITIVE, COLOUR, first=4)])
    assert (found.customers, found.speaking) == (4, 5)
    assert colour_disappointments(opinions(4, NEGATIVE, COLOUR, text="the colour is boring")) == ()
    assert colour_disappointments(opinions(4, NEGATIVE, COLOUR, text="颜色和图片不一样"))


def test_only_approved_reviews_of_the_time_are_read_and_the_doctor_reports_them(tmp_path):
    with make_shop(tmp_path) as engine:
        store = ReviewStore(engine.home)
        texts = {"r": "It runs small.", "g": "The green is not the green of the picture."}
        for product, state, age in [("r", APPROVED, 5), ("g", APPROVED, 5), ("b", PENDING, 5), ("y", APPROVED, 500)]:
            for number in range(4):
                text = f"{texts.get(product, 'It runs small.')} {product}{number}"
                draft = ReviewDraft(product, 2, text, at=int(time.time()) - age * DAY, state=state)
                store.add_many([NewReview(draft, f"{product}{number}")])
        waiting = store.unanalysed("m", 100)
        size, colour = (Opinion(aspect, NEGATIVE, 0.9, 0, end) for aspect, end in ((SIZE, 14), (COLOUR, 42)))
        found = {one.digest: ReviewAnalysis(0.1, (colour if "green" in one.text else size,)) for one in waiting}
        store.save_analyses("m", found)
        store.refresh()
        found = review_insights(store)
        named = [(one.product_id, one.kind) for one in (*found.sizes, *found.colours)]
        assert named == [("r", "smaller"), ("g", "colour")]
        findings = list(review_findings(AuditRows.of(engine), lambda *step: None))
        assert [(finding.kind, finding.product.id) for finding in findings] == [
            ("size in reviews", "r"),
            ("colour in reviews", "g"),
        ]
        assert "4 of the 4 customers" in findings[0].why and "runs small" in findings[0].why
