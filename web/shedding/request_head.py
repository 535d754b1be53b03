"""The head of an HTTP request as it stands in a socket's buffer, for those requests that are quite plain.

Anything unusual is left to the server's own parser: this one must never disagree with it on where a request ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

MAX_HEAD = 1 << 13  # bytes
_END = b"\r\n\r\n"
_LINE = re.compile(rb"([A-Z]{3,7}) (/[!-~]*) HTTP/1\.1\r\n")
_FIELDS = re.compile(rb"(?:[A-Za-z0-9-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)+")
_LENGTH = re.compile(r"[0-9]{1,9}")
# Fields after which the request ends elsewhere, or is followed by something other than a request.
_UNUSUAL = ("transfer-encoding", "expect", "upgrade", "trailer")


@dataclass(frozen=True, slots=True)
class RequestHead:
    """Method, target and header fields, names in lower case; `size` are the bytes of the whole request."""

    method: str
    target: str
    fields: Mapping[str, str]
    body_bytes: int
    size: int

    @property
    def path(self) -> str:
        """The path of the target, decoded."""
        return unquote(self.target.partition("?")[0])

    @property
    def closes(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return self.fields.get("connection", "").lower() not in ("", "keep-alive")


def parse_head(data: bytes) -> RequestHead | None:
    """Return the head of the request that `data` begins with; None where it is not whole, or not plain."""
    end = data.find(_END)
    line = _LINE.match(data)
    if end < 0 or line is None or not _FIELDS.fullmatch(data, line.end(), end + 2):
        return None
    fields: dict[str, str] = {}
    for field in data[line.end() : end].decode("latin-1").split("\r\n"):
        name, _, value = field.partition(":")
        name = name.lower()
        if name in fields or name in _UNUSUAL:
            return None
        fields[name] = value.strip(" \t")
    length = fields.get("content-length", "0")
    if not _LENGTH.fullmatch(length):
        return None
    size = end + len(_END) + int(length)
    return RequestHead(line[1].decode(), line[2].decode(), fields, int(length), size)
