"""Structured data of pages, as schema.org describes it, in JSON-LD: products, their reviews, breadcrumbs, the shop.

A property is left out where the shop does not hold it, and an offer where there is no price with a currency. What
search engines require of merchant listings is a JSON Schema in `tests/web/seo/merchant_listing.json`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.product import CATEGORY_SEPARATOR, Product, reduced_from
from catalog.reviews.review import MAX_RATING, Review, ReviewSummary
from catalog.web_links import is_link
from web.i18n.dates import day_of
from web.i18n.language import description_of, path_of, title_of
from web.requests.page_request import category_url
from web.urls import THUMBNAIL_SIZES, absolute_url, picture_url, product_url

CONTEXT = "https://schema.org"
MAX_DESCRIPTION = 5_000  # characters
MAX_IMAGES = 10
MAX_REVIEWS = 5
MAX_REVIEW = 1_000  # characters of a review's text
MAX_VARIANTS = 24  # others of an item group that a page names
IMAGE_SIZE = THUMBNAIL_SIZES[-1]  # pixels a side; search engines prefer large pictures
GTIN_LENGTHS = (8, 12, 13, 14)
_GTIN_NAMES = ("gtin", "gtin13", "gtin14", "gtin12", "gtin8", "ean", "upc", "barcode", "isbn")
_PROPERTIES = {"colour": "color", "color": "color", "material": "material", "pattern": "pattern", "size": "size"}
_CONDITIONS = {"new": "NewCondition", "refurbished": "RefurbishedCondition", "used": "UsedCondition"}
_CURRENCY = re.compile(r"[A-Z]{3}")


def graph(*items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the items as one JSON-LD document."""
    return {"@context": CONTEXT, "@graph": list(items)}


def product_data(product: Product, variants: Sequence[Product] = ()) -> dict[str, Any]:
    """Return a product, its offer, and its item group with the addresses of the other `variants`."""
    attributes = {name.lower(): value for name, value in product.attributes.items()}
    address = absolute_url(product_url(product.id))
    data: dict[str, Any] = {
        "@type": "Product",
        "@id": f"{address}#product",
        "name": title_of(product),
        "url": address,
        "sku": product.id,
        "image": [absolute_url(picture_url(sha256, IMAGE_SIZE)) for sha256 in picture_hashes(product)[:MAX_IMAGES]],
        "description": description_of(product)[:MAX_DESCRIPTION],
        "category": CATEGORY_SEPARATOR.join(path_of(product)),
        "brand": {"@type": "Brand", "name": product.brand} if product.brand else None,
        "gtin": next((code for name in _GTIN_NAMES if (code := _gtin(attributes.get(name, "")))), ""),
        "mpn": attributes.get("mpn", ""),
        "inProductGroupWithID": product.item_group_id,
        "isVariantOf": _item_group(product, variants),
    }
    for name, label in _PROPERTIES.items():
        data[label] = data.get(label) or attributes.get(name, "")
    data["offers"] = _offer(product, address, attributes.get("condition", ""))
    return _without_empty(data)


def rating_data(summary: ReviewSummary, reviews: Sequence[Review]) -> dict[str, Any]:
    """Return the mean rating of a product and some of its approved reviews; nothing without any.

    Search engines require an author, so a review without a name is counted, but is not among the examples.
    """
    if not summary.count:
        return {}
    named = [review for review in reviews if review.author][:MAX_REVIEWS]
    rating = {"@type": "AggregateRating", "ratingValue": round(summary.mean, 2), "reviewCount": summary.count}
    return {
        "aggregateRating": rating | {"bestRating": MAX_RATING, "worstRating": 1},
        **({"review": [_review(review) for review in named]} if named else {}),
    }


def breadcrumb_data(product: Product, home: str) -> dict[str, Any]:
    """Return the way to a product from the front page, named `home`, through its categories."""
    levels = product.category_path
    names = path_of(product) if len(path_of(product)) == len(levels) else levels
    addresses = [category_url(CATEGORY_SEPARATOR.join(levels[: depth + 1])) for depth in range(len(levels))]
    steps = [(home, "/"), *zip(names, addresses, strict=True), (title_of(product), product_url(product.id))]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": absolute_url(path)}
            for position, (name, path) in enumerate(steps, 1)
        ],
    }


def website_data(name: str) -> dict[str, Any]:
    """Return the shop's site and how it is searched."""
    template = absolute_url("/?q={search_term_string}")
    return {
        "@type": "WebSite",
        "name": name,
        "url": absolute_url("/"),
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": template},
            "query-input": "required name=search_term_string",
        },
    }


def picture_hashes(product: Product) -> Sequence[str]:
    """Return the content hashes of a product's pictures that can be shown, each once."""
    return tuple(dict.fromkeys(picture.sha256 for picture in product.pictures if picture.sha256))


def _offer(product: Product, address: str, condition: str) -> dict[str, Any] | None:
    """Return the offer, at the merchant's own page where there is one; None without a price in a currency."""
    if product.price is None or not _CURRENCY.fullmatch(product.currency):
        return None
    return _without_empty(
        {
            "@type": "Offer",
            "url": product.link if is_link(product.link) else address,
            "price": f"{product.price:f}",
            "priceCurrency": product.currency,
            "availability": f"{CONTEXT}/{'InStock' if product.in_stock else 'OutOfStock'}",
            "priceSpecification": _price_before(product),
            "itemCondition": f"{CONTEXT}/{kind}" if (kind := _CONDITIONS.get(condition.strip().lower())) else "",
        }
    )


def _review(review: Review) -> dict[str, Any]:
    stars = {"@type": "Rating", "ratingValue": review.rating, "bestRating": MAX_RATING, "worstRating": 1}
    return _without_empty(
        {
            "@type": "Review",
            "author": {"@type": "Person", "name": review.author},
            "datePublished": day_of(review.at).isoformat() if review.at else "",
            "name": review.title,
            "reviewBody": review.text[:MAX_REVIEW],
            "reviewRating": stars,
            "inLanguage": review.language,
        }
    )


def _item_group(product: Product, variants: Sequence[Product]) -> dict[str, Any] | None:
    """Return the item group of a product, with the properties in which its variants differ; None without others."""
    others = [variant for variant in variants if variant.id != product.id][:MAX_VARIANTS]
    if not others:
        return None
    values: dict[str, set[str]] = {}
    for variant in variants:
        for name, value in variant.attributes.items():
            if label := _PROPERTIES.get(name.lower()):
                values.setdefault(label, set()).add(value)
    return _without_empty(
        {
            "@type": "ProductGroup",
            "name": title_of(product),
            "productGroupID": product.item_group_id,
            "variesBy": [f"{CONTEXT}/{label}" for label, different in values.items() if len(different) > 1],
            "hasVariant": [{"@type": "Product", "url": absolute_url(product_url(other.id))} for other in others],
        }
    )


def _price_before(product: Product) -> dict[str, Any] | None:
    """Return the price before a discount; None without one."""
    before = reduced_from(product.price, product.list_price)
    if before is None:
        return None
    return {
        "@type": "UnitPriceSpecification",
        "priceType": f"{CONTEXT}/StrikethroughPrice",
        "price": f"{before:f}",
        "priceCurrency": product.currency,
    }


def _gtin(text: str) -> str:
    """Return a global trade item number; "" for a text that is none, by its length and its check digit."""
    code = re.sub(r"[ -]", "", text)
    if len(code) not in GTIN_LENGTHS or not (code.isascii() and code.isdigit()):
        return ""
    weighted = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(code[:-1])))
    return code if (weighted + int(code[-1])) % 10 == 0 else ""


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, "", [])}
