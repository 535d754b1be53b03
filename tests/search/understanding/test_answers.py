"""What answers a question is one set of products, whatever filter, order and page."""

import itertools
import random

import numpy as np
import pytest

from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.build.kind_texts import sample_texts, write_kind_vectors
from indexer.columns.product_table import ShopTable
from indexer.encoders.base import BaseEncoder
from search.live.product_edit import edit_of
from search.query.builder import build_query
from search.query.filters import parse_filter
from search.understanding import kind_nearness
from search.understanding.kind_nearness import KindNearness
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, GREEN, RED, YELLOW, Item, make_shop, open_shop, picture

COLOURS = {"red": RED, "green": GREEN, "blue": BLUE, "yellow": YELLOW}
KINDS = {"scarf": "Apparel > Scarves", "hat": "Apparel > Hats", "mug": "Tableware > Mugs"}
ITEMS = [
    Item(f"{colour}-{kind}-{number}", f"{colour} {kind} {number}", (shade,), category, str(5 + 3 * number))
    for kind, category in KINDS.items()
    for colour, shade in COLOURS.items()
    if (colour, kind) != ("red", "mug")
    for number in range(3)
]


class SentenceEncoder(FakeEncoder, BaseEncoder):
    """Knows what scarves, hats and mugs are for by their letters alone; other texts mean nothing of it."""

    sentence_dim = 4
    _MEANINGS = (
        ("scar", "hat", "warm", "Apparel"),
        ("mug", "drink", "coffee", "Mugs", "cup"),
        ("sofa", "chair", "sit"),
    )

    def encode_sentences(self, texts):
        rows = np.full((len(texts), 4), 0.01, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for place, words in enumerate(self._MEANINGS):
                row[place] += sum(text.lower().count(word.lower()) for word in words)
            row[3] += 0.3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def knows_word(self, word):
        return word in ("red", "scarf", "something", "drink", "warm")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    home, encoder = tmp_path_factory.mktemp("answers") / "shop", SentenceEncoder()
    make_shop(home, ITEMS, encoder).close()
    catalogue = Catalogue.open(ShopHome(home).catalogue)
    samples = sample_texts(ShopTable.read(catalogue), catalogue)
    write_kind_vectors(home, ShopHome(home).generation(1), samples, encoder)
    catalogue.close()
    with open_shop(home, encoder) as engine:
        for item in ITEMS:
            first = item.id.split("-")[0]
            colour = (
                f"{first} and navy" if item.id.endswith("-0") else f"pale {first}" if item.id.endswith("-1") else first
            )
            engine.put(edit_of(item.id, {"attributes": {"colour": colour}}))
        yield engine


def search(engine, text, **options):
    return engine.search(build_query(text=text, k=options.pop("k", 100), **options))


def ids(page):
    return [hit.product.id for hit in page.hits]


def test_the_kind_comes_before_its_colour_and_ends_the_list(engine):
    page = search(engine, "red scarf")
    assert page.verdict.kind == "answers" and page.total == 12 == len(page.hits)
    assert all(name.startswith("red-scarf") for name in ids(page)[:3])
    assert {hit.product.category for hit in page.hits} == {"Apparel > Scarves"}


def test_a_kind_without_the_colour_says_so_and_shows_the_others(engine):
    page = search(engine, "red mug")
    (red,) = page.understood.wanted
    assert (red.words, red.found) == ("red", False)
    assert {hit.product.category for hit in page.hits} == {"Tableware > Mugs"} and page.total == 9


def test_nonsense_finds_nothing_and_counts_nothing(engine):
    page = search(engine, "xqzzy flurb", facets=True)
    assert (page.verdict.kind, page.total, page.hits, page.near, page.facets) == ("nothing", 0, (), (), ())
    assert page.verdict.probability < 0.1


def test_a_kind_that_is_new_to_the_shop_is_placed_without_comparing_those_of_all_shops_again(engine, monkeypatch):
    """Which takes half a second, for which a request has no time limit."""
    engine.warm_up()
    warm = engine._live.served.nearness
    labels = [*KINDS.values(), "Furniture > Sofas"]
    anew = KindNearness.open(engine.generation, engine.encoder)
    question = "something to sit on"
    expected = anew.near_kinds("Apparel > Hats", labels), anew.nearest(question, labels)
    monkeypatch.setattr(kind_nearness, "chunks", None)  # used by that comparison alone
    assert (warm.near_kinds("Apparel > Hats", labels), warm.nearest(question, labels)) == expected
    assert expected[1].labels[0] == "Furniture > Sofas"


def test_the_row_below_the_answers_is_no_part_of_them(engine):
    page = search(engine, "scarf", k=100)
    assert page.near and not {hit.product.id for hit in page.near} & set(ids(page))
    assert page.near_by == "kinds"
    assert not search(engine, "scarf", k=12).near, "where the page is full, the answers may go on"
    assert not search(engine, "scarf", k=100, sort="price").near


def test_what_is_excluded_is_no_answer(engine):
    page = search(engine, "scarf, not red")
    assert page.total == 9 and all("red" not in name for name in ids(page))


def test_an_excluded_kind_is_no_answer(engine):
    page = search(engine, "apparel, not hats")
    assert {hit.product.category for hit in page.hits} == {"Apparel > Scarves"}


@pytest.mark.parametrize(
    ("text", "part", "rest"),
    [
        ("red and blue scarf", "red", "blue scarf"),
        ("hats and scarves", "scarves", "hats"),
        ("red scarf, not blue", "blue", "red scarf"),
        ("that red scarf", "hat", ""),
    ],
)
def test_a_part_is_removed_with_what_joins_it(engine, text, part, rest):
    assert search(engine, text).understood.without.get(part, "") == rest


def test_a_shop_without_categories_answers(tmp_path):
    items = [Item(f"thing-{number}", f"red scarf {number}", (RED,)) for number in range(4)]
    encoder = SentenceEncoder()
    make_shop(tmp_path / "shop", items, encoder).close()
    with open_shop(tmp_path / "shop", encoder) as engine:
        assert search(engine, "scarf").total == 4
        search(engine, "something to drink")


@pytest.mark.parametrize("text", ["no red scarf", "blue but not red scarf", "scarf, non-red"])
def test_a_value_is_excluded_and_the_kind_stays(engine, text):
    page = search(engine, text)
    assert {hit.product.category for hit in page.hits} == {"Apparel > Scarves"} and page.total == 9
    assert page.understood.excluded[0].words == "red"
    assert "red" not in page.understood.without["red"]


def test_where_the_price_allows_none_others_are_near(engine):
    page = search(engine, "red scarf under 2")
    assert (page.total, page.hits, page.near_by) == (0, (), "price")
    assert page.near and {hit.product.category for hit in page.near} == {"Apparel > Scarves"}


@pytest.mark.parametrize(
    ("text", "total", "without"),
    [
        ("in stock", 33, {"in_stock": ""}),
        ("有货", 33, {"in_stock": ""}),
        ("under 6", 11, {"price": ""}),
        ("cheap", 33, {}),
    ],
)
def test_words_that_only_narrow_browse_the_shop(engine, text, total, without):
    page = search(engine, text)
    assert (page.total, page.understood.without) == (total, without)
    prices = [hit.product.price for hit in page.hits]
    assert text != "cheap" or prices == sorted(prices)


def test_parts_can_be_removed_one_by_one(engine):
    page = search(engine, "red scarf under 10, in stock")
    assert page.understood.without == {
        "price": "red scarf, in stock",
        "in_stock": "red scarf under 10",
        "scarf": "red under 10, in stock",
        "red": "scarf under 10, in stock",
    }
    assert dict(page.understood.limit) == {"max": 10.0} and page.understood.in_stock
    assert all(hit.product.price <= 10 for hit in page.hits) and page.total == len(page.hits)


def test_photo_and_words_stay_in_the_kind(engine):
    page = engine.search(build_query(product_id="blue-mug-0", text="green", k=100, facets=True))
    assert {hit.product.category for hit in page.hits} == {"Tableware > Mugs"}
    assert page.hits[0].product.id.startswith("green-mug")


def test_similar_products_are_of_the_same_kind_first(engine):
    page = engine.similar("red-scarf-0", k=8)
    assert {hit.product.category for hit in page.hits} == {"Apparel > Scarves"}


QUESTIONS = [
    "red scarf",
    "mug",
    "hats and scarves",
    "blue",
    "something to drink from",
    "scarf under 10",
    "red",
    "Scarves",
]


@pytest.mark.parametrize("seed", range(6))
def test_a_count_is_what_a_click_shows(engine, seed):
    """Words, photos, products and browsing; a random facet value of each, with a filter or without."""
    chance = random.Random(seed)
    for _ in range(8):
        parts = chance.choice(
            [
                {"text": chance.choice(QUESTIONS)},
                {"picture": picture(chance.choice(list(COLOURS.values())))},
                {"picture": picture(RED), "text": chance.choice(["in green", "mug"])},
                {"product_id": chance.choice(ITEMS).id},
                {},
            ]
        )
        first = chance.choice([{}, {"in_stock": True}, {"price": {"max": 8}}, {"category": "Apparel"}])
        page = engine.search(build_query(**parts, filter=first, facets=True, k=100, collapse=False))
        assert len(page.hits) == page.total or (page.verdict is not None and page.verdict.kind == "near")
        for facet in page.facets:
            for value in facet.values:
                clicked = narrowed(first, facet.name, value.value)
                for sort in ("relevance", "price"):
                    query = build_query(**parts, filter=clicked, facets=True, k=100, collapse=False, sort=sort)
                    shown = engine.search(query)
                    assert shown.total == value.count, (parts, clicked, facet.name)
                    assert len(shown.hits) == value.count or (shown.verdict and shown.verdict.kind == "near")


@pytest.mark.parametrize("parts", [{"text": "scarf"}, {"text": "red"}, {"product_id": "blue-mug-0"}, {}])
def test_several_values_show_what_their_counts_say(engine, parts):
    """Values of one facet are alternatives, facets hold together, and a facet's counts ignore its own values."""
    chance = random.Random(str(parts))
    first = engine.search(build_query(**parts, filter=parse_filter({}), facets=True, k=100, collapse=False))
    for facet in first.facets:
        if facet.name in ("price", "in_stock") or len(facet.values) < 2:
            continue
        pair = chance.sample(facet.values, 2)
        clicked = narrowed({}, facet.name, [value.value for value in pair])
        shown = engine.search(build_query(**parts, filter=clicked, facets=True, k=100, collapse=False))
        alone = set()
        for value in pair:
            clicked_alone = narrowed({}, facet.name, [value.value])
            query = build_query(**parts, filter=clicked_alone, facets=True, k=100, collapse=False)
            alone.update(ids(engine.search(query)))
        assert set(ids(shown)) == alone and shown.total == len(alone)
        counts = {value.label: value.count for each in shown.facets if each.name == facet.name for value in each.values}
        assert (
            counts.items() >= {value.label: value.count for value in facet.values if facet.name != "category"}.items()
        )
        other = next((each for each in shown.facets if each.name not in (facet.name, "price", "in_stock")), None)
        for value in other.values[:2] if other else ():
            both = narrowed(clicked.to_json(), other.name, [value.value])
            assert engine.search(build_query(**parts, filter=both, facets=True, collapse=False)).total == value.count


def narrowed(active, name, value):
    if name.startswith("attributes."):
        return parse_filter(active | {"attributes": {name.removeprefix("attributes."): value}})
    return parse_filter(active | {name: value})


def test_pages_join_and_end_with_the_answers(engine):
    whole = ids(search(engine, "scarf", collapse=False))
    pages = [search(engine, "scarf", k=5, offset=at, collapse=False) for at in range(0, 20, 5)]
    assert list(itertools.chain.from_iterable(map(ids, pages))) == whole
    assert {page.total for page in pages} == {12}
