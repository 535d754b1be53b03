"""Small fitted models whose versions are told apart by sight: version n recommends product n first."""

import numpy as np

from search.recommend.learning import fitted_models
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.learning.manifest import ModelManifest
from search.recommend.learning.model_store import fit_lock, publish
from search.recommend.models.base import RecommenderModel
from tests.search.recommend.purchases import make_table

PRODUCTS = 8


class OneProduct(RecommenderModel):
    """Recommends one product to everybody."""

    name = "one_product"

    def __init__(self, scored):
        self.scored = scored

    @classmethod
    def fit(cls, events, products, now):
        return cls(np.bincount(events.products, minlength=len(products)).astype(np.float32))

    def scores(self, visitor, context):
        return self.scored

    def arrays(self):
        return {"scored": self.scored}

    @classmethod
    def from_arrays(cls, arrays):
        return cls(arrays["scored"])


def store_one_product(monkeypatch):
    """Let versions hold a `OneProduct`, as `two_stage`."""
    monkeypatch.setitem(fitted_models.STORED_MODELS, "two_stage", OneProduct)


def make_models(product, **facts):
    scored = np.zeros(PRODUCTS, np.float32)
    scored[product] = 1
    values = {"fitted_at": 1_000, "since": 10, "until": 900, "events": 50, "visitors": 5, "products": PRODUCTS}
    values |= {"settings": {}, "figures": {"new": {"n": product}}} | facts
    manifest = ModelManifest(0, **values, models=("two_stage",))
    return FittedModels(make_table(PRODUCTS), {"two_stage": OneProduct(scored)}, manifest)


def publish_one(home, product):
    """Publish models that recommend one product; returns them as stored."""
    with fit_lock(home):
        return publish(home, make_models(product))


def recommended(fitted):
    """The product that models recommend."""
    return int(np.argmax(fitted.ranking.scores(None, None)))
