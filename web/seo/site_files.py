"""robots.txt and the web manifest."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response

from web.i18n.language import language, t
from web.i18n.languages import language_tag
from web.pages.templating import asset
from web.urls import absolute_url

ONE_HOUR = "public, max-age=3600"
GROUND = "#ffffff"  # as in shop.css
# Addresses with a token are endless, and those of the API are no pages. Other pages that must not be listed say so in
# their heads, which a robot reads only where it may fetch them.
UNBOUNDED = ("/api/", "/*refine=", "/*shown=", "/*drop=")
bp = Blueprint("site_files", __name__)


@bp.get("/robots.txt")
def robots() -> Response:
    """Return which addresses robots may fetch: none of a shop that is closed to the public."""
    if current_app.config["PUBLIC_READ"]:
        rules = [f"Disallow: {path}" for path in UNBOUNDED] + ["", f"Sitemap: {absolute_url('/sitemap.xml')}"]
    else:
        rules = ["Disallow: /"]
    return _cached(Response("\n".join(["User-agent: *", *rules, ""]), content_type="text/plain; charset=utf-8"))


@bp.get("/manifest.webmanifest")
def manifest() -> Response:
    """Return the web manifest: the shop can be put on a home screen, and photos be shared with it from other apps."""
    name: str = current_app.config["SHOP_NAME"]
    described: dict[str, Any] = {
        "id": "/",
        "name": name,
        "short_name": name if len(name) <= 12 else name.split()[0][:12],
        "description": t("lead"),
        "lang": language_tag(language()),
        "dir": "auto",
        "start_url": "/",
        "scope": "/",
        "display": "minimal-ui",
        "background_color": GROUND,
        "theme_color": GROUND,
        "categories": ["shopping"],
        "icons": [
            {"src": asset("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": asset("icon-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": asset("icon-512.png"), "sizes": "512x512", "type": "image/png"},
            {"src": asset("icon-maskable.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
        "share_target": {
            "action": "/",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"text": "q", "files": [{"name": "photo", "accept": ["image/*"]}]},
        },
    }
    response = _cached(make_response(jsonify(described)))
    response.content_type = "application/manifest+json"
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = ONE_HOUR
    return response
