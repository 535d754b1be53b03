"""The refine token: what it carries comes back, what is not ours is refused, and pages that it leads to agree."""

import base64
import stat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import BadQuery
from search.query.filters import parse_filter
from search.query.refine_token import MAX_TOKEN, RefineTokens, quantised, signing_key, with_vectors
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm, VectorTerm
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, RED, YELLOW, make_shop, picture

KEY = bytes(range(32))


@pytest.fixture
def tokens():
    return RefineTokens(KEY, FakeEncoder())


def test_a_query_comes_back_as_it_went(tokens):
    vector = np.array([0.1, -0.7, 0.3, 0.0, 0.9, 0.2], np.float32)
    narrowed = parse_filter({"brand": ["Puma"], "price": {"max": 50}, "not": {"colour": "red"}})
    asked = Query(
        (VectorTerm(vector, 0.5), TextTerm("红色 mug", -0.5), ProductTerm("a/b", 2.0)),
        blocks={"look": 0.25},
        filter=narrowed,
        sort="-price",
    )
    read = tokens.read(tokens.make(asked))
    assert read.terms[1:] == asked.terms[1:]
    assert read.terms[0].weight == 0.5
    np.testing.assert_allclose(read.terms[0].vector, vector, atol=0.004)
    assert (read.filter, read.sort, read.blocks) == (narrowed, "-price", {"look": 0.25})


def test_words_with_a_lone_surrogate_come_back_without_it(tokens):
    assert tokens.read(tokens.make(Query((TextTerm("red \ud800 mug"),)))).terms == (TextTerm("red ? mug"),)


def test_what_cannot_be_carried_has_no_token(tokens):
    narrowed = parse_filter({"id": [f"{i:03}" + "x" * 480 for i in range(900)]})
    assert tokens.make(Query((TextTerm("mug"),), filter=narrowed)) == ""


def test_a_range_of_any_attribute_comes_back(tokens):
    for field in ("colour", "size"):
        narrowed = parse_filter({"attributes": {field: {"min": 1}}})
        assert tokens.read(tokens.make(Query((TextTerm("mug"),), filter=narrowed, collapse=False))) == Query(
            (TextTerm("mug"),), filter=narrowed, collapse=False
        )


def test_a_file_that_is_no_key_is_replaced(tmp_path):
    (tmp_path / "refine.key").write_bytes(b"")
    key = signing_key(tmp_path)
    assert len(key) == 32 and signing_key(tmp_path) == key


def test_rounding_twice_is_rounding_once(tokens):
    encoder = FakeEncoder()
    once = quantised(encoder.encode_images([picture(YELLOW), picture((12, 200, 90))]), encoder.blocks)
    np.testing.assert_array_equal(quantised(once, encoder.blocks), once)
    np.testing.assert_array_equal(tokens.read(tokens.make(Query((VectorTerm(once[0]),)))).terms[0].vector, once[0])


def test_a_picture_has_to_be_a_vector_first(tokens):
    with pytest.raises(TypeError):
        tokens.make(Query((PictureTerm(picture(RED)),)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_token_is_refused(data):
    tokens = RefineTokens(KEY, FakeEncoder())
    token = tokens.make(Query((TextTerm("mug"), ProductTerm("a"))))
    parts = [bytearray(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in token.split(".")]
    raw = data.draw(st.sampled_from(parts))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadQuery):
        tokens.read(".".join(base64.urlsafe_b64encode(bytes(part)).decode().rstrip("=") for part in parts))


def test_a_token_of_an_earlier_version_is_refused_as_not_ours(tokens):
    body = "AQQNe-HzxbgDeNpjYGAwqFYqUbKKjlYqV9JRyi1NV9Ix1DOIjdVRKlayUipKzUktS8xLTgXKJStZlRSV"
    with pytest.raises(BadQuery, match="not one that this shop gave"):
        tokens.read(body + "ptYCAFdxDp2CB3Q9GfWzr5CXrJWTEYIK")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_refused(text):
    with pytest.raises(BadQuery, match="refine token"):
        RefineTokens(KEY, FakeEncoder()).read(text)


def test_too_long_a_token_is_not_even_decoded(tokens):
    with pytest.raises(BadQuery, match="limit"):
        tokens.read("A" * (MAX_TOKEN + 1))


def test_another_encoder_or_key_says_so(tokens):
    token = tokens.make(Query((TextTerm("mug"),)))
    with pytest.raises(BadQuery, match="changed the way it reads"):
        RefineTokens(KEY, FakeEncoder(fingerprint="bb" * 32)).read(token)
    with pytest.raises(BadQuery, match="not one that this shop gave"):
        RefineTokens(bytes(32), FakeEncoder()).read(token)


def test_the_key_is_made_once_for_us_alone(tmp_path):
    key = signing_key(tmp_path)
    assert len(key) == 32
    assert signing_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "refine.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["refine.key"]


def test_where_nothing_can_be_written_the_key_lives_in_memory(tmp_path):
    assert len(signing_key(tmp_path / "absent")) == 32


def test_the_second_page_goes_on_where_the_first_ended(engine):
    asked = Query((PictureTerm(picture(YELLOW)), TextTerm("red")), k=2)
    whole = engine.search(Query(asked.terms, k=4))
    first = engine.search(asked)
    assert first.refine and first.refine == whole.refine
    carried_on = engine.query_of(first.refine)
    second = engine.search(Query(carried_on.terms, k=2, offset=2))
    ids = [hit.product.id for hit in (*first.hits, *second.hits)]
    assert ids == [hit.product.id for hit in whole.hits]
    assert [hit.score for hit in (*first.hits, *second.hits)] == [hit.score for hit in whole.hits]


def test_a_link_works_in_another_process(home):
    with make_shop(home) as engine:
        token = engine.search(Query((PictureTerm(picture(BLUE)),))).refine
        best = engine.search(Query((PictureTerm(picture(BLUE)),))).hits[0]
    tokens = RefineTokens(signing_key(home), FakeEncoder())
    read = tokens.read(token)
    assert isinstance(read.terms[0], VectorTerm) and best.product.id == "b"


def test_carried_puts_vectors_in_the_places_of_pictures():
    asked = Query((TextTerm("a"), PictureTerm(picture(RED), -1.0), PictureTerm(picture(BLUE))))
    one, two = np.ones(6, np.float32), np.zeros(6, np.float32)
    terms = with_vectors(asked, [one, two]).terms
    assert terms[1].vector is one and terms[1].weight == -1.0 and terms[2].vector is two
