"""Windowshop as a library: `import windowshop`.

Re-exports the public names of the four rooms; each is imported when it is first used.
"""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

# fmt: off
if TYPE_CHECKING:
    from catalog import Catalogue, Picture, Product, Rejected, WindowshopError, errors, read_feed  # noqa: I001
    from indexer import (
        ENCODERS, BaseEncoder, Block, BuildOptions, Encoder, EncoderSpec, IndexReport, UpdateOptions, build_index,
        open_encoder, register_encoder, update_index,
    )
    from search import (
        Facet, Filter, ListingSuggester, PictureTerm, ProductTerm, Query, SearchEngine, SearchHit, SearchPage,
        Suggestion, TextTerm, Verdict, evaluate_photos, evaluate_questions, evaluate_sold, evaluate_texts,
        find_duplicates, parse_filter,
    )
    from web import Settings, create_app

__all__ = [
    "ENCODERS", "BaseEncoder", "Block", "BuildOptions", "Catalogue", "Encoder", "EncoderSpec", "Facet", "Filter",
    "IndexReport", "ListingSuggester", "Picture", "PictureTerm", "Product", "ProductTerm", "Query", "Rejected",
    "SearchEngine", "SearchHit", "SearchPage", "Settings", "Suggestion", "TextTerm", "UpdateOptions", "Verdict",
    "WindowshopError", "build_index", "create_app", "errors", "evaluate_photos", "evaluate_questions",
    "evaluate_sold", "evaluate_texts", "find_duplicates", "open_encoder", "parse_filter", "read_feed",
    "register_encoder", "update_index",
]
# fmt: on

__getattr__, __dir__ = lazy_exports(__name__, __file__)
