"""A request's fields, checked one by one, become a Query; whatever is not understood is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadQuery
from search.query import PictureTerm, ProductTerm, Query, Term, TextTerm
from web.errors import MalformedRequest
from web.uploads import Box, body_of, picture_of_base64, picture_of_file

TERMS = ("image", "text", "product_id")
FIELDS = (*TERMS, "weights", "crop", "k", "offset")
LATER = ("filter", "sort")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
FURTHEST = 10**9


def query_of(request: Request) -> Query:
    """The question that an API request asks; raises BadQuery, MalformedRequest or BadPicture."""
    if request.args:
        raise BadQuery(f"{_names(request.args)} came in the address.", "Put the fields into the body.")
    given = _fields(request)
    _check_names(given)
    weights, crop = _weights(given.get("weights")), _crop(given.get("crop"))
    if crop is not None and "image" not in given:
        raise BadQuery("crop was given without an image.", "Send the image to be cropped, or leave crop out.")
    terms = tuple(_terms(given, weights, crop))
    return Query(terms, k=whole(given.get("k", 10), "k"), offset=whole(given.get("offset", 0), "offset"))


def whole(value: object, name: str) -> int:
    """A whole number from JSON, a form or an address; raises BadQuery naming the field."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError
        number = int(value)
    except ValueError:
        raise BadQuery(f"{name} is {_shown(value)}, which is not a whole number.", f"For example {name}=10.") from None
    if abs(number) > FURTHEST:
        raise BadQuery(f"{name} is far beyond any limit.", f"For example {name}=10.")
    return number


def words(value: object, name: str) -> str:
    """Text that can be encoded; a lone surrogate, which JSON allows, cannot."""
    if not isinstance(value, str):
        raise BadQuery(f"{name} is {_shown(value)}, which is not a string.", f'For example {{"{name}": "..."}}.')
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadQuery(f"{name} holds half of a character (a lone surrogate).", "Send valid Unicode.") from None
    return value


def _fields(request: Request) -> dict[str, Any]:
    if request.is_json:
        return json_object(body_of(request))
    if request.mimetype in FORMS:
        return _form_fields(request)
    if request.mimetype or request.content_length:
        raise UnsupportedMediaType
    return {}


def json_object(body: bytes) -> dict[str, Any]:
    """The fields of a JSON body, those that are null left out. Raises MalformedRequest."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not valid JSON.", 'For example {"text": "red shoes"}.') from None
    if not isinstance(given, dict):
        raise MalformedRequest("The body is JSON, but not an object.", 'For example {"text": "red shoes"}.')
    return {name: value for name, value in given.items() if value is not None}


def _form_fields(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = {}
    sent: list[tuple[str, list[Any]]] = [*request.files.lists(), *request.form.lists()]
    for name, values in sent:
        if name in given or len(values) > 1:
            raise BadQuery(f"{_shown(name)} was given more than once.", "Send each field once.")
        given[name] = values[0]
    for name in ("weights", "crop"):
        if isinstance(given.get(name), str):
            given[name] = _json_value(given[name], name)
    return given


def _json_value(value: str, name: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise BadQuery(f"{name} is {_shown(value)}, which is not valid JSON.", _EXAMPLES[name]) from None


def _check_names(given: Mapping[str, object]) -> None:
    later = [name for name in LATER if name in given]
    if later:
        raise BadQuery(f"{_names(later)} cannot be used yet.", "Leave them out.")
    unknown = [name for name in given if name not in FIELDS]
    if unknown:
        raise BadQuery(f"There is no field {_names(unknown)}.", f"The fields are {', '.join(FIELDS)}.")


def _weights(value: object) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadQuery(f"weights is {_shown(value)}, which is not an object.", _EXAMPLES["weights"])
    unknown = [name for name in value if name not in TERMS]
    if unknown:
        raise BadQuery(f"weights names {_names(unknown)}, which is nothing to weigh.", _EXAMPLES["weights"])
    return {name: _number(weight, f"The weight of {name}") for name, weight in value.items()}


def _crop(value: object) -> Box | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise BadQuery(f"crop is {_shown(value)}, which is not four numbers.", _EXAMPLES["crop"])
    left, top, right, bottom = (_number(side, "A side of crop") for side in value)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise BadQuery(f"crop is {_shown(value)}, which is no box inside the picture.", _EXAMPLES["crop"])
    return left, top, right, bottom


def _terms(given: Mapping[str, Any], weights: Mapping[str, float], crop: Box | None) -> list[Term]:
    terms: list[Term] = []
    # Words and ids first: they are cheap to refuse, a picture is dear to decode.
    for name, kind in _WORDED.items():
        if name in given:
            terms.append(kind(words(given[name], name), weights.get(name, 1.0)))
    if "image" in given:
        image = given["image"]
        if isinstance(image, FileStorage):
            picture = picture_of_file(image, crop)
        else:
            picture = picture_of_base64(words(image, "image"), crop)
        terms.append(PictureTerm(picture, weights.get("image", 1.0)))
    return terms


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadQuery(f"{what} is {_shown(value)}, which is not a number.", "For example 0.5.")
    try:
        return float(value)
    except OverflowError:
        raise BadQuery(f"{what} is far beyond any limit.", "For example 0.5.") from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _names(names: Mapping[str, object] | list[str]) -> str:
    listed = [_shown(name) for name in list(names)[:5]]
    return ", ".join(listed) + (" and more" if len(names) > 5 else "")


_WORDED: dict[str, Callable[[str, float], Term]] = {"text": TextTerm, "product_id": ProductTerm}
_EXAMPLES = {
    "weights": 'For example {"image": 1, "text": 0.5}; below zero means less of it.',
    "crop": "For example [0.1, 0.1, 0.9, 0.9]: left, top, right, bottom as fractions of the upright picture.",
}
