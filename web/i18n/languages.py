"""The languages of the pages, and how each writes numbers, shares and plurals, by Unicode's locale data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from babel import Locale
from babel.numbers import format_decimal, format_percent

ENGLISH, CHINESE, GERMAN, FRENCH, SPANISH = "en", "zh", "de", "fr", "es"
# Of the pages for shoppers, and of the embedded search; the pages for merchants and operators have fewer.
LANGUAGES: Mapping[str, str] = {
    ENGLISH: "English",
    CHINESE: "中文",
    GERMAN: "Deutsch",
    FRENCH: "Français",
    SPANISH: "Español",
}
STAFF_LANGUAGES: Mapping[str, str] = {code: LANGUAGES[code] for code in (ENGLISH, CHINESE)}
LOCALES = {ENGLISH: "en", CHINESE: "zh_Hans_CN", GERMAN: "de", FRENCH: "fr", SPANISH: "es"}
OTHER = "other"  # the form that every language has


def language_tag(language: str) -> str:
    """Return the tag of a language in HTML: "zh-Hans" for Chinese."""
    return "zh-Hans" if language == CHINESE else language


@lru_cache(maxsize=4096)
def number_text(number: int, language: str) -> str:
    """Return a whole number as a language writes it: "1,299", in German "1.299"."""
    return format_decimal(number, locale=LOCALES[language])


@lru_cache(maxsize=256)
def percent_text(percent: int, language: str) -> str:
    """Return a share in whole percent as a language writes it: "21%", in German with a space."""
    return format_percent(percent / 100, locale=LOCALES[language])


def plural_form(number: int, language: str) -> str:
    """Return the name of the plural form that a number takes: "one" for 1, in French for 0 too."""
    return _locale(language).plural_form(number)


def with_small_initial(name: str, language: str) -> str:
    """Return a name as it stands inside a sentence; nouns of German keep their capital, and so do abbreviations."""
    is_word = name[1:2].islower() and language != GERMAN
    return name[0].lower() + name[1:] if is_word else name


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(LOCALES[language])
