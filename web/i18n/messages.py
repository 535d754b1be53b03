"""The messages of the pages, from the JSON files in this folder: one for the shop, one for each other page, and one for
each part that is on several pages: the search by voice, the assistant's panel and
replies, and the reviews of products.

A file such as `shop.json` has sections of messages in English and Chinese: section -> key -> language -> text. Another
language has a file of its own, such as `shop.de.json`: section -> key -> text. "{name}" in a text is a placeholder. A
text that depends on a number has a form for each plural of its language, which {count} selects. The words of a feed
are not here. Plain JSON suffices for five languages; gettext would add a build step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from catalog.errors import WindowshopError
from web.i18n.languages import CHINESE, OTHER, STAFF_LANGUAGES, number_text, percent_text, plural_form

SHOP, MERCHANT, OPERATOR, EMBED, REFERENCE, VOICE = "shop", "merchant", "operator", "embed", "reference", "voice"
ASSISTANT, ASSISTANT_PANEL = "assistant", "assistant_panel"
REVIEWS, REVIEW_DESK = "reviews", "review_desk"  # what shoppers see of reviews, and the page that moderates them
MERCHANT_PRICES = "merchant_prices"
QUESTIONS, QUESTION_DESK = "questions", "merchant_questions"
PRICE_ALERTS = "price_alerts"
PRICES = "prices"
CONVERSATIONS = "conversations"  # the page of the staff
_SHOWN_BY_SCRIPTS = (
    "brands clear_recent copied crop_box did_you_mean found kinds no_camera object popular_searches products "
    "recent_searches suggested suggestions too_large unanswered unreachable your_photo "
    "close picture_after picture_before picture_frame picture_of zoom_in zoom_out "
    "clear compare compare_count compare_full save_favourite "
    "not_for_me not_for_me_done"
)
SCRIPT_KEYS = frozenset(_SHOWN_BY_SCRIPTS.split())
MERCHANT_STATUSES = ("400", "404", "413", "415", "503", "504")


class UnknownMessage(WindowshopError):
    """The message files have no such key."""


@cache
def _file(name: str) -> Mapping[str, Mapping[str, Any]]:
    sections: Mapping[str, Mapping[str, Any]]
    sections = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    return sections


@cache
def _section(page: str, section: str, language: str) -> Mapping[str, Any]:
    """Return the texts of a section in one language, by key."""
    if language not in STAFF_LANGUAGES:
        return _file(f"{page}.{language}").get(section, {})
    texts = _file(page).get(section, {})
    return {key: known[language] for key, known in texts.items() if language in known}


def message(key: str, language: str, **values: object) -> str:
    """Return a message of the shop's pages, with `values` in its placeholders, numbers as the language writes them.

    Raises UnknownMessage.
    """
    return page_message(SHOP, key, language, **values)


def page_message(page_name: str, key: str, language: str, **values: object) -> str:
    """Return a message of one page, as `message` does. Raises UnknownMessage."""
    text = _section(page_name, "messages", language).get(key)
    if text is None:
        file = page_name if language in STAFF_LANGUAGES else f"{page_name}.{language}"
        pages = "The shop's pages have" if page_name == SHOP else f"The page {page_name!r} has"
        raise UnknownMessage(f"{pages} no message {key!r}.", f"Add it to web/i18n/{file}.json.")
    if isinstance(text, Mapping):
        count = values["count"]
        text = text.get(plural_form(count, language) if isinstance(count, int) else OTHER) or text[OTHER]
    shown = {name: number_text(value, language) if type(value) is int else value for name, value in values.items()}
    filled: str = text.format(**shown)
    return filled


def page_messages(page: str, language: str) -> dict[str, str]:
    """Return all messages of a page in one language."""
    return dict(_section(page, "messages", language))


def script_messages(language: str) -> dict[str, str]:
    """Return the messages that the scripts of the shop's pages show, as templates."""
    return {key: text for key, text in page_messages(SHOP, language).items() if key in SCRIPT_KEYS}


def merchant_messages(language: str, page: str = MERCHANT) -> dict[str, str]:
    """Return a merchant page's messages; in Chinese also one per HTTP status, as the API's errors are English."""
    messages = page_messages(page, language)
    if language == CHINESE:
        of_shop = {status: error_message(status, CHINESE) or {} for status in MERCHANT_STATUSES}
        errors = of_shop | dict(_section(MERCHANT, "errors", CHINESE))
        messages |= {f"error_{status}": error["message"] + error["hint"] for status, error in errors.items()}
    return messages


def error_message(status: int | str, language: str) -> Mapping[str, str] | None:
    """Return `message` and `hint` for an HTTP status; None in English, which the errors themselves are in."""
    errors: Mapping[str, Mapping[str, str]] = _section(SHOP, "errors", language)
    return errors.get(str(status), errors.get("other"))


def page_error(code: str, language: str) -> Mapping[str, str] | None:
    """Return what a page says in place of an error's own `message` and `hint`; None where those are good."""
    errors: Mapping[str, Mapping[str, str]] = _section(SHOP, "page_errors", language)
    return errors.get(code)


def field_name(field: str, language: str) -> str:
    """Return the label of a product field: "Made of" for "attributes.made_of"."""
    name = field.removeprefix("attributes.").lower()
    label: str | None = _section(SHOP, "fields", language).get("colour" if name == "color" else name)
    return label or name.replace("_", " ").capitalize()


def reason_label(reason: str, language: str) -> str:
    """Return the label of one of the engine's reasons for a hit: "Has the same colours (21%)"."""
    text, bracket, share = reason.partition(" (")
    label: str = _section(SHOP, "reasons", language).get(text, text)
    label = label[:1].upper() + label[1:] if language != CHINESE else label
    percent = share.removesuffix("%)")
    if not bracket or not percent.isdecimal():
        return label + bracket + share
    shown = percent_text(int(percent), language)
    return f"{label}（{shown}）" if language == CHINESE else f"{label} ({shown})"
