"""When a delivery that did not arrive is tried again, and when there is no hope: one schedule for all deliveries."""

from __future__ import annotations

FIRST_RETRY_S, LAST_RETRY_S = 10.0, 3 * 3_600.0
MAX_ATTEMPTS = 16  # about 20 hours
MAX_ERROR = 300  # characters of a stored reason
KEY_HEADER = "Idempotency-Key"


def wait_s(attempts: int) -> float:
    """Return the seconds until the next attempt after `attempts` that were made before this one."""
    return min(LAST_RETRY_S, FIRST_RETRY_S * float(2**attempts))
