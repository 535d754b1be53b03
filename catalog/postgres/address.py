"""Read the address of a database and of the shop's schema in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from catalog.errors import BadInput

SCHEMA = "schema"  # the parameter of an address that names the shop's schema
_NOT_NAME = re.compile(r"[^a-z0-9_]+")
_MAX_NAME = 63  # bytes, of PostgreSQL's identifiers
_OWN_SCHEMAS = ("pg_", "information_schema")


@dataclass(frozen=True, slots=True)
class ShopAddress:
    """Where a shop's catalogue is. `conninfo` may have the password; `__str__` and errors never do."""

    conninfo: str
    schema: str
    shown: str
    password: str = ""

    def __repr__(self) -> str:
        return f"ShopAddress({self.shown!r}, {self.schema!r})"

    def __str__(self) -> str:
        return f"{self.shown}, schema {self.schema!r}"

    def without_password(self, text: str) -> str:
        """Return a text, such as PostgreSQL's message, with the password replaced."""
        return text.replace(self.password, "***") if self.password else text


def read_address(address: str, home: Path) -> ShopAddress:
    """Read "postgresql://user@host/database?schema=name"; without a schema it has the name of the home's folder.

    Raises BadInput, which never repeats the address, because it may have a password; also where neither names a schema.
    """
    try:
        parts = urlsplit(address)
        query = parse_qsl(parts.query, keep_blank_values=True)
        schema = dict(query).get(SCHEMA, "") or schema_of(home)
        # libpq reads no "+" as a space.
        libpq_query = urlencode([(name, value) for name, value in query if name != SCHEMA], quote_via=quote)
        conninfo = f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{libpq_query}" if libpq_query else "")
        found = conninfo_to_dict(conninfo)
        if not all(port.isdecimal() for port in str(found.get("port") or "0").split(",")):
            raise ValueError
    except (ValueError, ProgrammingError):
        raise _unreadable() from None
    if len(schema.encode()) > _MAX_NAME or "\0" in schema or schema.startswith(_OWN_SCHEMAS):
        problem = f"{schema[:100]!r} cannot be the name of a shop's schema."
        raise BadInput(problem, f"Give another one of at most {_MAX_NAME} bytes: ?schema=NAME.")
    host = found.get("host") or "localhost"
    port = "" if found.get("port") in (None, "5432") else f":{found['port']}"
    user = f"{found['user']}@" if found.get("user") else ""
    shown = f"postgresql://{user}{host}{port}/{found.get('dbname') or ''}"
    return ShopAddress(conninfo, schema, shown, unquote(str(found.get("password") or "")))


def schema_of(home: Path) -> str:
    """Return the schema of a home for which the address names none: "shop_" and the name of its folder.

    Raises BadInput for a name without Latin letters and digits, as all such homes would have one schema.
    """
    name = _NOT_NAME.sub("_", home.absolute().name.lower()).strip("_")
    if not name:
        problem = f"The folder's name {home.name!r} has no Latin letter or digit to name its schema in PostgreSQL by."
        raise BadInput(problem, "Name the schema in the address: ?schema=NAME.")
    return f"shop_{name}"[:_MAX_NAME]


def _unreadable() -> BadInput:
    return BadInput("The address of the catalogue's database cannot be read.", "Write postgresql://user@host/database.")
