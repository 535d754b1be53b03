"""Suggest category, attributes, title words and price for a listing, and learn from merchants' decisions.

Imported by search, search.bulk, search.cli, search.doctor, search.evaluation, search.ops, search.pricing.owners,
web.api, web.facets, web.i18n, web.prices.merchant.
"""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from search.listings.feedback_suggester import FeedbackSuggester, SuggesterCache

__all__ = ["FeedbackSuggester", "SuggesterCache"]

__getattr__, __dir__ = lazy_exports(__name__, __file__)
