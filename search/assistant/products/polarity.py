"""Whether a sentence states something or denies it: "dishwasher safe", "do not put it in the dishwasher".

A verdict is given only where words of the sentence say so. A sentence that merely mentions the thing, or that says it
with an "if", leaves the verdict to the reader.
"""

from __future__ import annotations

import re

from search.assistant.products.reading.expressions import alternatives, expression, has, words_of
from search.assistant.products.reading.topics import LANGUAGES

_CLAUSE = re.compile(r"[,;.()。，；、]|\b(?:but|aber|mais|pero|however|although|while)\b|但")
_REST = r"(?:[^\W_]|[ '\-/])*"  # words of the same clause
_NEGATOR = {code: alternatives(words_of("negator", code)) for code in LANGUAGES}
_SPACED_NEGATOR = "|".join(_NEGATOR[code] for code in LANGUAGES if code != "zh")
_NOT_BEFORE = re.compile(rf"(?:{_SPACED_NEGATOR}){_REST}$|{_NEGATOR['zh']}[^，。,]{{0,8}}$")
_FREE = r"(?:free(?! (?:gift|delivery|range))|less|frei|los)(?![^\W_])"
_NOT_AFTER = re.compile(
    rf"^[\s\-]*{_FREE}|^[a-z]*{_FREE}|^{_REST}{expression('denied behind')}"
    rf"|^(?:{_REST}\??:? )?(?:no|nein|non|false)\W*$"
)
_GRANTED_AFTER = re.compile(
    r"^[\s\-]*(?:safe|proof|friendly|resistant|suitable|compatible|fest|geeignet|sicher|tauglich|based|ready)"
)
_FREE_BEHIND = re.compile(r"[\s\-]*(?:free|frei)(?![^\W_])|[a-z]*frei(?![^\W_])")
_WITHOUT_BEFORE = re.compile(rf"{expression('asked without')} ?$")
_NO_NEGATOR = re.compile(expression("harmless"))
_ASKS = re.compile("[?？]|吗")
_WITHIN = 60  # characters between a negator and what it denies


def verdict_of(text: str, start: int, end: int, stated: bool = False) -> bool | None:
    """Return whether a normalised text states (True) or denies (False) what stands from `start` to `end`, or neither.

    With `stated`, the words there state it by themselves, unless the text denies them.
    """
    if is_of_another(text):
        return None
    text = _NO_NEGATOR.sub(lambda found: "_" * len(found[0]), text)
    begin, finish = _clause(text, start, end)
    before, after = text[max(begin, start - _WITHIN) : start], text[end : min(finish, end + _WITHIN)]
    if has("open", text[begin:finish]):
        return None
    if _NOT_BEFORE.search(before) or _NOT_AFTER.search(after):
        return False
    if stated or _GRANTED_AFTER.search(after) or has("granted", before) or has("granted", after):
        return True
    return _of_list(text, begin)


def is_of_another(text: str) -> bool:
    """Return whether a normalised text asks, or also speaks of other products: "unlike others, this one is"."""
    return _ASKS.search(text) is not None or has("elsewhere", text)


def denied_in_question(text: str, start: int, end: int) -> bool:
    """Return whether a question asks for the lack of something: "lactose free", "without sugar"."""
    return bool(_FREE_BEHIND.match(text[end:]) or _WITHOUT_BEFORE.search(text[:start]))


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    edges = [match for match in _CLAUSE.finditer(text) if not _inside_number(text, match)]
    begin = max((edge.end() for edge in edges if edge.end() <= start), default=0)
    return begin, min((edge.start() for edge in edges if edge.start() >= end), default=len(text))


def _of_list(text: str, begin: int) -> bool | None:
    """Return the verdict of the clauses before, which a list goes on with: "not suitable for ovens, microwaves"."""
    before = re.split(r"[.;。；]", text[:begin])[-1]
    if has("open", before) or re.search(r"\b(?:but|aber|mais|pero)\b|但", before):
        return None
    if has("list denied", before):
        return False
    return True if has("list granted", before) else None


def _inside_number(text: str, edge: re.Match[str]) -> bool:
    at = edge.start()
    return text[at] in ".," and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()
