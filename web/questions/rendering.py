"""The answer to a question about a product as text in a language: codes and facts become sentences here alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency, format_decimal

from catalog.questions.question_store import CustomerQuestion
from search.assistant.products.answer import (
    CUSTOMERS,
    MEASURE_NO,
    MEASURE_OPEN,
    MEASURE_YES,
    NO,
    PRICE,
    VALUE,
    VARIANTS,
    YES,
    ProductAnswer,
)
from web.i18n.languages import LOCALES
from web.i18n.messages import QUESTIONS, field_name, page_message

_QUOTING = (YES, NO)  # of an attribute, these name it: "No. Dishwasher safe: no"


@dataclass(frozen=True, slots=True)
class ProductAnswerView:
    """An answer as pages show it: a sentence, the passage that states it, its language and the name of its source."""

    answered: bool
    text: str
    passage: str = ""
    language: str = ""
    source: str = ""
    foreign: bool = False  # the passage is in another language than the page


def answer_view(answer: ProductAnswer, language: str) -> ProductAnswerView:
    """Return an answer in a language of the pages."""
    answered = answer.source is not None
    passage = answer.passage
    if answer.source is not None and "field" in answer.facts and answer.code != VALUE:
        passage = f"{field_name(answer.source.name, language)}: {passage}"
    if answer.code == VALUE:
        passage = ""
    source = page_message(QUESTIONS, f"source_{answer.source.kind}", language) if answer.source else ""
    foreign = bool(passage and answer.language and answer.language != language)
    return ProductAnswerView(answered, answer_text(answer, language), passage, answer.language, source, foreign)


def answer_text(answer: ProductAnswer, language: str) -> str:
    """Return the sentence of an answer, without its passage."""

    def say(key: str, **values: object) -> str:
        return page_message(QUESTIONS, key, language, **values)

    facts = answer.facts
    if answer.code == VALUE:
        return say("value", field=field_name(str(facts["field"]), language), value=facts["value"])
    if answer.code in (MEASURE_YES, MEASURE_NO):
        return say(answer.code, stated=facts["stated"], asked=facts["asked"])
    if answer.code == MEASURE_OPEN:
        return say("measure_open" if "asked" in facts else "side_open", stated=facts["stated"])
    if answer.code == PRICE:
        shown = {name: _money(facts[name], facts["currency"], language) for name in _prices(answer)}
        return say("price_reduced" if "list_price" in shown else "price", **shown)
    if answer.code == VARIANTS:
        return say("variants", values=", ".join(facts["values"]))
    if answer.code == CUSTOMERS:
        most = facts["most"]
        return say(
            f"customers_{most or 'mention'}", count=facts[most] if most else facts["total"], total=facts["total"]
        )
    return say(answer.code)


def answer_json(answer: ProductAnswer, language: str) -> dict[str, Any]:
    """Return an answer as JSON values, with its text in a language."""
    source = answer.source
    return {
        "status": answer.status,
        "code": answer.code,
        "topic": answer.topic or None,
        "text": answer_text(answer, language),
        "facts": dict(answer.facts),
        "passage": answer.passage or None,
        "language": answer.language or None,
        "source": None if source is None else {"kind": source.kind, "name": source.name, "id": source.id or None},
    }


def question_json(question: CustomerQuestion, title: str = "") -> dict[str, Any]:
    """Return a stored question as JSON values; there is nothing of the visitor in it."""
    return {
        "id": question.id,
        "product_id": question.product_id,
        "product_title": title or None,
        "text": question.text,
        "language": question.language,
        "at": question.at,
        "state": question.state,
        "answer": question.answer or None,
        "answer_language": question.answer_language or None,
        "answered_at": question.answered_at,
    }


def _prices(answer: ProductAnswer) -> list[str]:
    return [name for name in ("price", "list_price") if name in answer.facts]


def _money(amount: str, currency: str, language: str) -> str:
    locale = LOCALES[language]
    if not currency:
        return format_decimal(Decimal(amount), locale=locale)
    return format_currency(Decimal(amount), currency, locale=locale, decimal_quantization=False)
