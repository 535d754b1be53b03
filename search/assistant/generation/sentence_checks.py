"""Find the sentence of a passage that an answer's sentence repeats, and compare the two.

A number, what it is of, who does something, and "below" or "except" must stand in one sentence: those of two sentences
together may say what neither does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from catalog.text.scripts import unspaced
from search.assistant.generation import wordings

Content = Callable[[str], frozenset[str]]

_SENTENCE = re.compile(r"(?:[^.!?。！？\n]|\.(?=\S))+[.!?。！？]*")
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"(?<=[\w,;:] )[A-ZÄÖÜÉÈÁÍÓÚÑ][\w&-]{1,40}")


def parts_of(passages: Sequence[str]) -> list[str]:
    """Return the sentences of passages."""
    return [part for passage in passages for part in _SENTENCE.findall(passage)]


def nearest(text: str, parts: Sequence[str], content: Content) -> list[str]:
    """Return the sentences that have most words of a text, several where as many; none without a common word."""
    words = content(text)
    counts = [len(words & content(part)) for part in parts]
    most = max(counts, default=0)
    return [part for part, count in zip(parts, counts, strict=True) if most and count == most]


def differs(text: str, part: str) -> bool:
    """Return whether a text has a name, a person or a limit that a sentence lacks, or an exception in one of them."""
    known = terms_of(part)
    exception = wordings.pattern(wordings.EXCEPTION)
    names = {name.lower() for name in _NAME.findall(text)} - {"i"}
    return (
        not terms_of(text) <= known
        or bool(exception.search(text)) != bool(exception.search(part))
        or (not _is_german(text) and not names <= {word.lower() for word in _WORD.findall(part)})
    )


def has_unknown_number(text: str, stated: str) -> bool:
    """Return whether a number that cannot be read is not written so in the passages."""
    known, words = stated.lower(), wordings.number_words()
    found = (match.group().lower() for match in wordings.unknown_number_pattern().finditer(text))
    return any(number not in words and number not in known for number in found)


def drops_prefix(text: str, stated: str) -> bool:
    """Return whether one has "unopened" or "未开封" and the other only "opened"."""
    return any(_opposite(first, second) for first, second in ((text, stated), (stated, text)))


def _opposite(text: str, other: str) -> bool:
    """Return whether a text has a word that the other one has with "un" before it alone."""
    words = {word.lower() for word in _WORD.findall(text)}
    others = {word.lower() for word in _WORD.findall(other)}
    if any(f"un{word}" in others and f"un{word}" not in words for word in words - others if len(word) > 3):
        return True
    if not unspaced(other):
        return False
    denied = re.findall(r"未(\w\w)", other)
    return any(re.search(rf"(?<!未){found}", text) and not re.search(rf"(?<!未){found}", other) for found in denied)


def terms_of(text: str) -> set[str]:
    """Return the names of the persons and limits of a text, such as "you" and "less"."""
    names = wordings.names(wordings.ONE_SENTENCE)
    return {names[found] for found in _found(text)}


def _found(text: str) -> Iterator[str]:
    for match in wordings.sentence_term_pattern().finditer(text):
        if match.group() != "sie":  # "Sie" is you, "sie" is they
            yield match.group().lower()


def _is_german(text: str) -> bool:
    return bool(re.search(r"(?<!\w)(?:der|die|das|und|ist|sind|wir|sie|ein|eine|nicht|kein|keine)(?!\w)", text.lower()))
