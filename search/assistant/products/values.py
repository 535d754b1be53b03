"""Answer what something of a product is: its material, colour, care ...; and what any of its texts says of words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from catalog.product import Product
from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH
from search.assistant.products.answer import ATTRIBUTE, DESCRIPTION, TITLE, ProductAnswer
from search.assistant.products.features import answer_from, has_number, has_parts, languages_of
from search.assistant.products.origin import names_origin
from search.assistant.products.polarity import verdict_of
from search.assistant.products.reading.content import Item, names_of
from search.assistant.products.reading.expressions import expression
from search.assistant.products.reading.question import ProductQuestion, kind_words
from search.assistant.products.reading.topics import ASKS, LANGUAGES, VALUES, Topic, parts
from search.assistant.products.reading.words import has_all, places
from search.assistant.products.statements import Statement
from search.language.english import frequency

ORIGIN, BRAND, COLOUR = "origin", "brand", "colour"
MIN_TITLE = 3  # words of a title that may begin with a brand
RARE = 1500  # frequency of a word that may be a name
_WORD = re.compile(r"[^\W\d_]+")
_MIXED = re.compile(rf"[,/&+%|;]|{expression('mixed')}")


def value_answer(question: ProductQuestion, topic: Topic, statements: Sequence[Statement]) -> ProductAnswer | None:
    """Return the attribute of a topic, else the first sentence about it that has the question's other words too."""
    named = [
        statement
        for statement in statements
        if statement.kind == ATTRIBUTE and _is_about(statement, topic, question) and _concerns(question, statement)
    ]
    if named:
        best = next((statement for statement in named if _states(question, statement)), named[0])
        stated = not question.quote_only and _states(question, best)
        return answer_from(best, topic.name, True if stated else None)
    for statement in statements:
        if statement.kind == ATTRIBUTE or not has_parts(question, statement.plain):
            continue
        if question.yes_no and not has_all((*question.values, *question.items), statement.plain):
            continue
        if topic.name == ORIGIN:
            about = names_origin(statement.text)
        else:
            languages = languages_of(statement, question)
            about = any(True for _ in topic.spoken_of(statement.plain, languages))
            if topic.name == COLOUR and statement.kind == DESCRIPTION:
                about = about or any(True for _ in topic.find(VALUES, statement.plain, languages))
        if about and (not question.counts or has_number(statement.plain)):
            return answer_from(statement, topic.name)
    return None


def brand_in_title(
    question: ProductQuestion, product: Product, statements: Sequence[Statement]
) -> ProductAnswer | None:
    """Return the title where it begins with a name: "Timberland Women Beige Shoes"; a shop may have brands there alone.

    A rare word that is no kind, colour or other word of products is taken for a name.
    """
    title = next((statement for statement in statements if statement.kind == TITLE), None)
    words = _WORD.findall(normalise(product.title))
    if title is None or question.parts or len(words) < MIN_TITLE or question.yes_no:
        return None
    named = frequency(words[0]) <= RARE and not names_of(words[0], ENGLISH)[1:] and words[0] not in kind_words(product)
    return answer_from(title, BRAND) if named else None


def words_answer(question: ProductQuestion, statements: Sequence[Statement]) -> ProductAnswer | None:
    """Return the first text of the shop that has all words of a question that no topic explains."""
    items = (*question.values, *question.items)
    if not items:
        return None
    for statement in statements:
        if not has_parts(question, statement.plain) or not has_all(items, statement.plain):
            continue
        if not question.counts or has_number(statement.plain):
            return answer_from(statement, "", _verdict(items, statement) if question.decidable else None)
    return None


def _is_about(statement: Statement, topic: Topic, question: ProductQuestion) -> bool:
    """Return whether an attribute's name names a topic, of the whole product or of the part that is wanted about."""
    named = any(True for _ in topic.find(ASKS, statement.label, LANGUAGES))
    if not named and statement.label not in topic.attributes and not any(_ends_with(statement.label, topic.attributes)):
        return False
    own = [part for part in parts().values() if any(True for _ in part.find(ASKS, statement.label, LANGUAGES))]
    return {part.name for part in own} == {part.name for part in question.parts}


def _concerns(question: ProductQuestion, statement: Statement) -> bool:
    """Return whether an attribute is what is asked: "metal utensils" are no question about the product's material."""
    return question.named or not question.yes_no or has_all(question.items, statement.plain)


def _ends_with(label: str, names: frozenset[str]) -> Iterator[bool]:
    return (label.endswith(f" {name}") or label.startswith(f"{name} ") for name in names)


def _states(question: ProductQuestion, statement: Statement) -> bool:
    """Return whether the value of an attribute is just what a question asks for: "cotton" for "is it cotton?"."""
    value = normalise(statement.text)
    if not question.yes_no or _MIXED.search(value):
        return False
    if statement.language == "zh" and value and value in question.plain:
        return True
    wanted = (*question.values, *question.items)
    return bool(wanted) and has_all(wanted, value)


def _verdict(items: Sequence[Item], statement: Statement) -> bool | None:
    """Return what a sentence says of the words that are wanted for: only "with", "without" and the like decide."""
    spots = [spot for item in items for name in item for spot in places(name, statement.plain)]
    verdicts = {verdict_of(statement.plain, start, end) for start, end in spots}
    return verdicts.pop() if len(verdicts) == 1 else None
