"""The request of suggestions while a shopper types."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.suggest.suggestions import DEFAULT_LIMIT, MAX_LIMIT, MAX_TYPED
from web.i18n.languages import LANGUAGES
from web.requests.validation import ChoiceOf, Parameters, Whole

Typed = Annotated[
    str,
    Field(max_length=MAX_TYPED, examples=["red mu"], description="What was typed; empty for frequent searches."),
]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, examples=[6], description="Most suggestions of each sort."), Whole]
Language = Annotated[str, ChoiceOf(tuple(LANGUAGES))]


class SuggestParameters(Parameters):
    """What was typed, how many suggestions of each sort to return, and in which language to name kinds and products."""

    q: Typed = ""
    limit: Limit = DEFAULT_LIMIT
    lang: Language | None = Field(None, examples=["de"])
