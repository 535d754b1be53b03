"""Uploaded pictures: limited in size, and decoded only by the catalogue's allow-listed decoder."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from flask import Flask, Request, current_app, request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from catalog import images
from catalog.audio.limits import MAX_BYTES
from catalog.errors import BadPicture
from catalog.images.crop import SHORT_SIDE, expand_crop
from web.middleware.rate_limits import SPEECH_ENDPOINT
from web.middleware.request_context import DECODE, note, step
from web.settings import KIB, MIB, Settings

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[float, float, float, float]

PREVIEW_SIDE = 240  # pixels
DRAIN_BYTES = 128 * MIB  # an oversized body is read up to this size; a larger one has its connection cut
SPEECH_LIMIT = MAX_BYTES + 64 * KIB  # bytes of a recording and the form around it
FORM_TYPE = "multipart/form-data"


def init_app(app: Flask, settings: Settings) -> None:
    """Set the limits that apply before any view sees a request."""
    app.config["UPLOAD_LIMIT"] = settings.upload_limit
    app.config["BODY_LIMIT"] = settings.body_limit
    # Werkzeug truncates a body without a length at its limit, silently; one byte more tells "full" from "too much".
    app.config["MAX_CONTENT_LENGTH"] = settings.upload_limit + 1
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.form_memory_limit
    app.request_class = _Request
    app.config["MAX_FORM_PARTS"] = settings.form_parts_limit
    app.before_request(_check_length)


def body_of(incoming: Request) -> bytes:
    """Return the body of a request. Raises RequestEntityTooLarge above the limit, with or without a length header."""
    body = incoming.get_data(cache=False)
    if len(body) > limit_of(incoming):
        raise RequestEntityTooLarge
    return body


def limit_of(incoming: Request) -> int:
    """Return how many bytes a request may have: a form, which holds pictures as files, more than any other.

    A form's files lie on the disk while they are read, but JSON stands in memory several times.
    """
    limit: int = current_app.config["UPLOAD_LIMIT" if incoming.mimetype == FORM_TYPE else "BODY_LIMIT"]
    return min(limit, SPEECH_LIMIT) if incoming.endpoint == SPEECH_ENDPOINT else limit


def picture_of_file(upload: FileStorage, box: Box | None = None) -> Image:
    """Decode an uploaded file to an upright RGB picture, whatever its name and declared type.

    With a box, decode only the box and its surroundings; see `expand_crop`. Raises BadPicture and its subclasses.
    """
    return picture_of_bytes(upload.stream.read(), box)


def picture_of_base64(encoded: str, box: Box | None = None) -> Image:
    """Decode a picture from a JSON body. Raises BadPicture and its subclasses."""
    return picture_of_bytes(bytes_of_base64(encoded), box)


def bytes_of_base64(encoded: str) -> bytes:
    """Decode base64 from a JSON body, or a `data:` URL as browsers make them. Raises BadPicture."""
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadPicture("The picture is not base64.", "Send the bytes of the file, base64 encoded.") from error


def picture_of_bytes(data: bytes, box: Box | None = None) -> Image:
    """Decode bytes to an upright RGB picture. Raises BadPicture and its subclasses, nothing else."""
    if not data:
        raise BadPicture("The picture is empty (0 bytes).", "Choose another file.")
    with step(DECODE), logging_undecodable(data):
        if box is not None:
            box = expand_crop(box, images.size_of(data))
        return images.decode(data, box, at_least=SHORT_SIDE)


@contextmanager
def logging_undecodable(data: bytes) -> Iterator[None]:
    """Log hash, format, size and reason of an undecodable upload; never its content."""
    try:
        yield
    except BadPicture as error:
        try:
            picture_format = images.sniff(data)
        except BadPicture:
            picture_format = "unknown"
        sha256, size = images.content_hash(data), len(data)
        note(bad_picture={"sha256": sha256, "format": picture_format, "bytes": size, "reason": error.message})
        raise


def preview(picture: Image) -> str:
    """Return a small re-encoded copy as a data: URL, to show the shopper what was searched for."""
    return "data:image/jpeg;base64," + base64.b64encode(images.thumbnail(picture, PREVIEW_SIDE)).decode("ascii")


class _BoundedReads:
    """A stream that returns at most half of a form field's limit per read.

    Werkzeug applies that limit to all bytes of a form that it has read and not yet passed on. With reads of its own
    size, the rest of one read and the next together would exceed it, and most pictures would be refused.
    """

    def __init__(self, stream: IO[bytes], max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size if size < 0 else min(size, self._max_bytes))


class _FormParser(FormDataParser):
    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        max_bytes = max(1, (self.max_form_memory_size or MIB) // 2)
        bounded = cast("IO[bytes]", _BoundedReads(stream, max_bytes))
        _, form, files = super().parse(bounded, mimetype, content_length, options)
        return stream, form, files


class _Request(Request):
    form_data_parser_class = _FormParser


def _check_length() -> None:
    length, limit = request.content_length or 0, limit_of(request)
    request.max_content_length = limit + 1  # see `init_app`
    if length <= limit:
        return
    if length <= DRAIN_BYTES and "Expect" not in request.headers:
        _drain(request.environ["wsgi.input"], length)
    raise RequestEntityTooLarge


def _drain(stream: IO[bytes], length: int) -> None:
    """Read and discard the body: a client cut off while sending sees a broken connection, never the response."""
    while length > 0 and (chunk := stream.read(min(length, MIB))):
        length -= len(chunk)
