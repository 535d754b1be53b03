"""The reasons of recommendations in words: one text for each code that a feed gives, with the facts that it states."""

from __future__ import annotations

import re
from collections.abc import Mapping

from catalog.product import Product, levels_of
from search.recommend.feed.feed_page import BOUGHT_BEFORE, DUE_AGAIN
from web.i18n.language import t, title_of, value_label

MOST_NAMED_RANK = 20  # a place further down is no reason
MAX_NAME = 40  # characters of a title inside a sentence
FIRST_WIDE = "\u2e80"  # letters from here on are twice as wide: those of Chinese and Japanese
MIN_CLAUSE = 8  # characters of a title before its first comma that may stand for it
_FIRST_COMMA = re.compile(r"[,，、;；(（]")
BECAUSE_YOU_LOOKED = "because_you_looked"


def reason_text(code: str, product: Product | None, facts: Mapping[str, int | str]) -> str:
    """Return the reason of a recommendation in the page's language: "You bought this 5 times · last 12 days ago".

    `product` is the one that the reason refers to; `facts` are those of the code (`search.recommend.feed`). Raises
    UnknownMessage for a code without a text.
    """
    if code == BOUGHT_BEFORE:
        return f"{t('reason_bought_before', count=facts['times'])} · {_last_bought(int(facts['days_ago']))}"
    if code == DUE_AGAIN:
        return f"{_rhythm(int(facts['every_days']))} · {_last_bought(int(facts['days_ago']))}"
    rank = int(facts.get("rank", 0))
    key = f"reason_{code}_at" if 0 < rank <= MOST_NAMED_RANK else f"reason_{code}"
    category = _category(str(facts.get("category", "")))
    return t(key, what=name_inside(product) if product else "", rank=rank, category=category)


def shelf_heading(surface: str, because: Product | None, viewed: bool) -> str:
    """Return the heading of a shelf in the page's language, which names the product that the shelf is like.

    It says that the visitor looked at the product only where that is so (`viewed`).
    """
    if surface != BECAUSE_YOU_LOOKED:
        return t(surface)
    if because is None:
        return t("similar_products")
    return t(surface if viewed else "reason_like", what=name_inside(because))


def name_inside(product: Product) -> str:
    """Return the product's title as a sentence can hold it: its first clause, or its first words, where it is long."""
    title = title_of(product)
    if sum(1 + (letter >= FIRST_WIDE) for letter in title) <= MAX_NAME:
        return title
    comma = _FIRST_COMMA.search(title)
    if comma and MIN_CLAUSE <= comma.start() <= MAX_NAME:
        return title[: comma.start()].strip()
    head, space, _ = title[:MAX_NAME].rpartition(" ")
    return f"{head if space and len(head) > MAX_NAME // 2 else title[: MAX_NAME - 1]}…"


def _rhythm(every_days: int) -> str:
    return t("reason_due_again", count=every_days) if every_days > 1 else t("reason_due_daily")


def _last_bought(days_ago: int) -> str:
    return t("reason_last_bought", count=days_ago)


def _category(path: str) -> str:
    """Return the last level of a category, in the page's language if a product of the shop has the translation."""
    levels = levels_of(value_label("category", path)) if path else ()
    return levels[-1] if levels else path
