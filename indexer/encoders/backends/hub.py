"""Model hubs, which may be unreachable: one short attempt, and files fetched before open without the hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]

HUB_TIMEOUT_S = 5.0
_NETWORK = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "urllib")


@contextmanager
def single_attempt() -> Iterator[None]:
    """Go offline while open if the hub does not answer once; its client would try each file six times."""
    if constants.HF_HUB_OFFLINE or _answers(constants.ENDPOINT):
        yield
        return
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = False


def hub_refused(error: BaseException) -> bool:
    """Return whether an error or its causes say that a hub could not be reached or has no such file."""
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__module__.split(".")[0] in _NETWORK or isinstance(cause, OSError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _answers(endpoint: str) -> bool:
    try:
        get_session().head(endpoint, timeout=HUB_TIMEOUT_S)
    except Exception:  # requests, httpx or httpx2 by the client's version, each with errors of its own
        return False
    return True
