"""Limits under which a shop states something, as "up to 180 °C" or "top rack only": they take "yes" away.

A customer who does not name the limit would be promised too much. Whether a named limit is kept is not worked out.
"""

from __future__ import annotations

import re

from catalog.text.scripts import unspaced
from search.assistant.products.reading.expressions import expression, has, words_of

_BEFORE, _BEHIND = 30, 40  # characters beside a word of a topic that may limit it
_SENTENCE = re.compile(r"[;。；!?]|\.(?!\d)")
_NO_LIMIT = re.compile(expression("harmless"))
_GAP = r"[^\d.;。；]{0,12}"  # between "up to" and its number: "up to approx. minus"


def _unit(word: str) -> str:
    body = re.escape(word).replace(r"\*", r"[^\W\d_]*")
    return body if unspaced(word) else rf"{body}(?![^\W_])"


_UNITS = "|".join(_unit(word) for word in words_of("limit unit"))
_NUMBER = re.compile(rf"{expression('limit')}{_GAP}\d|\d[ \-]?(?:[°º]|{_UNITS})|(?<![^\W_])ip ?[x\d]\d")


def is_limited(text: str, start: int, end: int, verdict: bool) -> bool:
    """Return whether a normalised text limits what it says from `start` to `end`: by a number, or by "only"."""
    before = _SENTENCE.split(text[max(0, start - _BEFORE) : start])[-1]
    behind = _SENTENCE.split(text[end : end + _BEHIND])[0]
    near = _NO_LIMIT.sub("_", f"{before}{text[start:end]}{behind}")
    return _NUMBER.search(near) is not None or (verdict and has("limited", near))
