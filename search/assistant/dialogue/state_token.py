"""The state token: what a conversation remembers, sealed with the shop's key, so that the server need not store it.

The state holds an order's number and a mail address, so it is encrypted and then signed: HMAC-SHA256 in counter mode
(NIST SP 800-38A, section 6.5, with HMAC as the function) under a key of its own, over a random nonce.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import zlib
from dataclasses import asdict, replace
from time import time

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from catalog.errors import BadConversation, ExpiredConversation
from search.assistant.dialogue.conversation import DialogueState, LastSearch

MAX_STATE_TOKEN = 12_288  # characters
STATE_VERSION = 1
STATE_AGE_S = 24 * 3600  # seconds that a conversation waits for the next message
_NONCE_BYTES = 16
_MAX_BODY = 1 << 16  # bytes, inflated
_HINT = "Send the message again without a token: that begins a new conversation."


class StateTokens:
    """Makes and reads the state tokens of one shop; refuses those of other shops, damaged and expired ones."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, salt=b"assistant", digest_method=hashlib.sha256)
        self._key = hmac.digest(key, b"assistant state", hashlib.sha256)

    def make(self, state: DialogueState, now: float | None = None) -> str:
        """Return the token of a state. A search that is too large for it is left out."""
        token = self._make(state, time() if now is None else now)
        return token if len(token) <= MAX_STATE_TOKEN else self._make(replace(state, search=LastSearch()), time())

    def read(self, token: str, now: float | None = None) -> DialogueState:
        """Return the state of a token. Raises BadConversation, ExpiredConversation."""
        if len(token) > MAX_STATE_TOKEN:
            raise BadConversation(f"The token has {len(token):,} characters; the limit is {MAX_STATE_TOKEN:,}.", _HINT)
        try:
            data = base64_decode(self._signer.unsign(token.encode("ascii")))
        except (BadData, UnicodeEncodeError):
            raise BadConversation(
                "The token is not one that this shop gave, or it was cut short or changed.", _HINT
            ) from None
        if data[:1] != bytes([STATE_VERSION]):
            raise ExpiredConversation("The token was made by another version of the shop.", _HINT)
        nonce, sealed = data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :]
        try:
            body = zlib.decompressobj().decompress(self._crypt(sealed, nonce), _MAX_BODY)
            fields = json.loads(body)
            issued = float(fields.pop("issued"))
            search, shown = LastSearch(**fields["search"]), tuple(fields["shown"])
            state = DialogueState(**fields | {"search": search, "shown": shown})
        except (zlib.error, ValueError, KeyError, TypeError):
            raise ExpiredConversation("The conversation of this token cannot be continued any more.", _HINT) from None
        if not 0 <= (time() if now is None else now) - issued <= STATE_AGE_S:
            raise ExpiredConversation("The conversation of this token has expired.", _HINT)
        return state

    def _make(self, state: DialogueState, now: float) -> str:
        fields = asdict(state) | {"issued": int(now)}
        body = zlib.compress(
            json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"), 9
        )
        nonce = secrets.token_bytes(_NONCE_BYTES)
        data = bytes([STATE_VERSION]) + nonce + self._crypt(body, nonce)
        return self._signer.sign(base64_encode(data)).decode()

    def _crypt(self, data: bytes, nonce: bytes) -> bytes:
        """Encrypt or decrypt, which are the same: combine the data with the key stream of the nonce."""
        size = hashlib.sha256().digest_size
        blocks = -(-len(data) // size)
        stream = b"".join(
            hmac.digest(self._key, nonce + number.to_bytes(4, "big"), hashlib.sha256) for number in range(blocks)
        )[: len(data)]
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")
