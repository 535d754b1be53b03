"""Map errors to HTTP: JSON for the API, a page for people, and no internal text in either.

WindowshopError (catalog/errors.py)
├── NotReady                  503
├── MalformedRequest          400
├── UnsupportedContentType    415
├── IncompleteLink            422, a BadQuery of a page
├── BadPrice                  422, a BadQuery of a page
├── MissingApiKey             401
├── NotAllowed                403
├── RateLimited               429
├── BadSignature              401
└── UnsafeConfiguration       raised before the server starts
"""

from __future__ import annotations

import logging
import math
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from catalog import errors

RETRY_AFTER_S = 2
JSON_PATHS = ("/api/", "/connect/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/pictures/", "/static/")
OUR_FAULT = ("Something went wrong on our side.", "Please try again.")
log = logging.getLogger(__name__)


class NotReady(errors.WindowshopError):
    """The server runs, but its engine is not open and warm yet."""


class MalformedRequest(errors.WindowshopError):
    """The body of the request does not parse as its content type."""

    code = "bad_request"


class UnsupportedContentType(errors.WindowshopError):
    """The body of the request is not JSON, and the route reads nothing else."""

    code = "unsupported_media_type"


class IncompleteLink(errors.BadQuery):
    """The address of a page was cut short or changed, so that what it searches for cannot be read."""


class BadPrice(errors.BadQuery):
    """What was typed in a box for a price is no price."""


class MissingApiKey(errors.WindowshopError):
    """The route needs an API key, and the request has no valid one."""

    code = "no_key"


class NotAllowed(errors.WindowshopError):
    """The route is closed, or the API key has another scope."""


class BadSignature(errors.WindowshopError):
    """A webhook is not signed, or not with the secret that this shop shares with its platform."""


class RateLimited(errors.WindowshopError):
    """A key or an address sent too many requests; `wait` is the time in seconds until it may send one more."""

    code = "too_many_requests"

    def __init__(self, message: str, hint: str = "", wait: float = 1.0) -> None:
        super().__init__(message, hint)
        self.wait = wait


class UnsafeConfiguration(errors.WindowshopError):
    """The settings would give people more access than intended, so the server does not start."""

    code = "unsafe"


# The first class that matches decides, so subclasses stand before their base.
STATUSES: tuple[tuple[type[errors.WindowshopError], int], ...] = (
    (MalformedRequest, 400),
    (UnsupportedContentType, 415),
    (MissingApiKey, 401),
    (NotAllowed, 403),
    (RateLimited, 429),
    (BadSignature, 401),
    (errors.UnsupportedFormat, 415),
    (errors.PictureTooLarge, 413),
    (errors.UnsupportedAudio, 415),
    (errors.AudioTooLarge, 413),
    (errors.UnknownProduct, 404),
    (errors.UnknownRule, 404),
    (errors.UnknownExperiment, 404),
    (errors.UnknownQuestion, 404),
    (errors.UnknownPriceAlert, 404),
    (errors.UnknownReview, 404),
    (errors.UnknownThread, 404),
    (errors.BadDelivery, 409),
    (errors.BadInput, 422),
    (errors.LiveIndexFull, 507),
    (errors.DeadlineExceeded, 504),
    (errors.Overloaded, 503),
    (errors.StepFailed, 503),
    (errors.VectorsUnavailable, 503),
    (errors.OrdersUnavailable, 503),
    (errors.VoiceUnavailable, 501),
    (errors.VoiceBusy, 503),
    (NotReady, 503),
    (errors.GenerationError, 503),
    (errors.EncoderError, 503),
    (errors.StoreError, 503),
)

# The texts for errors of the shop itself, whose own messages may name files.
PUBLIC_MESSAGES: dict[type[errors.WindowshopError], tuple[str, str]] = {
    errors.NoGeneration: ("This shop has no products to search yet.", "Its owner can index them: make index FEED=..."),
    errors.GenerationError: ("The shop's index cannot be used at the moment.", "Please try again later."),
    errors.DeadlineExceeded: ("The answer was not ready in time.", "Try again, or allow more time with timeout_ms."),
    errors.Overloaded: ("The shop is very busy at the moment.", "Please try again in a few seconds."),
    errors.StepFailed: ("The shop cannot answer that at the moment.", "Please try again later."),
    errors.VectorsUnavailable: (
        "The shop cannot compare pictures at the moment.",
        "Search with words, or try again later.",
    ),
    errors.OrdersUnavailable: ("Orders cannot be looked up at the moment.", "Please try again later."),
    errors.LiveIndexFull: (
        "The shop holds the maximum of pictures that changed since it was indexed.",
        "Re-index it to make room; until then, products can still be removed, and prices and stock changed.",
    ),
    errors.VoiceUnavailable: (
        "Speech is not recognised here.",
        "Type it. The shop's owner can switch it on: docs/settings.md, WINDOWSHOP_VOICE.",
    ),
    errors.VoiceBusy: ("Other shoppers are speaking at the moment.", "Try again in some seconds, or type it."),
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
    """Answer every exception that reaches the app."""
    app.register_error_handler(errors.WindowshopError, _answer_windowshop_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_unexpected)


def status_of(error: errors.WindowshopError) -> int:
    """Return the HTTP status of an error."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def public_words(error: errors.WindowshopError) -> tuple[str, str]:
    """Return the message and the hint that strangers may read."""
    for kind, texts in PUBLIC_MESSAGES.items():
        if isinstance(error, kind):
            return texts
    return error.message, error.hint


def public_error(error: errors.WindowshopError) -> dict[str, str]:
    """Return an error as JSON values that strangers may read."""
    message, hint = public_words(error)
    return {"code": error.code, "message": message, "hint": hint}


def retry_after(error: RateLimited | errors.Overloaded) -> str:
    """Return the whole seconds after which a refused client may ask again."""
    return str(max(1, math.ceil(error.wait)))


def error_json(code: str, message: str, hint: str) -> dict[str, Any]:
    """Return the JSON body of an error."""
    return {"error": {"code": code, "message": message, "hint": hint}, "request_id": g.get("request_id", "")}


def _answer_windowshop_error(error: errors.WindowshopError) -> Response:
    status = status_of(error)
    if status >= 500 and not isinstance(error, NotReady | errors.VoiceUnavailable | errors.Overloaded):
        log.error("Request %s: %s: %s", g.get("request_id", "-"), error.code, error)
    response = _response(status, error.code, *(OUR_FAULT if status == 500 else public_words(error)))
    if isinstance(error, RateLimited | errors.Overloaded):
        response.headers["Retry-After"] = retry_after(error)
    return response


def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    code, message, hint = HTTP_ERRORS.get(status, (f"http_{status}", f"{error.name}.", ""))
    response = _response(status, code, message, _size_hint() if status == 413 else hint)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _answer_unexpected(error: Exception) -> Response:
    log.error("Request %s failed", g.get("request_id", "-"), exc_info=error)
    return _response(500, "internal", *OUR_FAULT)


def _response(status: int, code: str, message: str, hint: str) -> Response:
    if request.path.startswith(JSON_PATHS):
        response = make_response(jsonify(error_json(code, message, hint)), status)
    else:
        texts = {
            "status": status,
            "code": code,
            "message": message,
            "hint": hint,
            "request_id": g.get("request_id", ""),
        }
        page = render_template("error.html", sorry=True, waiting=code == "not_ready", **texts)
        response = make_response(page, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    response.headers["Cache-Control"] = "no-store"
    return response


def _size_hint() -> str:
    form, body = current_app.config["UPLOAD_LIMIT"], current_app.config["BODY_LIMIT"]
    is_form, length = request.mimetype == "multipart/form-data", request.content_length or 0
    total = f"A request may have {_mib(form if is_form else body)}."
    if not is_form:
        return f"{total} Send a smaller picture, or send it as a file in a form, which may have {_mib(form)}."
    if length > form:
        return f"{total} Send a smaller picture."
    parts, field = current_app.config["MAX_FORM_PARTS"], current_app.config["MAX_FORM_MEMORY_SIZE"]
    hint = f"A form may have {parts} parts, and a field that is no file {_mib(field)}. Send pictures as files."
    return hint if length else f"{total} {hint}"  # a request without a length may have exceeded any of these


def _mib(count: int) -> str:
    return f"at most {count / 2**20:g} MiB"
