"""A small shop with reviews: six approved ones of "red", with opinions, and one of each other state."""

from pathlib import Path

import pytest

from catalog.reviews.review import (
    APPROVED,
    NEGATIVE,
    POSITIVE,
    QUALITY,
    REJECTED,
    SIZE,
    Opinion,
    ReviewAnalysis,
    ReviewDraft,
)
from catalog.reviews.review_store import ReviewStore
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import make_shop
from web.engine import holder_of
from web.settings import Settings

LATEST = 1_764_500_000  # 30 November 2025
SMALL, SOFT = "It is smaller than expected", "The wool is soft"
WRITTEN = (  # stars, title, text, author, language, verified
    (5, "Lovely", f"{SOFT}. {SMALL}, but I like it.", "Ann", "en", True),
    (4, "", f"{SOFT}, and warm.", "", "en", False),
    (5, "Sehr gut", "Sehr weich und warm.", "Petra", "de", True),
    (2, "Too small", f"{SMALL}.", "Tim <b>", "en", False),
    (5, "", "", "Zoe", "", False),
    (5, "很好", "质量很好。", "小李", "zh", True),
)


def visitor(number):
    return f"v-{number:02}-0123456789abcdef"


def put(home, product_id, written, state=APPROVED, photos=()):
    """Store a review, with the opinions of its words, and return its id."""
    stars, title, text, author, language, verified = written
    store = ReviewStore(home)
    count = len(store.queue(APPROVED, 0, 1_000).reviews) + len(store.queue(REJECTED, 0, 1_000).reviews)
    draft = ReviewDraft(
        product_id, stars, text, title, author, language, LATEST - 86_400 * count, verified, photos, state=state
    )
    stored = store.add(draft, visitor(count))
    places = ((SMALL, SIZE, NEGATIVE), (SOFT, QUALITY, POSITIVE))
    for waiting in store.unanalysed("hand", 10):
        found = [
            Opinion(aspect, polarity, 0.9, at, at + len(words))
            for words, aspect, polarity in places
            if (at := waiting.text.find(words)) >= 0
        ]
        store.save_analyses("hand", {waiting.digest: ReviewAnalysis(stars / 5, tuple(found))})
    store.refresh()
    return stored.id


@pytest.fixture(scope="module")
def review_home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("reviews") / "shop"
    make_shop(home, FakeEncoder())
    for written in WRITTEN:
        put(home, "red", written)
    put(home, "red", (1, "Hidden", "Nobody reads this one.", "Mallory", "en", False), REJECTED)
    return home


@pytest.fixture(scope="module")
def review_app(review_home, make_app):
    app = make_app(Settings(home=review_home, timeout_ms=20_000))
    holder_of(app).wait(300)
    return app


@pytest.fixture
def visit(review_app):
    return review_app.test_client()
