"""Static files with their digest in the address, and the few helpers that templates use."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from flask import Flask, current_app, request

from catalog.errors import WindowshopError
from catalog.product import Picture, Product
from web.engine import get_engine
from web.i18n import language
from web.i18n.messages import LANGUAGES, error_message, script_messages
from web.urls import address_of, address_with, picture_url, product_url, try_photo_url

A_YEAR_IN_SECONDS = 31_536_000
# Shop pictures may be as small as 60x80: enlarged more than this they would only be blurred.
LARGEST_ENLARGEMENT = 2.5
LARGEST_ALONE = 4.0
ALONE = 400
NEARLY_SQUARE = 0.95


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
        address_with=address_with,
        LANGUAGES=LANGUAGES,
        language=language.language,
        t=language.t,
        field_label=language.field_label,
        value_label=language.value_label,
        reason_label=language.reason_label,
        script_messages=lambda: script_messages(language.language()),
        error_message=error_message,
        with_language=with_language,
    )
    app.jinja_env.filters.update(
        price=price,
        title=language.title_of,
        path=language.path_of,
        description=language.description_of,
        facts=language.facts_of,
    )
    language.init_app(app)


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


def with_language(code: str, link: str = "") -> str:
    """The address of this page, or of `link`, in another language; without a path it is this page's."""
    path, _, query = link.partition("?") if link else ("", "", request.query_string.decode("ascii", "replace"))
    if request.method != "GET" and not link:
        path, query = "/", ""
    fields = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "lang"]
    return f"{path}?{urlencode([*fields, ('lang', code)])}"


def price(product: Product) -> str:
    """The price as people read it: "12.90 EUR"; empty when the shop gave none."""
    if product.price is None:
        return ""
    return f"{product.price:,f} {product.currency}".strip()


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
