"""The API of reviews for merchants: the queue, decisions, replies, import, removal. Keys need the scope "write"."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, g, jsonify, make_response, request

from catalog.errors import BadInput, UnknownProduct, UnknownReview
from catalog.reviews.review import ReviewDraft
from catalog.reviews.review_query import NewReview
from search.language.detection import language_of
from search.reviews.moderation.screening import screened
from web.engine import get_engine
from web.errors import public_error
from web.middleware.auth import current_key
from web.middleware.response_headers import no_store
from web.requests.validation import read_json, shown, validate
from web.reviews.api.requests import (
    ImportedReview,
    ReviewBatch,
    ReviewDecisions,
    ReviewQueueParameters,
    ReviewReply,
)
from web.reviews.api.review_json import stored_review

bp = Blueprint("merchant_reviews", __name__)


@bp.get("/api/v1/reviews")
def queue() -> Response:
    """Return reviews in a state, those that wait the oldest first, and how many there are in each state."""
    wanted = validate(ReviewQueueParameters, request.args.to_dict())
    store = get_engine().reviews
    page = store.queue(
        wanted.state, wanted.offset, wanted.k, product_id=wanted.product_id or "", contains=wanted.contains
    )
    products = get_engine().find([review.product_id for review in page.reviews])
    overview = store.overview()
    return no_store(
        jsonify(
            reviews=[stored_review(review, products.get(review.product_id)) for review in page.reviews],
            total=page.total,
            counts={"pending": overview.pending, "approved": overview.approved, "rejected": overview.rejected},
            request_id=g.request_id,
        )
    )


@bp.put("/api/v1/reviews")
def put_batch() -> Response:
    """Store up to 500 reviews of another system; sent again, they change nothing. A bad one fails by itself."""
    rows = [_row(values) for values in read_json(ReviewBatch, request).reviews]
    engine = get_engine()
    known = engine.find([row.draft.product_id for row in rows if isinstance(row, NewReview)])
    good: list[NewReview] = []
    errors = []
    for number, row in enumerate(rows):
        if isinstance(row, NewReview) and row.draft.product_id in known:
            good.append(row)
        else:
            errors.append({"row": number, "error": public_error(_problem(row))})
    counts = engine.reviews.add_many(screened(engine.reviews, good))
    return jsonify(**asdict(counts), failed=len(errors), errors=errors, request_id=g.request_id)


@bp.post("/api/v1/reviews/decisions")
def decide() -> Response:
    """Approve, reject or hold back reviews; pages follow at once. Ids that are not known are not counted."""
    sent = read_json(ReviewDecisions, request)
    key = current_key()
    changed = get_engine().reviews.decide(sent.ids, sent.state, sent.reason, key.name if key else "")
    return jsonify(changed=changed, request_id=g.request_id)


@bp.put("/api/v1/reviews/<review_id>/reply")
def reply(review_id: str) -> Response:
    """Set the shop's reply to a review, or remove it."""
    sent = read_json(ReviewReply, request)
    review = get_engine().reviews.reply(review_id, sent.text.strip())
    return jsonify(stored_review(review) | {"request_id": g.request_id})


@bp.delete("/api/v1/reviews/<review_id>")
def remove(review_id: str) -> Response:
    """Remove a review with its photos and votes."""
    if not get_engine().reviews.remove([review_id]):
        raise UnknownReview("There is no such review.", "It may have been removed.")
    return make_response("", 204)


@bp.get("/api/v1/reviews/photos/<sha256>.jpg")
def photo(sha256: str) -> Response:
    """Return a photo of any review, also of one that waits."""
    path = get_engine().reviews.photo(sha256, waiting=True)
    if path is None:
        raise UnknownReview("There is no such photo.", "Its review may have been removed.")
    response = make_response(path.read_bytes())
    response.content_type = "image/jpeg"
    return no_store(response)


def _row(values: object) -> NewReview | BadInput:
    """Return one review of a batch, or why it cannot be stored."""
    try:
        if not isinstance(values, dict):
            raise BadInput(f"The review is {shown(values)}, which is not an object.", ReviewBatch.example)
        sent = validate(ImportedReview, {name: value for name, value in values.items() if value is not None})
    except BadInput as error:
        return error
    draft = ReviewDraft(
        sent.product_id,
        sent.rating,
        sent.text.strip(),
        sent.title.strip(),
        sent.author.strip(),
        _language(sent),
        sent.at(),
        verified=sent.verified,
        key=sent.key,
        reply=sent.reply.strip(),
        state=sent.state,
    )
    return NewReview(draft, sent.email.strip())


def _language(sent: ImportedReview) -> str:
    """Return the language that was sent, without its country, or the one that the review is in."""
    stated = sent.language.strip().lower().replace("_", "-").partition("-")[0]
    text = f"{sent.title} {sent.text}".strip()
    return stated or (language_of(text) if text else "")


def _problem(row: NewReview | BadInput) -> BadInput:
    if isinstance(row, NewReview):
        return UnknownProduct(f"The shop has no product {row.draft.product_id[:60]!r}.", "Add the product first.")
    return row
