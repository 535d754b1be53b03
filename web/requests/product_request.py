"""Read the fields and pictures of one product, as JSON or as a form, into an edit."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Request
from pydantic import Field, WithJsonSchema

from catalog.errors import BadQuery
from search.live.picture_store import MAX_PICTURES
from search.live.product_edit import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_TEXT, ProductEdit, edit_of
from web.requests.validation import (
    Body,
    PictureSource,
    limits,
    non_blank,
    read_fields,
    source_bytes,
    validate,
)

MAX_TITLE = 1_000
PICTURE_COUNT = limits(minItems=1, maxItems=MAX_PICTURES)
AMOUNT = {"type": ["string", "number"], "description": "12.90, or 12.90 EUR."}
ATTRIBUTES = {
    "type": "object",
    "maxProperties": MAX_ATTRIBUTES,
    "additionalProperties": {"anyOf": [{"type": "string", "maxLength": MAX_ATTRIBUTE}, {"type": "number"}]},
}


def _at_most(name: str) -> Any:
    return limits(maxLength=MAX_TEXT[name])


class ProductFields(Body):
    """The fields to set; a field that is left out stays as it is. `edit_of` checks all but the pictures."""

    example = '{"price": "9.90 EUR", "in_stock": true}'
    id: Any = Field(None, json_schema_extra={"type": "string"}, description="If sent, the id in the address.")
    title: Annotated[str, non_blank(MAX_TITLE)] | None = None
    category: Annotated[str, _at_most("category"), Field(examples=["Apparel > Topwear"])] | None = None
    price: Annotated[Any, WithJsonSchema(AMOUNT)] = None
    currency: str | None = None
    in_stock: Annotated[Any, WithJsonSchema({"type": "boolean"})] = None
    brand: Annotated[str, _at_most("brand")] | None = None
    attributes: Annotated[Any, WithJsonSchema(ATTRIBUTES)] = None
    description: Annotated[str, _at_most("description")] | None = None
    pictures: Annotated[list[PictureSource], PICTURE_COUNT] | None = None


def read_product_edit(product_id: str, request: Request) -> ProductEdit:
    """Return the edit that a request asks for. Raises BadQuery, BadRow, MalformedRequest, BadPicture."""
    if request.args:
        raise BadQuery("Fields came in the address.", "Put them into the body.")
    product = validate(ProductFields, read_fields(request, ProductFields, files="pictures", as_json=("attributes",)))
    fields = product.model_dump(exclude_unset=True, exclude={"pictures"})
    if fields.get("id") == product_id:
        del fields["id"]
    pictures = product.pictures
    if pictures is not None and len(pictures) > MAX_PICTURES:
        raise BadQuery(f"{len(pictures):,} pictures came; a product may have {MAX_PICTURES}.", "Send fewer.")
    return edit_of(product_id, fields, None if pictures is None else [source_bytes(picture) for picture in pictures])
