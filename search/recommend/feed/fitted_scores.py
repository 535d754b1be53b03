"""The fitted models in the shop as it is now: their scores by ordinal, with products that came after the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.recommend.events.interactions import Codes
from search.recommend.feed.visitor_histories import VisitorRecord
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.models.base import Context
from search.recommend.models.together import Together
from search.recommend.ranking.candidate_ranker import CandidateRanker
from search.state.column_store import ProductColumns


@dataclass(frozen=True, slots=True, eq=False)
class FittedScores:
    """Fitted models with the position of each product of the shop in their table: `codes` (n,), -1 for newer ones."""

    models: FittedModels
    ranking: CandidateRanker
    codes: Codes
    ordinals: Ids

    @classmethod
    def of(cls, models: FittedModels | None, columns: ProductColumns) -> FittedScores | None:
        """Find the shop's products in the table of the models; None where no model ranks."""
        if models is None or not isinstance(models.ranking, CandidateRanker):
            return None
        codes = models.codes(columns.ids.tolist())
        codes[~columns.present] = -1
        ordinals = np.full(len(models.table), -1, np.int64)
        known = np.flatnonzero(codes >= 0)
        ordinals[codes[known]] = known
        return cls(models, models.ranking, codes, ordinals)

    @property
    def together(self) -> Together:
        """The model of what is bought together."""
        return self.ranking.first.together

    def by_ordinal(self, of_table: Floats) -> Floats:
        """Return values of the table's products as an array (n,) by ordinal, 0 for products that came later."""
        return np.append(of_table, np.float32(0.0))[self.codes]

    def scores(self, record: VisitorRecord, cart: Ids, now: int) -> Floats:
        """Return the score (n,) of each product: how probably the visitor buys it in the weeks to come.

        Of a visitor without events on products that the model knows, popularity is all that there is to say.
        """
        history, carted = record.coded(self.models.codes(record.ids)), self.codes[cart]
        if not len(history):
            return self.by_ordinal(self.ranking.popularity)
        return self.by_ordinal(self.ranking.scores(history, Context(now, carted[carted >= 0])))

    def is_bought(self, anchors: Ids) -> Mask:
        """Return the mask (a,) of the products whose neighbours are of purchases, and not of what was looked at."""
        codes = self.codes[anchors]
        return np.asarray((codes >= 0) & self.together.bought[codes])

    def neighbours(self, anchor: int) -> tuple[Ids, Floats]:
        """Return the ordinals of what is bought (or looked at, see `is_bought`) with a product, and how strongly."""
        code = int(self.codes[anchor])
        if code < 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        found = self.together.neighbours(code)
        ordinals = self.ordinals[found.products]
        return ordinals[ordinals >= 0], found.scores[ordinals >= 0]
