"""What is answered to a question about a product: codes and facts, with the passage that states it and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

ANSWERED, NOT_STATED = "answered", "not_stated"  # statuses
YES, NO = "yes", "no"  # codes: the passage states it, or denies it
STATED = "stated"  # the passage is about it, and customers judge for themselves
VALUE = "value"  # an attribute: facts `field` and `value`
# Of measures: facts `asked`, `stated` and `relation`.
MEASURE_YES, MEASURE_NO, MEASURE_OPEN = (
    "measure_yes",
    "measure_no",
    "measure_open",
)
PRICE, IN_STOCK, OUT_OF_STOCK, VARIANTS = "price", "in_stock", "out_of_stock", "variants"
SHOP_ANSWERED = "shop_answered"  # the shop answered such a question of another customer: facts `question`
CUSTOMERS = "customers"  # what reviews say: facts `yes`, `no`, `total` count customers
CODES = (
    YES, NO, STATED, VALUE, MEASURE_YES, MEASURE_NO, MEASURE_OPEN,
    PRICE, IN_STOCK, OUT_OF_STOCK, VARIANTS, SHOP_ANSWERED, CUSTOMERS, NOT_STATED,
)  # fmt: skip

ATTRIBUTE, TITLE, DESCRIPTION, OFFER = "attribute", "title", "description", "offer"
ANSWERED_QUESTION, REVIEW = "answered_question", "review"
SOURCE_KINDS = (ATTRIBUTE, TITLE, DESCRIPTION, OFFER, ANSWERED_QUESTION, REVIEW)
NO_FACTS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ProductSource:
    """Where a passage stands: `name` is the attribute's, `id` the review's or the question's."""

    kind: str
    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class ProductAnswer:
    """An answer: `facts` are JSON values for the words of the page, `passage` is quoted as it stands in `source`.

    `language` is the passage's, "" where that is not known. `topic` names what the question is about, "" for none of
    the listed topics. Without a source, nothing that the shop has states an answer.
    """

    status: str
    code: str
    topic: str = ""
    facts: Mapping[str, Any] = field(default_factory=lambda: NO_FACTS)
    passage: str = ""
    language: str = ""
    source: ProductSource | None = None


def not_stated(topic: str = "") -> ProductAnswer:
    """Return that nothing states an answer."""
    return ProductAnswer(NOT_STATED, NOT_STATED, topic)
