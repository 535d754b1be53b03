"""The state of a shop's label heads for its operator: learnt, missing, or how far the worker is with learning them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalog.errors import DamagedGeneration
from search.bulk.supervisor import FAILED, LEARNING, WAITING, LearningStatus

if TYPE_CHECKING:
    from search.engine import SearchEngine

MISSING = "missing"  # as in `indexer.labels.heads`


def heads_missing(engine: SearchEngine) -> bool:
    """Return whether an open shop has no heads for its encoder, and pictures enough to learn them from.

    Raises DamagedGeneration for a broken file.
    """
    return _state_on_disk(engine) == MISSING


def heads_status(engine: SearchEngine, learning: LearningStatus) -> dict[str, Any]:
    """Return the state as JSON values, and the steps of learning done of how many.

    The states: "waiting" for the worker, "learning", "failed", "ready", "missing", "too_few" pictures to learn from.
    """
    if learning.state in (WAITING, LEARNING):
        return {"state": learning.state, "done": learning.done, "total": learning.total}
    try:
        state = _state_on_disk(engine)
    except DamagedGeneration:
        state = FAILED
    if state == MISSING and learning.state == FAILED:
        state = FAILED
    return {"state": state, "done": 0, "total": 0}


def _state_on_disk(engine: SearchEngine) -> str:
    # Imported here: it loads numpy, which an open engine has loaded and a server that starts does not wait for.
    from indexer.labels.heads import heads_state

    return heads_state(engine.home, engine.encoder.fingerprint, len(engine.generation.rows))
