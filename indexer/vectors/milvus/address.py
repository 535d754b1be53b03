"""The setting that says where a shop's vectors are: WINDOWSHOP_VECTORS=milvus://[user:password@]host:port[/database]."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from catalog.errors import BadInput

VARIABLE = "WINDOWSHOP_VECTORS"
EMBEDDED = "embedded"
PORT = 19530
_SCHEMES = {"milvus": "http", "milvuss": "https"}  # the latter over TLS


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """A Milvus server and one of its databases; `user` and `password` are never shown or stored."""

    host: str
    port: int = PORT
    database: str = ""
    secure: bool = False
    user: str = ""
    password: str = ""

    @classmethod
    def parse(cls, text: str) -> MilvusAddress:
        """Parse the setting. Raises BadInput, which does not repeat it: it may hold a password."""
        try:
            parts = urlsplit(text.strip())
            secure, host, port = _SCHEMES[parts.scheme] == "https", parts.hostname or "", parts.port or PORT
        except (KeyError, ValueError):
            raise _unusable() from None
        database = parts.path.strip("/")
        if not host or "/" in database or parts.query or parts.fragment:
            raise _unusable()
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(host, port, unquote(database), secure, user, password)

    @property
    def uri(self) -> str:
        """The address for pymilvus."""
        return f"{'https' if self.secure else 'http'}://{self._authority}"

    @property
    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"milvus{'s' * self.secure}://{self._authority}{f'/{self.database}' if self.database else ''}"

    def __repr__(self) -> str:
        return f"MilvusAddress({str(self)!r})"


def configured() -> MilvusAddress | None:
    """Return the Milvus that new generations are written to; None for the embedded default. Raises BadInput."""
    setting = os.environ.get(VARIABLE, "").strip()
    return None if setting in ("", EMBEDDED) else MilvusAddress.parse(setting)


def _unusable() -> BadInput:
    return BadInput(
        f"{VARIABLE} does not say where vectors are.",
        f"Use milvus://host:{PORT}, milvus://user:password@host:{PORT}/database, milvuss:// for TLS, or {EMBEDDED}.",
    )
