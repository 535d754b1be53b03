"""The shop that recommending asks, without an encoder: a generation and a catalogue, every row read, filters by hand.

It is what an engine's answers are checked against, and it opens where there is no encoder.
"""

from pathlib import Path

import numpy as np

from catalog.storage.catalogue import Catalogue
from indexer.generations.store import open_current
from search.hits import SearchHit, SearchPage
from search.query.filters import AnyOf, Between, InStock, Not, OneOf, OnSale, folded


class ExactShop:
    """Opens `home`; close it. Products are read once."""

    def __init__(self, home):
        generation = open_current(Path(home))
        self.catalogue = Catalogue.open(Path(home) / "catalog.sqlite")
        self.keyed = dict(self.catalogue.iterate())
        self.by_id = {product.id: product for product in self.keyed.values()}
        layout, weights = generation.layout, generation.manifest.weights["picture"]
        share = {name: (weight / sum(weights.values())) ** 0.5 for name, weight in weights.items()}
        keys = np.asarray(generation.product_keys)
        self.keys, first = np.unique(keys, return_index=True)
        self.owner = np.searchsorted(self.keys, keys)
        self.rows = layout.weigh(np.asarray(generation.rows, dtype=np.float32), share)
        self.first = self.rows[first]
        self.place = {self.keyed[key].id: i for i, key in enumerate(self.keys.tolist()) if key in self.keyed}

    def close(self):
        self.catalogue.close()

    def product(self, product_id):
        return self.catalogue.get(product_id)

    def find(self, ids):
        return {one: self.by_id[one] for one in ids if one in self.by_id}

    def similarity_vectors(self, ids):
        rows = np.zeros((len(ids), self.first.shape[1]), np.float32)
        for i, one in enumerate(ids):
            if one in self.place:
                rows[i] = self.first[self.place[one]]
        return rows

    def categories(self):
        counts = {}
        for product in self.by_id.values():
            if product.category:
                counts[product.category] = counts.get(product.category, 0) + 1
        return counts

    def search_many(self, queries):
        return [self.search(query) for query in queries]

    def search(self, query):
        total = sum(abs(term.weight) for term in query.terms)
        asked = sum(term.weight / total * self.first[self.place[term.product_id]] for term in query.terms)
        best = np.full(len(self.keys), -np.inf, np.float32)
        np.maximum.at(best, self.owner, self.rows @ asked)
        without = {term.product_id for term in query.terms}
        hits = []
        for i in np.argsort(-best, kind="stable").tolist():
            product = self.keyed[int(self.keys[i])]
            if product.id not in without and (query.filter is None or passes(query.filter, product)):
                hits.append(SearchHit(product, product.pictures[0], float(best[i]), {}))
                if len(hits) == query.offset + query.k:
                    break
        return SearchPage(query, tuple(hits[query.offset :]), 1, 0.0, offset=query.offset)


def passes(condition, product):
    """Whether a product is let through by a filter: read off the filter's definition, a condition at a time."""
    if not hasattr(condition, "field"):
        return all(passes(one, product) for one in condition.conditions)
    if isinstance(condition, Not):
        return not passes(condition.filter, product)
    if isinstance(condition, AnyOf):
        return any(passes(one, product) for one in condition.filters)
    if isinstance(condition, InStock):
        return product.in_stock == condition.in_stock
    if isinstance(condition, OnSale):
        return product.on_sale == condition.on_sale
    if isinstance(condition, Between):
        price = product.price
        if price is None or (condition.currency and product.currency != condition.currency):
            return False
        return (condition.minimum is None or price >= condition.minimum) and (
            condition.maximum is None or price <= condition.maximum
        )
    assert isinstance(condition, OneOf)
    if condition.field == "category":
        path = [folded(part) for part in product.category_path]
        return any(path[: len(w)] == w for w in ([folded(p) for p in v.split(">")] for v in condition.values))
    given = product.attributes.get(condition.field.removeprefix("attributes."), "")
    return folded(given) in map(folded, condition.values)
