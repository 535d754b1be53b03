"""R19: the same query on the same generation has the same answer, ties go by id, and a batch changes nothing."""

import numpy as np
import pytest

from indexer.encoders.registry import open_encoder
from search.live.product_edit import edit_of
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import Item, make_shop, picture
from tests.web.shop_fixtures import picture_bytes

RUNS, BATCH = 5, 8


def queries():
    """A hundred: photos, words, products and mixtures, of several depths."""
    chance = np.random.default_rng(19)
    asked = []
    for number in range(100):
        colour = tuple(int(part) for part in chance.integers(0, 256, 3))
        terms = [
            (PictureTerm(picture(colour)),),
            (TextTerm(("red", "green blue", "thing")[number % 3]),),
            (ProductTerm(f"p{number:03}"),),
            (PictureTerm(picture(colour)), TextTerm("blue", -0.3)),
        ][number % 4]
        asked.append(Query(terms, k=(1, 7, 30)[number % 3], offset=(0, 5)[number % 2]))
    return asked


def answers(pages):
    return [[(hit.product.id, hit.score, tuple(hit.parts.values())) for hit in page.hits] for page in pages]


@pytest.fixture
def engine(tmp_path):
    """160 products in 40 colours, so that ties abound; some of them changed and removed since."""
    shades = [((number * 37) % 256, (number * 91) % 256, 40) for number in range(40)]
    items = [Item(f"p{number:03}", "red thing", (shades[number % 40],)) for number in range(160)]
    with make_shop(tmp_path / "shop", items) as engine:
        for number in range(100, 130):
            engine.put(edit_of(f"p{number:03}", {"title": "blue"}, [picture_bytes(shades[number % 40], (8, 8), "PNG")]))
        for number in range(130, 140):
            engine.remove(f"p{number:03}")
        yield engine


@pytest.mark.promise("R19")
def test_a_hundred_queries_five_times_over(engine):
    asked = queries()
    first = answers(map(engine.search, asked))
    for _ in range(RUNS - 1):
        assert answers(map(engine.search, asked)) == first
    batches = [asked[at : at + BATCH] for at in range(0, len(asked), BATCH)]
    assert [each for batch in batches for each in answers(engine.search_many(batch))] == first
    for hits in first:
        assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0])), "ties go by id"


@pytest.mark.promise("R19")
@pytest.mark.parametrize("name", ["fake", "colour", pytest.param("starter", marks=pytest.mark.weights)])
def test_a_picture_alone_and_in_a_batch_has_the_same_vector(name):
    encoder = FakeEncoder() if name == "fake" else open_encoder(name, runtime="onnx" if name == "starter" else "auto")
    chance = np.random.default_rng(8)
    photos = [picture(tuple(map(int, chance.integers(0, 256, 3))), 96) for _ in range(BATCH)]
    together = encoder.encode_images(photos)
    alone = np.concatenate([encoder.encode_images([photo]) for photo in photos])
    assert cosines(together, alone).min() >= 0.9999
    if any(block.texts for block in encoder.blocks):
        words = ["red shoes", "a", "a long blue dress with white dots", "mug", "chair", "x y", "green", "lamp"]
        alone = np.concatenate([encoder.encode_texts([each]) for each in words])
        assert cosines(encoder.encode_texts(words), alone).min() >= 0.9999


def cosines(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
