"""One visitor's data over HTTP: a visitor has it removed, and the owner answers what is stored."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request

from web.conversations.desk import desk_of
from web.engine import get_engine
from web.middleware.consent import check_visitor
from web.middleware.response_headers import no_store
from web.prices.alert_service import alerts_of
from web.prices.alert_views import alerts_json
from web.questions.rendering import question_json
from web.questions.service import question_desk
from web.requests.recommend_request import SimilarParameters, VisitorId
from web.requests.validation import validate
from web.urls import ends_inside_id

bp = Blueprint("visitors", __name__)


@bp.delete("/api/v1/visitors/<id:visitor>")
def forget(visitor: str) -> Response:
    """Remove everything that is stored about a visitor. The answer is the same whether anything was stored."""
    visitor = validate(VisitorId, {"visitor": visitor}).visitor
    check_visitor(visitor)
    engine = get_engine()
    engine.recommender.forget(visitor)
    engine.reviews.forget(visitor)
    question_desk().questions.forget(visitor)
    alerts_of(current_app).store.forget(visitor)
    desk_of(current_app).store.forget(visitor)
    return make_response("", 204)


@bp.get("/api/v1/visitors/<id:visitor>")
def stored(visitor: str) -> Response:
    """Return everything that is stored about a visitor, for the owner to answer a visitor's request."""
    visitor = validate(VisitorId, {"visitor": visitor}).visitor
    engine = get_engine()
    recommender = engine.recommender
    events = [
        {("type" if name == "kind" else name): value for name, value in asdict(event).items() if name != "visitor"}
        for event in recommender.events_of(visitor)
    ]
    exposures = [asdict(exposure) for exposure in recommender.exposures_of(visitor)]
    reviews = [asdict(review) for review in engine.reviews.of_visitor(visitor)]
    votes = [{"review_id": review, "helpful": helpful} for review, helpful in engine.reviews.votes_of(visitor).items()]
    questions = [question_json(question) for question in question_desk().questions.of_visitor(visitor)]
    stored = {
        "events": events,
        "experiments": exposures,
        "reviews": reviews,
        "review_votes": votes,
        "questions": questions,
        "price_alerts": alerts_json(alerts_of(current_app).store.of_visitor(visitor)),
    }
    store = desk_of(current_app).store
    stored["conversations"] = store.export(store.ids_of_visitor(visitor))
    return no_store(jsonify(stored | {"request_id": g.request_id}))


@bp.get("/api/v1/visitors/<id:visitor>/outlook")
def outlook(visitor: str) -> Response:
    """Return in which categories, and which products, a visitor probably buys next, and what is due to be bought again.

    Nothing is predicted for a visitor without events, and before models are fitted: `personalised` is then false.
    """
    if ends_inside_id(request):
        return stored(f"{visitor}/outlook")
    visitor = validate(VisitorId, {"visitor": visitor}).visitor
    k = validate(SimilarParameters, request.args.to_dict()).k
    found = get_engine().recommender.outlook(visitor, k)
    return no_store(jsonify(found.to_dict() | {"request_id": g.request_id}))
