"""The page where merchants moderate reviews. It holds no data: its script sends a key with the scope "write"."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from web.i18n.language import language, offer_staff_languages
from web.i18n.messages import REVIEW_DESK, merchant_messages
from web.middleware.response_headers import no_store

bp = Blueprint("review_desk", __name__)
bp.before_request(offer_staff_languages)


@bp.get("/merchant/reviews")
def page() -> Response:
    """Render the page; it differs by language only."""
    return no_store(
        make_response(render_template("review_desk.html", words=merchant_messages(language(), REVIEW_DESK)))
    )
