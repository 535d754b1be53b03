"""What requests to the merchant's desk say, checked field by field; refusals show an example of what is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadInput, BadQuery
from search.bulk.job_rows import checked_numbers
from search.bulk.review import RowDecision
from search.query.terms import MAX_PICTURES
from web.errors import UnsupportedContentType
from web.middleware.uploads import body_of, bytes_of_base64
from web.requests.search_request import json_object, whole, words

MOST_CHOICES = 500  # decided at once
LISTING = '{"pictures": ["..."], "title": "Navy mug"}'
NEW_JOB = '{"name": "list.zip", "bytes": 1048576}'


def object_of(example: str, *fields: str) -> dict[str, Any]:
    """The fields of a JSON body. Raises NotJson, MalformedRequest, BadQuery."""
    if not request.is_json:
        hint = f"Send it with Content-Type: application/json; for example {example}."
        raise UnsupportedContentType("The body is not JSON, and nothing else is read here.", hint)
    given = json_object(body_of(request), example)
    if unknown := [name for name in given if name not in fields]:
        raise BadQuery(f"There is no field {unknown[0][:40]!r}.", f"The fields are {', '.join(fields)}.")
    return given


def address_of(*fields: str) -> Mapping[str, str]:
    """What the address says after its question mark. Raises BadQuery."""
    if unknown := [name for name in request.args if name not in fields]:
        raise BadQuery(f"There is no parameter {unknown[0][:40]!r}.", f"There is {', '.join(fields)}.")
    return request.args


def new_job() -> tuple[str, int]:
    """The name and the size in bytes of the file that a new job is for. Raises BadQuery."""
    given = object_of(NEW_JOB, "name", "bytes")
    if "bytes" not in given:
        raise BadQuery("bytes is missing: how many the file has.", f"For example {NEW_JOB}.")
    return words(given.get("name", ""), "name"), whole(given["bytes"], "bytes", NEW_JOB)


def listing_of() -> tuple[list[bytes], str]:
    """The picture files and the title of a request, a form or JSON. Raises BadQuery, BadPicture."""
    if request.is_json:
        given = object_of(LISTING, "pictures", "title")
        sent: Sequence[Any] = given.get("pictures", [])
        if not isinstance(sent, list):
            raise BadQuery("pictures is not a list.", 'For example {"pictures": ["..."]}, each a file in base64.')
        title: object = given.get("title", "")
    elif request.mimetype == "multipart/form-data":
        unknown = [name for name in [*request.files, *request.form] if name not in ("pictures", "title")]
        if unknown:
            raise BadQuery(f"There is no field {unknown[0][:40]!r}.", "The fields are pictures and title.")
        sent, title = request.files.getlist("pictures"), request.form.get("title", "")
    else:
        raise UnsupportedMediaType
    if not 1 <= len(sent) < MAX_PICTURES:
        raise BadQuery(f"{len(sent)} pictures came.", f"Send 1 to {MAX_PICTURES - 1} pictures of one product.")
    told = words(title, "title")
    if len(told) > 1_000:
        raise BadQuery(f"The title has {len(told):,} characters.", "At most 1,000.")
    files = []
    for number, one in enumerate(sent, 1):
        with which_picture(number, len(sent)):
            files.append(_file(one))
    return files, told


@contextmanager
def which_picture(number: int, of: int) -> Iterator[None]:
    """Let a refusal tell which picture it is about, where there are several."""
    try:
        yield
    except BadInput as error:
        if of == 1:
            raise
        raise type(error)(f"Picture {number}: {error.message}", error.hint) from error


def _file(sent: object) -> bytes:
    return sent.stream.read() if isinstance(sent, FileStorage) else bytes_of_base64(words(sent, "a picture"))


def choices_of(given: object) -> list[RowDecision]:
    """Decisions on rows. Raises BadQuery."""
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_CHOICES:
        raise BadQuery("decisions is no list.", f"1 to {MOST_CHOICES} of them are taken at once.")
    return [_choice(each) for each in given]


def _choice(given: object) -> RowDecision:
    if not isinstance(given, dict) or set(given) - {"row", "accept", "values"}:
        raise BadQuery("A decision is no object of row, accept and values.", 'For example {"row": 1, "accept": true}.')
    values, accept = given.get("values", {}), given.get("accept", False)
    if not isinstance(values, Mapping) or not isinstance(accept, bool):
        raise BadQuery("accept is true or false, values an object.", 'For example {"values": {"category": "Hats"}}.')
    (number,) = checked_numbers([given.get("row")])
    return RowDecision(number, accept, {name: words(value, name[:40]).strip() for name, value in values.items()})


def share_of(given: object) -> float:
    """A confidence. Raises BadQuery."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BadQuery("accept_above is no number.", "For example 0.9.")
    try:
        return float(given)
    except OverflowError:  # JSON has whole numbers of any length
        raise BadQuery("accept_above is far beyond any share.", "For example 0.9.") from None
