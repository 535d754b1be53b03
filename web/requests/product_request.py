"""A request's fields, as JSON or as a form, become an edit of one product."""

from __future__ import annotations

import json
from typing import Any

from flask import Request
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadQuery
from search.live.picture_store import MOST
from search.live.product_edit import ProductEdit, edit_of
from web.middleware.uploads import body_of, bytes_of_base64
from web.requests.search_request import FORMS, json_object, words

PICTURES = "pictures"


def edit_of_request(product_id: str, request: Request) -> ProductEdit:
    """The edit that a request asks for; raises BadQuery, BadRow, MalformedRequest or BadPicture."""
    if request.args:
        raise BadQuery("Fields came in the address.", "Put them into the body.")
    if request.is_json:
        given, pictures = _from_json(request)
    elif request.mimetype in FORMS:
        given, pictures = _from_form(request)
    elif request.mimetype or request.content_length:
        raise UnsupportedMediaType
    else:
        given, pictures = {}, None
    if given.get("id") == product_id:
        del given["id"]
    if pictures is not None and len(pictures) > MOST:
        raise BadQuery(f"{len(pictures):,} pictures came; a product may have {MOST}.", "Send fewer.")
    return edit_of(product_id, given, pictures)


def _from_json(request: Request) -> tuple[dict[str, Any], list[bytes] | None]:
    given = json_object(body_of(request))
    listed = given.pop(PICTURES, None)
    if listed is None:
        return given, None
    if not isinstance(listed, list):
        raise BadQuery("pictures is not a list.", 'For example {"pictures": ["..."]}, each a file in base64.')
    return given, [bytes_of_base64(words(each, "a picture")) for each in listed]


def _from_form(request: Request) -> tuple[dict[str, Any], list[bytes] | None]:
    files = request.files.to_dict(flat=False)
    sent = files.pop(PICTURES, None)
    pictures = None if sent is None else [file.stream.read() for file in sent]
    if files:
        raise BadQuery(f"Files came as {', '.join(map(repr, list(files)[:5]))}.", "Pictures are sent as 'pictures'.")
    given: dict[str, Any] = {}
    for name, values in request.form.lists():
        if len(values) > 1:
            raise BadQuery(f"{name[:60]!r} was given more than once.", "Send each field once.")
        given[name] = values[0]
    if "attributes" in given:
        try:
            given["attributes"] = json.loads(given["attributes"])
        except (ValueError, RecursionError):
            raise BadQuery("attributes is not valid JSON.", 'For example {"colour": "navy"}.') from None
    return given, pictures
