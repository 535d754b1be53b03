"""The requests to go to another generation of the index, or to another version of the recommender's models."""

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


class ModelRollback(RequestModel):
    """The version of the recommender's models to make current again."""

    example = '{"version": 2}'
    runnable = False
    version: Annotated[int, Field(ge=1, description="A version on the disk that is not the current one."), Whole]
