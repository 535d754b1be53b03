"""Short phrases that mean one thing wherever they stand alone: "hello", "show me more", "never mind", "转人工"."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from catalog.text.tokenizer import normalise, unspaced

PERSON, GREETING, THANKS, BYE, LEAVE, MORE = "person", "greeting", "thanks", "bye", "leave", "more"
LEAD, TAIL, PRONOUN, JOIN = "lead", "tail", "pronoun", "join"
LACKING = "lacking"  # what was asked for is not at hand
NO_PERSON = "no_person"  # beside a word for a person: none is wanted, or there was one before
ORDINALS = ("first", "second", "third")
_EDGES = " \t\n.,;:!?¡¿…。，；：！？、~-"
_TABLE = Path(__file__).with_name("cues.csv")


def is_cue(kind: str, text: str) -> bool:
    """Return whether a text is nothing but a phrase of a kind, in any language."""
    return _folded(text) in _phrases()[kind]


def has_cue(kind: str, text: str) -> bool:
    """Return whether a text holds a phrase of a kind."""
    return _pattern(kind).search(_folded(text)) is not None


def wants_person(text: str) -> bool:
    """Return whether a text asks for a person, and does not say that none is wanted or that there was one before."""
    clauses = re.split(r"[.,;:!?。，；：！？]", _folded(text))
    return any(has_cue(PERSON, clause) and not has_cue(NO_PERSON, clause) for clause in clauses)


def needs_no_person(text: str) -> bool:
    """Return whether a text speaks of a person, but asks for none."""
    return has_cue(PERSON, text) and not wants_person(text)


def without_lead(text: str) -> str:
    """Return what is looked for in a text: "show me red mugs, please" without "show me" and "please"."""
    text, before = text.strip(_EDGES), ""
    while text != before:
        before = text
        text = _edge(LEAD, "^").sub("", text, count=1).strip(_EDGES)
        text = _edge(TAIL, "$").sub("", text, count=1).strip(_EDGES)
    return text


def without_pronouns(text: str) -> str:
    """Return a text without words that stand for the things of the last search: "red ones" is "red"."""
    return " ".join(_words(PRONOUN).sub(" ", text).split())


def clauses_of(text: str) -> list[str]:
    """Return the parts of a text that may be requests of their own, at "and" and at the ends of sentences."""
    joins = _words(JOIN).sub("\n", text)
    return [part for part in (piece.strip(_EDGES) for piece in re.split(r"[\n?!;。？！；，,]|\.\s", joins)) if part]


def _folded(text: str) -> str:
    return " ".join(normalise(text.replace("’", "'")).strip(_EDGES).split())


@cache
def _phrases() -> Mapping[str, frozenset[str]]:
    phrases: dict[str, set[str]] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            phrases.setdefault(row["kind"], set()).update(row["phrases"].split("|"))
    return {kind: frozenset(map(_folded, known)) for kind, known in phrases.items()}


@cache
def _typed(kind: str) -> tuple[str, str]:
    """Return patterns of a kind's phrases as they are typed, the longest first: words, and runs without spaces."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = [row["phrases"].split("|") for row in csv.DictReader(file) if row["kind"] == kind]
    ways = {way for row in rows for phrase in row for way in (phrase, normalise(phrase))}
    longest = sorted(ways, key=len, reverse=True)
    words = "|".join(re.escape(way).replace(r"\ ", r"\s+").replace("'", "['’]") for way in longest if not unspaced(way))
    runs = "|".join(re.escape(way) for way in longest if unspaced(way))
    return words, runs


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    folded = sorted(_phrases()[kind], key=len, reverse=True)
    words = "|".join(map(re.escape, (way for way in folded if not unspaced(way))))
    runs = "|".join(map(re.escape, (way for way in folded if unspaced(way))))
    return re.compile(rf"\b(?:{words})\b|{runs}" if runs else rf"\b(?:{words})\b")


@cache
def _words(kind: str) -> re.Pattern[str]:
    words, runs = _typed(kind)
    return re.compile(rf"\b(?:{words})\b" + (f"|{runs}" if runs else ""), re.IGNORECASE)


@cache
def _edge(kind: str, edge: str) -> re.Pattern[str]:
    words, runs = _typed(kind)
    if edge == "^":
        pattern = rf"^(?:(?:{words})(?!\w)\s*" + (f"|(?:{runs}))" if runs else ")")
    else:
        pattern = rf"(?:(?<!\w)(?:{words})" + (f"|(?:{runs}))" if runs else ")") + "$"
    return re.compile(pattern, re.IGNORECASE)
