"""Suggested listings of a shop whose pictures are of one colour each: what is learnt, and what neighbours say alone."""

import json
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import BadQuery
from catalog.home import ShopHome
from indexer.labels.heads import LabelHeads
from search.evaluation.categorise import by_products
from search.listings.fit_heads import learn
from search.listings.suggester import Listing, ListingSuggester
from search.query.terms import MAX_PICTURES
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, make_shop, picture

KINDS = {"Wear > Warm > Scarves": (220, 30, 30), "Wear > Warm > Gloves": (30, 220, 30), "Home > Mugs": (30, 30, 220)}
PLACES = ("attic", "hall")
PRICES = {"Wear > Warm > Scarves": 20, "Wear > Warm > Gloves": 10, "Home > Mugs": 5}


def near(colour, rng):
    return tuple(np.clip(np.array(colour) + rng.integers(-30, 31, 3), 0, 255).tolist())


def items(each=20, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for path, colour in KINDS.items():
        name = path.rsplit(" ", 1)[-1].lower()
        for n in range(each):
            price = f"{PRICES[path] * np.exp(rng.normal(0, 0.1)):.2f}"
            made.append(Item(f"{name}-{n}", f"soft {name} no {n}", (near(colour, rng),), path, price))
    return made


@pytest.fixture
def engine(home):
    with make_shop(home, items()) as engine:
        yield engine


@pytest.fixture
def lister(engine, home):
    learn(home)
    return ListingSuggester.open(engine, home)


@pytest.mark.torch
def test_a_suggestion_with_its_evidence(lister):
    found = lister.suggest([picture(RED, 200)])
    assert found.category.answer == "Wear > Warm > Scarves" == found.category.top[0].name
    assert found.category.answer_confidence >= found.category.threshold
    assert len(found.category.top) == 3 and all(one.startswith("scarves-") for one in found.category.top[0].neighbours)
    assert [one.word for one in found.title_words] == ["soft", "scarves", "no"]
    assert found.price.low < 20 < found.price.high < 40 and found.price.currency == "EUR"
    assert found.price.neighbours[0][0].startswith("scarves-")
    assert {note.kind for note in found.notes} == {"blank"}
    scores = [score for _, score in found.neighbours]
    assert scores == sorted(scores, reverse=True) and len(scores) == 20
    assert json.loads(json.dumps(found.to_dict()))["category"]["answer"] == "Wear > Warm > Scarves"


@pytest.mark.torch
def test_many_are_answered_as_each_alone(lister):
    listings = [
        Listing((picture(RED),)),
        Listing((picture(GREEN), picture(GREEN, 9)), "green"),
        Listing((picture(BLUE),)),
    ]
    together = lister.suggest_many(listings)
    for one, listing in zip(together, listings, strict=True):
        alone = lister.suggest(listing.pictures, listing.title)
        assert alone.category.top[0].name == one.category.top[0].name
        assert alone.category.top[0].confidence == pytest.approx(one.category.top[0].confidence, abs=1e-4)
    assert [one.category.answer.rsplit(" ")[-1] for one in together] == ["Scarves", "Gloves", "Mugs"]


@pytest.mark.torch
def test_pictures_are_encoded_once_each_way_and_titles_once(lister, engine):
    before = engine.encoder.pictures_encoded, engine.encoder.texts_encoded
    lister.suggest_many([Listing((picture(RED),), "red"), Listing((picture(BLUE),), "red")])
    assert (engine.encoder.pictures_encoded - before[0], engine.encoder.texts_encoded - before[1]) == (4, 1)


@pytest.mark.torch
def test_a_new_category_works_from_its_first_five_examples(home, engine):
    learn(home)
    new = [Item(f"hat-{n}", "hat", ((120 + n, 120, 0),), "Wear > Hats") for n in range(5)]
    with make_shop(home, [*items(), *new]) as grown:
        lister = ListingSuggester.open(grown, home)  # its heads know nothing of hats
        assert lister.suggest([picture((122, 120, 0))]).category.top[0].name == "Wear > Hats"
        assert lister.suggest([picture(RED)]).category.answer == "Wear > Warm > Scarves"


def test_without_heads_neighbours_speak_alone(engine, home):
    lister = ListingSuggester.open(engine, home)
    found = lister.suggest([picture(BLUE)])
    assert LabelHeads.load(home, engine.encoder.fingerprint) is None
    assert found.category.answer == "Home > Mugs" and found.price is None


def test_a_shop_without_categories_suggests_none(home):
    with make_shop(home, [Item("1"), Item("2", "thing", (BLUE,))]) as engine:
        found = ListingSuggester.open(engine, home).suggest([picture(RED)])
    assert found.category.top == () and found.category.answer == ""


def test_an_encoder_that_reads_no_words_ignores_the_title(home):
    with make_shop(home, items(), encoder=FakeEncoder(texts=False)) as engine:
        assert (
            ListingSuggester.open(engine, home).suggest([picture(RED)], "mug").category.answer
            == "Wear > Warm > Scarves"
        )


@pytest.mark.parametrize("count", [0, MAX_PICTURES])
def test_too_few_and_too_many_pictures_are_refused(engine, home, count):
    with pytest.raises(BadQuery):
        ListingSuggester.open(engine, home).suggest([picture(RED)] * count)


@pytest.mark.torch
def test_what_is_unlike_everything_is_noted(home):
    rng = np.random.default_rng(0)
    many = [Item(f"r{n}", "red", (near((220, 20, 20), rng),), "A") for n in range(120)]
    with make_shop(home, many) as engine:
        learn(home)
        lister = ListingSuggester.open(engine, home)
        assert "not_a_product" in {note.kind for note in lister.suggest([picture(BLUE)]).notes}
        assert "not_a_product" not in {note.kind for note in lister.suggest([picture((220, 20, 20))]).notes}


@pytest.mark.torch
def test_photos_are_categorised_by_heads_that_are_learnt_when_they_are_missing(home, engine):
    assert not ShopHome(home).label_heads.exists()
    guesses = by_products(engine)([picture(RED), picture(GREEN)])
    assert ShopHome(home).label_heads.exists()
    assert [guess.category for guess in guesses] == ["Wear > Warm > Scarves", "Wear > Warm > Gloves"]
    assert all(guess.answered for guess in guesses)


@pytest.mark.torch
def test_a_title_that_names_a_value_is_believed_as_far_as_the_shops_own_are(home):
    placed = zip(items(), PLACES * 30, strict=True)
    shop = [replace(item, title=f"{item.title}, {place}", place=place) for item, place in placed]
    with make_shop(home, shop) as engine:
        learn(home)
        lister = ListingSuggester.open(engine, home)
        for place in PLACES:
            (found,) = lister.suggest([picture(RED)], f"Scarf for the {place.upper()}").attributes
            assert (found.field, found.answer, found.answer_confidence) == ("place", place, 1.0)
        (found,) = lister.suggest([picture(RED)], "Scarf, attic and hall").attributes
        assert {one.name for one in found.top} == set(PLACES)  # no listing names two, so nothing is known of that
