"""The staff's page of conversations. It holds no data: its script sends a key with the scope "write" to the API."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from web.i18n.language import language, offer_staff_languages
from web.i18n.messages import CONVERSATIONS, page_messages
from web.middleware.response_headers import no_store

bp = Blueprint("conversations_page", __name__)
bp.before_request(offer_staff_languages)


@bp.get("/merchant/conversations")
def page() -> Response:
    """Render the page; it differs by language only."""
    return no_store(
        make_response(render_template("conversations.html", words=page_messages(CONVERSATIONS, language())))
    )
