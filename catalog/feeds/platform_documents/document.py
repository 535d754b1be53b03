"""A product as a shop platform sends it, in one form for all platforms, and the feed rows that it becomes.

Webhooks and exports are read into the same form, so that a product from one equals that from the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from catalog.errors import BadRow
from catalog.feeds.platforms.column_names import free_name
from catalog.money.amounts import number_text
from catalog.product import CATEGORY_SEPARATOR

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:?\d\d)?")
MAX_PICTURES = 50  # of one product
MAX_VARIANT_PICTURES = 10  # of each variant of a product that has several; its own come first


@dataclass(frozen=True, slots=True)
class VariantDocument:
    """One variant; `updated` is in seconds since 1970, 0 when it is not known, and `tracked` None when it is not sent.

    `list_price` is "" unless it is above the price. `options` are values like {"size": "S"}.
    """

    id: str
    price: str = ""
    list_price: str = ""
    quantity: int | None = None
    tracked: bool | None = None
    sold_on: bool = False  # whether it can be ordered when there is none
    stock: str = ""  # a word of the platform that counts where no quantity does
    sku: str = ""
    gtin: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    link: str = ""
    updated: float = 0.0

    @property
    def in_stock(self) -> bool:
        """Tell whether the variant can be bought now."""
        if self.stock:
            return self.stock != "outofstock" if self.sold_on else self.stock == "instock"
        return self.sold_on or self.tracked is False or self.quantity is None or self.quantity > 0


@dataclass(frozen=True, slots=True)
class ProductDocument:
    """A product with its variants; `hidden` says why the shop does not show it, "" when it does.

    `updated` is in seconds since 1970 by the platform's clock. `listed` has the ids of all variants where the document
    holds only some of them; None where it holds all.
    """

    id: str
    updated: float
    title: str = ""
    description: str = ""
    brand: str = ""
    category: str = ""
    hidden: str = ""
    link: str = ""
    currency: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    variants: tuple[VariantDocument, ...] = ()
    listed: tuple[str, ...] | None = None

    def to_json(self) -> str:
        """Return the document as a text that `read_document` reads."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    def merged(self, earlier: ProductDocument | None) -> ProductDocument:
        """Return this newer document with what only the earlier one knows: newer variants, and those not sent now."""
        if earlier is None:
            return replace(self, listed=None)
        known = {variant.id: variant for variant in earlier.variants}
        sent = {variant.id: variant for variant in self.variants}
        ids = self.listed if self.listed is not None else tuple(sent)
        variants = []
        for variant_id in ids:
            before, now = known.get(variant_id), sent.get(variant_id)
            if now is None or (before is not None and before.updated > now.updated > 0):
                now = before
            if now is not None:
                tracked = before.tracked if now.tracked is None and before is not None else now.tracked
                variants.append(replace(now, tracked=tracked))
        return replace(self, variants=tuple(variants), listed=None, currency=self.currency or earlier.currency)

    def with_variant(self, changed: VariantDocument) -> ProductDocument:
        """Return the document with a variant that was sent alone, unless a newer one is known."""
        before = next((variant for variant in self.variants if variant.id == changed.id), None)
        if before is None:
            return replace(self, variants=(*self.variants, changed))
        if before.updated > changed.updated > 0:
            return self
        tracked = before.tracked if changed.tracked is None else changed.tracked
        changed = replace(changed, tracked=tracked)
        return replace(self, variants=tuple(changed if known.id == changed.id else known for known in self.variants))

    def without(self, variant_id: str) -> ProductDocument:
        """Return the document without a variant."""
        return replace(self, variants=tuple(variant for variant in self.variants if variant.id != variant_id))

    def with_quantity(self, variant_id: str, quantity: int | None, updated: float) -> ProductDocument:
        """Return the document with a variant's quantity, unless a newer state of the variant is known."""
        variants = tuple(
            replace(variant, quantity=quantity, updated=updated)
            if variant.id == variant_id and variant.updated <= updated
            else variant
            for variant in self.variants
        )
        return replace(self, variants=variants)

    def rows(self, currency: str = "") -> Iterator[dict[str, list[str]]]:
        """Yield the cells of one feed row for every variant; one row with the product's own id for a single one.

        `currency` is that of prices where the document names none. Yields nothing for a hidden product.
        """
        if self.hidden:
            return
        single = len(self.variants) <= 1 and not any(variant.options for variant in self.variants)
        for variant in self.variants or (VariantDocument(self.id),):
            yield self._row(variant, single, self.currency or currency)

    def _row(self, variant: VariantDocument, single: bool, currency: str) -> dict[str, list[str]]:
        named = {
            "id": self.id if single else variant.id,
            "title": self.title,
            "description": self.description,
            "brand": self.brand,
            "category": self.category,
            "link": variant.link or self.link,
            "currency": currency if variant.price else "",
            "price": number_text(variant.list_price or variant.price),
            "sale_price": number_text(variant.price) if variant.list_price else "",
            "in_stock": "yes" if variant.in_stock else "no",
            "item_group_id": "" if single else self.id,
            "sku": variant.sku,
            "gtin": variant.gtin,
        }
        for name, value in (*self.attributes.items(), *variant.options.items()):
            named[free_name(name)] = value
        cells = {name: [value] for name, value in named.items() if value}
        own = [picture for picture in self.pictures if picture not in self._pictures_of_others(variant)]
        cells["image"] = list(dict.fromkeys((*variant.pictures, *own)))[
            : MAX_PICTURES if single else MAX_VARIANT_PICTURES
        ]
        return cells

    def _pictures_of_others(self, variant: VariantDocument) -> set[str]:
        """Return the pictures that show only other variants."""
        others = {picture for other in self.variants if other.id != variant.id for picture in other.pictures}
        return others - set(variant.pictures)


def read_document(text: str) -> ProductDocument:
    """Return the document that `to_json` wrote."""
    body = json.loads(text)
    variants = tuple(
        VariantDocument(**{**variant, "pictures": tuple(variant["pictures"])}) for variant in body["variants"]
    )
    listed = None if body["listed"] is None else tuple(body["listed"])
    return ProductDocument(**{**body, "pictures": tuple(body["pictures"]), "variants": variants, "listed": listed})


def moment(text: object) -> float:
    """Return a moment in seconds since 1970, of a text such as 2026-03-01T10:00:00Z or +01:00. Raises BadRow."""
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadRow(f"{str(text)[:40]!r} is no moment like 2026-03-01T10:00:00Z")
    zone = (found[4] or "Z").replace("Z", "+00:00")
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        read = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
    except ValueError:
        raise BadRow(f"{text!r} is no moment like 2026-03-01T10:00:00Z") from None
    return read.astimezone(timezone.utc).timestamp() + float(found[3] or 0)


def text_of(value: object) -> str:
    """Return a text, a number as a text, and "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def items_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; none of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def category_of(paths: list[list[str]]) -> str:
    """Return the deepest of some category paths, the first of equally deep ones."""
    deepest: list[str] = max(paths, key=len, default=[])
    return CATEGORY_SEPARATOR.join(deepest)


def above(list_price: str, price: str) -> str:
    """Return a list price if it is above the price; else ""."""
    try:
        return list_price if list_price and price and float(list_price) > float(price) else ""
    except ValueError:
        return ""
