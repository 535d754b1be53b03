"""Read the fields and pictures of one product, as JSON or as a form, into an edit."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Request
from pydantic import Field, WithJsonSchema

from catalog.errors import BadQuery
from search.live.picture_store import MAX_PICTURES
from search.live.product_edit import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_TEXT, ProductEdit, edit_of
from web.requests.validation import Body, PictureSource, read_fields, source_bytes, validate

TITLE_SCHEMA = {"minLength": 1, "maxLength": 1_000, "pattern": r"\S"}
AMOUNT_SCHEMA = {"type": ["string", "number"], "description": "12.90, or 12.90 EUR; null removes the price."}
STOCK_SCHEMA = {
    "type": ["boolean", "number", "string"],
    "description": "true, a count, or a word as feeds have it: out_of_stock, backorder, 5 pcs.",
}
ATTRIBUTES_SCHEMA = {
    "type": "object",
    "maxProperties": MAX_ATTRIBUTES,
    "additionalProperties": {"anyOf": [{"type": "string", "maxLength": MAX_ATTRIBUTE}, {"type": "number"}]},
}


def _at_most(name: str) -> Any:
    """Document the limit of a text, which `edit_of` checks."""
    return Field(json_schema_extra={"maxLength": MAX_TEXT[name]})


class ProductFields(Body):
    """The fields to set; a field that is left out stays as it is."""

    # `edit_of` checks all fields but the pictures.

    example = '{"price": "9.90 EUR", "in_stock": true}'
    id: Any = Field(None, json_schema_extra={"type": "string"}, description="Must equal the id in the URL if sent.")
    title: Annotated[str, Field(json_schema_extra=TITLE_SCHEMA)] | None = None
    category: Annotated[str, _at_most("category"), Field(examples=["Apparel > Topwear"])] | None = None
    price: Annotated[Any, WithJsonSchema(AMOUNT_SCHEMA)] = None
    currency: str | None = None
    in_stock: Annotated[Any, WithJsonSchema(STOCK_SCHEMA)] = None
    brand: Annotated[str, _at_most("brand")] | None = None
    attributes: Annotated[Any, WithJsonSchema(ATTRIBUTES_SCHEMA)] = None
    description: Annotated[str, _at_most("description")] | None = None
    pictures: Annotated[list[PictureSource], Field(min_length=1, max_length=MAX_PICTURES)] | None = None


def read_product_edit(product_id: str, request: Request) -> ProductEdit:
    """Return the edit that a request asks for. Raises BadQuery, BadRow, MalformedRequest, BadPicture."""
    if request.args:
        raise BadQuery("Fields came in the address.", "Put them into the body.")
    values = read_fields(request, ProductFields, files="pictures", as_json=("attributes",), nulls=("price",))
    product = validate(ProductFields, values)
    fields = product.model_dump(exclude_unset=True, exclude={"pictures"})
    if fields.get("id") == product_id:
        del fields["id"]
    pictures = product.pictures
    return edit_of(product_id, fields, None if pictures is None else [source_bytes(picture) for picture in pictures])
