"""The requests of recommendations and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, RootModel, model_validator
from pydantic_core import PydanticCustomError

from search.recommend.events import event_log
from search.recommend.events.event_log import Event
from web.requests.search_models import Count, Timeout
from web.requests.validation import Body, ChoiceOf, Flag, Parameters, RequestModel, non_blank, validate


def _printable(text: str) -> str:
    if not text.isprintable():  # control characters, and lone surrogates, which cannot be stored
        raise PydanticCustomError("unprintable", "Input should have printable characters only")
    return text


EVENT_COUNT = Field(min_length=1, max_length=event_log.MAX_EVENTS)
Printable = AfterValidator(_printable)
ViewedId = Annotated[str, non_blank(event_log.MAX_PRODUCT_ID)]
Visitor = Annotated[str, non_blank(event_log.MAX_VISITOR), Printable]


class SimilarParameters(Parameters):
    """How many products to return."""

    k: Count = 10


class RecommendationParameters(SimilarParameters):
    """How many products to return, and within how many milliseconds."""

    timeout_ms: Timeout | None = None


class Viewed(Body):
    """The products that a visitor viewed."""

    example = '{"viewed": ["red", "green"], "k": 5}'
    viewed: list[ViewedId] = Field([], max_length=200, description="Ids, the oldest first.")
    k: Count = 20
    timeout_ms: Timeout | None = None


class EventFields(RequestModel):
    """A view, click, cart or purchase."""

    type: Annotated[str, ChoiceOf(event_log.EVENT_KINDS)]
    product_id: Annotated[str, non_blank(event_log.MAX_PRODUCT_ID), Printable]
    visitor: Visitor = ""
    query_id: Annotated[str, non_blank(event_log.MAX_QUERY_ID), Printable] = ""
    rank: Annotated[int, Field(strict=True, ge=1, le=event_log.MAX_RANK)] = Field(default_factory=int)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, fields: Any) -> Any:
        return {name: value for name, value in fields.items() if value is not None} if type(fields) is dict else fields


class VisitorEventFields(EventFields):
    """An event that names its visitor."""

    visitor: Visitor


class VisitorEvents(RequestModel):
    """Events of one visitor."""

    visitor: Visitor
    events: Annotated[list[EventFields], EVENT_COUNT]


class MixedEvents(RequestModel):
    """Events that each name their visitor."""

    events: Annotated[list[VisitorEventFields], EVENT_COUNT]


class Events(RootModel[VisitorEvents | MixedEvents]):
    """`visitor` is given for all events or in each; only a keyed hash of it is stored."""

    example: ClassVar = '{"visitor": "v-81f0", "events": [{"type": "view", "product_id": "red"}]}'
    runnable: ClassVar = True


class VisitorId(RequestModel):
    """The id of a visitor, as events have it."""

    visitor: Visitor


class EventParameters(Parameters):
    """Whether the visitor agrees; `personalise=false` stores nothing."""

    personalise: Annotated[Flag, Field(examples=["false"])] = True


def parse_events(fields: Mapping[str, Any]) -> tuple[Event, ...]:
    """Return the events of a request. Raises BadQuery, which names the place."""
    model: type[VisitorEvents | MixedEvents] = VisitorEvents if "visitor" in fields else MixedEvents
    body = validate(model, fields)
    visitor = body.visitor if isinstance(body, VisitorEvents) else ""
    return tuple(
        Event(event.type, event.product_id, event.visitor or visitor, event.query_id or None, event.rank or None)
        for event in body.events
    )
