"""The request to go to another generation of the index."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from web.requests.validation import Parameters, RequestModel, Whole


class Rollback(RequestModel):
    """The generation to make current again."""

    example = '{"generation": 7}'
    runnable = False
    generation: Annotated[int, Field(ge=1, description="A generation on the disk that is not the current one."), Whole]


class RollbackParameters(Parameters):
    """The generation to return the effects of, by default the one before the current one."""

    generation: Annotated[int, Field(ge=1), Whole] | None = None
