"""The request for a suggested listing: pictures of one product and perhaps its title, as a form or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from flask import Request
from pydantic import Field
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadInput
from search.query.terms import MAX_PICTURES
from web.middleware.uploads import picture_of_bytes
from web.requests.validation import Body, PictureSource, read_fields, source_bytes, validate

if TYPE_CHECKING:
    from PIL.Image import Image


class ListingRequest(Body):
    """Pictures of one product, and perhaps its title."""

    example = '{"pictures": ["..."], "title": "Navy mug"}'
    runnable = False
    pictures: Annotated[list[PictureSource], Field(min_length=1, max_length=MAX_PICTURES - 1)] = Field(
        default_factory=list, validate_default=True
    )
    title: Annotated[str, Field(max_length=1_000)] = ""


def read_listing(request: Request) -> tuple[list[bytes], list[Image], str]:
    """Return the picture files of a request, their pictures, and the title.

    Raises BadQuery, BadPicture, UnsupportedMediaType.
    """
    if not request.is_json and request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType
    listing = validate(ListingRequest, read_fields(request, ListingRequest, files="pictures"))
    files, pictures = [], []
    for number, source in enumerate(listing.pictures, 1):
        try:
            files.append(source_bytes(source))
            pictures.append(picture_of_bytes(files[-1]))
        except BadInput as error:
            if len(listing.pictures) == 1:
                raise
            raise type(error)(f"Picture {number}: {error.message}", error.hint) from error
    return files, pictures, listing.title
