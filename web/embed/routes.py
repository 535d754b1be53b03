"""Serve the embedded search to pages of every origin: the scripts hold nothing of the shop, only its API does.

`/embed.js` is the present version and cached for an hour; the address with the version may be cached forever. So is the
panel of the assistant, which comes when somebody wants help.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from web.embed.bundle import Script, adapter_script, assistant_script, embed_script, worklet_script

ONE_HOUR = "public, max-age=3600, stale-while-revalidate=86400"
FOREVER = "public, max-age=31536000, immutable"
bp = Blueprint("embed", __name__)


@bp.get("/embed.js")
def script() -> Response:
    """Return the script that defines the web components, in its present version."""
    return _answer(embed_script(), "")


@bp.get("/embed/<version>/embed.js")
def versioned_script(version: str) -> Response:
    """Return the script by its version; a page that names a version of the past gets the present one."""
    return _answer(embed_script(), version)


@bp.get("/embed/assistant.js")
def assistant() -> Response:
    """Return the module with the panel of the assistant, in its present version."""
    return _answer(assistant_script(), "")


@bp.get("/embed/<version>/assistant.js")
def versioned_assistant(version: str) -> Response:
    """Return the panel by its version, which the shop's own pages name."""
    return _answer(assistant_script(), version)


@bp.get("/embed/instantsearch.js")
def adapter() -> Response:
    """Return the module that lets InstantSearch search the shop."""
    return _answer(adapter_script(), "")


@bp.get("/embed/recorder_worklet.js")
def worklet() -> Response:
    """Return the module that passes the microphone's samples to the page."""
    return _answer(worklet_script(), "")


def _answer(served: Script, version: str) -> Response:
    compressed = request.accept_encodings["gzip"] > 0
    response = make_response(served.compressed if compressed else served.plain)
    response.content_type = "text/javascript; charset=utf-8"
    response.headers["Cache-Control"] = FOREVER if version == served.version else ONE_HOUR
    # A page with a digest in its tag (integrity), a module, and a page with COEP need these.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.vary.add("Accept-Encoding")
    if compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{served.version}-gzip" if compressed else served.version)
    response.make_conditional(request)
    return response
