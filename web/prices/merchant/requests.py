"""The requests of merchants about prices."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.pricing.owners.price_overview import ALL, SHOWN
from web.prices.requests import Amount
from web.requests.validation import ChoiceOf, Parameters, ProductId, Text, Whole

MAX_PAGE, MAX_OFFSET, MAX_CONTAINS = 100, 10_000_000, 200


class PriceListParameters(Parameters):
    """Which products to list: those with a finding or a verdict, those whose id or title contains a text, or one."""

    shown: Annotated[str, ChoiceOf(SHOWN), Field(description="Of a finding's code or a verdict; all by default.")] = ALL
    contains: Annotated[Text, Field(max_length=MAX_CONTAINS, examples=["mug"])] = ""
    product_id: Annotated[ProductId, Field(description="This product alone.")] | None = None
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET, examples=[0]), Whole] = 0
    k: Annotated[int, Field(ge=1, le=MAX_PAGE, examples=[30]), Whole] = 30


class PriceAdviceParameters(Parameters):
    """A price to look at, and what a unit costs, in the product's currency; both may be left out."""

    price: Annotated[Amount, Field(description="A price to try.")] | None = None
    cost: Annotated[Amount, Field(description="What one unit costs you, in place of the cost in costs.csv.")] | None = (
        None
    )
