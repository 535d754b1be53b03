"""The requests of recommendations and events."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, RootModel

from search.query.filters import MAX_VALUE
from search.recommend.event_log import EVENT_KINDS, MAX_EVENTS, MAX_QUERY_ID, MAX_RANK, MAX_VISITOR
from web.requests.search_models import Count, Timeout
from web.requests.validation import Body, OneOf, Parameters, ProductId, RequestModel, Whole, limits, non_blank

MAX_VIEWED = 200


EVENT_COUNT = Field(min_length=1, max_length=MAX_EVENTS)
Visitor = Annotated[str, non_blank(MAX_VISITOR)]
ViewedId = Annotated[str, Field(min_length=1, max_length=MAX_VALUE, pattern=r"\S")]


class SimilarParameters(Parameters):
    """How many products to return."""

    k: Count = 10


class RecommendationParameters(SimilarParameters):
    """How many products to return, and within how many milliseconds."""

    timeout_ms: Timeout | None = None


class Viewed(Body):
    """The products that a visitor viewed."""

    example = '{"viewed": ["red", "green"], "k": 5}'
    viewed: list[ViewedId] = Field([], max_length=MAX_VIEWED, description="Ids, the oldest first.")
    k: Count = 20
    timeout_ms: Timeout | None = None


class Event(RequestModel):
    """A view, click, cart or purchase; `parse_events` checks it."""

    type: Annotated[str, OneOf(EVENT_KINDS)]
    product_id: ProductId
    visitor: Visitor = ""
    query_id: Annotated[str, non_blank(MAX_QUERY_ID)] = ""
    rank: Annotated[Whole, limits(minimum=1, maximum=MAX_RANK)] = Field(default_factory=int)


class VisitorEvent(Event):
    """An event that names its visitor."""

    visitor: Visitor


class VisitorEvents(RequestModel):
    """Events of one visitor."""

    visitor: Visitor
    events: Annotated[list[Event], EVENT_COUNT]


class MixedEvents(RequestModel):
    """Events that each name their visitor."""

    events: Annotated[list[VisitorEvent], EVENT_COUNT]


class Events(RootModel[VisitorEvents | MixedEvents]):
    """`visitor` is given for all events or in each; only a keyed hash of it is stored."""

    example: ClassVar = '{"visitor": "v-81f0", "events": [{"type": "view", "product_id": "red"}]}'
