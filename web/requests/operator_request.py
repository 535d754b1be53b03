"""The request to roll the index back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from web.requests.validation import RequestModel, Whole, limits


class Rollback(RequestModel):
    """The generation to make current again."""

    example = '{"generation": 7}'
    runnable = False
    generation: Annotated[Whole, limits(minimum=1), Field(description="The generation before the current one.")]
