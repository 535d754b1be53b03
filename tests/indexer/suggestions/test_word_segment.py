"""Counts of a segment are those of a plain loop over the products, whichever way they are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Product
from indexer.columns.product_table import ShopTable
from indexer.suggestions import segment_builder, word_segment
from indexer.suggestions.product_mask import ProductMask
from indexer.suggestions.segment_builder import build_segment
from indexer.suggestions.sorted_words import FEW_WORDS, SortedWords
from indexer.suggestions.text_units import BREAK

LETTERS = st.text("abé杯\ud800\U0001f457", min_size=1, max_size=12)
WORDS = [f"{letter}{ending}" for letter in "ab" for ending in ("", *"klmnopqrstuvwxyz")]


@settings(max_examples=30, deadline=None)
@given(words=st.sets(LETTERS, max_size=80), typed=st.lists(LETTERS, max_size=FEW_WORDS + 6))
def test_words_are_found_by_their_beginnings(words, typed):
    ordered = sorted(words)
    found = SortedWords.of(ordered)
    typed = [*typed, "", *(word[:9] for word in ordered)]
    numbers = [ordered.index(text) if text in words else -1 for text in typed]
    assert [found.number(text) for text in typed] == found.numbers(typed).tolist() == numbers
    for text, first, end in zip(typed, *found.ranges(typed), strict=True):
        starting = [at for at, word in enumerate(ordered) if word.startswith(text)]
        assert [*range(first, end)] == [*range(*found.range_of(text))] == starting
    assert list(found) == ordered


@pytest.fixture(scope="module", params=[1, 10**9], ids=["bits", "lists"])
def shop(request):
    """A segment of 150 products with frequent and rare words, and the words of each product."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_builder, "MIN_DENSE", request.param)
        chance = np.random.default_rng(0)
        shares = 1 / np.arange(1, len(WORDS) + 1)
        drawn = [chance.choice(WORDS, 6, p=shares / shares.sum()).tolist() for _ in range(150)]
        products = [
            (number, Product(f"p{number}", " ".join(words[:4]), (), attributes={"sort": words[4], "look": words[5]}))
            for number, words in enumerate(drawn, start=7)
        ]
        segment = build_segment(ShopTable.of(products), [(key, product.title) for key, product in products])
        assert bool(len(segment.dense)) == (request.param == 1) and len(segment.holders)
        yield segment.without(np.arange(0, 150, 9)), [set(words) if at % 9 else set() for at, words in enumerate(drawn)]


@pytest.mark.parametrize("cost", [0, 10**9], ids=["read", "looked up"])
@pytest.mark.parametrize("step", [1, 2, 40])
def test_counts_are_those_of_a_plain_loop(shop, monkeypatch, cost, step):
    segment, held = shop
    monkeypatch.setattr(word_segment, "TEXT_COST", cost)
    monkeypatch.setattr(word_segment, "FIRST_COUNTED", 1)
    monkeypatch.setattr(word_segment, "BLOCK", 16)
    among = segment.present & ProductMask.of(np.arange(150) % step == 0)
    own = [words if at % step == 0 else set() for at, words in enumerate(held)]
    assert among.count == len(among.places) == sum(map(bool, own))
    counts = [sum(word in words for words in own) for word in segment.words]
    numbers = np.random.default_rng(1).permutation(len(segment.words))
    assert segment.counts_among(among, numbers).tolist() == [counts[number] for number in numbers]
    for prefix in ("a", "b", "ak", "az", "", "c"):
        first, end = segment.range_of(prefix)
        ordered = sorted(range(first, end), key=lambda number: (-counts[number], number))
        for limit in (1, 3, 100):
            best = {number: counts[number] for number in ordered[:limit] if counts[number]}
            assert list(segment.completions(among, (first, end), limit).items()) == list(best.items())
            holding = [at for at, words in enumerate(own) if any(word.startswith(prefix) for word in words)]
            assert segment.with_prefix(among, (first, end), limit).tolist() == holding[:limit]
    for number, word in enumerate(segment.words):
        assert (segment.holding(word) & among).places.tolist() == [at for at, words in enumerate(own) if word in words]
        assert segment.counts[number] == sum(word in words for words in held)
    titles = [segment.texts[start : start + 4] for start in segment.text_starts[:-1]]
    assert all(BREAK not in title for title in titles)
    bounds = segment.range_of("b")
    expected = [any(bounds[0] <= word < bounds[1] for word in titles[place]) for place in among.places]
    assert segment.in_titles(among.places, bounds).tolist() == expected
