"""The requests of prices, and amounts in requests, which become Decimals."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from catalog.money.amounts import rounded
from web.requests.validation import Parameters

_AMOUNT = "[1-9][0-9]{0,8}([.][0-9]{1,4})?|0[.][0-9]{0,3}[1-9][0-9]{0,3}"
LAST_SECOND = 253_402_300_799  # of the year 9999


def _amount(text: object) -> Decimal:
    if not isinstance(text, str) or not re.fullmatch(_AMOUNT, text):
        raise PydanticCustomError("no_amount", "Input should be an amount above 0 such as 12.90")
    return Decimal(text)


def _amount_or_number(value: object) -> Decimal:
    """Return an amount of a JSON body, which may be a number: then without the noise of floats."""
    if isinstance(value, float) and math.isfinite(value):
        return _amount(f"{rounded(Decimal(repr(value)), None):f}")
    return _amount(str(value) if type(value) is int else value)


AMOUNT_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^({_AMOUNT})$", "examples": ["12.90"]}
NUMBER_SCHEMA: dict[str, Any] = {"type": "number", "minimum": 0.0001, "exclusiveMaximum": 1_000_000_000}
Amount = Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema(AMOUNT_SCHEMA)]
AmountOrNumber = Annotated[
    Decimal, BeforeValidator(_amount_or_number), WithJsonSchema({"anyOf": [AMOUNT_SCHEMA, NUMBER_SCHEMA]})
]


class PriceParameters(Parameters):
    """From when on prices are wanted."""

    since: Annotated[
        int, Field(ge=0, le=LAST_SECOND, description="Unix seconds; the price in force then comes first.")
    ] = 0
