"""Refuse an answer of a language model that says anything which the passages that it cites do not say.

The checks are strict, since a refusal costs little: the passage itself is shown instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH
from catalog.text.scripts import unspaced
from catalog.text.tokenizer import indexed, singularise
from search.assistant.generation import wordings
from search.assistant.generation.quantities import has_all, quantities
from search.assistant.generation.sentence_checks import (
    differs,
    drops_prefix,
    has_unknown_number,
    nearest,
    parts_of,
    terms_of,
)
from search.language.english import FUNCTION_WORDS
from search.language.function_words import function_words
from search.language.stems import STEMMED

MAX_ANSWER = 600  # characters
MAX_SENTENCES = 6
ALIKE = 0.4  # likeness of a sentence and a passage of another language that says the same
SUPPORTED = 0.6  # share of a sentence's words that its passages must have, where both are in one language
UNSAID = 0.3  # share of the words that question and answer share, and no passage has, in a language without spaces

Likeness = Callable[[str, str, str], float]

_CITATION = re.compile(r"\[(\d{1,2})\]")
_LATE_CITATION = re.compile(r"([.!?。！？])\s*((?:\[\d{1,2}\]\s*)+)")
_SENTENCE = re.compile(r"(?:[^.!?。！？\n]|\.(?=\S))+[.!?。！？]*")
_MARKUP = re.compile(r"</?[a-zA-Z!][^>]{0,200}>?|```|!\[|\]\(|^\s{0,3}#{1,6}\s|\*\*|__|^\s*[-*•]\s", re.MULTILINE)
_LINK = re.compile(
    r"(?:https?:|www\.|mailto:)\S*|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+|(?<![\w.])(?:[\w-]{1,63}\.){1,4}[a-z]{2,12}(?![\w.])",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![\w'’-])[A-ZÄÖÜÉÈÁÍÓÚÑ][\w'’&-]{1,40}")
_HAN = re.compile("[\u3400-\u9fff]")
_COMMON = (  # words that say nothing about what is stated
    "can may will shall must should could would do does did have has had be been being was were not no yes there "
    "here then than also just only which who what when where how why our us they them their if so within after "
    "before up out one per each via more most about into let take accept offer get give make possible allow kann "
    "können darf dürfen wird werden muss müssen oder sie ihre ihren vous votre vos nous peut peuvent être sont "
    "est usted puede pueden su sus nuestro"
)
_SAFE_NAMES = frozenset(["i", "you", "we", "your", "our", "it", "the", "a", "an", "yes", "no", "please", "if", "when"])


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence without its citations, and the passages that it cites."""

    text: str
    passages: tuple[str, ...]


def problem_of(
    answer: str, question: str, passages: Sequence[str], language: str, likeness: Likeness | None = None
) -> str | None:
    """Return why an answer is refused, as a code for the log; None where it may be shown.

    `passages` are numbered from 1 in citations; `language` is that of the customer. `likeness` compares a sentence,
    whose language is given, with a passage; without it, an answer in another language than its passages is refused.
    """
    if not answer.strip() or len(answer) > MAX_ANSWER:
        return "length"
    if _MARKUP.search(answer) or any(ord(character) < 32 and character != "\n" for character in answer):
        return "markup"
    if wordings.pattern(wordings.INSTRUCTION).search(answer):
        return "instruction"
    whole = "\n".join(passages)
    if wordings.pattern(wordings.SECRET).search(answer) and not wordings.pattern(wordings.SECRET).search(whole):
        return "secret"
    if not _is_in_language(_CITATION.sub("", answer), language):
        return "language"
    sentences = list(_sentences(answer, passages))
    if not sentences or len(sentences) > MAX_SENTENCES:
        return "length"
    return next(
        (problem for sentence in sentences if (problem := _sentence_problem(sentence, question, language, likeness))),
        None,
    )


def _sentences(answer: str, passages: Sequence[str]) -> Iterator[_Sentence]:
    """Yield the sentences; a citation behind a full stop belongs to the sentence before it."""
    moved = _LATE_CITATION.sub(r" \2\1 ", answer)
    for match in _SENTENCE.finditer(moved):
        text = match.group()
        numbers = [int(number) for number in _CITATION.findall(text)]
        plain = " ".join(_CITATION.sub(" ", text).split())
        if any(map(str.isalnum, plain)):
            known = all(1 <= number <= len(passages) for number in numbers)
            yield _Sentence(plain, tuple(passages[number - 1] for number in numbers) if known else ())


def _sentence_problem(sentence: _Sentence, question: str, language: str, likeness: Likeness | None) -> str | None:
    if not sentence.passages:
        return "citation"
    stated = "\n".join(sentence.passages)
    for check, code in ((_has_unstated_link, "link"), (_has_unstated_number, "number"), (_has_unstated_term, "term")):
        if check(sentence.text, stated):
            return code
    if _has_unstated_name(sentence.text, stated):
        return "name"
    if _turns_round(sentence):
        return "negation"
    if _says_unstated_yes_or_no(sentence.text, question, stated):
        return "yes_no"
    if _mixes_sentences(sentence, language, likeness):
        return "sentence"
    return None if _is_supported(sentence, question, language, likeness) else "support"


def _has_unstated_link(text: str, stated: str) -> bool:
    return any(link.group().lower().rstrip(".,;") not in stated.lower() for link in _LINK.finditer(text))


def _has_unstated_number(text: str, stated: str) -> bool:
    """Return whether a number, with its unit where it has one, is not in the passages."""
    if has_unknown_number(text, stated):
        return True
    known = set(quantities(stated))
    numbers = {number for number, _ in known}
    found = list(quantities(text))
    return any(number not in numbers or (bool(unit) and (number, unit) not in known) for number, unit in found)


def _has_unstated_term(text: str, stated: str) -> bool:
    names = wordings.names(wordings.TERM)
    known = {names[match.group().lower()] for match in wordings.term_pattern().finditer(stated)}
    return any(names[match.group().lower()] not in known for match in wordings.term_pattern().finditer(text))


def _has_unstated_name(text: str, stated: str) -> bool:
    """Return whether a name is not in the passages. German writes every noun like a name: `_is_supported` checks it."""
    known = {word.lower() for word in re.findall(r"[\w&]+", stated)}
    german = sum(word in function_words("de") for word in normalise(text).split()) >= 2
    for match in _NAME.finditer(text):
        word = match.group()
        if match.start() == 0:
            if not german and not _is_known_word(word, stated):
                return True
            continue
        shouted = sum(map(str.isupper, word)) > 1
        parts = [part.lower() for part in re.findall(r"[\w&]+", word)]
        if german and not shouted:
            continue
        if parts[0] not in _SAFE_NAMES and not all(part in known or len(part) == 1 for part in parts):
            return True
    return False


def _is_known_word(word: str, stated: str) -> bool:
    """Return whether a word that begins a sentence is in the passages, or says nothing."""
    return _content(word) <= _content(stated) or normalise(word) in _SAFE_NAMES


def _turns_round(sentence: _Sentence) -> bool:
    """Return whether a sentence denies what its passages do not deny, or the other way round."""
    negation = wordings.pattern(wordings.NEGATION)
    denies = bool(negation.search(sentence.text))
    if drops_prefix(sentence.text, "\n".join(sentence.passages)):
        return True
    found = nearest(sentence.text, parts_of(sentence.passages), _content)
    if not found:  # another language
        return denies != any(negation.search(passage) for passage in sentence.passages)
    return all(denies != bool(negation.search(part)) for part in found)


def _mixes_sentences(sentence: _Sentence, language: str, likeness: Likeness | None) -> bool:
    """Return whether what a sentence says of a number, a person, a limit or a name is of several sentences."""
    parts, stated = parts_of(sentence.passages), "\n".join(sentence.passages)
    wanted = set(quantities(sentence.text))
    if not _one_language(sentence.text, stated):
        return _differs_across(sentence, parts, language, likeness)
    found = nearest(sentence.text, parts, _content)
    if wanted:
        words = _content(sentence.text) & _content(stated)
        found = [part for part in parts if words <= _content(part) and has_all(part, wanted)]
        if not found:
            return True
    return any(differs(sentence.text, part) for part in found)


def _differs_across(sentence: _Sentence, parts: list[str], language: str, likeness: Likeness | None) -> bool:
    """Return whether a sentence of another language has a person, limit or number that the likest one does not have."""
    stated = "\n".join(sentence.passages)
    wanted = set(quantities(sentence.text))
    units = {unit for _, unit in wanted if unit}
    if not terms_of(sentence.text) <= terms_of(stated):
        return True
    several = any(len({number for number, its_unit in quantities(stated) if its_unit == unit}) > 1 for unit in units)
    if not several or likeness is None or len(parts) < 2:
        return False
    scores = [likeness(sentence.text, language, part) for part in parts]
    return not any(score == max(scores) and has_all(part, wanted) for score, part in zip(scores, parts, strict=True))


def _says_unstated_yes_or_no(text: str, question: str, stated: str) -> bool:
    """Return whether a yes or no answers a question about something that the passages do not name."""
    if not wordings.pattern(wordings.YES_NO).match(text):
        return False
    return bool(_content(question) - _content(stated))


def _is_supported(sentence: _Sentence, question: str, language: str, likeness: Likeness | None) -> bool:
    """Return whether the words of a sentence are those of its passages.

    Words that it has from the question must be there too. Across languages the meaning is compared.
    """
    text, stated = sentence.text, "\n".join(sentence.passages)
    if not _one_language(text, stated):
        return likeness is not None and max(likeness(text, language, p) for p in sentence.passages) >= ALIKE
    words, known = _content(text), _content(stated)
    from_question = words & _content(question)
    unsaid = from_question - known
    if unspaced(text):
        return len(unsaid) <= UNSAID * max(1, len(from_question)) and len(words & known) >= SUPPORTED / 2 * len(words)
    return not unsaid and len(words & known) >= SUPPORTED * len(words)


def _one_language(first: str, second: str) -> bool:
    return bool(unspaced(first)) == bool(unspaced(second)) and (
        bool(unspaced(first)) or _spoken(first) == _spoken(second)
    )


def _content(text: str) -> frozenset[str]:
    """Return the words of a text that say something, in one form each."""
    words = (singularise(word) for word in indexed(_CITATION.sub(" ", text)))
    empty = _empty_words()
    return frozenset(
        _stem(word) for word in words if word.isalpha() and word not in empty and (len(word) > 2 or unspaced(word))
    )


def _stem(word: str) -> str:
    """Return the beginning of a word, which its forms share: "returned", "returning" -> "return"."""
    if unspaced(word) or not word.isalpha():
        return word
    for ending in ("ing", "ed", "able", "es", "en", "er"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


@cache
def _empty_words() -> frozenset[str]:
    others = frozenset(word for language in STEMMED for word in function_words(language))
    return FUNCTION_WORDS | frozenset(normalise(_COMMON).split()) | others


def _is_in_language(text: str, language: str) -> bool:
    """Return whether an answer is in the customer's language; one that no word decides is."""
    if language in ("zh", "ja"):
        letters = [character for character in text if character.isalpha()]
        return sum(bool(_HAN.match(character)) for character in letters) >= 0.5 * max(1, len(letters))
    if _HAN.search(text):
        return False
    counts = _spoken_counts(text)
    return counts.get(language, 0) >= max(counts.values(), default=0)


def _spoken(text: str) -> str:
    counts = _spoken_counts(text)
    return max(counts, key=lambda language: counts[language])


def _spoken_counts(text: str) -> dict[str, int]:
    """Return how many function words of each language a text has."""
    english = FUNCTION_WORDS | {"can", "within", "will", "may", "not", "has", "have", "must", "our", "there"}
    words = normalise(text).split()
    counts = {language: sum(word in function_words(language) for word in words) for language in STEMMED}
    return {ENGLISH: sum(word in english for word in words)} | counts
