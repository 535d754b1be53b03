"""The contract of what knows orders: one question, and one answer for an unknown number and for a wrong address."""

from __future__ import annotations

import hmac
from typing import Protocol

from search.assistant.orders.order import OrderStatus

_NOBODY = "0" * 64


class OrderConnector(Protocol):
    """What looks up orders in the shop's system."""

    @property
    def available(self) -> bool:
        """Whether the shop lets customers look up orders."""
        ...

    def find(self, number: str, email_sha256: str) -> OrderStatus | None:
        """Return the order with that number if it was placed with that address of e-mail, else None.

        `number` is as `order_number` gives it, `email_sha256` the SHA-256 of the address in small letters, in hex. An
        unknown number and a wrong address give the same answer. Raises OrdersUnavailable.
        """
        ...


def same_mail(known: str, email_sha256: str) -> bool:
    """Compare two hashes of addresses in constant time; `known` is "" where there is no order."""
    return hmac.compare_digest((known or _NOBODY).encode(), email_sha256.encode()) and bool(known)
