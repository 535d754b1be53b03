"""The request to roll the index back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from web.requests.validation import RequestModel, Whole


class Rollback(RequestModel):
    """The generation to make current again."""

    example = '{"generation": 7}'
    runnable = False
    generation: Annotated[int, Field(ge=1, description="The generation before the current one."), Whole]
