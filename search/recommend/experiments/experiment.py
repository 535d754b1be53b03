"""An experiment: arms with shares and settings of the feed, and the arm of a visitor.

A visitor's arm follows from the keyed hash of the visitor and the experiment's name alone, so it stays the same on
every server and in every session. It is chosen by weighted rendezvous hashing (Thaler and Ravishankar 1998; weights as
in Schindelhauer and Schomaker 2005): each arm draws -ln(u) / share from a hash u of its own, and the least wins. A
change of one arm's share moves visitors into or out of that arm only.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from catalog.errors import BadInput
from search.recommend.events.event_log import CART, CLICK, DAY_S, PURCHASE
from search.recommend.experiments.surfaces import CHANGED_BY, HOME, HOME_SHELVES, SURFACES

GOALS = (CLICK, CART, PURCHASE)  # what an experiment compares the arms by
MIN_ARMS, MAX_ARMS = 2, 5
MIN_DAYS, MAX_DAYS, DEFAULT_DAYS = 1, 180, 14
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
DRAFT, RUNNING, STOPPED = "draft", "running", "stopped"


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What an arm changes in the feed; a field without a value leaves the shop's own.

    `shelves` are those of the front page in their order, `repeat_share` is the largest share of "for you" that was
    bought before, `relevance_share` that of relevance against diversity, and `model` whether a fitted model ranks.
    """

    shelves: tuple[str, ...] = ()
    repeat_share: float | None = None
    relevance_share: float | None = None
    model: bool = True

    def __post_init__(self) -> None:
        if unknown := [name for name in self.shelves if name not in HOME_SHELVES]:
            raise BadInput(
                f"There is no shelf {unknown[0]!r} on the front page.", f"The shelves: {', '.join(HOME_SHELVES)}."
            )
        if len(set(self.shelves)) < len(self.shelves):
            raise BadInput("A shelf is named twice.", "Name each shelf once.")
        for name in ("repeat_share", "relevance_share"):
            share = getattr(self, name)
            if share is not None and not 0.0 <= share <= 1.0:
                raise BadInput(f"{name} is {share:g}.", "A share is from 0 to 1.")


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the ways that an experiment compares; shares of the arms need not add up to 1."""

    name: str
    share: float = 1.0
    settings: FeedSettings = field(default_factory=FeedSettings)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BadInput(f"An arm cannot be named {self.name[:60]!r}.", "Use up to 40 of a-z, 0-9, _ and -.")
        if not (math.isfinite(self.share) and 0.0 < self.share <= 1e6):
            raise BadInput(f"The arm {self.name!r} has the share {self.share:g}.", "A share is more than 0.")


@dataclass(frozen=True, slots=True)
class Experiment:
    """Two arms or more; the first is the control. It is measured for `days`, by the share of visitors with `goal`.

    `started` and `stopped` are unix seconds.
    """

    name: str
    arms: tuple[Arm, ...]
    days: int = DEFAULT_DAYS
    goal: str = PURCHASE
    started: int | None = None
    stopped: int | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BadInput(f"An experiment cannot be named {self.name[:60]!r}.", "Use up to 40 of a-z, 0-9, _ and -.")
        if not MIN_ARMS <= len(self.arms) <= MAX_ARMS:
            raise BadInput(f"There are {len(self.arms)} arms.", f"An experiment has {MIN_ARMS} to {MAX_ARMS}.")
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise BadInput("Two arms have the same name.", "Give each arm a name of its own.")
        if self.goal not in GOALS:
            raise BadInput(f"There is no goal {self.goal[:60]!r}.", f"The goals: {', '.join(GOALS)}.")
        if not MIN_DAYS <= self.days <= MAX_DAYS:
            raise BadInput(f"The experiment is to last {self.days} days.", f"Use {MIN_DAYS} to {MAX_DAYS}.")

    @property
    def state(self) -> str:
        """DRAFT, RUNNING or STOPPED."""
        if self.started is None:
            return DRAFT
        return RUNNING if self.stopped is None else STOPPED

    @property
    def due(self) -> int | None:
        """The time when it has been measured as long as was planned; None before it begins."""
        return None if self.started is None else self.started + self.days * DAY_S

    @property
    def surfaces(self) -> frozenset[str]:
        """The surfaces on which the arms differ; all of them where no setting differs, as in a test of A against A."""
        differing = [name for name in CHANGED_BY if len({getattr(arm.settings, name) for arm in self.arms}) > 1]
        changed = {surface for name in differing for surface in CHANGED_BY[name]}
        if any(changed.intersection(arm.settings.shelves or HOME_SHELVES) for arm in self.arms):
            changed.add(HOME)
        return frozenset(changed or SURFACES)

    def assign(self, visitor: bytes) -> Arm:
        """Return the arm of a visitor, given the keyed hash of the visitor's id."""
        return min(self.arms, key=lambda arm: -math.log(self._draw(visitor, arm.name)) / arm.share)

    def _draw(self, visitor: bytes, arm: str) -> float:
        """Return a number above 0 and below 1 that looks random and is always the same."""
        digest = hashlib.blake2b(f"{self.name}/{arm}".encode(), key=visitor[:64], digest_size=7).digest()
        return (int.from_bytes(digest, "big") + 0.5) / 2**56

    def to_dict(self) -> dict[str, Any]:
        """Return the definition as JSON values."""
        return {"name": self.name, "arms": [asdict(arm) for arm in self.arms], "days": self.days, "goal": self.goal}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], started: int | None = None, stopped: int | None = None) -> Experiment:
        """Return the experiment of a definition. Raises BadInput for one that cannot be."""
        return cls(fields["name"], _arms(fields["arms"]), fields["days"], fields["goal"], started, stopped)


def _arms(values: Sequence[Mapping[str, Any]]) -> tuple[Arm, ...]:
    arms = []
    for fields in values:
        settings = dict(fields.get("settings") or {})
        settings["shelves"] = tuple(settings.get("shelves") or ())
        arms.append(Arm(fields["name"], fields["share"], FeedSettings(**settings)))
    return tuple(arms)
