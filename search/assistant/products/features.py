"""Answer whether a product is or has something: from attributes with yes or no, and from what sentences say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

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
from search.assistant.products.polarity import denied_in_question, verdict_of
from search.assistant.products.reading.expressions import has, words_of
from search.assistant.products.reading.question import ProductQuestion
from search.assistant.products.reading.topics import ASKS, CONTENT, LANGUAGES, SAYS_NO, SAYS_YES, Span, Topic
from search.assistant.products.reading.words import places
from search.assistant.products.statements import Statement

_YES_VALUES, _NO_VALUES = frozenset(words_of("yes value")), frozenset(words_of("no value"))
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
        found = own or found
    if not found:
        return None
    best = next((evidence for evidence in found if evidence.verdict is not None), found[0])
    same = {
        evidence.verdict
        for evidence in found
        if evidence.statement.kind == best.statement.kind and evidence.verdict is not None
    }
    verdict = best.verdict if len(same) == 1 else None
    if verdict is not None and denied_in_question(question.plain, *span):
        verdict = not verdict
    return answer_from(best.statement, topic.name, verdict if question.yes_no else None)


def evidence_of(question: ProductQuestion, topic: Topic, statements: Iterable[Statement]) -> Iterator[Evidence]:
    """Yield the statements that are about a topic of a question, and about its part of the product."""
    for statement in statements:
        if has_parts(question, statement.plain) and (not question.counts or has_number(statement.plain)):
            verdicts = list(_verdicts(topic, statement))
            if verdicts:
                yield Evidence(statement, _joint(verdicts))


def has_parts(question: ProductQuestion, text: str) -> bool:
    """Return whether a text of the shop is about all parts of the product that a question names."""
    return all(any(True for _ in part.find(ASKS, text, LANGUAGES)) for part in question.parts)


def answer_from(statement: Statement, topic: str, verdict: bool | None = None) -> ProductAnswer:
    """Return the answer that quotes a statement, with a verdict or without evidence."""
    code = {True: YES, False: NO, None: VALUE if statement.kind == ATTRIBUTE else STATED}[verdict]
    facts = {"field": statement.name, "value": statement.text} if statement.kind == ATTRIBUTE else {}
    source = ProductSource(statement.kind, statement.name)
    return ProductAnswer(ANSWERED, code, topic, facts, statement.text, statement.language, source)


def has_number(text: str) -> bool:
    """Return whether a normalised text has a number, in figures or as a small evidence in words."""
    return has_digit(text) or has("number word", text)


def languages_of(statement: Statement) -> tuple[str, ...]:
    """Return the languages whose words a statement may have: an attribute of any shop may be of any."""
    if statement.kind == ATTRIBUTE:
        return LANGUAGES
    return tuple(dict.fromkeys((statement.language, ENGLISH)))


def _verdicts(topic: Topic, statement: Statement) -> Iterator[bool | None]:
    languages, text = languages_of(statement), statement.plain
    mentions = list(topic.spoken_of(text, languages))
    if statement.kind == ATTRIBUTE and any(end <= len(statement.label) for _, end in mentions):
        value = normalise(statement.text).strip(" .!")
        if value in _YES_VALUES or value in _NO_VALUES:
            yield value in _YES_VALUES
            return
    if any(True for _ in topic.find(SAYS_NO, text, languages)):
        yield False
        return
    stated = list(topic.find(SAYS_YES, text, languages))
    for start, end in stated:
        yield verdict_of(text, start, end, stated=True)
    listed = topic.form == CONTENT and statement.label in _LISTS
    for start, end in mentions:
        if not any(first <= start and end <= last for first, last in stated):
            yield verdict_of(text, start, end, stated=listed)


def _joint(verdicts: Sequence[bool | None]) -> bool | None:
    decided = {verdict for verdict in verdicts if verdict is not None}
    return decided.pop() if len(decided) == 1 else None
