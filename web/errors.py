"""The one place where errors become HTTP: JSON for the API, a friendly page for people, and no leak in either.

WindowshopError (catalog/errors.py)
├── NotReady                 the server runs, its engine does not yet
├── MalformedRequest         the body of the request is not what its type says
├── NotJson                  the body of the request is of another type than JSON, which alone is read there
├── NoKey                    the address asks for a key, and none that is known was sent
├── NotAllowed               the address is closed, or the key sent does not open it
├── TooMany                  more requests came than one key or address may send
└── Unsafe                   the server would be open to more people than it should be, so it does not start
"""

from __future__ import annotations

import logging
import math

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from catalog import errors

RETRY_AFTER = 2
BARE_PATHS = ("/api/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/pictures/", "/static/")
log = logging.getLogger(__name__)


class NotReady(errors.WindowshopError):
    """The server runs, but its engine is still being opened and warmed up."""

    code = "not_ready"


class MalformedRequest(errors.WindowshopError):
    """The body of the request is not what its content type says."""

    code = "bad_request"


class UnsupportedContentType(errors.WindowshopError):
    """The body of the request is of another type than JSON, and nothing else is read at that address."""

    code = "unsupported_media_type"


class MissingApiKey(errors.WindowshopError):
    """The address asks for a key, and none that is known was sent."""

    code = "no_key"


class NotAllowed(errors.WindowshopError):
    """The address is closed to everybody, or the key that was sent does not open it."""

    code = "not_allowed"


class RateLimited(errors.WindowshopError):
    """More requests came from one key or address than it may send; `wait` seconds later one more may come."""

    code = "too_many_requests"

    def __init__(self, message: str, hint: str = "", wait: float = 1.0) -> None:
        super().__init__(message, hint)
        self.wait = wait


class UnsafeConfiguration(errors.WindowshopError):
    """The server is not started, because more people could do more than they should."""

    code = "unsafe"


# The first class that fits decides, so the narrow ones stand before the wide ones.
STATUSES: tuple[tuple[type[errors.WindowshopError], int], ...] = (
    (MalformedRequest, 400),
    (UnsupportedContentType, 415),
    (MissingApiKey, 401),
    (NotAllowed, 403),
    (RateLimited, 429),
    (errors.UnsupportedFormat, 415),
    (errors.PictureTooLarge, 413),
    (errors.UnknownProduct, 404),
    (errors.BadInput, 422),
    (errors.LiveIndexFull, 507),
    (errors.DeadlineExceeded, 504),
    (errors.StepFailed, 503),
    (NotReady, 503),
    (errors.GenerationError, 503),
    (errors.EncoderError, 503),
    (errors.StoreError, 503),
)

# What is said instead of the message of an error that is ours to mend: those messages may name files.
PUBLIC_MESSAGES: dict[type[errors.WindowshopError], tuple[str, str]] = {
    errors.NoGeneration: ("This shop has no products to search yet.", "Its owner can index them: make index FEED=..."),
    errors.GenerationError: ("The shop's index cannot be used at the moment.", "Please try again later."),
    errors.DeadlineExceeded: ("The answer was not ready in time.", "Try again, or allow more time with timeout_ms."),
    errors.StepFailed: ("The shop cannot answer that at the moment.", "Please try again later."),
    errors.LiveIndexFull: (
        "The shop holds as many changed pictures as it may beside its index.",
        "Re-index it to make room; until then, products can still be removed, and prices and stock changed.",
    ),
    errors.StoreError: ("The shop's catalogue cannot be used at the moment.", "Please try again later."),
    errors.EncoderError: ("The shop cannot read pictures or words at the moment.", "Please try again later."),
}

HTTP_ERRORS: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "The request could not be understood.", "Check how it was put together."),
    404: ("not_found", "There is nothing at this address.", "Check the address for typing mistakes."),
    405: ("method_not_allowed", "This address does not take that kind of request.", "See the Allow header."),
    413: ("too_large", "The request is too large.", ""),
    415: ("unsupported_media_type", "This kind of request body is not understood.", "Send a form or JSON."),
}


def init_app(app: Flask) -> None:
    """Map every exception that reaches the app to an answer."""
    app.register_error_handler(errors.WindowshopError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def status_of(error: errors.WindowshopError) -> int:
    """The HTTP status that says what kind of error it is."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def public_words(error: errors.WindowshopError) -> tuple[str, str]:
    """Message and hint as a stranger may read them."""
    for kind, words in PUBLIC_MESSAGES.items():
        if isinstance(error, kind):
            return words
    return error.message, error.hint


def _ours(error: errors.WindowshopError) -> Response:
    status = status_of(error)
    if status >= 500 and not isinstance(error, NotReady):
        log.error("Request %s: %s: %s", g.get("request_id", "-"), error.code, error)
    if status == 500:
        return _answer(500, error.code, "Something went wrong on our side.", "Please try again.")
    message, hint = public_words(error)
    answer = _answer(status, error.code, message, hint)
    if isinstance(error, RateLimited):
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.wait)))
    return answer


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    code, message, hint = HTTP_ERRORS.get(status, (f"http_{status}", f"{error.name}.", ""))
    if status == 413:
        hint = _size_hint()
    answer = _answer(status, code, message, hint)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def _unexpected(error: Exception) -> Response:
    log.error("Request %s failed", g.get("request_id", "-"), exc_info=error)
    return _answer(500, "internal", "Something went wrong on our side.", "Please try again.")


def _answer(status: int, code: str, message: str, hint: str) -> Response:
    request_id = g.get("request_id", "")
    if request.path.startswith(BARE_PATHS):
        body = {"error": {"code": code, "message": message, "hint": hint}, "request_id": request_id}
        answer = make_response(jsonify(body), status)
    else:
        words = {"status": status, "message": message, "hint": hint, "request_id": request_id}
        page = render_template("error.html", sorry=True, waiting=code == "not_ready", **words)
        answer = make_response(page, status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _size_hint() -> str:
    limit, length = current_app.config["UPLOAD_LIMIT"], request.content_length
    whole = f"A request may have {_mib(limit)}."
    if request.mimetype != "multipart/form-data" or (length or 0) > limit:
        return f"{whole} Send a smaller picture."
    parts, field = current_app.config["MAX_FORM_PARTS"], current_app.config["MAX_FORM_MEMORY_SIZE"]
    hint = f"A form may have {parts} parts, and a field that is no file {_mib(field)}. Pictures are sent as files."
    return hint if length else f"{whole} {hint}"  # without a length nothing tells which of these it was


def _mib(count: int) -> str:
    return f"at most {count / 2**20:g} MiB"
