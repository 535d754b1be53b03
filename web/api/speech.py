"""Questions that are spoken. No recording is stored or logged; the words count as a search for them does."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, g, jsonify, request

from catalog.audio.limits import MAX_BYTES, MAX_SECONDS, formats
from search.query.terms import Query
from search.speech.languages import LANGUAGES, MEASURED
from web.api.search import page_json
from web.engine import get_engine
from web.middleware.query_logging import logged_search
from web.middleware.request_context import query_text
from web.middleware.response_headers import no_store
from web.requests.search_request import effective_timeout
from web.requests.speech_request import read_speech_request
from web.voice import voice_mode, voice_of

bp = Blueprint("speech", __name__)


@bp.get("/api/v1/speech")
def voice() -> Response:
    """Return whether questions may be spoken, in which languages and formats."""
    return jsonify(
        mode=voice_mode(),
        languages=list(LANGUAGES),
        measured=list(MEASURED),
        formats=list(formats()),
        max_seconds=MAX_SECONDS,
        max_bytes=MAX_BYTES,
        request_id=g.request_id,
    )


@bp.post("/api/v1/speech")
def recognise() -> Response:
    """Recognise a spoken question, and search for it.

    Without words the answer has a reason: "silence" or "no_speech".
    """
    recogniser = voice_of(current_app).recogniser()
    spoken = read_speech_request(request)
    engine = get_engine() if spoken.k else None
    found = recogniser.recognise(spoken.data, spoken.language)
    page = None
    if engine is not None and found.text:
        query = Query.of(text=found.text, k=spoken.k, timeout_ms=effective_timeout(None))
        page = page_json(logged_search(engine, query), query_text(query))
    return no_store(jsonify(found.to_dict() | {"search": page, "request_id": g.request_id}))
