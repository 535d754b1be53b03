"""Model hubs, which may be out of reach: asked once and for seconds; what was fetched before opens all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 5.0  # seconds
_NETWORK = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "urllib")


@contextmanager
def single_attempt() -> Iterator[None]:
    """While open, a hub that does not answer is left alone, where its client would try each file six times."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or _answers(constants.ENDPOINT):
        yield
        return
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = False


def hub_refused(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that a model hub could not be reached or has no such file."""
    seen: BaseException | None = error
    while seen is not None:
        module = type(seen).__module__.split(".")[0]
        if module in _NETWORK or isinstance(seen, OSError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _answers(endpoint: str) -> bool:
    from huggingface_hub.utils import get_session  # type: ignore[attr-defined]

    try:
        get_session().head(endpoint, timeout=PATIENCE)
    except Exception:  # requests, httpx or httpx2 by its version, each with errors of its own
        return False
    return True
