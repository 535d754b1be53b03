"""Read WooCommerce's products as its REST interface and its webhooks send them.

The plug-in in docs/connect/woocommerce adds the field `windowshop` to them: currency, category paths, all variations,
and the moment of a removal. Without it, a product has the names of its categories, and its variations come one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.errors import BadFeed, BadRow
from catalog.feeds.platform_documents.document import (
    ProductDocument,
    VariantDocument,
    above,
    category_of,
    items_of,
    moment,
    text_of,
)

EXTENSION = "windowshop"


def id_of(value: object) -> str:
    """Return the number of a product as text. Raises BadRow."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRow(f"{str(value)[:60]!r} is no id of WooCommerce")
    return str(value)


def is_variation(payload: Mapping[str, Any]) -> bool:
    """Tell whether a product is a variation of another, which has its own hooks."""
    return payload.get("type") == "variation"


def product_of(payload: Mapping[str, Any], variations: list[dict[str, Any]] | None = None) -> ProductDocument:
    """Return a product; `variations` are its variations where they were read apart. Raises BadRow."""
    product_id = id_of(payload.get("id"))
    added = payload.get(EXTENSION)
    added = added if isinstance(added, dict) else {}
    sent = variations if variations is not None else items_of(added.get("variations"))
    listed = _listed(payload.get("variations"))
    variants = tuple(variation_of(variation) for variation in sent if text_of(variation.get("status")) != "private")
    if not listed:
        variants = (_variant(payload, product_id),)
    paths = added.get("category_paths")
    if isinstance(paths, list):
        named = [[text_of(level) for level in path if text_of(level)] for path in paths if isinstance(path, list)]
    else:
        named = [[text_of(category.get("name"))] for category in items_of(payload.get("categories"))]
    brand, attributes = _attributes(payload)
    brands = [text_of(item.get("name")) for item in items_of(payload.get("brands"))]
    return ProductDocument(
        id=product_id,
        updated=_updated(payload),
        title=text_of(payload.get("name")),
        description=text_of(payload.get("description")) or text_of(payload.get("short_description")),
        brand=brands[0] if brands else brand,
        category=category_of([path for path in named if path and path != ["Uncategorized"]]),
        hidden=_hidden(payload),
        link=text_of(payload.get("permalink")),
        currency=text_of(added.get("currency")),
        attributes=attributes,
        pictures=_pictures(payload),
        variants=variants,
        listed=tuple(listed) if listed and len(sent) < len(listed) else None,
    )


def variation_of(payload: Mapping[str, Any]) -> VariantDocument:
    """Return a variation, of a hook or of a product's list of variations. Raises BadRow."""
    options = {
        _attribute_name(attribute): text_of(attribute.get("option"))
        for attribute in items_of(payload.get("attributes"))
        if text_of(attribute.get("option"))
    }
    return replace(_variant(payload, id_of(payload.get("id"))), options=options, pictures=_pictures(payload))


def deleted_at(payload: Mapping[str, Any], otherwise: float) -> float:
    """Return the moment that the plug-in adds to the message of a removal, which has none itself. Raises BadRow."""
    added = payload.get(EXTENSION)
    return moment(added["deleted_at"]) if isinstance(added, dict) and "deleted_at" in added else otherwise


def read_list(path: Path) -> Iterator[ProductDocument]:
    """Yield the products of a file with WooCommerce's list: a JSON array, or an object a line.

    Variations may stand in the file too, anywhere. Raises BadFeed when the file is not whole.
    """
    variations: dict[str, list[dict[str, Any]]] = {}
    try:
        for payload in _objects(path):
            if is_variation(payload):
                variations.setdefault(id_of(payload.get("parent_id")), []).append(payload)
        for payload in _objects(path):
            if not is_variation(payload):
                yield product_of(payload, variations.get(id_of(payload.get("id"))))
    except BadRow as error:
        raise BadFeed(f"{path.name} has a product that cannot be read: {error.message}.") from None


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            if file.read(1) == "[":
                yield from items_of(json.loads(path.read_text(encoding="utf-8")))
                return
            file.seek(0)
            yield from items_of([json.loads(line) for line in file if line.strip()])
    except (ValueError, OSError, RecursionError) as error:
        hint = "It is what GET /wp-json/wc/v3/products answers: a JSON array, or one object a line."
        raise BadFeed(f"{path.name} is no whole list of WooCommerce's products: {error}.", hint) from error


def _variant(payload: Mapping[str, Any], variant_id: str) -> VariantDocument:
    price = text_of(payload.get("price"))
    return VariantDocument(
        id=variant_id,
        price=price,
        list_price=above(text_of(payload.get("regular_price")), price),
        sold_on=text_of(payload.get("backorders")) in ("yes", "notify"),
        stock=text_of(payload.get("stock_status")),
        sku=text_of(payload.get("sku")),
        gtin=text_of(payload.get("global_unique_id")),
        link=text_of(payload.get("permalink")),
        updated=_updated(payload),
    )


def _updated(payload: Mapping[str, Any]) -> float:
    return moment(payload.get("date_modified_gmt") or payload.get("date_created_gmt"))


def _hidden(payload: Mapping[str, Any]) -> str:
    status, visibility = text_of(payload.get("status")), text_of(payload.get("catalog_visibility"))
    if status and status != "publish":
        return f"its status is {status[:40].lower()!r}"
    if visibility == "hidden":
        return "its catalogue visibility is hidden"
    return "it has a password" if text_of(payload.get("post_password")) else ""


def _listed(value: object) -> list[str]:
    return [id_of(item) for item in value] if isinstance(value, list) else []


def _pictures(payload: Mapping[str, Any]) -> tuple[str, ...]:
    image = payload.get("image")
    images = items_of(payload.get("images")) or items_of([image])
    return tuple(filter(None, (text_of(item.get("src")) for item in images)))


def _attributes(payload: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the brand, where an attribute is one, and the visible attributes that no variation chooses."""
    brand, attributes = "", {}
    for attribute in items_of(payload.get("attributes")):
        options = attribute.get("options")
        values = ", ".join(filter(None, map(text_of, options))) if isinstance(options, list) else ""
        if not values or attribute.get("variation") is True or attribute.get("visible") is False:
            continue
        if _attribute_name(attribute).lower() == "brand":
            brand = values
        else:
            attributes[_attribute_name(attribute)] = values
    tags = ", ".join(filter(None, (text_of(tag.get("name")) for tag in items_of(payload.get("tags")))))
    return brand, attributes | ({"tags": tags} if tags else {})


def _attribute_name(attribute: Mapping[str, Any]) -> str:
    return text_of(attribute.get("name")).removeprefix("pa_")
