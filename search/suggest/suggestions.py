"""What is suggested for a text that is being typed. Every count is of the products that are in the shop now."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.product import Product

DEFAULT_LIMIT = 6
MAX_LIMIT = 20
MAX_TYPED = 300  # characters
MIN_OCCASIONS = 3  # times that shoppers searched for a text, each address once a day, from which others may see it
LATE = "suggestions"  # in `degraded`, while the words of the shop are being read


@dataclass(frozen=True, slots=True)
class WordSuggestion:
    """A text to search for; `products` hold all of its words. `corrected`: a typing mistake was mended for it.

    `occasions` is how often shoppers searched for it, 0 for a text that is from the products alone.
    """

    text: str
    products: int
    corrected: bool = False
    occasions: int = 0


@dataclass(frozen=True, slots=True)
class KindSuggestion:
    """A category, as its full path, and the number of products in it and below it."""

    category: str
    products: int


@dataclass(frozen=True, slots=True)
class BrandSuggestion:
    """A brand and the number of its products."""

    brand: str
    products: int


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Suggestions for `text`, best first. `spelling` is the text without its typing mistake, "" when it has none."""

    text: str
    words: tuple[WordSuggestion, ...] = ()
    kinds: tuple[KindSuggestion, ...] = ()
    brands: tuple[BrandSuggestion, ...] = ()
    products: tuple[Product, ...] = ()
    spelling: str = ""
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WordCandidate:
    """Words that may be suggested together, how many products hold all of them, and what they are ranked by."""

    words: tuple[str, ...]
    products: int
    weight: float
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class LoggedSearch:
    """An earlier search that found something: its text as typed, and on how many occasions."""

    text: str
    occasions: int
