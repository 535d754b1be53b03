"""The page parts of questions about products: the section of a product's page, and the shop's page to answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from catalog.errors import StoreError
from catalog.product import Product
from catalog.questions.question_store import MAX_QUESTION, CustomerQuestion
from web.engine import get_engine
from web.i18n.language import language, offer_staff_languages
from web.i18n.messages import QUESTION_DESK, page_messages
from web.middleware.response_headers import no_store
from web.questions.rendering import ProductAnswerView, answer_view
from web.questions.service import question_desk, question_language
from web.urls import product_url

ASK, SENT = "ask", "sent"  # fields of a product's address
ANCHOR = "#questions"
bp = Blueprint("question_pages", __name__)


@dataclass(frozen=True, slots=True)
class QuestionsView:
    """The section of a product's page: answered questions, and the answer to the one in the address."""

    questions: Sequence[CustomerQuestion]
    question: str = ""
    answer: ProductAnswerView | None = None
    sent: bool = False


def questions_view(product: Product) -> QuestionsView:
    """Return the section for the request's address; without questions where their file cannot be read."""
    desk = question_desk()
    text = " ".join(request.args.get(ASK, "").split())[:MAX_QUESTION]
    try:
        answered = desk.questions.answered(product.id)
        answer = answer_view(desk.answer(product, text, language()), language()) if text else None
    except StoreError:
        return QuestionsView(())
    return QuestionsView(answered, text, answer, SENT in request.args)


@bp.post("/products/<id:product_id>/questions")
def send(product_id: str) -> AnyResponse:
    """Send a question of the page's form to the shop, and return to the product."""
    product = get_engine().product(product_id)
    text = request.form.get(ASK, "")
    question_desk().questions.ask(product.id, text, question_language(text, language()))
    return redirect(product_url(product.id, sent=1) + ANCHOR, 303)


@bp.get("/merchant/questions")
def desk() -> Response:
    """Render the page on which the shop answers questions; it differs by language only."""
    offer_staff_languages()
    words = page_messages(QUESTION_DESK, language())
    return no_store(make_response(render_template("merchant_questions.html", words=words)))
