"""The API of reviews for shoppers: the reviews of a product, a review to send, votes, and photos."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, make_response, request

from catalog.errors import UnknownReview
from catalog.reviews.review import Review, ReviewDraft
from search.reviews.photo_files import resized_photo
from search.reviews.submission import SubmissionRules, Submissions
from web.api.search import product as product_answer
from web.engine import get_engine
from web.middleware.consent import check_visitor
from web.middleware.response_headers import no_store
from web.requests.validation import read_fields, read_json, source_bytes, validate
from web.reviews.api import merchant_routes
from web.reviews.api.requests import (
    PHOTOS_FIELD,
    ReviewListParameters,
    ReviewVote,
    SentReview,
    SimilarPhotoParameters,
)
from web.reviews.api.review_json import PHOTO_SIZES, shown_review, similar_photo, summary_json
from web.settings import Settings
from web.urls import ends_inside_id

RULES = "windowshop.review_rules"
CACHE_PHOTO = "public, max-age=3600"  # a rejected review's photo is gone within the hour
bp = Blueprint("review_api", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the routes of shoppers and merchants."""
    app.config["ANALYSE_REVIEWS"] = settings.analyse_reviews
    app.extensions[RULES] = SubmissionRules(settings.reviews_approve, settings.reviews_per_day)
    app.register_blueprint(bp)
    app.register_blueprint(merchant_routes.bp)


@bp.get("/api/v1/products/<id:product_id>/reviews")
def of_product(product_id: str) -> Response:
    """Return what the approved reviews of a product come to, and those that the parameters leave."""
    if ends_inside_id(request):
        return product_answer(f"{product_id}/reviews")
    wanted = validate(ReviewListParameters, request.args.to_dict())
    engine = get_engine()
    product_id = engine.product(product_id).id
    page = engine.reviews.page(product_id, wanted.filter(), wanted.offset, wanted.k)
    return jsonify(
        product_id=product_id,
        summary=summary_json(engine.reviews.summary(product_id)),
        reviews=[shown_review(review) for review in page.reviews],
        total=page.total,
        request_id=g.request_id,
    )


@bp.post("/api/v1/products/<id:product_id>/reviews")
def send(product_id: str) -> Response:
    """Store a visitor's review, which waits for the merchant. It replaces an earlier one of the visitor."""
    fields = read_fields(request, SentReview, PHOTOS_FIELD)
    sent = validate(SentReview, fields)
    review = submit(product_id, sent, [source_bytes(source) for source in sent.sources()])
    answer = jsonify(id=review.id, state=review.state, request_id=g.request_id)
    return no_store(make_response(answer, 202))


@bp.post("/api/v1/reviews/<review_id>/votes")
def vote(review_id: str) -> Response:
    """Store whether an approved review was helpful to a visitor, in place of an earlier vote."""
    sent = read_json(ReviewVote, request)
    check_visitor(sent.visitor)
    review = get_engine().reviews.vote(review_id, sent.visitor, sent.helpful)
    return no_store(jsonify(helpful=review.helpful, unhelpful=review.unhelpful, request_id=g.request_id))


@bp.get("/api/v1/reviews/photos")
def similar_photos() -> Response:
    """Return customers' photos that are as near to the picture of a search as its nearest products, best first."""
    wanted = validate(SimilarPhotoParameters, request.args.to_dict())
    engine = get_engine()
    found = engine.review_photos.nearest(engine.query_of(wanted.refine), wanted.k) if wanted.refine else ()
    return jsonify(photos=[similar_photo(photo) for photo in found], request_id=g.request_id)


@bp.get("/reviews/photos/<sha256>/<int:size>.jpg")
def photo(sha256: str, size: int) -> Response:
    """Return a photo of an approved review."""
    if size not in PHOTO_SIZES:
        abort(404)
    path = get_engine().reviews.photo(sha256)
    if path is None:
        raise UnknownReview("There is no such photo.", "Its review may have been removed.")
    response = make_response(resized_photo(path, size))
    response.content_type = "image/jpeg"
    response.headers["Cache-Control"] = CACHE_PHOTO
    response.set_etag(f"{sha256}-{size}")
    response.make_conditional(request)
    return response


def all_reviews_wait() -> bool:
    """Return whether every review of a visitor waits for the merchant."""
    rules: SubmissionRules = current_app.extensions[RULES]
    return rules.approve == "none"


def submit(product_id: str, sent: SentReview, photos: list[bytes]) -> Review:
    """Store a review that a visitor sent through the API or a page.

    Raises UnknownProduct, BadQuery for a visitor that can be guessed, BadPicture, TooManyReviews.
    """
    check_visitor(sent.visitor)
    engine = get_engine()
    draft = ReviewDraft(engine.product(product_id).id, sent.rating, sent.text.strip(), sent.title.strip())
    submissions = Submissions(
        engine.reviews,
        current_app.extensions[RULES],
        engine.review_models.classifier if current_app.config["ANALYSE_REVIEWS"] else lambda: None,
    )
    return submissions.submit(replace(draft, author=sent.author.strip()), sent.visitor, photos)
