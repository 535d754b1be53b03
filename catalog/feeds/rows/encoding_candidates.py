"""Rank the encodings that a few cells of a feed can be in.

chardet ranks them by statistics of letter pairs. A feed may hold only a few letters beyond ASCII, so what an encoding
makes of the words counts too: letters of one alphabet, capitals where words begin, signs where shops write them.
"""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MAX_SAMPLE = 2**15  # bytes

_MAX_JUDGED = 2**12  # characters
_MAX_CANDIDATES = 16
# Share of the best candidate's score from which another could be right as well, by the letters beyond ASCII.
_AMBIGUOUS = ((20, 0.97), (12, 0.95), (6, 0.9), (3, 0.85), (0, 0.65))
_HERE = Path(__file__).parent

_CURRENCIES = frozenset("€£¥")
_SIGNS = frozenset("©®™°²³¹½¼¾×·–—‘’‚“”„«»‹›…•¿¡ªº±µ№\u00a0") | _CURRENCIES
_JOINING = frozenset("’·\u00a0")  # these may stand between two letters
_CLOSING = frozenset("®™°²³¹»”›")  # these stand behind one; "°C" is the exception
_OPENING = frozenset("‚„“‘«‹¿¡")  # these stand before a word
_CAPITALS = {"koi8-r": 0.4, "koi8-u": 0.4}  # Hebrew looks like their capitals
_EAST_ASIAN_CONFIDENCE = 0.05
_LEAST_MARK = 0.4
_SIGNS_CONFIDENCE = 0.08  # about chardet's for a word or two
_ALPHABETIC = frozenset(("LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI"))
_EAST_ASIAN = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL"))
_OTHER_SCRIPTS = frozenset(("FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC", "COMBINING"))
_SYLLABLES = frozenset(
    "가각간갈감갑강개거건걸검게겨격견결경계고곡골공과관광교구국군굴권귀규그극근글금급기긴길김까깔깨꽃나날남납내냄너널네노녹농높누눈뉴는능"
    "니다단달담당대더데도독돌동두둥뒤드든들등디따딩땀떡또라락란람랑래랜량러런럼레렌려력련렬로록롤롱료루류륨르름리린릭림링마막만말맘매맥"
    "머먼메면명모목몰몸무문물미민밀바박반발밥방배백밴버번벌베벨벽변별병보복본볼봉부북분불브블비빈빙빨빵사산살삼상새색샘생샤서석선설섬성"
    "세센셀셔소속손솔송솥쇼수순숟술숲슈스슬습시식신실심싱아악안알암압앞애액야약양어억언얼엄업에엔여역연열염영예오옥온올옷와완왕외요용우"
    "운울원월위유육윤은을음의이인일임입잉자작잔잠장재저적전절점접정제젤조족종주죽중즈증지직진질집찌차착찬참창채책처천철청체초촉촛총최추"
    "축출충치칠침카칸칼캐커컬컵케켓코콘콜쿠쿨퀸크큰클키킨타탁탄탈탕태터털테텍텔토톤톱통투튜트특틀티틴팀파판팔팡패팩팬퍼펀페펜편평포폰폴"
    "표푸품풍퓨프플피핀필핑하학한할함합항해핸햄향허헤현형호혼홈홍화환황회효후훈흑흰히힐"
)
# KOI8 has its small letters where other encodings have capitals.
_INVERTED = re.compile(r"(?<![^\W\d_])[α-ωά-ώа-яё][Α-ΩΆ-ΏΪΫА-ЯЁ]{3}")
_JAPANESE = ("cp932", "euc_jis_2004")
# Standards that put the common characters first: where those end, as the first byte of a character.
_COMMON = {
    "gb18030": ("gb2312", 0xD7),
    "big5hkscs": ("big5", 0xC6),
    "cp932": ("euc_jp", 0xCF),
    "euc_jis_2004": ("euc_jp", 0xCF),
    "cp949": ("euc_kr", 0xC8),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An encoding that a sample may be in: its codec, what it makes of the sample, and a score without a unit."""

    codec: str
    name: str
    text: str
    score: float


def candidates(cells: Collection[bytes]) -> list[Candidate]:
    """Return the encodings that cells can be in, the most probable first; none when no encoding fits.

    Encodings that decode the sample to the same text are one candidate. Further ones than the first are only those that
    could be right as well.
    """
    sample = b"\n".join(_without_broken(cells))[:MAX_SAMPLE]
    found: dict[str, Candidate] = {}
    for codec, confidence in _ranked(sample, _table()).items():
        weight, name = _table()[codec]
        text = sample.decode(codec, "replace")
        if _is_in_capitals(text):
            small = _ranked(text.lower().encode(codec, "ignore"), [codec]).get(codec, 0.0)
            confidence = max(confidence, small * _CAPITALS.get(codec, 1.0))
        score = weight * _plausibility(text[:_MAX_JUDGED], codec, confidence)
        if text not in found or found[text].score < score:
            found[text] = Candidate(codec, name, text, score)
    best_first = sorted(found.values(), key=lambda candidate: -candidate.score)
    if not best_first or not best_first[0].score:
        return []
    letters = [char for char in best_first[0].text if char.isalpha() and not char.isascii()]
    evidence = min(len(letters), 2 * len(set(letters)))  # one letter again and again tells little
    least = best_first[0].score * next(share for count, share in _AMBIGUOUS if evidence >= count)
    return [candidate for candidate in best_first if candidate.score >= least]


def _ranked(sample: bytes, codecs_allowed: Collection[str]) -> dict[str, float]:
    """Return chardet's confidence in the most probable encodings, and in every East Asian one that fits."""
    import chardet  # 0.1 s and 9 MB, which a feed in UTF-8 need not cost

    if not sample:
        return {}
    allowed = list(codecs_allowed)
    results = chardet.detect_all(
        sample, ignore_threshold=True, compat_names=False, include_encodings=allowed, no_match_encoding=allowed[0]
    )
    names = [(codecs.lookup(result["encoding"] or "ascii").name, result["confidence"]) for result in results]
    fitting = [(codec, confidence) for codec, confidence in names if codec in allowed and decodes(sample, codec)]
    ranked = dict(fitting[:_MAX_CANDIDATES])
    # chardet overlooks some in short texts.
    return ranked | {
        codec: max(ranked.get(codec, 0.0), _EAST_ASIAN_CONFIDENCE)
        for codec in _COMMON
        if codec in codecs_allowed and decodes(sample, codec)
    }


def _is_in_capitals(text: str) -> bool:
    """Tell whether most letters beyond ASCII are capitals, of which chardet knows little."""
    letters = [char for char in text if not char.isascii() and char.isalpha()]
    return 2 * sum(map(str.isupper, letters)) > len(letters)


def _without_broken(cells: Collection[bytes]) -> list[bytes]:
    """Return the cells but for a few that alone speak against an encoding: they were cut within a character."""
    broken: set[bytes] = set()
    for codec in _table():
        against = {cell for cell in cells if not decodes(cell, codec)}
        if len(against) * 50 <= len(cells):
            broken |= against
    return [cell for cell in cells if cell not in broken]


def decodes(data: bytes, codec: str) -> bool:
    """Tell whether bytes are text in an encoding."""
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


@cache
def _table() -> dict[str, tuple[float, str]]:
    """Return the weight and the name of every codec; rare encodings weigh less."""
    with (_HERE / "encodings.csv").open(encoding="utf-8", newline="") as file:
        return {codecs.lookup(row["codec"]).name: (float(row["weight"]), row["name"]) for row in csv.DictReader(file)}


@cache
def _alphabets() -> list[dict[str, float]]:
    """Return for every language how well each of its letters beyond ASCII fits: 1, or less for a rare one."""
    with (_HERE / "alphabets.csv").open(encoding="utf-8", newline="") as file:
        return [dict.fromkeys(row["rare"], 0.7) | dict.fromkeys(row["common"], 1.0) for row in csv.DictReader(file)]


def _plausibility(text: str, codec: str, confidence: float) -> float:
    """Weigh chardet's confidence by how much the characters beyond ASCII look like words and signs of a shop."""
    padded = f"   {text} "
    places = [padded[at - 3 : at + 2] for at in range(3, len(padded) - 1) if not padded[at].isascii()]
    if not places:
        return 0.0
    signs = sum(place[3] in _SIGNS for place in places) / len(places)
    mark = sum(_sign_mark(place) if place[3] in _SIGNS else _char_mark(codec, place) for place in places) / len(places)
    spelling = (0.5 + 0.5 * _alphabet_share(text) ** 3) * (0.35 if _all_small(text) else 1.0) * _kana_fit(codec, text)
    spelling *= 0.3 if _INVERTED.search(text) else 1.0
    return max(confidence, signs * _SIGNS_CONFIDENCE) * mark**2 * spelling if mark >= _LEAST_MARK else 0.0


def _sign_mark(place: str) -> float:
    """Return from 0 to 1 how plausible the sign at place[3] is where it stands."""
    near, last, here, after = place[1:3].strip()[-1:], place[2], place[3], place[4]
    if here == "°" and after in "CFK":
        return 1.0
    if here in "²³" and last not in "mtM" and not last.isdigit():
        return 0.2
    if here in _CURRENCIES:
        return 1.0 if near.isdigit() or after.isdigit() or after == " " else 0.4
    if (last.isalpha() and (after.isalpha() or here in _OPENING)) or (after.isalpha() and here in _CLOSING):
        return 1.0 if here in _JOINING else 0.2
    return 1.0


def _char_mark(codec: str, place: str) -> float:
    """Return from 0 to 1 how plausible the character at place[3] is where it stands."""
    last, here, after = place[2], place[3], place[4]
    script = _script(here)
    if script in _EAST_ASIAN:
        if any(not near.isascii() and _script(near) in _ALPHABETIC for near in (last, after)):
            return 0.0
        latin = sum(near.isascii() and near.isalpha() for near in (last, after))
        return _common(codec, here) * (0.2 if latin == 2 else 0.5 if last.islower() or after.islower() else 1.0)
    if script not in _ALPHABETIC:
        near = {_script(last), _script(after)}
        if script == "HALFWIDTH":
            return 0.6 if script in near else 0.2
        return 1.0 if script in _OTHER_SCRIPTS else 0.0
    if any(near.isalpha() and _script(near) != script for near in (last, after)):
        return 0.0  # a word of two alphabets
    if here.isupper() and (last.islower() or (after.islower() and last.isalpha())):
        return 0.0  # a capital within a word
    if here.islower() and ((last.isupper() and (place[1].isupper() or after.isupper())) or after.isupper()):
        return 0.3
    return 1.0 if last.isalpha() or after.isalpha() else 0.4


@cache
def _common(codec: str, char: str) -> float:
    """Return 1 for an East Asian character in common use, less for one that its standard puts further back."""
    if _script(char) == "HANGUL":
        return 1.0 if char in _SYLLABLES else 0.5
    standard, last = _COMMON.get(codec, ("", 0))
    try:
        return 1.0 if standard and char.encode(standard)[0] <= last else 0.5
    except UnicodeEncodeError:
        return 0.3


def _kana_fit(codec: str, text: str) -> float:
    """Return less than 1 for Japanese without any kana, and for Chinese and Korean with them."""
    if codec not in _COMMON:
        return 1.0
    kana = any(_script(char) in ("HIRAGANA", "KATAKANA", "HALFWIDTH") for char in text)
    return 1.0 if kana == (codec in _JAPANESE) else 0.3


def _all_small(text: str) -> bool:
    """Tell whether several lines of Cyrillic or Greek have no capital, as Hebrew that is taken for them has none."""
    letters = [char for char in text if _script(char) in ("CYRILLIC", "GREEK")]
    return bool(letters) and "\n" in text and not any(map(str.isupper, letters))


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0].partition("-")[0]


def _alphabet_share(text: str) -> float:
    """Return how well the accented Latin letters fit the best fitting alphabet, from 0 to 1; 1 without any."""
    letters = [char for char in text.lower() if not char.isascii() and _script(char) == "LATIN"]
    if not letters:
        return 1.0
    return max(sum(alphabet.get(char, 0.0) for char in letters) for alphabet in _alphabets()) / len(letters)
