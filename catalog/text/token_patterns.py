"""The patterns of a token in normalised text: a word, a run without spaces, a number, or a pictograph."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from catalog.text.quantities import START
from catalog.text.scripts import FLAG_LETTERS, HAN, PICTOGRAPHS, SOUTHEAST, SPACED_MARKS, UNSPACED

_LETTERS_OF_NUMBER = r"(?<![^\W_])[^\W\d_]{2,5}(?=[0-9]{1,5}[.,][0-9]{1,3}(?![.,-]?[^\W_]))"  # "EU42.5", "USB3.0"


class TokenPatterns(NamedTuple):
    """What matches a token, and what matches a token or the start of a number."""

    token: re.Pattern[str]
    number_or_token: re.Pattern[str]


def patterns_for(text: str) -> TokenPatterns:
    """Return the patterns for a text; in ASCII the same tokens are found faster."""
    return _ASCII if text.isascii() else _all_scripts()


def _compile(token: str) -> TokenPatterns:
    return TokenPatterns(re.compile(token), re.compile(rf"(?P<number>{START})|{_LETTERS_OF_NUMBER}|{token}"))


_ASCII = _compile(r"[0-9]+(?:[.,][0-9]+)+[a-z0-9]*|[a-z0-9]+(?:[-'&][a-z0-9]+)*")


@cache
def _all_scripts() -> TokenPatterns:
    """Return the patterns for any text. They take 20 ms to compile, which a start need not wait for."""
    letter = rf"[^\W_{UNSPACED}]"
    plain = rf"{letter}+(?:[{SPACED_MARKS}]+{letter}*)*"  # a mark continues a word and begins none
    words = rf"[0-9]+(?:[.,][0-9]+)+(?:{plain})?|{plain}(?:[-'&]{plain})*"
    return _compile(rf"[{HAN}]+|[{SOUTHEAST}]+|{words}|[{FLAG_LETTERS}]{{2}}|[{PICTOGRAPHS}]")
