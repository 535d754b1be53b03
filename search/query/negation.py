"""Find what a text says is not wanted: "mug without handle", "sugar-free tea", 不要条纹的杯子, 除了红色以外的杯子.

In English what is not wanted follows its negator up to a comma, the end, or a word such as "but". In Chinese it ends
at 的, and the thing that is wanted follows: 不要 (not) 条纹 (stripes) 的 杯子 (mug). Without 的 it ends with the run.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.text.glossary import GLOSSARY, read_glossary
from catalog.text.tokenizer import normalise, singularise, split_compound, tokenise, unspaced
from search.language.negation import negated_in, negators

EDGES = " \t\r\n,;.，。；、!！?？()"
_STOPS = ",;.，。；"
# A phrase ends where the text turns to something else. "made in" does not: "not made in china" is of one piece.
_ENDS = rf"(?=\s+(?:but|and\s+not|with|for|from)\s|(?<!\bmade)\s+in\s|[{_STOPS})]|$)"
_IS_NOT = r"(?:(?:that|which)\s+)?(?:is|are)(?:\s+not|n['’]t)|that['’]s\s+not|not"
_HAS_NOT = r"(?:that\s+|which\s+)?(?:do(?:es)?n['’]t|do(?:es)?\s+not)\s+(?:have|want|need|like|include|contain)"
# "no" begins too many names ("no iron", "No 7"), so it counts only after other words, "but" or "with". So is "free" in
# too many but for a hyphen: a "dress free size" is no dress without a size.
_ENGLISH = re.compile(
    rf"(?<!\bor)(?:^|[\s({_STOPS}])(?:but\s+)?(?:{_HAS_NOT}|{_IS_NOT}|without|w/o|except(?:\s+for)?|excluding|minus|"
    rf"other\s+than|(?:any(?:thing)?|every(?:thing)?|all)\s+but)\s+(?:(?:any|an?|the|in|too|with)\s+)*"
    rf"(?P<a>[^{_STOPS})]+?){_ENDS}"
    rf"|(?:[,;]\s*|\b(?:but|with|having|has|and)\s+)no\s+(?P<b>[^{_STOPS})]+?){_ENDS}"
    rf"|(?<=[^\W\d_])\s+no\s+(?P<e>[^\W\d_][\w'-]*(?:\s+[^\W\d_]\w*)?)(?=\s*(?:[{_STOPS})]|$))"
    r"|\bnon[-\u2010\u2011 ](?P<c>[^\W\d_]{2,})\b"
    r"|\b(?P<d>[^\W\d_]{2,})[-\u2010\u2011]free\b",
    re.IGNORECASE,
)
_MAY_NEGATE = re.compile(r"no|out|w/o|but|free|except|exclud|minus|other|n['’]t|[不没沒无無非别別除]", re.IGNORECASE)
_OR = re.compile(r"\s+(?:and|or|nor)\s+(?:(?:not|without|any)\s+)*", re.IGNORECASE)

_WORD = re.compile(r"\w")
_RUN = re.compile(rf"[^\s{_STOPS}!！?？]+")
_NEGATOR = re.compile(
    r"不(?:太)?想?(?:要|需要)|不(?:喜欢|喜歡|爱|愛)|不(?:带|帶|含|附|配|加)(?:有)?|不包[含括]|(?:并|並)?不是|(?:并|並)非|不太"
    r"|[没沒](?:有|带|帶)|[别別](?:要|太|带|帶|有|给我|給我)|除(?:了|去|开|開)"
)
_NEGATOR_ALONE = re.compile(rf"(?<![有要是带帶])({_NEGATOR.pattern})\s+(?=[^\s{_STOPS}])")
# These also begin many names, so they count only where the phrase has its usual end.
_SHORT_NEGATOR = re.compile(
    r"(?:[没沒无無非]|排除)(?=[^的]{1,8}的)|除(?=[^的]{1,8}?(?:以外|之外|外(?:的|都|其|$)))|[无無非]"
)
_EXCEPT_END = re.compile(r"的?(?:以外|之外|外(?=的|$|都|其))的?|的|(?=都)")
_LIST = re.compile(r"还有|還有|以及|或者|[、/和或跟与與及]")
_APART = re.compile(rf"((?:{_NEGATOR.pattern})[^\s的{_STOPS}]+)\s+(?:(?=的)|({_LIST.pattern})\s+)")
_LIST_WHOLE = re.compile(rf"(?:{_LIST.pattern})+")
_BEFORE = re.compile(r"(?:[也且又和但、而]|而且|并且|並且|但是|还有|還有|以及)+$")
_LEADING = re.compile(r"^(?:太|那么|那麼|这么|這麼|很|过于|過於|任何的?|有(?![机機])|带有?|帶有?|含|是)(?=.)")
_TRAILING = re.compile(r"(?<=.)(?:的|了|吧|呢|啊|哦|喔)$")
_OTHERS = re.compile(r"^(?:其他|其它|别的|別的)(?:的)?")
MAX_RUN = 20  # characters in which the glossary's terms are looked for
MAX_DENIAL = 4  # characters
DENYING = frozenset({"free", "minus", "no", "non", "not", "without", "zero"}) | negators()
DENYING_CHARACTERS = frozenset("不没无非免去零")
_MAY_DENY = re.compile(
    rf"less|free|minus|no|zero|out|[不没沒无無非免去零]|{'|'.join(sorted(negators()))}", re.IGNORECASE
)
_DENIAL = re.compile(r"(?:不[带含加要]|没有?|无|非|免|去|零)有?$")
_GRANTING = frozenset({"but", "has", "including", "plus", "with"})
_BETWEEN = frozenset({"a", "an", "and", "any", "from", "nor", "of", "or", "the"})
_GAP = re.compile(r"[\s\-']*")
_FILLERS = re.compile(
    r"(?:我|我想|我想要|我想买|我要|请|请问|给我|帮我|帮我找|有没有|有沒有|想要|想买|找|来个|来一个|既|的"
    r"|都(?:可以|行|好|要)|(?:其他|其它|别的|別的)的?(?:都(?:可以|行|好|要))?|一[个個]|的?时候)+"
)

with Path(__file__).with_name("not_negations.csv").open(encoding="utf-8", newline="") as _file:
    _NAMES = re.compile("|".join(sorted((row["word"] for row in csv.DictReader(_file)), key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class SplitText:
    """The text without its negated phrases, a comma in place of each, and the phrases; both are parts of the text."""

    rest: str
    unwanted: tuple[str, ...]


def split_negation(text: str) -> SplitText:
    """Split a text into what it wants and the phrases that it does not want. The spaces of `text` must be single."""
    if (found := negated_in(text)) is not None:
        return SplitText(found.rest, found.unwanted)
    if not _MAY_NEGATE.search(text):
        return SplitText(text, ())
    chinese: list[str] = []
    rest = text
    if unspaced(text):
        joined = _APART.sub(r"\1\2", _NEGATOR_ALONE.sub(r"\1", text))
        rest = _RUN.sub(lambda run: _split_run(run.group(), chinese), joined)
    matches = list(_ENGLISH.finditer(rest))
    english = [next(filter(None, match.groups())) for match in matches]
    if not any(match["a"] or match["b"] or match["e"] for match in matches) and not _WORD.search(
        _ENGLISH.sub("", rest)
    ):
        return SplitText(rest, tuple(chinese))  # "non-stick" alone is a property, and nothing else is wanted
    unwanted = [part.strip(EDGES) for phrase in english for part in _OR.split(phrase)]
    return SplitText(_ENGLISH.sub(" , ", rest), tuple(filter(None, [*unwanted, *chinese])))


def split_head(phrase: str, head_first: bool = False) -> tuple[str, str] | None:
    """Split "striped mug" into what is not wanted, "striped", and the thing, "mug"; None when it has one part only.

    With `head_first` the thing comes first: "taza rayada".

    Chinese has no space there: 条纹杯子 is split where the glossary has both words.
    """
    if " " in phrase and head_first:
        head, _, unwanted = phrase.partition(" ")
        return unwanted, head
    if " " in phrase:
        unwanted, _, head = phrase.rpartition(" ")
        return unwanted, head
    if len(phrase) > MAX_RUN or not unspaced(phrase) or len(normalise(phrase)) != len(phrase):
        return None
    terms, folded = _chinese_terms(), normalise(phrase)
    if folded in terms:
        return None
    return next(((phrase[:at], phrase[at:]) for at in range(1, len(phrase) - 1) if folded[at:] in terms), None)


def denies(text: str, phrase: str) -> bool:
    """Return whether a product's text says that the product is without something: "Teapot without infuser", 无糖饼干.

    At most one other word may stand between: "no added sugar", "without removable lid".
    """
    if not _MAY_DENY.search(text):
        return False
    text, phrase = normalise(text), normalise(phrase)
    if unspaced(phrase):
        places = (match.start() for match in re.finditer(re.escape(phrase), text))
        return any(_DENIAL.search(text[max(0, at - MAX_DENIAL) : at]) for at in places)
    words = [
        (start + first, start + last, singularise(word))
        for start, _, piece in tokenise(text)
        for first, last, word in split_compound(piece)
    ]
    wanted = [singularise(word) for _, _, piece in tokenise(phrase) for _, _, word in split_compound(piece)]
    size = len(wanted)
    if size == 1 and any(word in joined_denials(wanted[0]) for _, _, word in words):
        return True
    return any(
        _is_denied(text, words, at, at + size)
        for at in range(len(words) - size + 1)
        if [word for _, _, word in words[at : at + size]] == wanted
    )


def joined_denials(word: str) -> tuple[str, ...]:
    """Return the words that say "without" of a word: "sugarfree", "nonslip", "sleeveless"."""
    singular = singularise(word)
    return f"{singular}free", f"non{singular}", f"{singular}less"


def _is_denied(text: str, words: Sequence[tuple[int, int, str]], first: int, end: int) -> bool:
    """Return whether the words from `first` to `end` are denied by a word before them or behind them."""
    if (
        end < len(words)
        and words[end][2] in ("free", "less")
        and _GAP.fullmatch(text[words[end - 1][1] : words[end][0]])
    ):
        return True
    others = 0
    for at in range(first - 1, -1, -1):
        if not _GAP.fullmatch(text[words[at][1] : words[at + 1][0]]) or words[at][2] in _GRANTING:
            return False
        if words[at][2] in DENYING:
            return words[at][2] != "free" or words[at + 1][2] in ("of", "from")
        others += words[at][2] not in _BETWEEN
        if others > 1:
            return False
    return False


@cache
def _chinese_terms() -> frozenset[str]:
    entries = read_glossary(GLOSSARY)
    return frozenset(normalise(entry.term) for entry in entries if entry.language == "zh" and entry.replacements)


def _split_run(run: str, unwanted: list[str]) -> str:
    """Return a run without spaces less its negated phrases, which are appended to `unwanted`."""
    if not unspaced(run):
        return run
    before = len(unwanted)
    names = [match.span() for match in _NAMES.finditer(run)]
    negators = list(_negators(run, names))
    if not negators:
        return run
    wanted: list[str] = []
    end = 0
    for number, (start, after) in enumerate(negators):
        if start < end:
            continue
        wanted.append(_BEFORE.sub("", run[end:start]))
        limit = negators[number + 1][0] if number + 1 < len(negators) else len(run)
        phrases, end = _phrases(run, start, after, limit)
        tidied = (_tidy(part) for phrase in phrases for part in _parts(phrase))
        unwanted.extend(part for part in tidied if part not in ("", "的", "了"))
    wanted.append(_OTHERS.sub("", run[end:]))
    others = [part for part in wanted if part and not _FILLERS.fullmatch(part)]
    return " ".join(["", ",", *others, ""]) if len(unwanted) > before else run


def _negators(run: str, names: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each negator that is not part of a name."""
    at = 0
    while at < len(run):
        match = _NEGATOR.match(run, at) or _SHORT_NEGATOR.match(run, at)
        named = next((end for start, end in names if start <= at < end), None)
        if match is None or named is not None:
            at = named or at + 1
            continue
        if match.end() < len(run) and (len(match.group()) > 1 or _has_end(run, match)):
            yield match.span()
        at = match.end()


def _has_end(run: str, match: re.Match[str]) -> bool:
    """Return whether a short negator is one: 的 or 以外 follows, or the glossary's words do (无把手杯子)."""
    if match.re is _SHORT_NEGATOR and "的" not in run[match.end() :] and match.group() != "除":
        rest = normalise(run[match.end() :])
        terms = _chinese_terms()
        if len(rest) > MAX_RUN:
            return False
        return rest in terms or any(rest[:at] in terms and rest[at:] in terms for at in range(1, len(rest)))
    return True


def _phrases(run: str, start: int, after: int, limit: int) -> tuple[list[str], int]:
    """Return the phrases that a negator negates, of run[after:limit], and where the last of them ends."""
    excepted = run.startswith("除", start)
    end = _EXCEPT_END.search(run, after + 1, limit) if excepted else None
    first = end.start() if end else run.find("的", after + 1, limit)
    if first < 0:
        return [run[after:limit]], limit
    phrases, stop = [run[after:first]], end.end() if end else first + 1
    while following := _LIST_WHOLE.match(run, stop, limit):  # 红色的和蓝色的杯子
        further = run.find("的", following.end() + 1, limit)
        if further < 0:
            break
        phrases.append(run[following.end() : further])
        stop = further + 1
    return phrases, stop


def _parts(phrase: str) -> Iterator[str]:
    """Yield the members of a list: 红色和蓝色 -> 红色, 蓝色; names such as 和服 are of one piece."""
    names = [match.span() for match in _NAMES.finditer(phrase)]
    at = 0
    for match in _LIST.finditer(phrase):
        inside = any(start <= match.start() < end for start, end in names)
        if not inside and at < match.start() and match.end() < len(phrase):
            yield phrase[at : match.start()]
            at = match.end()
    yield phrase[at:]


def _tidy(phrase: str) -> str:
    """Return a phrase without what only joins it to its negator or to the next phrase: 太花的 -> 花."""
    phrase = _BEFORE.sub("", phrase) or phrase
    while shorter := _LEADING.sub("", _TRAILING.sub("", phrase)):
        if shorter == phrase:
            break
        phrase = shorter
    return phrase.strip(EDGES)
