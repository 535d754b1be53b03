"""Authorisation: the API keys that open the routes which are not public, and the check of every request.

A key travels only in a header that a script sets, never in a cookie, so no other site can make a browser use it.

Only SHA-256 hashes of keys are stored. Keys are long random strings, so a slow hash would protect nothing more.
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
from catalog.home import ShopHome
from web.errors import MissingApiKey, NotAllowed
from web.middleware.policies import ADMIN, ALWAYS, OPERATOR, POLICIES, PUBLIC, READ, SCOPES, SEARCH, SIGNED
from web.settings import Settings

KEY_PREFIX = "wsk_"
PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
LOOPBACK = ("127.", "::1")
EXTENSION = "windowshop.keys"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A stored key: its name, its scope (which includes the scopes before it), the hash of its secret, its age."""

    name: str
    scope: str
    sha256: str
    created: str


class Keys:
    """The keys in one file, which is re-read whenever it has changed, so that a revoked key stops working at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cached: tuple[tuple[int, int, int] | None, tuple[StoredKey, ...]] = (None, ())

    def all(self) -> tuple[StoredKey, ...]:
        """Return all keys, the oldest first. Raises StoreError when the file cannot be read."""
        try:
            mark = stat_mark(self._path)
            if mark is None:
                return ()
            if self._cached[0] != mark:
                rows = json.loads(self._path.read_text(encoding="utf-8"))
                self._cached = (mark, tuple(StoredKey(**row) for row in rows))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"The keys in {self._path} cannot be read: {error}.", "Repair or remove the file."
            ) from error
        return self._cached[1]

    def create(self, scope: str, name: str = "") -> tuple[StoredKey, str]:
        """Create a key; return it and its secret, which is not stored. Raises BadInput for a taken name, StoreError."""
        keys = self.all()
        free = (f"{scope}-{n}" for n in range(1, len(keys) + 2))
        name = name or next(candidate for candidate in free if candidate not in _names(keys))
        if name in _names(keys):
            raise BadInput(f"There is a key {name!r} already.", "Choose another --name, or revoke that key first.")
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        created = StoredKey(name, scope, _hash(secret), datetime.now(timezone.utc).isoformat(timespec="seconds"))
        self._write((*keys, created))
        return created, secret

    def revoke(self, name: str) -> None:
        """Remove a key. Raises BadInput when no key has that name."""
        keys = self.all()
        if name not in _names(keys):
            raise BadInput(f"There is no key {name!r}.", f"The keys are: {', '.join(_names(keys)) or 'none'}.")
        self._write([key for key in keys if key.name != name])

    def find(self, secret: str) -> StoredKey | None:
        """Return the key with that secret, if any; every hash is compared, in constant time."""
        sha256 = _hash(secret)
        matches = [key for key in self.all() if hmac.compare_digest(key.sha256, sha256)]
        return matches[0] if matches else None

    def _write(self, keys: Sequence[StoredKey]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(key) for key in keys], indent=2)
        with draft(self._path, text.encode()) as written:
            written.replace(self._path)
        sync(self._path.parent)


def init_app(app: Flask, settings: Settings) -> None:
    """Check every request against the policy of its route."""
    app.extensions[EXTENSION] = Keys(settings.keys or ShopHome(settings.home).api_keys)
    app.config["PUBLIC_READ"] = settings.public_read
    app.before_request(_guard)


def current_key() -> StoredKey | None:
    """Return the known key that the request carries, if any. Raises StoreError."""
    if "key" not in g:
        # Not request.authorization: werkzeug's parser of other schemes fails on some bytes.
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        keys: Keys = current_app.extensions[EXTENSION]
        g.key = keys.find(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    key: StoredKey | None = g.key
    return key


def required_scope() -> str:
    """Return the scope that the request requires, or "". Raises NotAllowed for a route without a policy."""
    if request.endpoint is None or request.method == "OPTIONS":  # no such route, or nothing is done
        return ""
    policy = POLICIES.get(request.endpoint)
    if policy is None:
        raise NotAllowed("This address is closed.", "It has no policy in web/middleware/policies.py.")
    if policy == PUBLIC:
        return "" if current_app.config["PUBLIC_READ"] else SEARCH
    if policy == OPERATOR:
        return "" if _is_local() else ADMIN
    return "" if policy in (ALWAYS, SIGNED) else policy


def _guard() -> None:
    """Raise MissingApiKey or NotAllowed when the route's policy refuses the request."""
    scope = required_scope()
    if not scope:
        return
    keys: Keys = current_app.extensions[EXTENSION]
    command = f"windowshop key create --home HOME --scope {READ if scope == SEARCH else scope}"
    if not keys.all():
        action = "see" if scope == SEARCH else "change"
        raise NotAllowed(
            f"This shop has no key yet, so nobody may {action} it.", f"Create one on its machine: {command}"
        )
    key = current_key()
    if key is None:
        reason = "This shop requires a key." if scope == SEARCH else "This address requires a key."
        raise MissingApiKey(reason, "Send it as a header: Authorization: Bearer KEY.")
    if key.scope not in SCOPES[SCOPES.index(scope) :]:
        raise NotAllowed(
            f"The key {key.name!r} has the scope {key.scope!r}; this address requires {scope!r}.",
            f"Create another key: {command}",
        )


def _is_local() -> bool:
    """Return whether a program on this machine sent the request; a proxy here forwards others', and adds a header."""
    forwarded = any(name in request.headers for name in PROXY_HEADERS)
    return not forwarded and (request.remote_addr or "").startswith(LOOPBACK)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _names(keys: Sequence[StoredKey]) -> list[str]:
    return [key.name for key in keys]
