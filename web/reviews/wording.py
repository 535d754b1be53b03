"""The words of reviews in the page's language: messages, the mean of stars, and the names of languages."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal

from web.i18n.language import language
from web.i18n.languages import LOCALES
from web.i18n.messages import REVIEWS, page_message


def review_text(key: str, **values: object) -> str:
    """Return the message of a key of `reviews.json` in the page's language."""
    return page_message(REVIEWS, key, language(), **values)


def mean_text(mean: float) -> str:
    """Return a mean number of stars as the language writes it: "4.6", in German "4,6"."""
    return format_decimal(round(mean, 1), "0.0", locale=LOCALES[language()])


def rated_text(mean: float, count: int) -> str:
    """Return a rating in words: "4.6 of 5 stars, 23 reviews"."""
    return review_text("rated", mean=mean_text(mean), count=count)


def language_name(code: str) -> str:
    """Return the name of a language in the page's language: "German" for "de"; the code where it is not known."""
    try:
        name = Locale.parse(code, sep="-").get_language_name(LOCALES[language()])
    except (UnknownLocaleError, ValueError, TypeError):
        return code
    return name or code
