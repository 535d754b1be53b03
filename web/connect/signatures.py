"""Check that a webhook was signed with the secret that the shop shares with its platform."""

from __future__ import annotations

import base64
import hashlib
import hmac

from pydantic import SecretStr

from catalog.errors import BadQuery
from web.errors import BadSignature, NotAllowed

MAX_DELIVERY_ID = 200  # characters


def secret_of(secret: SecretStr | None, platform: str, setting: str) -> bytes:
    """Return the secret of a platform. Raises NotAllowed when this shop has none."""
    value = secret.get_secret_value() if secret is not None else ""
    if not value:
        raise NotAllowed(f"This shop takes no webhooks of {platform}.", f"Its owner sets {setting} to take them.")
    return value.encode()


def check_signature(secret: bytes, body: bytes, signature: str) -> None:
    """Compare a base64 HMAC-SHA256 of the raw body in constant time. Raises BadSignature."""
    if not signature:
        raise BadSignature("The webhook is not signed.", "Its platform signs it when both sides have the same secret.")
    expected = base64.b64encode(hmac.digest(secret, body, "sha256"))
    if not hmac.compare_digest(expected, signature.strip().encode("utf-8", "surrogatepass")):
        hint = "The secret here and that of the platform differ, or the message was changed on its way."
        raise BadSignature("The webhook's signature is wrong.", hint)


def checked_delivery_id(text: str, header: str) -> str:
    """Return the number of a delivery. Raises BadQuery when the header is missing or too long."""
    if not 1 <= len(text) <= MAX_DELIVERY_ID:
        raise BadQuery(f"The header {header} is missing or longer than {MAX_DELIVERY_ID} characters.", "")
    return text


def digest(body: bytes) -> str:
    """Return the hash by which a body is recognised when it comes again."""
    return hashlib.sha256(body).hexdigest()
