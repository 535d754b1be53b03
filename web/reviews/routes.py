"""The pages of reviews: the list of a product's reviews, the form to leave one, and votes. They need no JavaScript."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from catalog.errors import BadPicture, TooManyReviews
from catalog.reviews.review import APPROVED
from search.reviews.photo_files import MAX_PHOTOS
from search.reviews.submission import MAX_AUTHOR, MAX_REVIEW_TEXT, MAX_TITLE
from web.engine import get_engine
from web.middleware.rate_limits import caller_name
from web.middleware.response_headers import no_store
from web.pages import shop
from web.reviews.api.routes import all_reviews_wait, submit
from web.reviews.card_ratings import card_rating
from web.reviews.filter_fields import read_review_parameters
from web.reviews.review_form import FormLimits, ReviewForm, read_form, voter_of
from web.reviews.review_list import product_reviews, review_list
from web.reviews.review_views import review_view
from web.reviews.wording import language_name, review_text
from web.urls import ends_inside_id, review_photo_url, reviews_url

LIMITS = FormLimits(title=MAX_TITLE, text=MAX_REVIEW_TEXT, author=MAX_AUTHOR, photos=MAX_PHOTOS)
SENT = {"waiting": "sent", "published": "sent_published"}  # what a page says to who has sent a review
bp = Blueprint("reviews", __name__)


def init_app(app: Flask) -> None:
    """Register the pages, and let templates of other pages show reviews."""
    app.jinja_env.globals.update(
        review_text=review_text,
        reviews_url=reviews_url,
        review_form_url=review_form_url,
        review_photo_url=review_photo_url,
        card_rating=card_rating,
        language_name=language_name,
        product_reviews=product_reviews,
    )
    app.register_blueprint(bp)


def review_form_url(product_id: str) -> str:
    """Return the address of the form to leave a review of a product."""
    return reviews_url(product_id) + "/new"


@bp.get("/products/<id:product_id>/reviews")
def of_product(product_id: str) -> str | AnyResponse:
    """Render the reviews of a product that the filter of the address leaves."""
    if ends_inside_id(request):
        return shop.product(f"{product_id}/reviews")
    product = get_engine().product(product_id)
    view = review_list(product_id, read_review_parameters(request.args))
    return render_template("reviews.html", product=product, view=view, sent=SENT.get(request.args.get("sent", "")))


@bp.get("/products/<id:product_id>/reviews/new")
def form(product_id: str) -> str:
    """Render the form to leave a review."""
    if ends_inside_id(request):
        return shop.product(f"{product_id}/reviews/new")
    return _form(product_id, ReviewForm())


@bp.post("/products/<id:product_id>/reviews")
def send(product_id: str) -> Response | AnyResponse:
    """Store a review, which waits for the merchant; render the form again with what was typed where it is wrong."""
    sent = read_form(request, LIMITS)
    if sent.errors:
        return _refused(product_id, sent)
    try:
        review = submit(product_id, sent.review(), [photo.data for photo in sent.photos])
    except BadPicture:
        return _refused(product_id, sent.with_error("photos", "error_photo", name=sent.photo_names))
    except TooManyReviews:
        return _refused(product_id, sent.with_error("text", "error_many"))
    published = review.state == APPROVED
    return redirect(reviews_url(product_id, sent="published" if published else "waiting"), 303)


@bp.post("/reviews/<review_id>/votes")
def vote(review_id: str) -> Response | AnyResponse:
    """Count a vote, and go back to the review; a script that sends `part` gets the changed line alone."""
    visitor = voter_of(request.form.get("visitor", ""), caller_name())
    review = get_engine().reviews.vote(review_id, visitor, request.form.get("helpful") == "1")
    if request.form.get("part"):
        return no_store(make_response(render_template("review_vote.html", shown=review_view(review))))
    return redirect(f"{reviews_url(review.product_id)}#review-{review.id}", 303)


def _form(product_id: str, sent: ReviewForm) -> str:
    product, all_wait = get_engine().product(product_id), all_reviews_wait()
    return render_template("review_form.html", product=product, form=sent, limits=LIMITS, all_wait=all_wait)


def _refused(product_id: str, sent: ReviewForm) -> Response:
    return no_store(make_response(_form(product_id, sent), 422))
