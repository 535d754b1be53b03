"""What a search request may hold; checks that need more than the request are made where the query is built."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from catalog.images.decoder import lies_inside
from search.query.filters import MAX_PARTS, MAX_VALUE, parse_filter
from search.query.terms import MAX_K, MAX_PICTURES, MAX_RANK, MAX_TERMS, MAX_TEXT, MAX_TIMEOUT_MS, SORTS
from web.middleware.uploads import Box
from web.requests.validation import (
    Body,
    ChoiceOf,
    Flag,
    Number,
    PictureSource,
    ProductId,
    RequestModel,
    Text,
    Whole,
    accept_nulls,
    non_blank,
    one_of,
)

MAX_FEEDBACK_IDS = 16
TERM_COMPANIONS = {"image": ("crop", "weight"), "text": ("weight",), "product_id": ("weight",)}

Value = Annotated[str, Field(max_length=MAX_VALUE)]
Values = Value | Annotated[list[Value], Field(min_length=1, max_length=MAX_PARTS)]
Bounds = TypedDict("Bounds", {"min": float, "max": float, "currency": str}, total=False)  # noqa: UP013 - one line
Bounds.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
FilterFields = TypedDict(
    "FilterFields",
    {
        "category": Values,
        "brand": Values,
        "colour": Values,
        "base_colour": Values,
        "price": Bounds,
        "in_stock": bool,
        "on_sale": bool,
        "attributes": dict[str, Values | Bounds],
        "id": Values,
        "not": "FilterFields",
        "any": Annotated[list["FilterFields"], Field(min_length=1, max_length=MAX_PARTS)],
    },
    total=False,
)
FilterFields.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]


def crop_box(value: object) -> Box:
    """Return the box of four fractions: left, top, right, bottom; also from their JSON text."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if not isinstance(value, list) or [type(side) in (int, float) for side in value] != [True] * 4:
        raise PydanticCustomError("box_type", "Input should be a list of four numbers")
    left, top, right, bottom = value
    if not lies_inside((left, top, right, bottom)):
        raise PydanticCustomError("box_outside", "Input should be a box inside the picture")
    return float(left), float(top), float(right), float(bottom)


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _at_least_one_field(schema: dict[str, Any]) -> None:
    accept_nulls(schema)
    schema["minProperties"] = 1


Sides = Annotated[
    list[Annotated[float, Field(ge=0, le=1)]],
    Field(
        min_length=4,
        max_length=4,
        description="Left, top, right, bottom in fractions of the upright picture; left < right, top < bottom.",
    ),
]
Crop = Annotated[Box, PlainValidator(crop_box, json_schema_input_type=Sides)]
FilterField = Annotated[Any, PlainValidator(parse_filter, json_schema_input_type=FilterFields)]
Weight = Annotated[Number, Field(ge=-10, le=10)]
Count = Annotated[int, Field(ge=1, le=MAX_K, examples=[10]), Whole]
Timeout = Annotated[int, Field(ge=1, le=MAX_TIMEOUT_MS, examples=[500]), Whole]
Words = Annotated[str, non_blank(MAX_TEXT)]
PictureList = Annotated[list[PictureSource], Field(min_length=1, max_length=MAX_PICTURES)]
Images = Annotated[list[PictureSource], BeforeValidator(_as_list, json_schema_input_type=PictureSource | PictureList)]
ProductIds = Annotated[list[ProductId], Field(max_length=MAX_FEEDBACK_IDS)]
FeedbackIds = Annotated[ProductIds, BeforeValidator(_as_list, json_schema_input_type=ProductIds)]


class Weights(RequestModel):
    """How much each part of the query counts; below zero means less of it."""

    image: Weight = 1.0
    text: Weight = 1.0
    product_id: Weight = 1.0


class SearchTerm(RequestModel, json_schema_extra=one_of(TERM_COMPANIONS)):
    """One picture (base64), text or product, with its weight."""

    image: PictureSource | None = None
    text: Words | None = None
    product_id: ProductId | None = None
    weight: Weight = 1.0
    crop: Crop | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> SearchTerm:
        kinds = [name for name in TERM_COMPANIONS if name in self.model_fields_set]
        if len(kinds) != 1:
            raise PydanticCustomError("kinds", "Input should have one of image, text, product_id")
        if self.crop is not None and self.image is None:
            raise PydanticCustomError("crop", "Input should have an image to crop")
        return self


class Search(Body, json_schema_extra=_at_least_one_field):
    """A search: what to look for, and which of the hits to return."""

    example = '{"text": "red jumper", "filter": {"in_stock": true, "price": {"max": 40}}, "k": 3}'
    image: Images = Field(default_factory=list)
    text: Words | None = Field(None, examples=["in green, not striped, cheaper"])
    product_id: ProductId | None = None
    terms: Annotated[list[SearchTerm], Field(max_length=MAX_TERMS, json_schema_extra={"minItems": 1})] = Field(
        default_factory=list, examples=[[{"product_id": "a"}, {"text": "floral", "weight": -0.5}]]
    )
    weights: Weights = Field(default_factory=Weights, examples=[{"image": 1, "text": 0.5}])
    crop: Crop | None = Field(None, examples=[[0.1, 0.1, 0.9, 0.9]])
    regions: Flag = Field(
        False, description="Find the objects of a picture that shows several, each with its own hits."
    )
    refine: Text | None = Field(None, description="The `refine` token of an answer to continue from.")
    more_like: FeedbackIds | None = None
    less_like: FeedbackIds | None = None
    k: Count = 10
    offset: Annotated[int, Field(ge=0, le=MAX_RANK - 1), Whole] = 0
    sort: Annotated[str, ChoiceOf(SORTS)] | None = None
    filter: FilterField | None = Field(None, examples=[{"brand": ["Puma"], "price": {"max": 50}}])
    facets: Flag = False
    collapse: Flag = True
    group_variants: Flag = Field(
        False, description="One hit for the variants of an item group: the best of them. Counts are of groups."
    )
    timeout_ms: Timeout | None = None
