"""How far products are of kinds, worked out product by product and by their lists of labels."""

import numpy as np

from catalog.product import Product
from search.query.filters import CATEGORY
from search.state.column_store import ProductColumns
from search.understanding.product_scores import MEANT, KindProducts, KindScores, in_kind, in_kinds
from search.understanding.understood import KindRef

CATEGORIES = ["Wear > Hats", "Wear > Scarves", "Wear > Hats > Caps", "Tableware", "", "Wear > Hats"]
REFS = [KindRef(CATEGORY, "Wear > Hats", 0.9), KindRef(CATEGORY, "Wear", 0.5), KindRef(CATEGORY, "Nothing", 1.0)]


def columns_of(categories):
    return ProductColumns.of([(key, Product(f"p{key}", "thing", (), c)) for key, c in enumerate(categories, 1)])


def changed_columns():
    """Columns of which a product was removed, one moved to another kind, and one without any kind came behind."""
    puts = {2: Product("p2", "thing", (), "Tableware"), 7: Product("p7", "thing", ())}
    return columns_of(CATEGORIES).changed(puts, {6})


def by_product(columns, named, meant, best):
    scores = np.zeros(len(columns), np.float32)
    for ref in named:
        mask = in_kind(ref, columns)
        scores[mask] = np.maximum(scores[mask], np.float32(ref.confidence))
    if meant:
        scores = np.minimum(scores, np.float32(MEANT / 2))
    for ref in meant:
        scores[in_kind(ref, columns)] = ref.confidence
    for ordinal, score in best:
        scores[ordinal] = score
    return scores


def test_scores_are_those_of_each_product():
    for columns in (columns_of(CATEGORIES), changed_columns()):
        for named, meant, best in (
            (REFS, [], []),
            (REFS[:1], REFS[::-1], [(3, 1.0)]),
            ([], REFS[::-1], []),
            ([], [], []),
        ):
            pairs = [tuple((KindProducts.of(r, columns), r.confidence) for r in refs) for refs in (named, meant)]
            scores = KindScores(len(columns), *pairs, tuple(best))
            expected = by_product(columns, named, meant, best)
            places = np.array([0, 3, len(columns) - 1])
            assert scores.at(None).tolist() == expected.tolist()
            assert scores.at(places).tolist() == expected[places].tolist()
            assert np.float32(scores.largest) == expected.max()
            masks = [in_kind(ref, columns) for ref in named]
            assert (scores.is_named == np.logical_or.reduce([np.zeros(len(columns), bool), *masks])).all()


def test_products_of_kinds_are_those_that_are_here():
    columns = changed_columns()
    hats = KindProducts.of(REFS[0], columns)
    assert hats.has(np.arange(len(columns))).tolist() == [True, False, True, False, False, False, False]
    assert hats.any and not KindProducts.of(REFS[2], columns).any
    assert in_kinds(["Wear > Hats > Caps", "Tableware"], columns).tolist() == [False, True, True, True] + [False] * 3
