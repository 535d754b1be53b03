"""Search within a filter, against scoring every product that passes: live rows, hidden rows, several pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Product
from indexer.ann import exact_rerank
from indexer.ann.exact_rerank import exact_scores
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import IndexPlan
from search.query.filters import parse_filter
from search.query.terms import LEXICAL
from search.retrieval import candidates
from search.retrieval.candidates import SearchScope
from search.retrieval.lexical_fusion import TextScores
from search.state.column_store import ProductColumns
from search.state.live_rows import ProductRows
from search.state.snapshot import GenerationRows, ShopChanges, Snapshot
from tests.search.random_shops import CHANCES, FILTERS, passes
from tests.search.random_shops import products as drawn_products
from tests.search.shop_fixtures import Item, make_shop

COLOURS = [(r, g, b) for r in (0, 90, 255) for g in (0, 120, 255) for b in (0, 60, 200)]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Sixty products, every third with two pictures."""
    items = [
        Item(f"{(key * 7) % 101:03}", "red thing", tuple(COLOURS[(key + i) % 27] for i in range(1 + (key % 3 == 0))))
        for key in range(1, 61)
    ]
    with make_shop(tmp_path_factory.mktemp("shops") / "shop", items) as engine:
        return GenerationRows(engine.generation)


@pytest.fixture(scope="module")
def plain(shelf):
    """A snapshot of the sixty products with nothing said of them, and the vectors of each in order of their keys."""
    snapshot = Snapshot.of(shelf, ProductColumns.of(things(range(1, 61)).items()))
    return snapshot, [snapshot.rows_of(key).vectors for key in range(1, 61)]


def drawn_state(chance):
    """Facts of the sixty products, those that got other rows since, new ones, and those that are gone."""
    live = chance.sample(range(1, 76), chance.randint(0, 12))
    gone = {*chance.sample(range(1, 61), chance.randint(0, 20))} - {*live}
    return drawn_products(chance, [*range(1, 61), *live]), live, gone


@settings(max_examples=400, deadline=None)
@given(
    CHANCES.map(drawn_state),
    FILTERS,
    st.lists(st.integers(0, 100), min_size=3, max_size=3).filter(any),
    st.integers(1, 90),
)
def test_what_is_found_within_a_filter_is_what_reading_every_product_finds(shelf, state, value, colour, k):
    products, live, gone = state
    vector = np.array(colour, np.float32) / np.linalg.norm(colour)
    query = np.tile(vector, 3).astype(np.float32)
    rows = {key: ProductRows((f"{key:064}",), np.tile(np.eye(3)[key % 3], 3)[None].astype(np.float16)) for key in live}
    columns = ProductColumns.of(sorted((key, each) for key, each in products.items() if key <= 60), seq=98)
    changes = ShopChanges(99, {key: products[key] for key in live}, gone, rows)
    snapshot = Snapshot.of(shelf, columns).changed(changes)
    allowed = snapshot.rows_allowed(snapshot.columns.matching(parse_filter(value)))
    scores, numbers = snapshot.search(query, k, allowed)

    passing = {key for key, each in products.items() if key not in gone and passes(value, each)}
    of_each = [(key, snapshot.rows_of(key).vectors) for key in passing]
    every = np.concatenate([np.zeros((0, 9), np.float16), *(each for _, each in of_each)])
    names = [key for key, each in of_each for _ in each]
    truth = list(zip(exact_scores(every, query, np.arange(len(every))).tolist(), names, strict=True))
    assert scores.tolist() == sorted((score for score, _ in truth), reverse=True)[:k]
    assert set(zip(scores.tolist(), snapshot.keys_of(numbers).tolist(), strict=True)) <= set(truth)
    assert len(set(numbers.tolist())) == len(numbers)


@settings(max_examples=300, deadline=None)
@given(CHANCES, st.booleans(), st.integers(1, 12))
def test_few_rows_and_their_rivals_give_the_first_places_of_all(plain, chance, is_text_of_all, wanted):
    """Many products have one text score, so that likeness decides among more than are retrieved."""
    snapshot, vectors = plain
    levels = chance.choices([0.0, 0.1, 0.25, 0.26, 0.3], k=60)
    out = chance.sample(range(1, 61), chance.randint(0, 30))
    colour = [chance.randint(1, 100) for _ in range(3)]
    vector = np.tile(np.array(colour, np.float32) / np.linalg.norm(colour), 3).astype(np.float32) / 3
    keys = snapshot.columns.keys if is_text_of_all else snapshot.columns.keys.copy()
    text = TextScores(keys, {LEXICAL: np.array(levels, np.float32)}, 0.3, np.zeros(0, np.int64))
    excluded, hidden = tuple(sorted(out[:2])), out[2:]
    scope = SearchScope(~np.isin(snapshot.columns.keys, hidden), excluded)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "MIN_TEXT_FETCH", 4)
        found, _ = candidates.retrieve(snapshot, vector, text, scope, 4, wanted)

    left = [key for key in range(1, 61) if key not in out]
    every = np.concatenate(vectors)
    first = np.cumsum([0, *map(len, vectors[:-1])])
    best = dict(enumerate(np.maximum.reduceat(exact_scores(every, vector, np.arange(len(every))), first), 1))
    fused = {key: float(np.float32(0.7) * best[key] + np.float32(levels[key - 1])) for key in left}
    order = sorted(left, key=lambda key: (-fused[key], key))
    expected = [fused[key] for key in order[: found.certain]]
    assert found.scores[: found.certain].tolist() == pytest.approx(expected, abs=1e-6)


def test_rivals_are_searched_until_the_first_places_are_certain(shelf, monkeypatch):
    monkeypatch.setattr(candidates, "MIN_TEXT_FETCH", 4)
    snapshot = Snapshot.of(shelf, ProductColumns.of(things(range(1, 61)).items()))
    scores = (0.25 + 0.001 * (snapshot.columns.keys * 37 % 60)).astype(np.float32)
    text = TextScores(snapshot.columns.keys, {LEXICAL: scores}, 0.3, np.zeros(0, np.int64))
    vector = np.tile(np.array([3, 2, 1], np.float32) / np.float32(14**0.5), 3) / 3
    without = candidates.retrieve(snapshot, vector, text, SearchScope(), 12)[0].certain
    assert (without, candidates.retrieve(snapshot, vector, text, SearchScope(), 12, 8)[0].certain) == (4, 8)


def test_a_product_that_the_columns_do_not_know_is_not_let_through(shelf):
    snapshot = Snapshot.of(shelf, ProductColumns.of([]))
    assert not snapshot.rows_allowed(snapshot.columns.matching(parse_filter({}))).any()
    assert (snapshot.products, snapshot.pictures) == (0, 0)


def things(keys):
    return {key: Product(str(key), "", ()) for key in keys}


def allowed_keys(snapshot):
    allowed = snapshot.rows_allowed(snapshot.columns.matching(parse_filter({})))
    return set(snapshot.keys_of(np.flatnonzero(allowed)).tolist())


def test_places_are_found_anew_when_products_have_moved(shelf):
    snapshot = Snapshot.of(shelf, ProductColumns.of(things(shelf.product_keys.tolist()).items()))
    after = snapshot.changed(ShopChanges(70, gone=range(1, 50))).changed(ShopChanges(71, gone=[50]))
    for state in (snapshot, after, snapshot):
        assert allowed_keys(state) == set(state.columns.keys[state.columns.present].tolist())


def test_a_product_that_comes_later_than_the_others_is_let_through_then_and_not_before(shelf):
    early = Snapshot.of(shelf, ProductColumns.of(things(range(1, 31)).items()))
    assert allowed_keys(early) == set(range(1, 31))
    late = early.changed(ShopChanges(70, things(range(31, 61)), restored=range(31, 61)))
    assert late.columns.lineage is early.columns.lineage
    for state, keys in ((late, range(1, 61)), (early, range(1, 31)), (late, range(1, 61))):
        assert allowed_keys(state) == set(keys)


@pytest.mark.parametrize("kind", ["ivf_pq4", "ivf_sq8", "ivf_pq"])
def test_inverted_lists_find_what_passes_however_far_it_lies(kind, monkeypatch):
    """Rows in eight clusters: the allowed ones are in the clusters that lie farthest from the query."""
    monkeypatch.setattr(exact_rerank, "MAX_EXACT_ROWS", 0)
    chance = np.random.default_rng(3)
    centres = chance.standard_normal((8, 32)) * 3
    rows = np.concatenate([centre + chance.standard_normal((400, 32)) for centre in centres])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    index = VectorIndex.build(rows, IndexPlan(kind, 32))
    search = exact_rerank.RerankedSearch(index, rows, nprobe=4)
    found = asked = 0
    for _ in range(20):
        query = rows[chance.integers(400)].astype(np.float32)
        allowed = np.zeros(len(rows), np.bool_)
        allowed[1600:] = chance.random(1600) < 0.5
        numbers = search.search(query, 10, allowed)[1]
        exact = np.where(allowed, rows.astype(np.float32) @ query, -np.inf)
        found += len(set(numbers.tolist()) & set(np.argsort(-exact)[:10].tolist()))
        asked += 10
        assert allowed[numbers].all() and len(numbers) == 10
    assert found / asked >= 0.98


def test_fewer_allowed_than_wanted_come_all(monkeypatch):
    monkeypatch.setattr(exact_rerank, "MAX_EXACT_ROWS", 0)
    rows = np.random.default_rng(1).standard_normal((2000, 16)).astype(np.float16)
    search = exact_rerank.RerankedSearch(VectorIndex.build(rows, IndexPlan("ivf_sq8", 16)), rows, nprobe=1)
    allowed = np.zeros(2000, np.bool_)
    allowed[[5, 700, 1999]] = True
    assert sorted(search.search(rows[0].astype(np.float32), 10, allowed)[1].tolist()) == [5, 700, 1999]
