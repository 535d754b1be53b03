"""The language of a page, and a product's texts in it.

`?lang=` chooses the language, else the cookie that an earlier `?lang=` set, else the browser's languages. The choice is
stored in a cookie, as a link with `?lang=` would pass it on to other people; the cookie holds the language code alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, current_app, g, has_request_context, request

from catalog.product import CATEGORY_SEPARATOR, Product, levels_of
from catalog.technical_attributes import is_technical
from catalog.translated_attributes import translates
from search.listings.attribute_fields import Translations, value_translations
from web.engine import get_engine
from web.i18n import messages
from web.i18n.languages import ENGLISH, LANGUAGES, STAFF_LANGUAGES, with_small_initial

COOKIE = "lang"
COOKIE_AGE_S = 365 * 24 * 3600
EXTENSION = "windowshop.translations"
TRANSLATION_SAMPLE = 1_000  # products from which translations of attribute values are taken


def init_app(app: Flask) -> None:
    """Store the chosen language in a cookie, and tell caches that pages vary by language."""
    app.after_request(_store_choice)


def offer_staff_languages() -> None:
    """Offer the languages of the pages for merchants and operators, before a request of theirs."""
    g.languages = STAFF_LANGUAGES


def languages() -> Mapping[str, str]:
    """Return the names of the languages that the current page is offered in, by code."""
    offered: Mapping[str, str] = g.get("languages", LANGUAGES)
    return offered


def language() -> str:
    """Return the code of the current page's language; English where the page lacks the chosen one."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        requested = (request.args.get("lang"), request.cookies.get(COOKIE))
        chosen = next((code for code in requested if code in LANGUAGES), "") or _language_of_browser()
        g.language = chosen if chosen in languages() else ENGLISH
    code: str = g.language
    return code


def t(key: str, **values: object) -> str:
    """Return the message of a key in the page's language."""
    return messages.message(key, language(), **values)


def question_text(key: str, **values: object) -> str:
    """Return a message about questions of products, in the page's language."""
    return messages.page_message(messages.QUESTIONS, key, language(), **values)


def in_sentence(name: str) -> str:
    """Return a name as it stands inside a sentence of the page's language."""
    return with_small_initial(name, language())


def field_label(field: str) -> str:
    """Return the label of a product field in the page's language."""
    return messages.field_name(field, language())


def reason_label(reason: str) -> str:
    """Return one of the engine's reasons for a hit, in the page's language."""
    return messages.reason_label(reason, language())


def title_of(product: Product) -> str:
    """Return the product's title, in the page's language if the feed has it."""
    return _translated(product, "title") or product.title


def description_of(product: Product) -> str:
    """Return the product's description, in the page's language if the feed has it."""
    return _translated(product, "description") or product.description


def path_of(product: Product) -> tuple[str, ...]:
    """Return the product's category from the root down, in the page's language if the feed has it."""
    return levels_of(_translated(product, "category")) or product.category_path


def facts_of(product: Product) -> list[tuple[str, str]]:
    """Return labels and values of the product's attributes, in the page's language if the feed has them.

    Attributes that are for programs are left out, unless the shop shows them.
    """
    return [
        (field_label(name), attribute_text(product, name))
        for name, value in product.attributes.items()
        if not translates(name, product.attributes) and is_shown(name, value)
    ]


def attribute_text(product: Product, name: str) -> str:
    """Return the value of a product's attribute, in the page's language if the feed has it; "" without one."""
    return _translated(product, name) or product.attributes.get(name, "")


def is_shown(attribute: str, value: str = "") -> bool:
    """Tell whether pages show an attribute: shoppers have a use for it, or the setting SHOWN_ATTRIBUTES names it."""
    return not is_technical(attribute, value) or attribute.casefold() in current_app.config["SHOWN_ATTRIBUTES"]


def value_label(field: str, value: str) -> str:
    """Return a field's value in the page's language, if a product of the shop has the translation."""
    if language() == ENGLISH:
        return value
    known = translations().get(f"{field.removeprefix('attributes.')}_{language()}", {})
    if field == "category":
        return CATEGORY_SEPARATOR.join(known.get(part, part) for part in levels_of(value))
    return known.get(value, value)


def translations() -> Translations:
    """Return the translations of values, from TRANSLATION_SAMPLE products; read once per generation."""
    engine = get_engine()
    generation = engine.status().generation
    cached: tuple[int, Translations] | None = current_app.extensions.get(EXTENSION)
    if cached is None or cached[0] != generation:
        cached = current_app.extensions[EXTENSION] = (generation, value_translations(engine.browse(TRANSLATION_SAMPLE)))
    return cached[1]


def _translated(product: Product, field: str) -> str:
    return product.attributes.get(f"{field}_{language()}", "") if language() != ENGLISH else ""


def _language_of_browser() -> str:
    """Return the first language of the browser that the page is offered in, of whatever region; "" for none."""
    codes = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((code for code in codes if code in languages()), "")


def _store_choice(response: Response) -> Response:
    if response.mimetype != "text/html":
        return response
    response.headers["Content-Language"] = language()
    response.vary.update(("Accept-Language", "Cookie"))
    chosen = request.args.get("lang", "")
    if chosen in LANGUAGES:
        response.set_cookie(
            COOKIE, chosen, max_age=COOKIE_AGE_S, samesite="Lax", httponly=True, secure=request.is_secure
        )
    return response
