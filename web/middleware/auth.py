"""Who may do what: a policy for every route, and the keys that open those which are not public.

A page cannot send a key by itself, and no cookie stands for one, so no other site can make a browser use it.

Only SHA-256 hashes of keys are stored. They are long random strings, so a slow hash would protect nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from flask import Flask, current_app, g, request

from catalog.errors import BadInput, StoreError
from catalog.files.atomic import draft, stat_mark, sync
from web.errors import MissingApiKey, NotAllowed
from web.settings import Settings

ALWAYS = "always"  # for everybody
PUBLIC = "public"  # for everybody while the setting public_read is true, else for keys with the scope read
READ, WRITE, ADMIN = "read", "write", "admin"  # for keys of that scope, or of one that stands after it
OPERATOR = "operator"  # for programs on the server's own machine, and keys with the scope admin
SCOPES = (READ, WRITE, ADMIN)
FILE = "keys.json"
PREFIX = "wsk_"

# Every endpoint of the app; one that is not here is closed.
POLICIES = {
    "static": ALWAYS,
    "pages.home": PUBLIC,
    "pages.search_with_photo": PUBLIC,
    "pages.product": PUBLIC,
    "pages.try_photo": PUBLIC,
    "pages.picture": PUBLIC,
    "api.search": PUBLIC,
    "api.product": PUBLIC,
    "api.similar": PUBLIC,
    "api.why": PUBLIC,
    "api.substitutes": PUBLIC,
    "api.goes_with": PUBLIC,
    "api.recommend": PUBLIC,
    "api.events": PUBLIC,
    "api.healthz": ALWAYS,
    "api.readyz": ALWAYS,
    "metrics.metrics": OPERATOR,
    "reference.openapi": ALWAYS,
    "reference.docs": ALWAYS,
    "catalogue.put": WRITE,
    "catalogue.remove": WRITE,
    "merchant.page": ALWAYS,
    "merchant.suggest": WRITE,
    "merchant.choices": WRITE,
    "merchant.jobs": WRITE,
    "merchant.create": WRITE,
    "merchant.job": WRITE,
    "merchant.remove": WRITE,
    "merchant.receive": WRITE,
    "merchant.state": WRITE,
    "merchant.rows": WRITE,
    "merchant.decide": WRITE,
    "merchant.corrected": WRITE,
    "merchant.listings": WRITE,
    "ops.page": ALWAYS,
    "ops.overview": ADMIN,
    "ops.catalogue_map": ADMIN,
    "ops.rejected": ADMIN,
    "ops.rollback": ADMIN,
}

# What a page asks for dozens of, or a probe every second: never counted against a rate limit.
LIGHT = ("static", "pages.picture", "pages.try_photo", "api.healthz", "api.readyz", "metrics.metrics")
PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
LOOPBACK = ("127.", "::1")

KEY = "windowshop.keys"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept: what it is called, what it opens (a scope opens what those before it do), and its hash."""

    name: str
    scope: str
    sha256: str
    created: str


class Keys:
    """The keys in one file; it is read again whenever it has changed, so a revoked key stops at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int, int] | None, tuple[StoredKey, ...]] = (None, ())

    def all(self) -> tuple[StoredKey, ...]:
        """Every key there is, the oldest first. Raises StoreError when the file cannot be read."""
        try:
            mark = stat_mark(self._path)
            if mark is None:
                return ()
            if self._read[0] != mark:
                listed = json.loads(self._path.read_text(encoding="utf-8"))
                self._read = (mark, tuple(StoredKey(**each) for each in listed))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"The keys in {self._path} cannot be read: {error}.", "Mend or remove the file."
            ) from error
        return self._read[1]

    def create(self, scope: str, name: str = "") -> tuple[StoredKey, str]:
        """Make a key; returns it as it is kept, and the key itself, which nobody can read again."""
        kept = self.all()
        name = name or next(each for n in range(1, len(kept) + 2) if (each := f"{scope}-{n}") not in _names(kept))
        if name in _names(kept):
            raise BadInput(f"There is a key {name!r} already.", "Choose another --name, or revoke that one first.")
        secret = PREFIX + secrets.token_urlsafe(32)
        made = StoredKey(name, scope, _hash(secret), datetime.now(timezone.utc).isoformat(timespec="seconds"))
        self._write((*kept, made))
        return made, secret

    def revoke(self, name: str) -> None:
        """Let a key open nothing any more. Raises BadInput when there is none of that name."""
        kept = self.all()
        if name not in _names(kept):
            raise BadInput(f"There is no key {name!r}.", f"The keys are: {', '.join(_names(kept)) or 'none'}.")
        self._write([each for each in kept if each.name != name])

    def find(self, secret: str) -> StoredKey | None:
        """The key that this is; every hash is compared, in constant time."""
        given = _hash(secret)
        found = [each for each in self.all() if hmac.compare_digest(each.sha256, given)]
        return found[0] if found else None

    def _write(self, kept: Sequence[StoredKey]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(each) for each in kept], indent=2)
        with draft(self._path, text.encode()) as written:
            written.replace(self._path)
        sync(self._path.parent)


def init_app(app: Flask, settings: Settings) -> None:
    """Guard every route by its policy."""
    app.extensions[KEY] = Keys(settings.keys or settings.home / FILE)
    app.config["PUBLIC_READ"] = settings.public_read
    app.before_request(_guard)


def current_key() -> StoredKey | None:
    """The key that the request was sent with; None when there is none that is known. Raises StoreError."""
    if "key" not in g:
        # Read here, because werkzeug's reader of the other kinds fails on some bytes.
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        keys: Keys = current_app.extensions[KEY]
        g.key = keys.find(token.strip()) if kind.lower() == "bearer" and token.strip() else None
    found: StoredKey | None = g.key
    return found


def needed_scope() -> str:
    """The scope that the request needs, empty when it needs none. Raises NotAllowed for a route without a policy."""
    if request.endpoint is None or request.method == "OPTIONS":  # nothing there, or nothing done
        return ""
    policy = POLICIES.get(request.endpoint)
    if policy is None:
        raise NotAllowed("This address is closed.", "It has no policy in web/middleware/auth.py.")
    if policy == PUBLIC:
        return "" if current_app.config["PUBLIC_READ"] else READ
    if policy == OPERATOR:
        return "" if _of_this_machine() else ADMIN
    return "" if policy == ALWAYS else policy


def _guard() -> None:
    """Let a request pass that its route's policy allows. Raises NoKey, NotAllowed."""
    scope = needed_scope()
    if not scope:
        return
    keys: Keys = current_app.extensions[KEY]
    make = f"python -m web key create --home HOME --scope {scope}"
    if not keys.all():
        what = "see" if scope == READ else "change"
        raise NotAllowed(f"This shop has no key yet, so nobody may {what} it.", f"Make one on its machine: {make}")
    found = current_key()
    if found is None:
        said = "This shop is open to keys only." if scope == READ else "This address asks for a key."
        raise MissingApiKey(said, "Send it as a header: Authorization: Bearer KEY.")
    if found.scope not in SCOPES[SCOPES.index(scope) :]:
        raise NotAllowed(
            f"The key {found.name!r} has the scope {found.scope!r}; this needs {scope!r}.", f"Make another: {make}"
        )


def _of_this_machine() -> bool:
    """Whether a program of this machine asks for itself; a proxy here asks for others, and says so in a header."""
    forwarded = any(name in request.headers for name in PROXY_HEADERS)
    return not forwarded and (request.remote_addr or "").startswith(LOOPBACK)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _names(keys: Sequence[StoredKey]) -> list[str]:
    return [each.name for each in keys]
