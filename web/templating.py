"""Static files with their digest in the address, and the few helpers that templates use."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app

from catalog.errors import WindowshopError
from catalog.product import Picture, Product
from web.addresses import address_of, picture_url, product_url, try_photo_url
from web.engine import get_engine

A_YEAR_IN_SECONDS = 31_536_000
# Shop pictures may be as small as 60x80: enlarged more than this they would only be blurred.
LARGEST_ENLARGEMENT = 2.5
LARGEST_ALONE = 4.0
ALONE = 400
NEARLY_SQUARE = 0.95
CHINESE = "_zh"


def init_app(app: Flask) -> None:
    """Give templates their helpers, and let browsers keep static files: a changed file has a new address."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = A_YEAR_IN_SECONDS
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset,
        address_of=address_of,
        picture_url=picture_url,
        product_url=product_url,
        try_photo_url=try_photo_url,
        shown_size=shown_size,
        fills=fills,
        takes_words=takes_words,
    )
    app.jinja_env.filters.update(price=price, listed_attributes=listed_attributes)


def asset(name: str) -> str:
    """Address of a static file."""
    return f"/static/{name}?v={_digest(Path(str(current_app.static_folder)) / name)}"


def takes_words() -> bool:
    """Whether this shop can be searched by words; its encoder may know pictures only."""
    try:
        return get_engine().status().texts
    except WindowshopError:
        return True


def shown_size(picture: Picture, box: int) -> tuple[int, int]:
    """Width and height, in CSS pixels, at which a picture fills a square box without becoming a blur."""
    longest = max(picture.width, picture.height)
    if longest <= 0:
        return box, box
    scale = min(LARGEST_ALONE if box >= ALONE else LARGEST_ENLARGEMENT, box / longest)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def fills(picture: Picture | None, box: int) -> bool:
    """Whether a picture may fill its square tile to the edge: itself nearly square, and large enough not to blur."""
    if picture is None:
        return False
    short, long = sorted((picture.width, picture.height))
    return short >= box and short >= NEARLY_SQUARE * long


def listed_attributes(product: Product) -> dict[str, str]:
    """The attributes that an English page lists: not the words of other fields in Chinese ("title_zh")."""
    return {name: value for name, value in product.attributes.items() if not name.endswith(CHINESE)}


def price(product: Product) -> str:
    """The price as people read it: "12.90 EUR"; empty when the shop gave none."""
    if product.price is None:
        return ""
    return f"{product.price:,f} {product.currency}".strip()


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
