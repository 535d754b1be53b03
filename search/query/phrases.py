"""What shoppers say beside the thing itself ("not floral", "cheaper", 不要花的), taken out of their words."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STOPS = ",;.，。；"
# "no" alone is part of too many names ("no iron", "No 7"), so it counts only after a comma or "but".
_NOT = re.compile(
    rf"(?:^|[\s{_STOPS}])(?:but\s+)?(?:not|without|w/o)\s+(?:any\s+|an?\s+|in\s+|too\s+)?"
    rf"(?P<a>[^{_STOPS}]+?)(?=\s+(?:but|and not)\s|[{_STOPS}]|$)"
    rf"|(?:[,;]\s*|\bbut\s+)no\s+(?P<b>[^{_STOPS}]+?)(?=[{_STOPS}]|$)"
    rf"|(?:不要|不带|不是|别要|没有)(?P<c>[^{_STOPS}、\s]+)",
    re.IGNORECASE,
)
_CHEAPER = re.compile(
    r"\b(?:but\s+)?(?:cheaper|less expensive|lower price(?:d)?)\b|(?:要)?(?:便宜一?点儿?的?|更便宜的?)", re.IGNORECASE
)
_LIKE_THIS = re.compile(
    r"^\s*(?:(?:something\s+)?(?:like|similar to)\s+)?(?:this|that)(?:\s+one)?\b[\s,]*(?:but\b)?|^\s*but\b",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"\b(?:for\s+)?(?:under|below|less than|cheaper than|up to)\s*[€$£¥]?\s*(?P<a>\d{1,7}(?:\.\d{1,2})?)(?![\d.])"
    r"\s*(?:€|\$|£|eur(?:os?)?|usd|dollars?|gbp|pounds?)?(?!\s*[a-z%])"
    r"|(?:低于|不超过|不到)\s*(?P<b>\d{1,7})\s*[元块]?|(?P<c>\d{1,7})\s*[元块](?:钱)?(?:以下|以内)",
    re.IGNORECASE,
)
_CHEAP = re.compile(r"\b(?:cheap|inexpensive|affordable)\b(?!-)|(?<![更要])便宜(?!一?点)的?", re.IGNORECASE)
_EDGES = " \t\r\n,;.，。；、"
_AND_NOT = re.compile(r"\s+(?:and|or|nor)\s+(?:not\s+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What is wanted, in words, "" if nothing; what is not wanted; whether it is to cost less, and how much at most."""

    wanted: str
    unwanted: tuple[str, ...] = ()
    cheaper: bool = False
    most: float | None = None


def read_words(words: str) -> Said:
    """Split what a shopper typed: "like this, not floral, cheaper" is nothing wanted, "floral" unwanted, cheaper."""
    words = " ".join(words.split())
    most = None
    if found := _UNDER.search(words):
        most = float(found["a"] or found["b"] or found["c"])
        words = " ".join(_UNDER.sub(" ", words).split())
    words = " ".join(_CHEAP.sub(" ", words).split()) or words
    unwanted: list[str] = []
    for match in _NOT.finditer(words):
        told = match["a"] or match["b"] or match["c"]
        unwanted += [each.strip(_EDGES) for each in _AND_NOT.split(told)]
    rest = _NOT.sub(" , ", words)
    cheaper = bool(_CHEAPER.search(rest))
    rest = _CHEAPER.sub(" , ", rest)
    unwanted = [plain for each in unwanted if (plain := _CHEAPER.sub(" ", each).strip(_EDGES))]
    if not unwanted and not cheaper and not _LIKE_THIS.match(rest):
        return Said(words, most=most)
    wanted = _LIKE_THIS.sub(" ", rest.strip(_EDGES), count=1)
    parts = [part.strip(_EDGES) for part in wanted.split(",")]
    kept = " ".join(part for part in parts if part and part.lower() not in ("but", "and"))
    if not kept and len(unwanted) == 1 and " " in unwanted[0]:  # "not striped mug": a mug
        head, _, kept = unwanted[0].rpartition(" ")
        unwanted = [head]
    return Said(kept, tuple(unwanted), cheaper, most)
