"""A text that nobody understands finds nothing, and what a title denies is no thing that it has."""

import pytest

from indexer.encoders.base import BaseEncoder
from search.query.builder import build_query
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, GREEN, RED, YELLOW, Item, make_shop, picture

KNOWN = frozenset({"sofa", "dish", "washer", "good", "without"})
SHOP = (
    Item("with", "Teapot with infuser", (RED,), "Kitchen"),
    Item("without", "Teapot without infuser", (GREEN,), "Kitchen"),
    Item("plain", "Teapot", (BLUE,), "Kitchen"),
    Item("free", "Sugar-free chocolate", (RED,), "Food"),
    Item("sugar", "Chocolate, extra sugar", (GREEN,), "Food"),
    Item("chocolate", "Chocolate", (BLUE,), "Food"),
    Item("slip", "Slip mat", (RED,), "Home"),
    Item("nonslip", "Mat (nonslip)", (YELLOW,), "Home"),
    Item("dress", "Sleeveless dress", (GREEN,), "Wear"),
    Item("sleeves", "Dress, sleeves", (BLUE,), "Wear"),
    Item("把手", "带把手的杯子", (RED,), "杯"),
    Item("无", "无把手的杯子", (GREEN,), "杯"),
    Item("m8", "Screw M8", (BLUE,), "Tools"),
)


class ReadingEncoder(FakeEncoder, BaseEncoder):
    """Knows which words it knows."""

    def knows_word(self, word):
        return word in KNOWN


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with make_shop(tmp_path_factory.mktemp("unknown") / "shop", SHOP, ReadingEncoder()) as engine:
        yield engine


def found(engine, words, **options):
    page = engine.search(build_query(text=words, k=20, **options))
    return [hit.product.id for hit in page.hits]


NONSENSE = [
    "???",
    "+++",
    "...",
    "the",
    "of the",
    "qwrtzplm",
    "asdfasdf",
    "1234567",
    "xqzzy flurb",
    "x",
    "🦄",
    "龘龘",
    "ыва",
]


@pytest.mark.parametrize("words", NONSENSE)
@pytest.mark.parametrize("options", [{}, {"facets": True}, {"sort": "price"}, {"filter": {"category": "Kitchen"}}])
def test_nonsense_finds_nothing(engine, words, options):
    page = engine.search(build_query(text=words, **options))
    assert (page.hits, page.total, page.facets) == ((), 0, ())


@pytest.mark.parametrize(
    "words",
    [
        "sofa",  # the encoder
        "dishwasher",  # of words that the encoder knows
        "duvet",  # English
        "teapott",  # a typing mistake
        "m8",
        "M8",
        "qwrtzplm teapot",
        "???teapot",
        "红色",  # the glossary
        "把手",
        "without",
        "not qwrtzplm",
    ],
)
def test_what_anyone_knows_finds_something(engine, words):
    assert found(engine, words)


def test_a_picture_with_nonsense_still_finds_what_is_like_it(engine):
    page = engine.search(build_query(picture=picture(RED), text="qwrtzplm"))
    assert page.hits


def test_an_encoder_that_does_not_tell_finds_what_it_finds(tmp_path):
    with make_shop(tmp_path / "shop", SHOP) as engine:
        assert found(engine, "qwrtzplm") and not found(engine, "???")


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("teapot without infuser", ["without", "plain"], "with"),
        ("teapot, no infuser", ["without", "plain"], "with"),
        ("teapot with no infuser", ["without", "plain"], "with"),
        ("sugar-free chocolate", ["free", "chocolate"], "sugar"),
        ("chocolate without sugar", ["free", "chocolate"], "sugar"),
        ("non-slip mat", ["nonslip"], "slip"),
        ("mat without slip", ["nonslip"], "slip"),
        ("dress without sleeves", ["dress"], "sleeves"),
        ("不带把手的杯子", ["无"], "把手"),
        ("无把手的杯子", ["无"], "把手"),
    ],
)
def test_a_title_that_says_without_comes_before_those_that_have_it(engine, words, first, last):
    ids = found(engine, words)
    assert ids[: len(first)] == first
    assert ids.index(last) >= len(first)


def test_words_that_only_exclude_count_all_that_is_not_called_so(engine):
    page = engine.search(build_query(text="not a teapot", k=20, facets=True))
    assert page.total == len(SHOP) - 3
    assert not {hit.product.id for hit in page.hits[: page.total]} & {"with", "without", "plain"}
