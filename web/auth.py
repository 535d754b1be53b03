"""Who may do what: a policy for every route, and the keys that open those which are not public.

Only SHA-256 hashes of keys are stored. They are long random strings, so a slow hash would protect nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from flask import Flask, current_app, request

from catalog.errors import BadInput, StoreError
from web.errors import NoKey, NotAllowed
from web.settings import Settings

PUBLIC, READ, WRITE = "public", "read", "write"
SCOPES = (READ, WRITE)
FILE = "keys.json"
PREFIX = "wsk_"

# Every endpoint of the app; one that is not here is closed.
POLICIES = {
    "static": PUBLIC,
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
    "api.healthz": PUBLIC,
    "api.readyz": PUBLIC,
    "catalogue.put": WRITE,
    "catalogue.remove": WRITE,
}

KEY = "windowshop.keys"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept: what it is called, what it opens ("write" opens what "read" does), and its hash."""

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
            status = self._path.stat()
            mark = (status.st_ino, status.st_mtime_ns, status.st_size)
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
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".keys.", suffix=".tmp")  # for us alone
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump([asdict(each) for each in kept], file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def init_app(app: Flask, settings: Settings) -> None:
    """Guard every route by its policy."""
    app.extensions[KEY] = Keys(settings.keys or settings.home / FILE)
    app.before_request(_guard)


def _guard() -> None:
    """Let a request pass that its route's policy allows. Raises NoKey, NotAllowed."""
    if request.endpoint is None or request.method == "OPTIONS":  # nothing there, or nothing done
        return
    policy = POLICIES.get(request.endpoint)
    if policy == PUBLIC:
        return
    if policy is None:
        raise NotAllowed("This address is closed.", "It has no policy in web/auth.py.")
    keys: Keys = current_app.extensions[KEY]
    if not keys.all():
        raise NotAllowed(
            "This shop has no key yet, so nobody may change it.",
            f"Make one on its machine: python -m web key create --home HOME --scope {policy}",
        )
    sent = request.authorization
    found = keys.find(sent.token) if sent is not None and sent.type == "bearer" and sent.token else None
    if found is None:
        raise NoKey("This address asks for a key.", "Send it as a header: Authorization: Bearer KEY.")
    if found.scope not in SCOPES[SCOPES.index(policy) :]:
        raise NotAllowed(
            f"The key {found.name!r} has the scope {found.scope!r}; this needs {policy!r}.",
            f"Make another: python -m web key create --home HOME --scope {policy}",
        )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _names(keys: Sequence[StoredKey]) -> list[str]:
    return [each.name for each in keys]
