"""Compose captions of a picture in other languages than English, and weigh them against the English ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from zlib import crc32

from indexer.training.captions.templates import FORMS, Wording
from indexer.training.captions.words import LANGUAGES, Adjective, Noun, alternatives

DRAWS = 100  # captions of every picture, with repetitions: each is one percent of what training draws of them
_TWO_COLOURS = " and "


@dataclass(frozen=True, slots=True)
class Parts:
    """What a picture shows, in English words of the table; "" if it is unknown or not said."""

    kind: str
    colour: str = ""
    pattern: str = ""
    material: str = ""
    gender: str = ""


@cache
def captions(parts: Parts, language: str, most: int = 8) -> tuple[str, ...]:
    """Return up to `most` different captions in one of `LANGUAGES`; none for a kind that the table lacks.

    Words that the table lacks are left out. The same parts always give the same captions; which forms are used
    depends on the parts, so that few captions for each picture still show all forms.
    """
    start = crc32("\n".join(astuple(parts)).encode())
    forms = FORMS[language]
    found: list[str] = []
    for number in range(len(forms)):
        wording = _wording(parts, language, number, start)
        text = wording and forms[(start + number) % len(forms)](wording)
        if text and text not in found:
            found.append(text)
    return tuple(found[:most])


def captions_by_language(parts: Parts, most: int = 8) -> dict[str, tuple[str, ...]]:
    """Return the captions in every language."""
    return {language: captions(parts, language, most) for language in LANGUAGES}


def item_captions(title: str, brand: str, language: str) -> tuple[str, ...]:
    """Return captions of a packed or plain good by its English title, whose brand is kept: "Bravo Apfelsaft"."""
    maker, name = _without_brand(title, brand)
    nouns = [Noun.read(cell).text for cell in alternatives(name, language, "kind")]
    photo = {"zh": "{}的照片", "de": "Foto: {}", "fr": "photo : {}", "es": "foto: {}", "ja": "{}の写真"}[language]
    return tuple(dict.fromkeys(form.format(f"{maker} {noun}".strip()) for form in ("{}", photo) for noun in nouns))


def drawn(groups: Sequence[tuple[float, Sequence[str]]]) -> tuple[str, ...]:
    """Return `DRAWS` captions: each group has its share of them, and its captions take turns.

    The shares of groups without captions go to the others in proportion. Raises ValueError if no group has captions.
    """
    groups = [(share, texts) for share, texts in groups if texts]
    if not groups:
        raise ValueError("captions of at least one group are needed")
    total = sum(share for share, _ in groups)
    ends, reached = [], 0.0
    for share, _ in groups:
        reached += share / total
        ends.append(round(reached * DRAWS))
    found: list[str] = []
    for end, (_, texts) in zip(ends, groups, strict=True):
        found += [texts[i % len(texts)] for i in range(end - len(found))]
    return tuple(found)


def shared(share: float, texts: Mapping[str, Sequence[str]]) -> list[tuple[float, Sequence[str]]]:
    """Return groups for `drawn` that share `share` equally between the languages."""
    return [(share / len(texts), captions) for captions in texts.values()]


def translations(texts: Mapping[str, Sequence[str]], english: Sequence[str]) -> tuple[str, ...]:
    """Return `DRAWS` captions, equally many of each language; the English ones where no language has any."""
    return drawn(shared(1.0, texts) if any(texts.values()) else [(1.0, english)])


def _wording(parts: Parts, language: str, number: int, start: int) -> Wording | None:
    def pick(english: str, *roles: str) -> str:
        # The most usual word has every second caption, so that rare synonyms do not crowd it out.
        words = alternatives(english, language, *roles)
        return words[(start + number) % len(words) if number % 2 else 0] if words else ""

    kind = pick(parts.kind, "kind")
    if not kind:
        return None
    # "oak" says nothing more beside "solid oak".
    redundant = f" {parts.colour} ".casefold() in f" {parts.material} ".casefold()
    names = [] if redundant else parts.colour.split(_TWO_COLOURS)
    cells = [cell for cell in (pick(colour, "colour", "adjective") for colour in names) if cell]
    if len(cells) < len(names):
        cells = []
    colours = [Adjective.read(cell) for cell in cells]
    pattern = "" if parts.pattern == "plain" else pick(parts.pattern, "pattern")
    noun = Noun.read(kind)
    # A "botella de cristal" is of glass anyway.
    named = any(word.casefold() in noun.text.casefold() for word in alternatives(parts.material, language, "ware"))
    return Wording(
        noun=noun,
        colour=colours[0] if colours else None,
        second=colours[1] if len(colours) > 1 else None,
        pattern=Adjective.read(pattern) if pattern else None,
        material="" if named else pick(parts.material, "material"),
        ware="" if named else pick(parts.material, "ware"),
        gender=pick(parts.gender, "gender"),
    )


def _without_brand(title: str, brand: str) -> tuple[str, str]:
    words, makers = title.split(), brand.casefold().split()
    same = 0
    while same < min(len(words) - 1, len(makers)) and words[same].casefold() == makers[same]:
        same += 1
    return " ".join(words[:same]), " ".join(words[same:])
