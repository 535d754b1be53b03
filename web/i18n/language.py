"""The language of a page, and a product's words in it.

Chosen by `?lang=`, else by the cookie that an earlier `?lang=` left, else by the browser's languages. A cookie, because
a choice kept in links would go to everybody whom a link is sent to; it holds the language's name and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, g, has_request_context, request

from catalog.product import CATEGORY_SEPARATOR, Product, levels_of
from search.listings.attribute_fields import OTHER_LANGUAGE, Translations, translated
from web.engine import get_engine
from web.i18n import messages
from web.i18n.messages import CHINESE, ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from search.engine import SearchEngine

COOKIE = "lang"
A_YEAR = 365 * 24 * 3600
KEY = "windowshop.translations"
DRAWN = 1_000  # products from which translations of values are taken


def init_app(app: Flask) -> None:
    """Remember the language that somebody chose, and tell caches that pages differ by it."""
    app.after_request(_remember)


def language() -> str:
    """The language of the page that is being made."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        given = (request.args.get("lang"), request.cookies.get(COOKIE))
        chosen = next((each for each in given if each in LANGUAGES), None)
        g.language = chosen or request.accept_languages.best_match(list(LANGUAGES), ENGLISH)
    found: str = g.language
    return found


def t(key: str, **values: object) -> str:
    """The page's own words for a key, in its language."""
    return messages.message(key, language(), **values)


def field_label(field: str) -> str:
    """What a field of products is called."""
    return messages.field_name(field, language())


def reason_label(reason: str) -> str:
    """Return one of the engine's reasons for a hit, in the page's language."""
    return messages.reason_label(reason, language())


def title_of(product: Product) -> str:
    """The product's title, in the page's language where the feed has it."""
    return _own(product, "title") or product.title


def description_of(product: Product) -> str:
    """The product's description, in the page's language where the feed has it."""
    return _own(product, "description") or product.description


def path_of(product: Product) -> tuple[str, ...]:
    """The product's category from the root down, in the page's language where the feed has it."""
    return levels_of(_own(product, "category")) or product.category_path


def facts_of(product: Product) -> list[tuple[str, str]]:
    """The attributes to list, names and values: those in another language than the page's are not listed."""
    listed = [(name, value) for name, value in product.attributes.items() if not name.endswith(OTHER_LANGUAGE)]
    return [(field_label(name), _own(product, name) or value) for name, value in listed]


def value_label(field: str, value: str) -> str:
    """A value of a field in the page's language, where some product of the shop tells what it is called."""
    if language() != CHINESE:
        return value
    if field == "category":
        levels = translations().get(field, {})
        return CATEGORY_SEPARATOR.join(levels.get(part, part) for part in levels_of(value))
    return translations().get(field.removeprefix("attributes."), {}).get(value, value)


def translations() -> Translations:
    """What values are called in Chinese, from up to DRAWN products of the shop; read once a generation."""
    engine = get_engine()
    generation = engine.status().generation
    known: tuple[int, Translations] | None = current_app.extensions.get(KEY)
    if known is None or known[0] != generation:
        known = current_app.extensions[KEY] = (generation, _read(engine))
    return known[1]


def _read(engine: SearchEngine) -> Translations:
    return translated(engine.browse(DRAWN))


def _own(product: Product, field: str) -> str:
    return product.attributes.get(field + OTHER_LANGUAGE, "") if language() == CHINESE else ""


def _remember(answer: Response) -> Response:
    if answer.mimetype != "text/html":
        return answer
    answer.headers["Content-Language"] = language()
    answer.vary.update(("Accept-Language", "Cookie"))
    chosen = request.args.get("lang", "")
    if chosen in LANGUAGES:
        answer.set_cookie(COOKIE, chosen, max_age=A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer
