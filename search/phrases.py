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
_EDGES = " \t\r\n,;.，。；、"
_AND_NOT = re.compile(r"\s+(?:and|or|nor)\s+(?:not\s+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What is wanted, in words, "" if nothing; what is not wanted; and whether it is to cost less."""

    wanted: str
    unwanted: tuple[str, ...] = ()
    cheaper: bool = False


def read_words(words: str) -> Said:
    """Split what a shopper typed: "like this, not floral, cheaper" is nothing wanted, "floral" unwanted, cheaper."""
    unwanted: list[str] = []
    for match in _NOT.finditer(words):
        told = match["a"] or match["b"] or match["c"]
        unwanted += [each.strip(_EDGES) for each in _AND_NOT.split(told)]
    rest = _NOT.sub(" , ", words)
    cheaper = bool(_CHEAPER.search(rest))
    rest = _CHEAPER.sub(" , ", rest)
    unwanted = [plain for each in unwanted if (plain := _CHEAPER.sub(" ", each).strip(_EDGES))]
    if not unwanted and not cheaper and not _LIKE_THIS.match(rest):
        return Said(words.strip())
    wanted = _LIKE_THIS.sub(" ", rest.strip(_EDGES), count=1)
    parts = [part.strip(_EDGES) for part in re.split(r"\s*,\s*", wanted)]
    return Said(
        " ".join(part for part in parts if part and part.lower() not in ("but", "and")), tuple(unwanted), cheaper
    )
