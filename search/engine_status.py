"""What an engine serves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What is served; `live` rows changed since the generation was built, `degraded` says what is out of order."""

    generation: int
    products: int
    pictures: int
    encoder: str
    fingerprint: str
    runtime: str
    texts: bool
    live: int = 0
    degraded: tuple[str, ...] = ()
