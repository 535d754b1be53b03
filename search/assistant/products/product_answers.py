"""Answer a customer's question about a product from what the shop and its customers have said, and from nothing else.

The sources, in this order: attributes, title and description, the shop's answers to other customers, approved reviews.
An answer quotes its passage and names its source. Where none states it, the answer is "not stated". Texts of products
are only searched and quoted: whatever a description says, nothing of it is carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from catalog.product import Product
from catalog.questions.question_store import CustomerQuestion
from catalog.reviews.review_query import ReviewSentence
from search.assistant.products.answer import ATTRIBUTE, ProductAnswer, not_stated
from search.assistant.products.customers import review_answer, shop_answer
from search.assistant.products.features import feature_answer
from search.assistant.products.offers import offer_answer, variants_answer
from search.assistant.products.reading.question import ProductQuestion, read_question
from search.assistant.products.reading.topics import ASKS, CONTENT, FEATURE, LANGUAGES, MEASURE, OFFER, Topic, topics
from search.assistant.products.sizes import size_answer
from search.assistant.products.statements import Statement, statements_of
from search.assistant.products.values import BRAND, brand_in_title, value_answer, words_answer
from search.language.detection import language_of

# Where nothing is said of the one, a sentence about the other is of use; it decides nothing then.
_RELATED = {
    "dishwasher": "care",
    "machine_wash": "care",
    "tumble_dry": "care",
    "ironing": "care",
    "dry_clean": "care",
    "fridge": "storage",
    "room_temperature": "storage",
}
INCLUDED = "included"


class ProductSourceEngine(Protocol):
    """What answers need of the search engine."""

    def product(self, product_id: str) -> Product:
        """Return the product with that id. Raises UnknownProduct."""
        ...

    def variants(self, product_id: str) -> tuple[Product, ...]:
        """Return the products of a product's item group."""
        ...


class AnsweredQuestions(Protocol):
    """The questions of customers that the shop has answered."""

    def answered(self, product_id: str) -> Sequence[CustomerQuestion]:
        """Return those of a product."""
        ...


class ApprovedReviews(Protocol):
    """The sentences of approved reviews."""

    def sentences(self, product_id: str) -> Iterable[ReviewSentence]:
        """Return those of a product."""
        ...


class ProductAnswers:
    """Answers questions about the products of one shop. Threads share it."""

    def __init__(
        self,
        engine: ProductSourceEngine,
        reviews: ApprovedReviews | None = None,
        questions: AnsweredQuestions | None = None,
    ) -> None:
        self._engine = engine
        self._reviews = reviews
        self._questions = questions

    def answer(self, product: Product | str, text: str, language: str = "") -> ProductAnswer:
        """Answer a question about a product; `language` is that of the question, found from its words when "".

        Raises UnknownProduct, StoreError.
        """
        if isinstance(product, str):
            product = self._engine.product(product)
        question = read_question(text, language or language_of(text), product)
        return (
            self._stated(question, product)
            or self._answered_before(question, product)
            or self._in_words(question, product)
            or self._from_reviews(question, product)
            or not_stated(question.topics[0][0].name if question.topics else "")
        )

    def _stated(self, question: ProductQuestion, product: Product) -> ProductAnswer | None:
        statements = statements_of(product, question.language)
        if question.relation and not question.limits_feature:
            return size_answer(question, statements)
        if question.guest:
            return None
        if question.yes_no and any(topic.name == INCLUDED for topic, _ in question.topics):
            return self._included(question, statements)
        first = question.topics[:1]  # an offer is the answer only where it is what the question is most about
        for topic, span in (*first, *(pair for pair in question.topics[1:] if pair[0].form != OFFER)):
            found = self._of_topic(question, topic, span, product, statements)
            if found is not None or topic.form in (FEATURE, CONTENT):
                return found or self._related(question, topic, statements)
        if question.parts and not question.topics:
            return feature_answer(question, question.parts[0], (0, 0), statements)
        return None

    def _included(self, question: ProductQuestion, statements: Sequence[Statement]) -> ProductAnswer | None:
        """Return whether what a question names comes with the product: a part, another topic, or another word."""
        if question.parts:
            return feature_answer(question, question.parts[0], (0, 0), statements)
        listed = [statement for statement in statements if statement.kind != ATTRIBUTE or _names_included(statement)]
        other = next(((topic, span) for topic, span in question.topics if topic.name != INCLUDED), None)
        return feature_answer(question, *other, listed) if other else words_answer(question, listed)

    def _of_topic(
        self,
        question: ProductQuestion,
        topic: Topic,
        span: tuple[int, int],
        product: Product,
        statements: Sequence[Statement],
    ) -> ProductAnswer | None:
        if topic.form in (FEATURE, CONTENT):
            return feature_answer(question, topic, span, statements)
        if topic.form == MEASURE:
            return size_answer(question, statements)
        if topic.form == OFFER:
            return None if question.parts else offer_answer(topic, product, self._engine.variants(product.id))
        found = value_answer(question, topic, statements)
        if found is None and topic.name == BRAND:
            found = brand_in_title(question, product, statements)
        if found is None and topic.name == "size_offered":
            found = variants_answer(product, self._engine.variants(product.id), ("size", "sizes"))
        return found

    def _related(
        self, question: ProductQuestion, topic: Topic, statements: Sequence[Statement]
    ) -> ProductAnswer | None:
        related = topics().get(_RELATED.get(topic.name, ""))
        return None if related is None else value_answer(question, related, statements)

    def _answered_before(self, question: ProductQuestion, product: Product) -> ProductAnswer | None:
        if self._questions is None:
            return None
        return shop_answer(question, product, self._questions.answered(product.id))

    def _in_words(self, question: ProductQuestion, product: Product) -> ProductAnswer | None:
        if (question.topics and question.named) or question.relation or question.guest:
            return None
        return words_answer(question, statements_of(product, question.language))

    def _from_reviews(self, question: ProductQuestion, product: Product) -> ProductAnswer | None:
        if self._reviews is None:
            return None
        return review_answer(question, self._reviews.sentences(product.id))


def _names_included(statement: Statement) -> bool:
    """Return whether an attribute lists what comes with a product."""
    return any(True for _ in topics()[INCLUDED].find(ASKS, statement.label, LANGUAGES))
