"""Read whether a product is in stock from what shops write: words of many languages, counts, dates, addresses.

`stock_words.csv` has the words, `rows/flags.csv` those for yes and no. Whole phrases are compared, never parts of them,
so that "not available" is not read as "available". A phrase may be cut into clauses: "in stock (5)", "sold out - back
soon".
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from pathlib import Path

from catalog.feeds.rows.flags import flag_words

MAX_LENGTH = 200  # characters of a text that is read at all
MIN_LONG_NO = 7  # characters of a phrase that also counts at the beginning or end of a longer one
_CACHED_TEXTS = 4_096

# In a text, these stand for what was replaced: a count above zero, a count of zero or less, a time span, a date.
_SOME, _NONE, _SPAN, _DATE = "#", "§", "@", "="

_ADDRESS = re.compile(r"(?:https?:)?//(?:[^/\s]+/)+([^/\s]+)/?|schema(?:\.org)?[:/#]+(?=\w)")
_JOINTS = re.compile(r"[\s_'\"`.*-]+")
_CLAUSES = re.compile(r"[,;:!?()\[\]{}|/\n。、·•…]+|\s[-–—]+\s|(?<=\w{4})\.\s")
_LABEL = re.compile(r"([^:]+):\s*([^:]+)")
_DATES = re.compile(
    r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[t ]\d{2}:\d{2}\S*|\b)"
    r"|\b\d{1,2}[-/.]\s?\d{1,2}[-/.]\s?\d{2,4}\b|\b\d{1,2}[/.]\d{4}\b"
    r"|\d{4}年\d{1,2}月(?:\d{1,2}日)?|\d{1,2}月\d{1,2}日"
)
_AMOUNT = r"\d+(?:[.,']\d+| \d{3}(?!\d))*(?:e[+-]?\d+)?"
_PLAIN_COUNT = re.compile(r"(?P<sign>[-−–])?(?P<count>\d[\d.,]*)\+?")
_RANGE = rf"{_AMOUNT}(?:\s*(?:[-–—~]|to|bis|do|a)\s*{_AMOUNT})?"
_COUNT = rf"(?P<less><\s*)?(?P<sign>(?<![\w)#§])[-−–](?=\d))?(?<![a-z]){_RANGE}"
# Compiling it takes 3 ms, which a feed without stock need not cost.
_UNSPACED = "[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]"


class _Verdict(IntEnum):
    """What a clause says; of several, the highest decides."""

    UNKNOWN = 0
    WEAK_NO = 1  # without effect where another clause says yes: "5 in stock, 2 reserved"
    YES = 2
    NO = 3


@lru_cache(_CACHED_TEXTS)
def parse_availability(text: str) -> bool | None:
    """Tell whether a product is in stock by a word, a phrase, a count or a schema.org address; None when unknown.

    In stock is what a customer can order now and gets without waiting for new goods, also when it is made to order.
    """
    if len(text) > MAX_LENGTH:
        return None
    text = _ADDRESS.sub(r"\1", _normalised(text).replace("=", ":").replace("_", " ")).strip()
    if plain := _PLAIN_COUNT.fullmatch(text):
        return not plain["sign"] and _is_positive(plain["count"])
    key, phrases = _key(text), _phrases()
    if key in phrases:
        return phrases[key]
    words = _words()
    text = words.with_counts(re.sub("[#§@]", " ", text))
    if label := _LABEL.fullmatch(text):
        answer = words.flags.get(_key(label[2]))
        if answer is not None:
            return _labelled(words.clause(label[1]), answer)
    verdict = max((words.clause(part) for part in (*_CLAUSES.split(text), text) if _key(part)), default=0)
    return None if verdict == _Verdict.UNKNOWN else verdict == _Verdict.YES


def _labelled(label: _Verdict, answer: bool) -> bool | None:
    """Return what "label: yes" or "label: no" says: "sold out: yes", "available: no". "Backorder: no" says nothing."""
    if label in (_Verdict.NO, _Verdict.WEAK_NO):
        return False if answer else None
    return answer


def _normalised(text: str) -> str:
    from catalog.text.folding import normalise  # 20 ms, which a feed without stock need not cost

    return normalise(text)


def _key(text: str) -> str:
    """Return a phrase without spaces and joints, so that "in_stock", "In-Stock" and "InStock" are one."""
    return _JOINTS.sub("", text)


@dataclass(frozen=True, slots=True)
class _StockWords:
    """The words of the table: whole phrases by key, and patterns of words that stand around them."""

    phrases: dict[str, bool | None]
    flags: dict[str, bool]
    long_no: frozenset[str]
    unspaced_no: tuple[str, ...]
    fillers: re.Pattern[str]
    affixes: re.Pattern[str]
    negations: re.Pattern[str]
    negative_ending: re.Pattern[str]
    counting: re.Pattern[str]
    counted: re.Pattern[str]

    def with_counts(self, text: str) -> str:
        """Return the text with signs in place of its dates, time spans and counts, and without the counts' units."""
        return self.counted.sub(_sign, _DATES.sub(_DATE, text))

    def clause(self, clause: str) -> _Verdict:
        """Return what a clause says, in which signs stand for counts."""
        counts = {sign for sign in (_SOME, _NONE) if sign in clause}
        if not counts:
            return self._phrase(clause)
        amount = _Verdict.YES if _SOME in counts else _Verdict.NO
        rest = re.sub(f"[{_SOME}{_NONE}<>≤≥~≈±+]", " ", clause).strip()
        found = self._phrase(rest)
        if not found:
            rest = self.counting.sub(" ", rest).strip()
            found = self._phrase(rest)
        if found == _Verdict.YES or not _key(rest):
            return amount
        if found:
            return _Verdict.WEAK_NO
        # A single word next to a count is most probably a unit that the table lacks.
        return amount if rest.replace(".", "").isalpha() and not self.negations.search(rest) else _Verdict.UNKNOWN

    def _phrase(self, text: str) -> _Verdict:
        """Return what a phrase without counts says: as it stands, without words that say nothing, or negated."""
        for phrase in (text, self.fillers.sub(" ", text), self.affixes.sub("", self.fillers.sub(" ", text).strip())):
            found = self._known(phrase)
            if found is not None:
                return _Verdict.YES if found else _Verdict.NO
        if self._begins_or_ends_with_no(phrase):
            return _Verdict.WEAK_NO
        rest, negations = self.negations.subn(" ", phrase)
        positive = negations and (self._known(rest) or self._known(self.fillers.sub(" ", rest)))
        return _Verdict.NO if positive else _Verdict.UNKNOWN

    def _begins_or_ends_with_no(self, phrase: str) -> bool:
        """Tell whether a longer phrase begins or ends with one that says no, and is no negation of it."""
        if self.negative_ending.search(phrase) or phrase.startswith(self.unspaced_no):
            return True
        heads = [phrase.removesuffix(ending) for ending in self.unspaced_no if phrase.endswith(ending)]
        words = phrase.split()
        for at in range(1, len(words)):
            parts = (" ".join(words[:at]), " ".join(words[at:]))
            heads += [rest for part, rest in (parts, parts[::-1]) if _key(part) in self.long_no]
        return any(not self.negations.search(rest) for rest in heads)

    def _known(self, phrase: str) -> bool | None:
        key = _key(phrase)
        if len(key) == 1 and key.isascii() and key.isalpha():  # "n" of "n/a"; a letter answers only alone
            return None
        return self.phrases.get(key)


def _sign(match: re.Match[str]) -> str:
    if match["span"]:
        return f" {_SPAN} "
    digits = re.sub(r"\D", "", match["count"])
    negative = bool(match["sign"]) or (bool(match["less"]) and digits == "1")
    return f" {_SOME if _is_positive(digits) and not negative else _NONE} "


def _is_positive(digits: str) -> bool:
    return any(digit in "123456789" for digit in digits)


@cache
def _table() -> dict[str, list[str]]:
    """Return the words of the table by kind."""
    table: dict[str, list[str]] = {}
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            table.setdefault(row["kind"], []).extend(map(_normalised, row["phrases"].split("|")))
    return table


@cache
def _keyed_flags() -> dict[str, bool]:
    """Return what each word for yes or no says, by key."""
    return {_key(_normalised(word)): says for says, words in flag_words().items() for word in words}


@cache
def _phrases() -> dict[str, bool | None]:
    """Return what each whole phrase says, by key; None for those that say nothing."""
    meanings = {"unknown": None, "yes": True, "no": False}
    phrases = {_key(phrase): says for kind, says in meanings.items() for phrase in _table()[kind]}
    return _keyed_flags() | phrases


@cache
def _words() -> _StockWords:
    table, phrases = _table(), _phrases()
    long_no = {_key(phrase) for phrase in table["no"] if not re.search(_UNSPACED, phrase)}
    span, unit = _either(table["time"]), _either(table["unit"])
    unspaced_not = "|".join(word for word in table["not"] if re.match(_UNSPACED, word))
    prefixes, suffixes = "|".join(table["prefix"]), "|".join(table["suffix"])
    return _StockWords(
        phrases=phrases,
        flags=_keyed_flags(),
        long_no=frozenset(key for key in long_no if len(key) >= MIN_LONG_NO),
        unspaced_no=tuple(phrase for phrase in table["no"] if re.search(_UNSPACED, phrase)),
        fillers=re.compile(_either(table["filler"])),
        affixes=re.compile(f"^(?:{prefixes})+|(?:{suffixes})+$"),
        negations=re.compile(f"{_either(table['not'])}|^(?:{unspaced_not})"),
        negative_ending=re.compile(f"(?:{'|'.join(table['not_end'])})$"),
        counting=re.compile(_either(table["count"])),
        counted=re.compile(rf"(?P<count>{_COUNT})(?!\s?%)\s*\+*\s*(?:(?P<span>{span})|(?:{unit})\.?)?"),
    )


def _either(phrases: list[str]) -> str:
    """Return a pattern of any of the phrases, the longest first; in scripts with spaces, of whole words."""
    ordered = sorted(set(filter(None, phrases)), key=len, reverse=True)
    spaced = "|".join(re.escape(phrase) for phrase in ordered if not re.search(_UNSPACED, phrase))
    unspaced = "|".join(re.escape(phrase) for phrase in ordered if re.search(_UNSPACED, phrase))
    return rf"(?:(?<![^\W\d_])(?:{spaced})(?!\w)|(?:{unspaced}))" if unspaced else rf"(?<!\w)(?:{spaced})(?!\w)"
