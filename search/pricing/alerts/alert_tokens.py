"""Tokens that open the alerts of one visitor: one for the page, which may remove alerts, and one that reads the feed.

A token is the keyed hash of the visitor id and a keyed BLAKE2b MAC of it, each of 128 bits. Nothing is stored for it,
and nobody can make one without the key in the shop's file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

PAGE, FEED = "alerts-page", "alerts-feed"  # what a token is for; at most 16 bytes
_HASH_BYTES = 16
_TOKEN = re.compile("[A-Za-z0-9_-]{43}")


def make_token(key: bytes, visitor: bytes, purpose: str) -> str:
    """Return the token of a visitor's hash (16 bytes) for a purpose: 43 characters of A-Z, a-z, 0-9, - and _."""
    return base64.urlsafe_b64encode(visitor + _mac(key, visitor, purpose)).rstrip(b"=").decode()


def read_token(key: bytes, token: str, purpose: str) -> bytes | None:
    """Return the visitor's hash of a token; None for one that is cut short, changed, or made for another purpose."""
    if not _TOKEN.fullmatch(token):
        return None
    sent = base64.urlsafe_b64decode(token + "=")
    visitor, mac = sent[:_HASH_BYTES], sent[_HASH_BYTES:]
    return visitor if hmac.compare_digest(mac, _mac(key, visitor, purpose)) else None


def _mac(key: bytes, visitor: bytes, purpose: str) -> bytes:
    return hashlib.blake2b(visitor, key=key, person=purpose.encode(), digest_size=_HASH_BYTES).digest()
