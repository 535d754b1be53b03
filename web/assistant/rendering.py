"""A reply as text in the customer's language, and as JSON: codes and facts become sentences here alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from flask import g

from catalog.product import Product
from search.assistant.dialogue.conversation import PRODUCT_CHOICE, LastSearch, Reply, ReplyPart, ReplySource
from web.api.search import items_json
from web.engine import get_engine
from web.i18n.language import field_label, t, title_of
from web.i18n.languages import LANGUAGES, LOCALES
from web.i18n.messages import ASSISTANT, page_message, page_messages
from web.i18n.money import money
from web.urls import api_url, product_url, search_url

PARAGRAPH = "\n\n"
CHOICE = "choice_"  # begins the keys of messages that are choices


def reply_text(reply: Reply) -> str:
    """Return the statements of a reply as text, a paragraph each."""
    g.language = reply.language  # of titles, labels and prices
    return PARAGRAPH.join(_statement(part, reply.language) for part in reply.parts)


def reply_json(reply: Reply, text: str) -> dict[str, Any]:
    """Return a reply as JSON values, without its token; `text` is that of `reply_text`."""
    g.language = reply.language
    code = reply.parts[0].code if reply.parts else ""
    handed_over = reply.handed_over
    return {
        "reply": {"code": code, "text": text, "language": reply.language},
        "intent": {"name": reply.intent, "probability": round(reply.probability, 4)} if reply.intent else None,
        "sources": [_source_json(source) for source in reply.sources],
        "products": items_json(reply.products),
        "search_url": _search_url(reply.search) if reply.search else None,
        "expects": reply.state.expects or None,
        "handed_over": None
        if handed_over is None
        else {"reference": handed_over.reference, "queue": handed_over.queue, "reachable": handed_over.reachable},
        "suggestions": _suggestions(reply),
    }


def choice_of(text: str) -> str:
    """Return the intent whose choice has a text, in whatever language; "" where it is none."""
    wanted = _spaced(text)
    for code in LANGUAGES:
        for key, label in page_messages(ASSISTANT, code).items():
            if key.startswith(CHOICE) and _spaced(label) == wanted:
                return key.removeprefix(CHOICE)
    return ""


def _spaced(text: str) -> str:
    """Return a text in lower case with plain spaces: French labels have others, which nobody types."""
    return " ".join(text.casefold().split())


def _statement(part: ReplyPart, language: str) -> str:
    return page_message(ASSISTANT, part.code, language, **_words(part.facts))


def _words(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as they stand in a sentence: titles, labels, prices, dates and lists in the reply's language."""
    words = dict(facts)
    product = words.get("product")
    if isinstance(product, Product):
        words["title"] = title_of(product)
    if isinstance(words.get("field"), str):
        words["field"] = field_label(words["field"])
    if "price" in words:
        words["price"] = money(Decimal(words["price"]), words.get("currency", ""))
    if isinstance(words.get("values"), list | tuple):
        words["values"] = t("comma").join(words["values"])
    if "date" in words:
        with suppress(ValueError):
            words["date"] = format_date(date.fromisoformat(words["date"]), "long", locale=LOCALES[g.language])
    return words


def _suggestions(reply: Reply) -> list[str]:
    """Return choices as customers read them: intents by their messages, products by their titles."""
    ids = [name.removeprefix(PRODUCT_CHOICE) for name in reply.choices if name.startswith(PRODUCT_CHOICE)]
    products = get_engine().find(ids) if ids else {}
    titles = [title_of(products[product_id]) for product_id in ids if product_id in products]
    others = [name for name in reply.choices if not name.startswith(PRODUCT_CHOICE)]
    return [*titles, *(page_message(ASSISTANT, f"{CHOICE}{name}", reply.language) for name in others)]


def _source_json(source: ReplySource) -> dict[str, Any]:
    url = api_url(product_url(source.product_id)) if source.product_id else source.url
    title = field_label(source.title) if source.kind == "attribute" else source.title
    return {"kind": source.kind, "title": title, "text": source.text, "url": url or None}


def _search_url(search: LastSearch) -> str:
    return api_url(search_url(refine=search.refine) if search.refine else search_url(q=search.words))
