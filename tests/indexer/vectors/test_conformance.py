"""One contract for the vectors of a generation, which FAISS in this process and Milvus both meet."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from indexer.ann.index_plan import FLAT, IVF_SQ8
from indexer.columns.fields import folded
from indexer.vectors.conditions import (
    AllHold,
    AnyHolds,
    HasLabel,
    HoldsNot,
    IsInStock,
    IsOnSale,
    OfProducts,
    PriceWithin,
)
from tests.indexer.vectors.engines import COLOURS, COUNT, DIM, HOSTILE, Rows, product

ROWS = Rows()
PRODUCTS = [product(key) for key in ROWS.keys.tolist()]
SHARES = (1.0, 0.5, 0.05, 0.001)
MIN_RECALL = 0.95


def mask_of(test):
    return np.array([test(product) for product in PRODUCTS])


def random_mask(share):
    mask = np.random.default_rng(3).random(COUNT) < share
    mask[7] = True
    return None if share == 1.0 else mask


@pytest.mark.promise("R22", "FAISS and Milvus, over 140 cases")
@pytest.mark.parametrize("k", [1, 10, 200])
@pytest.mark.parametrize("share", SHARES)
def test_a_flat_index_answers_exactly(engine, share, k):
    allowed = random_mask(share)
    for query in ROWS.queries(6):
        scores, numbers = engine.flat.search(query, k, allowed)
        expected_scores, expected = ROWS.best(query, k, allowed)
        assert numbers.tolist() == expected.tolist()
        assert scores == pytest.approx(expected_scores, abs=1e-6)


@pytest.mark.parametrize("k", [1, 10, 200])
@pytest.mark.parametrize("share", SHARES)
def test_lists_reach_the_recall_of_the_gate(engine, share, k):
    allowed, found, wanted = random_mask(share), 0, 0
    for query in ROWS.queries():
        scores, numbers = engine.lists.search(query, k, allowed)
        expected_scores, expected = ROWS.best(query, k, allowed)
        found += int(np.count_nonzero(scores >= expected_scores[-1] - 1e-5))
        wanted += len(expected)
        exact = np.einsum("ij,j->i", ROWS.vectors[numbers].astype(np.float32), query)
        assert scores == pytest.approx(exact, abs=1e-6)
        assert (np.diff(scores) <= 0).all() and len(set(numbers.tolist())) == len(numbers)
        assert allowed is None or allowed[numbers].all()
    assert found / wanted >= MIN_RECALL


@pytest.mark.parametrize("k", [1, 5, 20, 33])
def test_ties_come_in_the_order_of_numbers(engine, k):
    query = ROWS.vectors[40].astype(np.float32)
    assert engine.flat.search(query, k)[1].tolist() == ROWS.best(query, k)[1].tolist()
    assert engine.flat.search(query, 3)[1].tolist() == [40, 41, 42]


def test_ties_among_allowed_rows_too(engine):
    allowed = np.zeros(COUNT, bool)
    allowed[[59, 41, 50, 100]] = True
    query = ROWS.vectors[40].astype(np.float32)
    assert engine.flat.search(query, 3, allowed)[1].tolist() == [41, 50, 59]


@pytest.mark.parametrize("kind", ["flat", "lists"])
def test_more_than_there_are_gives_all(engine, kind):
    query = ROWS.queries(1)[0]
    scores, numbers = getattr(engine, kind).search(query, 2 * COUNT)
    assert sorted(numbers.tolist()) == list(range(COUNT)) and (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("kind", ["flat", "lists"])
def test_of_few_allowed_rows_all_are_found_however_unlike(engine, kind):
    query, worst = ROWS.queries(1)[0], ROWS.best(ROWS.queries(1)[0], COUNT)[1][-3:]
    allowed = np.zeros(COUNT, bool)
    allowed[worst] = True
    assert getattr(engine, kind).search(query, 10, allowed)[1].tolist() == worst.tolist()


@pytest.mark.parametrize(("k", "allowed"), [(0, None), (-1, None), (5, np.zeros(COUNT, bool))])
def test_nothing_wanted_or_allowed_gives_nothing(engine, k, allowed):
    scores, numbers = engine.flat.search(ROWS.queries(1)[0], k, allowed)
    assert (len(scores), len(numbers), numbers.dtype, scores.dtype) == (0, 0, np.int64, np.float32)


def test_a_mask_of_another_size_is_refused(engine):
    with pytest.raises(ValueError, match="mask has shape"):
        engine.flat.search(ROWS.queries(1)[0], 3, np.ones(COUNT + 1, bool) & (np.arange(COUNT + 1) < 1_150))


def is_red(product):
    return product.attributes["colour"] == "red"


def costs(product, low, high):
    return product.price is not None and low <= product.price <= high


RED = HasLabel("colour", ("red",))
CONDITIONS = {
    "colour": (RED, is_red),
    "colours": (HasLabel("colour", ("red", "blue")), lambda p: p.attributes["colour"] in ("red", "blue")),
    "category": (HasLabel("category", ("home > shelf 2",)), lambda p: p.category == "Home > Shelf 2"),
    "upper category": (HasLabel("category", ("home",)), lambda p: True),
    "brand": (HasLabel("brand", ("brand 3",)), lambda p: p.brand == "Brand 3"),
    "no such label": (HasLabel("brand", ("none",)), lambda p: False),
    "currency": (HasLabel("price.currency", ("usd",)), lambda p: p.currency == "USD"),
    "price": (PriceWithin(10, 20), lambda p: costs(p, 10, 20)),
    "price from": (PriceWithin(45.0), lambda p: costs(p, 45, 1e9)),
    "any price": (PriceWithin(), lambda p: p.price is not None),
    "stock": (IsInStock(False), lambda p: not p.in_stock),
    "sale": (IsOnSale(False), lambda p: True),
    "products": (OfProducts((3, 5, 9_999)), lambda p: p.id in ("p3", "p5")),
    "no products": (OfProducts(()), lambda p: False),
    "all": (AllHold((RED, IsInStock(True))), lambda p: is_red(p) and p.in_stock),
    "any": (AnyHolds((RED, PriceWithin(None, 2))), lambda p: is_red(p) or costs(p, -1, 2)),
    "not": (HoldsNot(RED), lambda p: not is_red(p)),
    "not price": (HoldsNot(PriceWithin(10, 20)), lambda p: not costs(p, 10, 20)),
    "not all": (
        HoldsNot(AllHold((IsInStock(True), PriceWithin(0, 25)))),
        lambda p: not (p.in_stock and costs(p, 0, 25)),
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_changes_no_result(engine, name, monkeypatch):
    monkeypatch.setattr("indexer.vectors.milvus.milvus_vectors.MAX_LISTED", 0)  # or few rows would be listed
    condition, test = CONDITIONS[name]
    allowed = mask_of(test)
    for query in ROWS.queries(2):
        found = engine.flat.search(query, 10, allowed, condition)[1]
        assert found.tolist() == ROWS.best(query, 10, allowed)[1].tolist()


def test_the_mask_decides_where_a_condition_holds_for_more(engine, monkeypatch):
    monkeypatch.setattr("indexer.vectors.milvus.milvus_vectors.MAX_LISTED", 0)
    allowed = mask_of(lambda p: p.attributes["colour"] == "red" and p.in_stock)
    for query in ROWS.queries(3):
        found = engine.flat.search(query, 10, allowed, HasLabel("colour", ("red",)))[1]
        assert found.tolist() == ROWS.best(query, 10, allowed)[1].tolist()


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_no_text_is_ever_part_of_an_expression(engine, place, monkeypatch):
    monkeypatch.setattr("indexer.vectors.milvus.milvus_vectors.MAX_LISTED", 0)
    text = HOSTILE[place]
    allowed = mask_of(lambda p: p.attributes["note"] == text)
    condition = AllHold((HasLabel("attributes.note", (folded(text),)), HoldsNot(HasLabel(text, (text,)))))
    query = ROWS.queries(1)[0]
    found = engine.flat.search(query, 10, allowed, condition)[1]
    assert len(found) == 10 and found.tolist() == ROWS.best(query, 10, allowed)[1].tolist()


INDEXES = {
    "a number": 5,
    "a negative number": -1,
    "a slice": slice(10, 20),
    "a slice with steps": slice(None, None, 400),
    "numbers": np.array([3, 1_199, 3, 0]),
    "negative numbers": np.array([-1, -1_200]),
    "no numbers": np.array([], np.int64),
    "a mask": np.arange(COUNT) % 500 == 3,
    "columns of a row": (7, slice(0, 4)),
    "columns of rows": (np.array([7, 9]), slice(2, 5)),
}


@pytest.mark.parametrize("name", INDEXES)
def test_rows_are_read_like_an_array(engine, name):
    rows = engine.flat.rows
    assert (rows.shape, rows.dtype, len(rows)) == ((COUNT, DIM), np.float16, COUNT)
    read = np.asarray(rows[INDEXES[name]])
    assert read.dtype == np.float16 and (read == ROWS.vectors[INDEXES[name]]).all()
    assert read.shape == ROWS.vectors[INDEXES[name]].shape


@pytest.mark.parametrize("index", [COUNT, np.array([0, COUNT]), -COUNT - 1])
def test_a_row_that_is_not_there_is_an_index_error(engine, index):
    with pytest.raises(IndexError):
        engine.flat.rows[index]


def test_candidates_of_a_batch_hold_the_best(engine):
    queries = ROWS.queries(8)
    for vectors in (engine.flat, engine.lists):
        proposed = vectors.propose(queries, 40)
        assert proposed.shape == (8, 40) and proposed.dtype == np.int64
        best = [ROWS.best(query, 1)[1][0] for query in queries]
        assert np.mean([number in row for number, row in zip(best, proposed, strict=True)]) >= MIN_RECALL


def test_of_few_rows_all_are_candidates(engine):
    small = engine.write(3, Rows(count=4, seed=2))
    proposed = small.propose(ROWS.queries(1), 6)[0]
    assert sorted(proposed[proposed >= 0].tolist()) == [0, 1, 2, 3]
    assert len(small.search(ROWS.queries(1)[0], 6)[1]) == 4


def test_one_row_alone(engine):
    single = engine.write(4, Rows(count=1, seed=2))
    assert single.search(ROWS.queries(1)[0], 5)[1].tolist() == [0]
    assert single.search(ROWS.queries(1)[0], 5, np.array([False]))[1].tolist() == []


def test_kinds_are_as_planned(engine):
    assert (engine.flat.kind, engine.lists.kind) == (FLAT, IVF_SQ8)


def test_opened_again_it_answers_the_same(engine):
    query = ROWS.queries(1)[0]
    again = engine.open(2)
    before, after = engine.lists.search(query, 10), again.search(query, 10)
    assert before[1].tolist() == after[1].tolist() and before[0].tolist() == after[0].tolist()


def test_threads_share_it(engine):
    queries = ROWS.queries(16)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda query: engine.flat.search(query, 10)[1].tolist(), queries))
    assert found == [ROWS.best(query, 10)[1].tolist() for query in queries]


def test_labels_differ_by_field(engine, monkeypatch):
    monkeypatch.setattr("indexer.vectors.milvus.milvus_vectors.MAX_LISTED", 0)
    allowed = np.ones(COUNT, bool)
    allowed[0] = False
    query = ROWS.queries(1)[0]
    everything = AnyHolds(tuple(HasLabel("colour", (colour,)) for colour in COLOURS))
    assert engine.flat.search(query, 5, allowed, everything)[1].tolist() == ROWS.best(query, 5, allowed)[1].tolist()
