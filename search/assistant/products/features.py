"""Answer whether a product is or has something: from attributes with yes or no, and from what sentences say of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH
from catalog.text.quantities import has_digit
from search.assistant.products.answer import (
    ANSWERED,
    ATTRIBUTE,
    NO,
    STATED,
    VALUE,
    YES,
    ProductAnswer,
    ProductSource,
)
from search.assistant.products.limits import is_limited
from search.assistant.products.polarity import denied_in_question, is_of_another, verdict_of
from search.assistant.products.reading.expressions import has, words_of
from search.assistant.products.reading.question import ProductQuestion
from search.assistant.products.reading.topics import (
    ASKS,
    CONTENT,
    FEATURE,
    LANGUAGES,
    SAYS_NO,
    SAYS_YES,
    Span,
    Topic,
    parts,
)
from search.assistant.products.reading.words import places
from search.assistant.products.statements import Statement

_ALLERGY = re.compile(r"allerg|过敏")  # "for people with nut allergies" says nothing of what is in it
_SUBJECT, _NEXT = 2, 2  # words of a clause that may name what it is about, and words behind what it says
_CODE = re.compile(r" ?([b-k]\d{0,2})(?![^\W_\u3400-\u9fff])")
_DENIAL = re.compile(r"free\b|frei\b|los\b|\b(?:without|no|non|ohne|sans|sin|libre)\b|[无無不]")  # in a label
_YES_VALUES, _NO_VALUES = frozenset(words_of("yes value")), frozenset(words_of("no value"))
_RESERVES = ("open", "perhaps")  # of contents: words that take a yes or no of other sentences back too
_LISTS = frozenset(words_of("list attribute"))  # attributes that list what a product has in it


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statement about a topic, and whether it states (True) or denies (False) it, or leaves it open (None)."""

    statement: Statement
    verdict: bool | None


def feature_answer(
    question: ProductQuestion, topic: Topic, span: Span, statements: Sequence[Statement]
) -> ProductAnswer | None:
    """Return what the first statement says that decides, else the first one that mentions it; None without any."""
    found = list(evidence_of(question, topic, statements))
    if topic.form == CONTENT:  # peanuts are asked for, not nuts
        own = [evidence for evidence in found if places(question.plain[slice(*span)], evidence.statement.plain)]
        reserved = [
            evidence.statement
            for evidence in (*own, *found)
            if _ALLERGY.search(evidence.statement.text.lower())
            or any(has(name, evidence.statement.plain) for name in _RESERVES)
        ]
        if reserved:  # "no nuts" is no answer where "may contain traces of nuts" is said too
            return answer_from(reserved[0], topic.name)
        # "Contains no peanuts" does not say that there are no nuts.
        found = own or [replace(evidence, verdict=evidence.verdict or None) for evidence in found]
    if not found:
        return None
    if question.numbered and topic.form == FEATURE:
        with_number = (evidence.statement for evidence in found if has_number(evidence.statement.plain))
        return answer_from(next(with_number, found[0].statement), topic.name)
    best = next((evidence for evidence in found if evidence.verdict is not None), found[0])
    same = {
        evidence.verdict
        for evidence in found
        if evidence.statement.kind == best.statement.kind and evidence.verdict is not None
    }
    verdict = best.verdict if len(same) == 1 else None
    if verdict is not None and denied_in_question(question.plain, *span):
        verdict = not verdict
    return answer_from(best.statement, topic.name, verdict if question.decidable else None)


def evidence_of(question: ProductQuestion, topic: Topic, statements: Iterable[Statement]) -> Iterator[Evidence]:
    """Yield the statements that are about a topic of a question, and about its part of the product."""
    code = _code(question, topic)
    for statement in statements:
        if code is not None and not code.search(statement.plain):
            continue
        if has_parts(question, statement.plain) and (not question.counts or has_number(statement.plain)):
            verdicts = list(_verdicts(question, topic, statement))
            if verdicts:
                yield Evidence(statement, _joint(verdicts))


def _code(question: ProductQuestion, topic: Topic) -> re.Pattern[str] | None:
    """Return a pattern for the letter and number behind a topic's word: "vitamin D" is no vitamin C."""
    ends = [span[1] for found, span in question.topics if found.name == topic.name]
    match = _CODE.match(question.plain, ends[0]) if ends else None
    return re.compile(rf"(?<![a-z0-9]){match[1]}(?![a-z0-9])") if match else None


def has_parts(question: ProductQuestion, text: str) -> bool:
    """Return whether a text of the shop is about all parts of the product that a question names."""
    return all(any(True for _ in part.find(ASKS, text, LANGUAGES)) for part in question.parts)


def answer_from(statement: Statement, topic: str, verdict: bool | None = None) -> ProductAnswer:
    """Return the answer that quotes a statement, with a verdict or without one."""
    code = {True: YES, False: NO, None: VALUE if statement.kind == ATTRIBUTE else STATED}[verdict]
    facts = {"field": statement.name, "value": statement.text} if statement.kind == ATTRIBUTE else {}
    source = ProductSource(statement.kind, statement.name)
    return ProductAnswer(ANSWERED, code, topic, facts, statement.text, statement.language, source)


def has_number(text: str) -> bool:
    """Return whether a normalised text has a number, in figures or as a small one in words."""
    return has_digit(text) or has("number word", text)


def languages_of(statement: Statement, question: ProductQuestion) -> tuple[str, ...]:
    """Return the languages whose words a statement may have: its own, English, and that of the question.

    An attribute of any shop may be of any language.
    """
    if statement.kind == ATTRIBUTE:
        return LANGUAGES
    return tuple(dict.fromkeys((statement.language, ENGLISH, question.language)))


def _verdicts(question: ProductQuestion, topic: Topic, statement: Statement) -> Iterator[bool | None]:
    languages, text = languages_of(statement, question), statement.plain
    mentions = list(topic.spoken_of(text, languages))
    if statement.kind == ATTRIBUTE and any(end <= len(statement.label) for _, end in mentions):
        value = normalise(statement.text).strip(" .!")
        if value in _YES_VALUES or value in _NO_VALUES:
            labelled = next(span for span in mentions if span[1] <= len(statement.label))
            # "gluten free: yes" says that there is no gluten.
            lacks = denied_in_question(text[: len(statement.label)], *labelled)
            unclear = not lacks and _DENIAL.search(text[: len(statement.label)])
            yield None if unclear else (value in _YES_VALUES) != lacks
            return
    for start, end in topic.find(SAYS_NO, text, languages):  # of the lid alone, or where the rest says yes: open
        of_part = not question.parts and _is_of_part(text, start, end)
        yield None if of_part or is_of_another(text) else False
    stated = list(topic.find(SAYS_YES, text, languages))
    listed = topic.form == CONTENT and statement.label in _LISTS
    others = [span for span in mentions if not any(first <= span[0] and span[1] <= last for first, last in stated)]
    for start, end in (*stated, *others):
        if not question.parts and _is_of_part(text, start, end):
            yield None
        else:
            verdict = verdict_of(text, start, end, stated=listed or (start, end) in stated)
            limited = verdict is not None and topic.form == FEATURE and is_limited(text, start, end, verdict)
            yield None if limited else verdict


def _is_of_part(text: str, start: int, end: int) -> bool:
    """Return whether words are about a part of the product: "the lid is dishwasher safe", "waterproof cover"."""
    before = re.split(r"[,;.。，；]", text[:start])[-1].split()[:_SUBJECT]
    behind = re.split(r"[,;.。，；]", text[end:])[0].split()[:_NEXT]
    named = " ".join(before), " ".join(behind)
    return any(True for part in parts().values() for words in named for _ in part.find(ASKS, words, LANGUAGES))


def _joint(verdicts: Sequence[bool | None]) -> bool | None:
    decided = {verdict for verdict in verdicts if verdict is not None}
    return decided.pop() if len(decided) == 1 else None
