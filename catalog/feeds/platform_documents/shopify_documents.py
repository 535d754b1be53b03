"""Read Shopify's products: of webhooks, and of the export file of a bulk operation."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

from catalog.errors import BadFeed, BadRow
from catalog.feeds.platform_documents.document import (
    ProductDocument,
    VariantDocument,
    above,
    items_of,
    moment,
    text_of,
)
from catalog.storage.sqlite import open_database, transaction

_GID = re.compile(r"gid://shopify/(\w+)/([0-9]{1,20})")
_SINGLE = ("Title", "Default Title")  # the option and value of a product without variants
_NEXT_LINES = "SELECT root, body FROM lines ORDER BY root, number"


def product_of_webhook(payload: Mapping[str, Any], shop_url: str) -> ProductDocument:
    """Return the product that a webhook sends; `shop_url` is the beginning of its address. Raises BadRow."""
    product_id = id_of(payload.get("id"))
    images = items_of(payload.get("images"))
    sources = {text_of(image.get("id")): text_of(image.get("src")) for image in images}
    names = [text_of(option.get("name")) for option in items_of(payload.get("options"))]
    link = _link(shop_url, text_of(payload.get("handle")))
    variants = []
    for variant in items_of(payload.get("variants")):
        values = [text_of(variant.get(f"option{number}")) for number in (1, 2, 3)]
        options = list(zip(names, values, strict=False))
        picture = sources.get(text_of(variant.get("image_id")), "")
        tracked = None
        if "inventory_management" in variant:
            tracked = variant["inventory_management"] is not None
        variants.append(_variant(_renamed(variant), options, (picture,), tracked, link))
    gids = [text_of(gid.get("admin_graphql_api_id")) for gid in items_of(payload.get("variant_gids"))]
    listed = tuple(id_of(gid) for gid in gids) if len(gids) > len(variants) else None
    hidden = _hidden(text_of(payload.get("status")), payload.get("published_at"))
    return ProductDocument(
        id=product_id,
        updated=moment(payload.get("updated_at")),
        title=text_of(payload.get("title")),
        description=text_of(payload.get("body_html")),
        brand=text_of(payload.get("vendor")),
        category=text_of(payload.get("product_type")),
        hidden=hidden,
        link=link,
        attributes=_tags(payload.get("tags")),
        pictures=tuple(source for source in sources.values() if source),
        variants=tuple(variants),
        listed=listed,
    )


def quantity_of_webhook(payload: Mapping[str, Any]) -> tuple[str, str, int | None, float]:
    """Return product, variant, quantity and moment of variants/in_stock and variants/out_of_stock. Raises BadRow."""
    product, variant = id_of(payload.get("product_id")), id_of(payload.get("id"))
    return product, variant, _quantity(payload.get("inventory_quantity")), moment(payload.get("updated_at"))


def read_bulk_export(path: Path, shop_url: str) -> Iterator[ProductDocument]:
    """Yield the products of a bulk operation's JSON Lines, whose children name their parent in `__parentId`.

    Raises BadFeed for a file that is none, or that was cut short; then no product of it may be used.
    """
    with tempfile.TemporaryDirectory() as folder:
        schema = (
            "CREATE TABLE lines (root TEXT, number INTEGER, body TEXT, PRIMARY KEY (root, number)) WITHOUT ROWID",
        )
        with closing(open_database(Path(folder) / "lines.sqlite", ("PRAGMA synchronous = OFF",), schema)) as lines:
            with transaction(lines):
                lines.executemany("INSERT INTO lines VALUES (?, ?, ?)", _numbered_lines(path))
            for root, rows in groupby(lines.execute(_NEXT_LINES), key=lambda row: str(row[0])):
                bodies = [json.loads(body) for _, body in rows]
                products = [body for body in bodies if body.get("id") == root]
                if products and _kind(root) == "Product":
                    try:
                        yield _product_of_export(
                            products[0], [body for body in bodies if body is not products[0]], shop_url
                        )
                    except BadRow as error:
                        raise BadFeed(f"{path.name}: the product {root} cannot be read: {error.message}.") from None


def id_of(value: object) -> str:
    """Return the number of a product or variant as text, of a number or of "gid://shopify/Product/1". Raises BadRow."""
    text = text_of(value)
    found = _GID.fullmatch(text)
    number = found[2] if found else text
    if not (number.isascii() and number.isdigit() and len(number) <= 20):
        raise BadRow(f"{text[:60]!r} is no id of Shopify")
    return number


def _numbered_lines(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the root, the number and the text of each line. Raises BadFeed."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                body = json.loads(line)
                root = body.get("__parentId") or body.get("id") if isinstance(body, dict) else None
                if not isinstance(root, str) or not _GID.fullmatch(root):
                    raise ValueError("no id like gid://shopify/Product/1")
                yield root, number, line
    except (ValueError, OSError) as error:
        hint = "Download the file of the bulk operation again; docs/connect/shopify.md has the query."
        raise BadFeed(f"{path.name} is no whole export of a bulk operation: {error}.", hint) from error


def _product_of_export(product: Mapping[str, Any], children: list[dict[str, Any]], shop_url: str) -> ProductDocument:
    link = _link(shop_url, text_of(product.get("handle")))
    variants, pictures = [], []
    for child in children:
        if _kind(text_of(child.get("id"))) == "ProductVariant":
            selected = items_of(child.get("selectedOptions"))
            options = [(text_of(option.get("name")), text_of(option.get("value"))) for option in selected]
            item = child.get("inventoryItem")
            tracked = item.get("tracked") if isinstance(item, dict) else None
            variants.append(_variant(child, options, (_url(child.get("image")),), tracked, link))
        else:
            pictures.append(_url(child.get("image")) or _url(child))
    return ProductDocument(
        id=id_of(product.get("id")),
        updated=moment(product.get("updatedAt")),
        title=text_of(product.get("title")),
        description=text_of(product.get("descriptionHtml")),
        brand=text_of(product.get("vendor")),
        category=text_of(product.get("productType")),
        hidden=_hidden(text_of(product.get("status")), product.get("publishedAt")),
        link=link,
        attributes=_tags(product.get("tags")),
        pictures=tuple(filter(None, pictures)),
        variants=tuple(variants),
    )


def _renamed(variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a webhook's variant under the names that the export has."""
    names = {
        "id": "id",
        "price": "price",
        "compare_at_price": "compareAtPrice",
        "inventory_quantity": "inventoryQuantity",
        "inventory_policy": "inventoryPolicy",
        "sku": "sku",
        "barcode": "barcode",
        "updated_at": "updatedAt",
    }
    return {name: variant.get(field) for field, name in names.items()}


def _variant(
    fields: Mapping[str, Any],
    options: list[tuple[str, str]],
    pictures: tuple[str, ...],
    tracked: bool | None,
    link: str,
) -> VariantDocument:
    variant_id, price = id_of(fields.get("id")), text_of(fields.get("price"))
    named = {name: value for name, value in options if name and value and (name, value) != _SINGLE}
    return VariantDocument(
        id=variant_id,
        price=price,
        list_price=above(text_of(fields.get("compareAtPrice")), price),
        quantity=_quantity(fields.get("inventoryQuantity")),
        tracked=tracked,
        sold_on=text_of(fields.get("inventoryPolicy")).lower() == "continue",
        sku=text_of(fields.get("sku")),
        gtin=text_of(fields.get("barcode")),
        options=named,
        pictures=tuple(filter(None, pictures)),
        link=f"{link}?variant={variant_id}" if link and named else "",
        updated=moment(fields["updatedAt"]) if fields.get("updatedAt") else 0.0,
    )


def _link(shop_url: str, handle: str) -> str:
    return f"{shop_url.rstrip('/')}/products/{handle}" if shop_url and handle else ""


def _hidden(status: str, published: object) -> str:
    if status and status.lower() != "active":
        return f"its status is {status[:40].lower()!r}"
    return "" if published else "it is not published in the online store"


def _tags(value: object) -> dict[str, str]:
    tags = ", ".join(filter(None, map(text_of, value))) if isinstance(value, list) else text_of(value)
    return {"tags": tags} if tags else {}


def _quantity(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _kind(gid: str) -> str:
    found = _GID.fullmatch(gid)
    return found[1] if found else ""


def _url(value: object) -> str:
    return text_of(value.get("url") or value.get("src")) if isinstance(value, dict) else ""
