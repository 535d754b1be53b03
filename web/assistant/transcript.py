"""The conversation on the page without scripts: what was written, signed and compressed, in a field of its forms.

The server stores no page of a customer. The signature ensures that a page shows as the shop's own only what the shop
wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from itsdangerous import BadData, URLSafeSerializer

CUSTOMER, ASSISTANT, PERSON = "you", "assistant", "person"  # keys of the names that the page shows
MOST = 40  # entries; earlier ones are no longer shown
MAX_LENGTH = 100_000  # characters of the field


@dataclass(frozen=True, slots=True)
class TranscriptSource:
    """Where an answer comes from: kind, title and text as the assistant names them, and an address or ""."""

    kind: str
    title: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class TranscriptEntry:
    """What one side wrote. `products` are ids, `search` is the address of all results, `reference` of a hand-over.

    `suggestions` and `expects` matter in the last answer alone.
    """

    role: str
    text: str
    language: str = ""
    sources: tuple[TranscriptSource, ...] = ()
    products: tuple[str, ...] = ()
    search: str = ""
    reference: str = ""
    suggestions: tuple[str, ...] = ()
    expects: str = ""


class Transcripts:
    """Writes and reads the field, with the key of the shop."""

    def __init__(self, key: bytes) -> None:
        self._serializer = URLSafeSerializer(key, "assistant page", signer_kwargs={"digest_method": hashlib.sha256})

    def write(self, entries: Sequence[TranscriptEntry]) -> str:
        """Return the last MOST entries as the text of a field; fewer where these are too long."""
        shown = [asdict(entry) for entry in entries[-MOST:]]
        while len(text := str(self._serializer.dumps(shown))) > MAX_LENGTH and shown:
            shown = shown[1:]
        return text

    def read(self, text: str) -> tuple[TranscriptEntry, ...]:
        """Return the entries of a field; none where the shop did not write it."""
        try:
            return tuple(_entry(**fields) for fields in self._serializer.loads(text)) if text else ()
        except (BadData, TypeError):  # of another key, cut short, or of another version of this page
            return ()


def _entry(sources: Sequence[dict[str, str]], products: Sequence[str], **fields: str) -> TranscriptEntry:
    suggestions = tuple(fields.pop("suggestions"))
    named = tuple(TranscriptSource(**source) for source in sources)
    return TranscriptEntry(sources=named, products=tuple(products), suggestions=suggestions, **fields)
