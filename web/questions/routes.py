"""The API of questions about products: ask, send to the shop, answer, list, remove."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request

from search.language.detection import language_of
from web.engine import get_engine
from web.middleware.consent import check_visitor
from web.middleware.response_headers import no_store
from web.questions.rendering import answer_json, question_json
from web.questions.requests import AskParameters, QuestionsPage, SentQuestion, ShopAnswer
from web.questions.service import question_desk, question_language
from web.requests.validation import read_json, validate
from web.urls import ends_inside_id

bp = Blueprint("product_questions", __name__)


@bp.get("/api/v1/products/<id:product_id>/questions")
def ask(product_id: str) -> Response:
    """Return the answered questions about a product; with `ask`, what is stated about that question too.

    An answer has the passage that states it and its source; without one its status is `not_stated`.
    """
    if ends_inside_id(request):
        view = current_app.view_functions["api.product"]
        return make_response(view(product_id=f"{product_id}/questions"))
    sent = validate(AskParameters, request.args.to_dict())
    product, desk = get_engine().product(product_id), question_desk()
    answer = answer_json(desk.answer(product, sent.ask, sent.language), sent.language) if sent.ask.strip() else None
    questions = [question_json(question) for question in desk.questions.answered(product_id)]
    return jsonify(answer=answer, questions=questions, request_id=g.request_id)


@bp.post("/api/v1/products/<id:product_id>/questions")
def send(product_id: str) -> Response:
    """Send a question about a product to the shop. It is shown once the shop has answered and published it."""
    sent = read_json(SentQuestion, request)
    if sent.visitor:
        check_visitor(sent.visitor)
    product = get_engine().product(product_id)
    language = sent.language or question_language(sent.text, "en")
    question = question_desk().questions.ask(product.id, sent.text, language, sent.visitor or "")
    return make_response(no_store(jsonify(question=question_json(question), request_id=g.request_id)), 202)


@bp.get("/api/v1/questions")
def questions() -> Response:
    """Return the questions of a state, the newest first, and how many there are of each state."""
    page = validate(QuestionsPage, request.args.to_dict())
    store = question_desk().questions
    found = store.of_state(page.state, page.limit, str(page.before) if page.before else "")
    products = get_engine().find(list({question.product_id for question in found}))
    titles = {product_id: product.title for product_id, product in products.items()}
    listed = [question_json(question, titles.get(question.product_id, "")) for question in found]
    return no_store(jsonify(questions=listed, counts=store.counts(), request_id=g.request_id))


@bp.put("/api/v1/questions/<question_id>/answer")
def answer(question_id: str) -> Response:
    """Answer a question, in place of an earlier answer. A published one is shown with the product from now on."""
    sent = read_json(ShopAnswer, request)
    language = sent.language or language_of(sent.answer)
    question = question_desk().questions.answer(question_id, sent.answer, language, sent.publish)
    return no_store(jsonify(question=question_json(question), request_id=g.request_id))


@bp.delete("/api/v1/questions/<question_id>")
def remove(question_id: str) -> Response:
    """Remove a question with its answer."""
    question_desk().questions.remove(question_id)
    return make_response("", 204)
