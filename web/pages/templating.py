"""The helpers of the templates, and static files whose URLs carry their digest."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from flask import Flask, current_app, g, request

from catalog.errors import WindowshopError
from catalog.product import Picture, Product, reduced_from
from catalog.translated_attributes import translates
from catalog.web_links import is_link
from web.embed.bundle import panel_url
from web.engine import get_engine
from web.facets.category_menu import category_menu
from web.facets.variants import choices_of_hit
from web.i18n import language
from web.i18n.languages import language_tag, number_text, percent_text
from web.i18n.messages import ASSISTANT_PANEL, VOICE, error_message, page_error, page_messages, script_messages
from web.i18n.money import money
from web.urls import THUMBNAIL_SIZES, card_id, picture_url, product_url, search_url, try_photo_url
from web.voice import voice_mode

STATIC_FILES_MAX_AGE_S = 31_536_000
# Shop pictures may be as small as 60x80 pixels; enlarged more than this they look blurred.
MAX_SCALE = 2.5
MAX_SCALE_OF_LARGE_BOX = 4.0
LARGE_BOX = 400  # CSS pixels
DENSE_SCREEN = 2  # pixels to a CSS pixel
NEARLY_SQUARE = 0.95  # short side to long side


def init_app(app: Flask) -> None:
    """Register the helpers, and let browsers cache static files for a year: a changed file gets a new URL."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_FILES_MAX_AGE_S
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset,
        panel_url=panel_url,
        picture_url=picture_url,
        product_url=product_url,
        try_photo_url=try_photo_url,
        display_size=display_size,
        fills_tile=fills_tile,
        next_picture=next_picture,
        picture_sizes=picture_sizes,
        card_id=card_id,
        choices_of_hit=choices_of_hit,
        accepts_text=accepts_text,
        search_url=search_url,
        category_menu=category_menu,
        languages=language.languages,
        language=language.language,
        language_tag=language_tag,
        is_translation=translates,
        t=language.t,
        q=language.question_text,
        field_label=language.field_label,
        value_label=language.value_label,
        reason_label=language.reason_label,
        script_messages=lambda: script_messages(language.language()),
        offered_voice=offered_voice,
        panel_messages=lambda: page_messages(ASSISTANT_PANEL, language.language()),
        voice_messages=lambda: page_messages(VOICE, language.language()),
        error_message=error_message,
        page_error=page_error,
        percent=lambda share: percent_text(share, language.language()),
        with_language=with_language,
    )
    app.jinja_env.filters.update(
        number=lambda count: number_text(count, language.language()),
        price=price,
        list_price=list_price,
        shop_address=shop_address,
        title=language.title_of,
        path=language.path_of,
        description=language.description_of,
        facts=language.facts_of,
    )
    language.init_app(app)


def asset(name: str) -> str:
    """Return the URL of a static file."""
    return f"/static/{name}?v={_digest(Path(str(current_app.static_folder)) / name)}"


def accepts_text() -> bool:
    """Return whether the shop can be searched by text; its encoder may read pictures only."""
    try:
        return get_engine().status().texts
    except WindowshopError:
        return True


def offered_voice() -> str:
    """Return who turns speech into words on this page, "server" or "browser", or "off", and let the page record."""
    mode = voice_mode() if accepts_text() else "off"
    g.microphone = mode != "off"
    return mode


def display_size(picture: Picture, box: int) -> tuple[int, int]:
    """Return width and height, in CSS pixels, at which a picture fits a square box without looking blurred."""
    longest = max(picture.width, picture.height)
    if longest <= 0:
        return box, box
    scale = min(MAX_SCALE_OF_LARGE_BOX if box >= LARGE_BOX else MAX_SCALE, box / longest)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def fills_tile(picture: Picture | None, box: int) -> bool:
    """Return whether a picture may fill its square tile to the edge: nearly square, and large enough not to blur."""
    if picture is None:
        return False
    short, long = sorted((picture.width, picture.height))
    return short >= box and short >= NEARLY_SQUARE * long


def picture_sizes(picture: Picture, box: int) -> tuple[int, ...]:
    """Return the thumbnail sizes to offer for a square box of CSS pixels; the last suffices for a dense screen."""
    longest = max(picture.width, picture.height)
    largest = box * DENSE_SCREEN
    useful = [size for size in THUMBNAIL_SIZES[1:] if size < longest and size < largest]
    return (*useful, *THUMBNAIL_SIZES[1 + len(useful) :][:1])


def next_picture(product: Product, picture: Picture | None) -> Picture | None:
    """Return the first other picture of a product; None without `picture`, or where no other was read."""
    others = [
        other for other in product.pictures if other.sha256 and (picture is None or other.sha256 != picture.sha256)
    ]
    return others[0] if picture is not None and others else None


def with_language(code: str, link: str = "") -> str:
    """Return the URL of this page, or of `link`, in another language; without a path it is relative to this page."""
    path, _, query = link.partition("?") if link else ("", "", request.query_string.decode("ascii", "replace"))
    if request.method != "GET" and not link:
        path, query = "/", ""
    fields = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "lang"]
    return f"{path}?{urlencode([*fields, ('lang', code)])}"


def price(product: Product) -> str:
    """Return the price for people: "€12.90"; empty when the shop gave none."""
    return "" if product.price is None else money(product.price, product.currency)


def list_price(product: Product) -> str:
    """Return what the product cost before a discount, for people; empty while it is not on sale."""
    before = reduced_from(product.price, product.list_price)
    return "" if before is None else money(before, product.currency)


def shop_address(product: Product) -> str:
    """Return the address of the product's page in its own shop; empty when pages cannot link to it."""
    return product.link if is_link(product.link) else ""


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
