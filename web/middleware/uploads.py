"""Pictures that strangers send: limited in size, decoded only by the catalogue's allow-listed decoder."""

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
from catalog.errors import BadPicture
from catalog.images.crop import SHORT_SIDE, expand_crop
from web.middleware.request_context import DECODE, note, step
from web.settings import MIB, Settings

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[float, float, float, float]

PREVIEW_SIDE = 240
PATIENCE = 4  # times the upload limit: beyond it, a sender is cut off


def init_app(app: Flask, settings: Settings) -> None:
    """Set the limits that hold before any view sees a request."""
    app.config["UPLOAD_LIMIT"] = settings.upload_limit
    # Werkzeug stops a body without a length at its limit, in silence; one byte more tells "full" from "too much".
    app.config["MAX_CONTENT_LENGTH"] = settings.upload_limit + 1
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.form_memory_limit
    app.request_class = _Request
    app.config["MAX_FORM_PARTS"] = settings.form_parts_limit
    app.before_request(_check_length)


def body_of(asked: Request) -> bytes:
    """The body of a request, whole; RequestEntityTooLarge when it is over the limit, announced or not."""
    body = asked.get_data(cache=False)
    if len(body) > current_app.config["UPLOAD_LIMIT"]:
        raise RequestEntityTooLarge
    return body


def picture_of_file(upload: FileStorage, box: Box | None = None) -> Image:
    """The uploaded file as an upright RGB picture; its name and declared type are not believed.

    With a box, what is around the thing in it; see `expand_crop`.
    """
    return picture_of_bytes(upload.stream.read(), box)


def picture_of_base64(encoded: str, box: Box | None = None) -> Image:
    """A picture from a JSON body; raises BadPicture and its kinds."""
    return picture_of_bytes(bytes_of_base64(encoded), box)


def bytes_of_base64(encoded: str) -> bytes:
    """A file from a JSON body; a `data:` URL is taken too, as browsers make them. Raises BadPicture."""
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadPicture("The picture is not base64.", "Send the bytes of the file, base64 encoded.") from error


def picture_of_bytes(data: bytes, box: Box | None = None) -> Image:
    """Bytes as an upright RGB picture; raises BadPicture and its kinds, nothing else."""
    if not data:
        raise BadPicture("The picture is empty (0 bytes).", "Choose another file.")
    with step(DECODE), logging_undecodable(data):
        if box is not None:
            box = expand_crop(box, images.size_of(data))
        return images.decode(data, box, at_least=SHORT_SIDE)


@contextmanager
def logging_undecodable(data: bytes) -> Iterator[None]:
    """Let the log tell of a picture that cannot be read: its content hash, format, size, and why; nothing of it."""
    try:
        yield
    except BadPicture as error:
        try:
            kind = images.sniff(data)
        except BadPicture:
            kind = "unknown"
        told = {"sha256": images.content_hash(data), "format": kind, "bytes": len(data), "reason": error.message}
        note(bad_picture=told)
        raise


def preview(picture: Image) -> str:
    """A small re-encoded copy as a data: URL, to show the asker what was searched for."""
    return "data:image/jpeg;base64," + base64.b64encode(images.thumbnail(picture, PREVIEW_SIDE)).decode("ascii")


class _Parts:
    """A stream that is read in parts of half a form field's limit.

    Werkzeug holds that limit against all of a form that it has read and not yet passed on, so whole parts of its own
    size, and what is left of the one before, would have most pictures refused.
    """

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream = stream
        self._most = most

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size if size < 0 else min(size, self._most))


class _FormParser(FormDataParser):
    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        parts = cast("IO[bytes]", _Parts(stream, max(1, (self.max_form_memory_size or MIB) // 2)))
        _, form, files = super().parse(parts, mimetype, content_length, options)
        return stream, form, files


class _Request(Request):
    form_data_parser_class = _FormParser


def _check_length() -> None:
    length, limit = request.content_length or 0, current_app.config["UPLOAD_LIMIT"]
    if length <= limit:
        return
    if length <= PATIENCE * limit and "Expect" not in request.headers:
        _let_finish(request.environ["wsgi.input"], length)
    raise RequestEntityTooLarge


def _let_finish(stream: IO[bytes], length: int) -> None:
    """Read on without keeping anything: who is cut off while sending sees a broken connection, never the answer."""
    while length > 0 and (part := stream.read(min(length, MIB))):
        length -= len(part)
