"""A request's fields, checked one by one, become a Query; whatever is not understood is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Request, current_app
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadQuery
from search.query.builder import QueryBuilder
from search.query.filters import parse_filter
from search.query.terms import MAX_PICTURES, MAX_TERMS, PictureTerm, ProductTerm, Query, Term, TextTerm, checked_timeout
from search.recommend.event_log import MAX_PRODUCT_ID
from web.errors import MalformedRequest
from web.middleware.uploads import Box, body_of, picture_of_base64, picture_of_file

if TYPE_CHECKING:
    from PIL.Image import Image

    from search.engine import SearchEngine

TERMS = ("image", "text", "product_id")
LIKED = ("more_like", "less_like")
CUT = ("k", "offset", "sort", "filter", "facets", "collapse", "timeout_ms")
FIELDS = (*TERMS, "terms", "weights", "crop", "regions", "refine", *LIKED, *CUT)
JSON_IN_FORMS = ("weights", "crop", "filter", "terms", *LIKED)
MOST_LIKED = 16
MOST_VIEWED = 200
CLOSER_MS = 3_000  # for looking closer at pictures, which somebody asks for and waits for, unless a request says less
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
FURTHEST = 10**9


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The query of a request, and the picture whose parts are to be asked for by themselves, if they are."""

    query: Query
    detect_objects: Image | None = None


def read_search_request(request: Request, engine: SearchEngine, closer: bool = False) -> SearchRequest:
    """The question that an API request asks; raises BadQuery, MalformedRequest or BadPicture.

    With `closer`, pictures are to be looked at closer, which takes longer.
    """
    if request.args:
        raise BadQuery(f"{_names(request.args)} came in the address.", "Put the fields into the body.")
    given = _fields(request)
    _check_names(given)
    regions = _flag(given.get("regions", False), "regions")
    cut = _cut(given, CLOSER_MS if closer or regions else 0)
    base = engine.query_of(words(given["refine"], "refine")) if "refine" in given else None
    query = _build(given, base, cut)
    if not regions:
        return SearchRequest(query)
    if query.cropped:
        raise BadQuery("crop and regions were given together.", "Send the whole picture with regions.")
    pictures = [term.picture for term in query.terms if isinstance(term, PictureTerm)]
    if len(pictures) != 1:
        raise BadQuery(f"regions was asked of {len(pictures)} pictures.", "Send one image with it.")
    return SearchRequest(query, pictures[0])


def _cut(given: Mapping[str, Any], least_ms: int) -> dict[str, Any]:
    """How the answer is narrowed and cut; with a refine token, only what is said anew."""
    cut: dict[str, Any] = {name: whole(given[name], name) for name in ("k", "offset") if name in given}
    cut["timeout_ms"] = _timeout(given.get("timeout_ms"), least_ms)
    if "sort" in given:
        cut["sort"] = words(given["sort"], "sort")
    cut |= {name: _flag(given[name], name) for name in ("facets", "collapse") if name in given}
    if "filter" in given:
        cut["filter"] = parse_filter(given["filter"])
    return cut


def _build(given: Mapping[str, Any], base: Query | None, cut: Mapping[str, Any]) -> Query:
    """Return the query of a request's fields; `base` is that of its refine token."""
    weights, crop = _weights(given.get("weights")), box_of(given.get("crop"))
    if crop is not None and "image" not in given:
        raise BadQuery("crop was given without an image.", "Send the image to be cropped, or leave crop out.")
    for name in LIKED:
        if name in given and base is None:
            raise BadQuery(f"{name} was given without refine.", "Send the refine token of the page to go on from.")
    builder = QueryBuilder(base, **cut)
    builder.feedback(*(_ids(given.get(name, []), name) for name in LIKED))
    # Text and ids first: they are cheap to refuse, a picture is expensive to decode.
    if "text" in given:
        builder.text(words(given["text"], "text"), weights.get("text", 1.0))
    if "product_id" in given:
        builder.product(words(given["product_id"], "product_id"), weights.get("product_id", 1.0))
    listed = given.get("terms", [])
    builder.terms(_listed(listed), cropped=any(term.get("crop") is not None for term in listed))
    images = given.get("image", [])
    images = images if isinstance(images, list) else [images]
    builder.expect_pictures(len(images))
    for image in images:
        builder.picture(_picture(image, crop), weights.get("image", 1.0), cropped=crop is not None)
    return builder.build()


def viewed_of(request: Request) -> tuple[list[str], int, int]:
    """The ids of the products that somebody viewed, oldest first; how many recommendations are wanted; and when."""
    given = json_object(body_of(request), '{"viewed": ["a", "b"]}')
    unknown = [name for name in given if name not in ("viewed", "k", "timeout_ms")]
    if unknown:
        raise BadQuery(f"There is no field {_names(unknown)}.", "The fields are viewed, k and timeout_ms.")
    viewed = given.get("viewed", [])
    if not isinstance(viewed, list) or len(viewed) > MOST_VIEWED:
        raise BadQuery(
            f"viewed is {_shown(viewed)}.", f'Give at most {MOST_VIEWED} ids, like {{"viewed": ["a", "b"]}}.'
        )
    ids = [words(each, "viewed") for each in viewed]
    if any(not each.strip() or len(each) > MAX_PRODUCT_ID for each in ids):
        raise BadQuery("viewed holds an id that is empty or too long.", f"Ids have 1 to {MAX_PRODUCT_ID} characters.")
    return ids, whole(given.get("k", 20), "k"), _timeout(given.get("timeout_ms"))


def timeout_of(request: Request) -> int:
    """How many milliseconds the answer to an address may take."""
    return _timeout(request.args.get("timeout_ms"))


def _timeout(given: object, least: int = 0) -> int:
    usual = max(least, current_app.config["TIMEOUT_MS"])
    return checked_timeout(whole(usual if given is None else given, "timeout_ms"))


def whole(value: object, name: str, example: str = "") -> int:
    """A whole number from JSON, a form or an address; raises BadQuery naming the field, with an example."""
    hint = f"For example {example or f'{name}=10'}."
    try:
        if isinstance(value, float) and value.is_integer():  # JSON does not tell 5 from 5.0
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError
        if isinstance(value, str) and "_" in value:  # which int() takes for a separator
            raise ValueError
        number = int(value)
    except ValueError:
        raise BadQuery(f"{name} is {_shown(value)}, which is not a whole number.", hint) from None
    if abs(number) > FURTHEST:
        raise BadQuery(f"{name} is far beyond any limit.", hint)
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
        return json_object(body_of(request), '{"text": "red shoes"}')
    if request.mimetype in FORMS:
        return _form_fields(request)
    if request.mimetype or request.content_length:
        raise UnsupportedMediaType
    return {}


def json_object(body: bytes, example: str = "") -> dict[str, Any]:
    """The fields of a JSON body, those that are null left out. Raises MalformedRequest, with an example."""
    hint = f"For example {example}." if example else "Send an object: names in quotes, each with its value."
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not valid JSON.", hint) from None
    if not isinstance(given, dict):
        raise MalformedRequest("The body is JSON, but not an object.", hint)
    return {name: value for name, value in given.items() if value is not None}


def _form_fields(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = {}
    sent: list[tuple[str, list[Any]]] = [*request.files.lists(), *request.form.lists()]
    for name, values in sent:
        several = name == "image" and all(isinstance(value, FileStorage) for value in values)
        if name in given or (len(values) > 1 and not several):
            raise BadQuery(f"{_shown(name)} was given more than once.", "Send each field once.")
        given[name] = values if several else values[0]
    for name in JSON_IN_FORMS:
        if isinstance(given.get(name), str):
            given[name] = json_value(given[name], name)
    return given


def json_value(value: str, name: str) -> object:
    """What a field of a form or an address holds as JSON; raises BadQuery naming the field."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise BadQuery(f"{name} is {_shown(value)}, which is not valid JSON.", _EXAMPLES[name]) from None


def _check_names(given: Mapping[str, object]) -> None:
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


def box_of(value: object) -> Box | None:
    """A box of four fractions, left, top, right and bottom; raises BadQuery when it is none inside the picture."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise BadQuery(f"crop is {_shown(value)}, which is not four numbers.", _EXAMPLES["crop"])
    left, top, right, bottom = (_number(side, "A side of crop") for side in value)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise BadQuery(f"crop is {_shown(value)}, which is no box inside the picture.", _EXAMPLES["crop"])
    return left, top, right, bottom


def _listed(value: object) -> list[Term]:
    """The field `terms`: any number of pictures, words and products, each with its weight."""
    if not isinstance(value, list):
        raise BadQuery(f"terms is {_shown(value)}, which is not a list.", _EXAMPLES["terms"])
    check_count(value, 0)
    return [_listed_term(each, f"terms[{place}]") for place, each in enumerate(value)]


def _listed_term(value: object, where: str) -> Term:
    if not isinstance(value, dict):
        raise BadQuery(f"{where} is {_shown(value)}, which is not an object.", _EXAMPLES["terms"])
    kinds = [name for name in TERMS if name in value]
    unknown = [name for name in value if name not in (*TERMS, "weight", "crop")]
    if len(kinds) != 1 or unknown:
        told = f"has {_names(unknown)}" if unknown else f"has {len(kinds)} of {', '.join(TERMS)}"
        raise BadQuery(f"{where} {told}.", f"Give it one of {', '.join(TERMS)}, and weight or crop if need be.")
    kind, crop = kinds[0], box_of(value.get("crop"))
    weight = _number(value.get("weight", 1.0), f"The weight of {where}")
    said = words(value[kind], f"{where}.{kind}")
    if crop is not None and kind != "image":
        raise BadQuery(f"{where} has a crop without an image.", "Leave crop out.")
    if kind == "image":
        return PictureTerm(picture_of_base64(said, crop), weight)
    return TextTerm(said, weight) if kind == "text" else ProductTerm(said, weight)


def _picture(image: object, crop: Box | None) -> Image:
    if isinstance(image, FileStorage):
        return picture_of_file(image, crop)
    return picture_of_base64(words(image, "image"), crop)


def check_count(terms: Sequence[object], pictures: int) -> None:
    """Refuse too many terms before any picture is decoded. Raises BadQuery."""
    if len(terms) + pictures > MAX_TERMS or pictures > MAX_PICTURES:
        raise BadQuery(
            f"The query has {len(terms) + pictures} terms, {pictures} of them pictures.",
            f"At most {MAX_TERMS} terms and {MAX_PICTURES} pictures can be asked together.",
        )


def _ids(value: object, name: str) -> list[str]:
    ids = [value] if isinstance(value, str) else value
    if not isinstance(ids, list) or len(ids) > MOST_LIKED:
        raise BadQuery(
            f"{name} is {_shown(value)}.", f'Give at most {MOST_LIKED} ids, for example {{"{name}": ["a"]}}.'
        )
    return [words(each, name) for each in ids]


def _flag(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "1", "false", "0"):
        return value in ("true", "1")
    raise BadQuery(f"{name} is {_shown(value)}, which is neither true nor false.", f'For example {{"{name}": true}}.')


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


_EXAMPLES = {
    "weights": 'For example {"image": 1, "text": 0.5}; below zero means less of it.',
    "filter": 'For example {"brand": ["Puma"], "price": {"max": 50}}.',
    "terms": 'For example [{"product_id": "a"}, {"text": "floral", "weight": -0.5}].',
    "more_like": 'For example ["a", "b"].',
    "less_like": 'For example ["c"].',
    "crop": "For example [0.1, 0.1, 0.9, 0.9]: left, top, right, bottom as fractions of the upright picture.",
}
