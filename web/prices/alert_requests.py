"""The requests of price alerts: set one, list those of a visitor, remove one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.pricing.alerts.price_alert import MAX_REFERENCE
from web.prices.requests import AmountOrNumber
from web.requests.recommend_request import Visitor
from web.requests.validation import Body, Parameters, Text, non_blank

EXAMPLE_VISITOR = "v-5f0c9a7be2d14c83a1b2c3d4"


class NewPriceAlert(Body):
    """A price alert to set."""

    example = f'{{"visitor": "{EXAMPLE_VISITOR}", "at_most": "5.00"}}'
    visitor: Visitor = Field(description="The visitor's random id; only a keyed hash of it is stored.")
    at_most: AmountOrNumber | None = Field(
        None, description="The price to wait for, in the product's currency; without it any price below today's."
    )
    reference: Annotated[Text, non_blank(MAX_REFERENCE)] | None = Field(
        None, description="The shop's own name for its customer, which the webhook has. Needs a key of the scope read."
    )


class VisitorAlertsParameters(Parameters):
    """Whose price alerts."""

    visitor: Visitor = Field(examples=[EXAMPLE_VISITOR])
