"""The request for a suggested listing: pictures of one product and perhaps its title, as a form or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from flask import Request
from pydantic import Field
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadInput
from search.query.terms import MAX_PICTURES
from web.requests.validation import Body, PictureSource, Text, read_fields, source_bytes, validate

MAX_TITLE = 1_000
PICTURE_COUNT = Field(min_length=1, max_length=MAX_PICTURES - 1)
Title = Annotated[Text, Field(max_length=MAX_TITLE)]


class Listing(Body):
    """Pictures of one product, and perhaps its title."""

    example = '{"pictures": ["..."], "title": "Navy mug"}'
    runnable = False
    pictures: Annotated[list[PictureSource], PICTURE_COUNT] = Field(default_factory=list, validate_default=True)
    title: Title = ""


def read_listing(request: Request) -> tuple[list[bytes], str]:
    """Return the picture files and the title of a request. Raises BadQuery, BadPicture, UnsupportedMediaType."""
    if not request.is_json and request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType
    listing = validate(Listing, read_fields(request, Listing, files="pictures"))
    files = []
    for number, source in enumerate(listing.pictures, 1):
        with naming_picture(number, len(listing.pictures)):
            files.append(source_bytes(source))
    return files, listing.title


@contextmanager
def naming_picture(number: int, count: int) -> Iterator[None]:
    """Let a refusal name the picture it is about where there are several."""
    try:
        yield
    except BadInput as error:
        if count == 1:
            raise
        raise type(error)(f"Picture {number}: {error.message}", error.hint) from error
