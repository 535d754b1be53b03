"""Read the fields and pictures of one product, as JSON or as a form, into an edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from flask import Request
from pydantic import Field, WithJsonSchema
from werkzeug.datastructures import FileStorage

from catalog.errors import BadInput, BadQuery
from catalog.feeds.field_mapping import checked_id
from search.connect.addressed_pictures import is_address
from search.connect.product_batch import PICTURE_HINT, BatchRow
from search.live.picture_store import MAX_PICTURES
from search.live.product_edit import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_TEXT, edit_of
from web.requests.validation import Body, Flag, PictureSource, read_fields, read_json, shown, source_bytes, validate

TITLE_SCHEMA = {"minLength": 1, "maxLength": 1_000, "pattern": r"\S"}
AMOUNT_SCHEMA = {"type": ["string", "number"], "description": "12.90, or 12.90 EUR; null removes the price."}
LIST_PRICE_SCHEMA = AMOUNT_SCHEMA | {
    "description": "What it cost before a discount; null ends the sale. Ignored unless it is above the price."
}
STOCK_SCHEMA = {
    "type": ["boolean", "number", "string"],
    "description": "true, a count, or a word as feeds have it: out_of_stock, backorder, 5 pcs.",
}
LINK_HINT = 'The http or https address of its page in your own shop; "" removes it.'
GROUP_HINT = "The id that the variants of one product share."
ATTRIBUTES_SCHEMA = {
    "type": "object",
    "maxProperties": MAX_ATTRIBUTES,
    "additionalProperties": {"anyOf": [{"type": "string", "maxLength": MAX_ATTRIBUTE}, {"type": "number"}]},
}

NULLS = ("price", "list_price")  # fields that null empties; elsewhere null leaves a field out
MAX_BATCH = 500  # products
BATCH_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_BATCH,
    "items": {"description": "An object with an id and the fields of ProductFields; a bad one fails by itself."},
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
    list_price: Annotated[Any, WithJsonSchema(LIST_PRICE_SCHEMA)] = None
    currency: str | None = None
    in_stock: Annotated[Any, WithJsonSchema(STOCK_SCHEMA)] = None
    brand: Annotated[str, _at_most("brand")] | None = None
    attributes: Annotated[Any, WithJsonSchema(ATTRIBUTES_SCHEMA)] = None
    description: Annotated[str, _at_most("description")] | None = None
    link: Annotated[str, _at_most("link"), Field(description=LINK_HINT)] | None = None
    item_group_id: Annotated[str, _at_most("item_group_id"), Field(description=GROUP_HINT)] | None = None
    pictures: Annotated[list[PictureSource], Field(min_length=1, max_length=MAX_PICTURES)] | None = None


class ProductBatch(Body):
    """Products to put at once; each may have the fields of a single one, and needs its id."""

    # Each row is checked by itself, so that a bad one spoils no other.

    example = '{"products": [{"id": "red", "price": "9.90 EUR", "in_stock": true}]}'
    products: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH), WithJsonSchema(BATCH_SCHEMA)]
    refetch: Annotated[Flag, Field(description="Request pictures again that were fetched before.")] = False


def read_batch(request: Request) -> tuple[list[BatchRow], bool]:
    """Return the rows of a batch, and whether to fetch known pictures again. Raises BadQuery, MalformedRequest."""
    batch = read_json(ProductBatch, request)
    return [_batch_row(values) for values in batch.products], batch.refetch


def _batch_row(values: object) -> BatchRow:
    """Return one row of a batch, with an error and the field's name when it cannot be read."""
    if not isinstance(values, dict):
        error = BadQuery(f"The row is {shown(values)}, which is not an object.", f"For example {ProductFields.example}")
        return BatchRow("", error=error)
    fields = {name: value for name, value in values.items() if value is not None or name in NULLS}
    given = fields.pop("id", "")
    product_id = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    sources = fields.pop("pictures", None)
    place = "id"
    try:
        checked_id(product_id)
        place = "pictures"
        read = None if sources is None else _sources(sources)
        place = ""
        return BatchRow(product_id, edit_of(product_id, fields), read)
    except BadInput as error:
        return BatchRow(product_id, error=error, bad_field=place or _bad_field(product_id, fields))


def _bad_field(product_id: str, fields: Mapping[str, object]) -> str:
    """Return the first field that cannot be set by itself; a price is set with its currency."""
    for name in fields:
        together = ("price", "currency") if name == "price" else (name,)
        try:
            edit_of(product_id, {other: fields[other] for other in together if other in fields})
        except BadInput:
            return name
    return ""


def _sources(values: object) -> list[bytes | str]:
    """Return pictures as bytes or as web addresses. Raises BadQuery, BadPicture."""
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_PICTURES:
        hint = f"Send 1 to {MAX_PICTURES} web addresses or files in base64."
        raise BadQuery(f"pictures is {shown(values)}, which is not a list of pictures.", hint)
    sources: list[bytes | str] = []
    for position, value in enumerate(values):
        if not isinstance(value, str):
            raise BadQuery(f"pictures[{position}] is {shown(value)}, which is not a text.", PICTURE_HINT)
        sources.append(_source(value))
    return sources


def read_product_row(product_id: str, request: Request) -> BatchRow:
    """Return the product that a request asks for. Raises BadQuery, BadRow, MalformedRequest, BadPicture."""
    if request.args:
        raise BadQuery("Fields came in the address.", "Put them into the body.")
    values = read_fields(request, ProductFields, files="pictures", as_json=("attributes",), nulls=NULLS)
    product = validate(ProductFields, values)
    fields = product.model_dump(exclude_unset=True, exclude={"pictures"})
    if fields.get("id") == product_id:
        del fields["id"]
    pictures = None if product.pictures is None else [_source(picture) for picture in product.pictures]
    return BatchRow(product_id, edit_of(product_id, fields), pictures)


def _source(picture: str | FileStorage) -> bytes | str:
    """Return a picture as bytes, or as a web address. Raises BadPicture."""
    return picture if isinstance(picture, str) and is_address(picture) else source_bytes(picture)
