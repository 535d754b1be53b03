"""A question to ranked products, with the evidence."""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from search.dedup.listing_duplicates import find_duplicates
    from search.engine import SearchEngine
    from search.evaluation.evaluate import evaluate_photos, evaluate_texts
    from search.evaluation.kind_questions import evaluate_questions
    from search.evaluation.sold_questions import evaluate_sold
    from search.hits import Facet, SearchHit, SearchPage, Verdict
    from search.listings.suggester import ListingSuggester, Suggestion
    from search.query.filters import Filter, parse_filter
    from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm

# fmt: off
__all__ = [
    "Facet", "Filter", "ListingSuggester", "PictureTerm", "ProductTerm", "Query", "SearchEngine", "SearchHit",
    "SearchPage", "Suggestion", "TextTerm", "Verdict", "evaluate_photos", "evaluate_questions", "evaluate_sold",
    "evaluate_texts", "find_duplicates", "parse_filter",
]
# fmt: on

__getattr__, __dir__ = lazy_exports(__name__, __file__)
