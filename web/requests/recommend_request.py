"""The requests of recommendations, of the personal feed, and of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from flask import Request
from pydantic import AfterValidator, Field, RootModel, model_validator
from pydantic_core import PydanticCustomError

from search.query.filters import MAX_JSON, read_filter
from search.recommend.events import event_log
from search.recommend.events.event_log import Event
from search.recommend.feed.feed_page import (
    FOR_YOU,
    MAX_CART,
    MAX_DISMISSED,
    MAX_FEED,
    MAX_VIEWED,
    REPEAT_SHARE,
    SURFACES,
    FeedRequest,
)
from web.i18n.languages import LANGUAGES
from web.requests.search_models import Count, Timeout
from web.requests.validation import Body, ChoiceOf, Flag, Parameters, RequestModel, Whole, non_blank, validate


def _printable(text: str) -> str:
    if not text.isprintable():  # control characters, and lone surrogates, which cannot be stored
        raise PydanticCustomError("unprintable", "Input should have printable characters only")
    return text


EVENT_COUNT = Field(min_length=1, max_length=event_log.MAX_EVENTS)
Printable = AfterValidator(_printable)
ViewedId = Annotated[str, non_blank(event_log.MAX_PRODUCT_ID)]
Visitor = Annotated[str, non_blank(event_log.MAX_VISITOR), Printable]

LISTS = ("cart", "viewed", "dismissed")  # parameters that may come several times

Surface = Annotated[str, ChoiceOf(SURFACES)]
FeedCount = Annotated[int, Field(ge=1, le=MAX_FEED, examples=[20]), Whole]
FeedOffset = Annotated[int, Field(ge=0, le=MAX_FEED - 1, examples=[20]), Whole]
FilterText = Annotated[
    str,
    Field(max_length=MAX_JSON, description="A filter as JSON, as searches have it.", examples=['{"brand": "Acme"}']),
]
Cart = Annotated[
    list[ViewedId], Field(max_length=MAX_CART, description="Ids of products in the cart; repeat it for each of them.")
]
ViewedIds = Annotated[
    list[ViewedId],
    Field(max_length=MAX_VIEWED, description="Ids viewed in this visit, the oldest first; repeat it for each of them."),
]
DismissedIds = Annotated[
    list[ViewedId],
    Field(max_length=MAX_DISMISSED, description="Ids that the visitor does not want; repeat it for each."),
]
FeedLanguage = Annotated[str, ChoiceOf(tuple(LANGUAGES))]


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


class FeedParameters(Parameters):
    """Who asks, which surface, which part of it, and what narrows it."""

    visitor: Visitor | None = Field(None, examples=["v-81f0"])
    surface: Surface = FOR_YOU
    k: FeedCount = 20
    offset: FeedOffset = 0
    product: ViewedId | None = Field(None, description="The product that a surface is about.", examples=["red"])
    cart: Cart = Field(default_factory=list)
    viewed: ViewedIds = Field(default_factory=list)
    dismissed: DismissedIds = Field(default_factory=list)
    filter: FilterText | None = None
    personalise: Flag = Field(True, description="Whether to use what the visitor did.")
    lang: FeedLanguage | None = Field(None, description="Language of the reasons.", examples=["de"])
    timeout_ms: Timeout | None = None


class EventFields(RequestModel):
    """A view, click, cart, purchase or dismissal."""

    type: Annotated[str, ChoiceOf(event_log.EVENT_KINDS)]
    product_id: Annotated[str, non_blank(event_log.MAX_PRODUCT_ID), Printable]
    visitor: Visitor = ""
    query_id: Annotated[str, non_blank(event_log.MAX_QUERY_ID), Printable] = ""
    rank: Annotated[int, Field(strict=True, ge=1, le=event_log.MAX_RANK)] = Field(default_factory=int)
    quantity: Annotated[float, Field(strict=True, gt=0, le=event_log.MAX_QUANTITY, description="Units.")] = Field(
        default_factory=float
    )
    price: Annotated[float, Field(strict=True, ge=0, le=event_log.MAX_PRICE, description="Of one unit.")] = Field(
        default_factory=float
    )

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
    """Whether the visitor agrees; `personalise=false` stores nothing, and uses nothing that the visitor did."""

    personalise: Annotated[Flag, Field(examples=["false"])] = True


def parse_events(fields: Mapping[str, Any]) -> tuple[Event, ...]:
    """Return the events of a request. Raises BadQuery, which names the place."""
    model: type[VisitorEvents | MixedEvents] = VisitorEvents if "visitor" in fields else MixedEvents
    body = validate(model, fields)
    visitor = body.visitor if isinstance(body, VisitorEvents) else ""
    return tuple(
        Event(
            event.type,
            event.product_id,
            event.visitor or visitor,
            event.query_id or None,
            event.rank or None,
            event.quantity or None,
            event.price if "price" in event.model_fields_set else None,
        )
        for event in body.events
    )


def read_feed_parameters(request: Request) -> FeedParameters:
    """Return the parameters of a feed's address. Raises BadQuery."""
    given = {name: values if name in LISTS else values[0] for name, values in request.args.lists()}
    return validate(FeedParameters, given)


def feed_request(parameters: FeedParameters, personal: bool, repeat_share: float = REPEAT_SHARE) -> FeedRequest:
    """Return what the search room is asked for, without what the visitor did where that may not be used (`personal`).

    Raises BadQuery for a filter that cannot be read.
    """
    return FeedRequest(
        parameters.surface,
        parameters.k,
        parameters.offset,
        tuple(parameters.cart),
        tuple(parameters.viewed) if personal else (),
        None if parameters.filter is None else read_filter(parameters.filter),
        parameters.product,
        tuple(parameters.dismissed) if personal else (),
        personal,
        repeat_share,
    )
