"""The app's store of customers' questions, and what answers questions about products."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app

from catalog.product import Product
from catalog.questions.question_store import QuestionStore
from search.assistant.products.answer import ProductAnswer
from search.assistant.products.product_answers import ProductAnswers
from search.assistant.products.reading.expressions import words_of
from search.language.detection import language_of
from web.engine import get_engine
from web.i18n.languages import CHINESE, ENGLISH
from web.settings import Settings

EXTENSION = "windowshop.questions"


@dataclass(frozen=True, slots=True)
class QuestionDesk:
    """The customers' questions of a shop, from whose answers product questions are answered too."""

    questions: QuestionStore

    def answer(self, product: Product | str, text: str, page_language: str) -> ProductAnswer:
        """Return what is stated about a question. Raises NotReady, UnknownProduct, StoreError."""
        engine = get_engine()
        return ProductAnswers(engine, engine.reviews, self.questions).answer(
            product, text, question_language(text, page_language)
        )


def init_app(app: Flask, settings: Settings) -> None:
    """Open the store."""
    app.extensions[EXTENSION] = QuestionDesk(QuestionStore(settings.home))


def question_desk() -> QuestionDesk:
    """Return the current app's desk."""
    desk: QuestionDesk = current_app.extensions[EXTENSION]
    return desk


def question_language(text: str, page_language: str) -> str:
    """Return the language of a question: that of its words, else that of the page where no word is English."""
    found = language_of(text)
    if found != ENGLISH or page_language in (ENGLISH, CHINESE):
        return found
    english = set(words_of("stop", ENGLISH))
    return ENGLISH if english & set(text.casefold().split()) - set(words_of("stop", page_language)) else page_language
