"""The requests of prices."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from web.requests.validation import Parameters

LAST_SECOND = 253_402_300_799  # of the year 9999


class PriceParameters(Parameters):
    """From when on prices are wanted."""

    since: Annotated[
        int, Field(ge=0, le=LAST_SECOND, description="Unix seconds; the price in force then comes first.")
    ] = 0
