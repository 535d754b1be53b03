"""Answer from what the shop answered other customers, and from what customers say in approved reviews."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.product import Product
from catalog.questions.question_store import CustomerQuestion
from catalog.reviews.review_query import ReviewSentence
from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH
from search.assistant.products.answer import (
    ANSWERED,
    ANSWERED_QUESTION,
    CUSTOMERS,
    REVIEW,
    SHOP_ANSWERED,
    ProductAnswer,
    ProductSource,
)
from search.assistant.products.polarity import denied_in_question, is_of_another, verdict_of
from search.assistant.products.reading.expressions import expression
from search.assistant.products.reading.question import ProductQuestion, read_question
from search.assistant.products.reading.topics import ASKS, CONTENT, FEATURE, LANGUAGES, SAYS_NO, SAYS_YES, VALUE, Topic
from search.assistant.products.reading.words import has_all

FIT = "fit"
SMALL, LARGE, TRUE = "small", "large", "true"
_FIT_PATTERNS = {name: re.compile(expression(f"{name} fit")) for name in (SMALL, LARGE, TRUE)}
_CODE = re.compile(r"\b(?:usb|type|typ|class|klasse|classe|clase)[- ][a-z]\b|\w*\d\w*")  # "usb-c", "e27"
_NOT_SO = re.compile(rf"{expression('negator')}(?: \w+)? ?$")


@dataclass(frozen=True, slots=True)
class _Mention:
    """What one customer says about a topic: YES or NO as a bool, a bucket of FIT, or None; and where."""

    review: str
    verdict: object
    text: str
    language: str


def shop_answer(
    question: ProductQuestion, product: Product, answered: Sequence[CustomerQuestion]
) -> ProductAnswer | None:
    """Return the shop's answer to such a question of another customer, the newest first."""
    for other in sorted(answered, key=lambda mention: mention.answered_at or 0, reverse=True):
        if _alike(question, read_question(other.text, other.language or ENGLISH, product), other):
            source = ProductSource(ANSWERED_QUESTION, id=other.id)
            topic = question.topics[0][0].name if question.topics else ""
            facts = {"question": other.text}
            return ProductAnswer(ANSWERED, SHOP_ANSWERED, topic, facts, other.answer, other.answer_language, source)
    return None


def review_answer(question: ProductQuestion, reviewed: Iterable[ReviewSentence]) -> ProductAnswer | None:
    """Return how many customers say so in their reviews, with one of their sentences; each customer counts once."""
    sentences = list(reviewed)
    topic = next((topic for topic, _ in question.topics if topic.form in (FEATURE, CONTENT, VALUE)), None)
    if topic is None:
        return None
    customers: dict[str, _Mention] = {}
    for sentence in sentences:
        found = _mention(question, topic, sentence)
        if found is not None and (sentence.review_id not in customers or customers[found.review].verdict is None):
            customers[found.review] = found
    if not customers:
        return None
    verdicts = [mention.verdict for mention in customers.values()]
    names = (SMALL, LARGE, TRUE) if topic.name == FIT else ("yes", "no")
    keys = names if topic.name == FIT else (True, False)
    counts = {name: verdicts.count(key) for name, key in zip(names, keys, strict=True)}
    most = max(counts, key=lambda name: counts[name])
    wanted = keys[names.index(most)] if counts[most] else None
    quote = next(mention for mention in customers.values() if mention.verdict == wanted or not counts[most])
    facts = {**counts, "total": len(customers), "most": most if counts[most] else ""}
    source = ProductSource(REVIEW, id=quote.review)
    return ProductAnswer(ANSWERED, CUSTOMERS, topic.name, facts, quote.text, quote.language, source)


def _alike(question: ProductQuestion, other: ProductQuestion, stored: CustomerQuestion) -> bool:
    """Return whether two questions ask the same: about one topic and the same parts, else with the same words."""
    if question.plain.strip(" ?？!.") == other.plain.strip(" ?？!."):
        return True
    if {part.name for part in question.parts} != {part.name for part in other.parts}:
        return False
    if set(_CODE.findall(question.plain)) != set(_CODE.findall(other.plain)):
        return False
    text = f"{other.plain} {normalise(stored.answer)}"
    if question.topics and other.topics:
        same = question.topics[0][0].name == other.topics[0][0].name
        same_measure = (question.measure is None) == (other.measure is None) and (
            question.measure is None or other.measure is None or question.measure.values == other.measure.values
        )
        # A yes or no of other words, such as another plug, is no answer; words of two languages cannot be compared.
        listed = question.topics[0][0].form in (FEATURE, CONTENT) and question.language != other.language
        return same and same_measure and _same_denial(question, other) and (listed or has_all(question.items, text))
    if question.topics or other.topics:
        return False
    return bool(question.items) and has_all(question.items, other.plain) and has_all(other.items, question.plain)


def _same_denial(question: ProductQuestion, other: ProductQuestion) -> bool:
    """Return whether both ask for something or both for the lack of it, in the same words where that is a content."""
    spans = question.topics[0][1], other.topics[0][1]
    denied = [denied_in_question(read.plain, *span) for read, span in zip((question, other), spans, strict=True)]
    words = [read.plain[slice(*span)] for read, span in zip((question, other), spans, strict=True)]
    compared = question.topics[0][0].form == CONTENT and question.language == other.language
    return denied[0] == denied[1] and (not compared or words[0] == words[1])


def _mention(question: ProductQuestion, topic: Topic, sentence: ReviewSentence) -> _Mention | None:
    text = normalise(sentence.text)
    if not all(any(True for _ in part.find(ASKS, text, LANGUAGES)) for part in question.parts):
        return None
    languages = tuple(dict.fromkeys((sentence.language or ENGLISH, ENGLISH)))
    if topic.name == FIT:
        bucket = _bucket(text)
        return None if bucket is None else _Mention(sentence.review_id, bucket, sentence.text, sentence.language)
    spans = list(topic.spoken_of(text, languages))
    decided = not (question.quote_only or question.numbered)
    if any(True for _ in topic.find(SAYS_NO, text, languages)):
        decided = decided and not is_of_another(text)
        return _Mention(sentence.review_id, False if decided else None, sentence.text, sentence.language)
    stated = list(topic.find(SAYS_YES, text, languages))
    if not spans and not stated:
        return None
    if topic.form == VALUE and question.yes_no and question.items and not has_all(question.items, text):
        return None
    verdict = verdict_of(text, *(stated or spans)[0], stated=bool(stated)) if topic.form != VALUE else None
    if not decided:
        verdict = None
    if verdict is not None and denied_in_question(question.plain, *question.topics[0][1]):
        verdict = not verdict
    return _Mention(sentence.review_id, verdict, sentence.text, sentence.language)


def _bucket(text: str) -> str | None:
    for name, pattern in _FIT_PATTERNS.items():
        match = pattern.search(text)
        if match and not _NOT_SO.search(text[: match.start()]):
            return name
    return None
