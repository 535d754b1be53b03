"""The messages of the pages, from the JSON files in this folder: one for the shop, and one for each other page.

Each file has sections of messages: section -> key -> language -> text. "{name}" in a text is a placeholder. The words
of a feed are not here. Plain JSON suffices for two languages; gettext would add a build step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from catalog.errors import WindowshopError

ENGLISH, CHINESE = "en", "zh"
LANGUAGES: Mapping[str, str] = {ENGLISH: "English", CHINESE: "中文"}
SHOP, MERCHANT, OPERATOR, EMBED, REFERENCE = "shop", "merchant", "operator", "embed", "reference"
_SHOWN_BY_SCRIPTS = (
    "brands clear_recent copied crop_box did_you_mean found kinds no_camera object popular_searches products "
    "recent_searches suggested suggestions too_large unanswered unreachable your_photo "
    "close picture_after picture_before picture_frame picture_of zoom_in zoom_out "
    "clear compare compare_count compare_full save_favourite"
)
SCRIPT_KEYS = frozenset(_SHOWN_BY_SCRIPTS.split())
MERCHANT_STATUSES = ("400", "404", "413", "415", "503", "504")


class UnknownMessage(WindowshopError):
    """The message files have no such key."""


@cache
def _sections(page: str) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    sections: Mapping[str, Mapping[str, Mapping[str, str]]]
    sections = json.loads(Path(__file__).with_name(f"{page}.json").read_text(encoding="utf-8"))
    return sections


def message(key: str, language: str, **values: object) -> str:
    """Return a message of the shop's pages, with `values` in its placeholders. Raises UnknownMessage."""
    texts = _sections(SHOP)["messages"].get(key)
    if texts is None:
        raise UnknownMessage(f"The shop's pages have no message {key!r}.", "Add it to web/i18n/shop.json.")
    return texts[language].format(**values)


def page_messages(page: str, language: str) -> dict[str, str]:
    """Return all messages of a page in one language."""
    return {key: texts[language] for key, texts in _sections(page)["messages"].items()}


def script_messages(language: str) -> dict[str, str]:
    """Return the messages that the scripts of the shop's pages show, as templates."""
    return {key: text for key, text in page_messages(SHOP, language).items() if key in SCRIPT_KEYS}


def merchant_messages(language: str) -> dict[str, str]:
    """Return the merchant page's messages; in Chinese also one per HTTP status, as the API's errors are English."""
    messages = page_messages(MERCHANT, language)
    if language == CHINESE:
        errors = {status: error_message(status) for status in MERCHANT_STATUSES} | dict(_sections(MERCHANT)["errors"])
        messages |= {f"error_{status}": error["message"] + error["hint"] for status, error in errors.items()}
    return messages


def error_message(status: int | str) -> Mapping[str, str]:
    """Return the Chinese `message` and `hint` for an HTTP status."""
    errors = _sections(SHOP)["errors"]
    return errors.get(str(status), errors["other"])


def page_error(code: str, language: str) -> Mapping[str, str] | None:
    """Return what a page says in place of an error's own `message` and `hint`; None where those are good."""
    return _sections(SHOP)["page_errors"].get(f"{code}.{language}")


def field_name(field: str, language: str) -> str:
    """Return the label of a product field: "Made of" for "attributes.made_of"."""
    name = field.removeprefix("attributes.").lower()
    labels = _sections(SHOP)["fields"].get("colour" if name == "color" else name)
    return labels[language] if labels else name.replace("_", " ").capitalize()


def reason_label(reason: str, language: str) -> str:
    """Return the label of one of the engine's reasons for a hit: "Has the same colours (21%)"."""
    if language != CHINESE:
        return reason[:1].upper() + reason[1:]
    text, bracket, share = reason.partition(" (")
    translated = _sections(SHOP)["reasons"].get(text, {CHINESE: text})[CHINESE]
    return f"{translated}{bracket and '（'}{share.replace(')', '）')}"
