"""The requests of experiments: an experiment to save, and to start or stop one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from search.recommend.events.event_log import PURCHASE
from search.recommend.experiments.experiment import (
    DEFAULT_DAYS,
    GOALS,
    MAX_ARMS,
    MAX_DAYS,
    MIN_ARMS,
    MIN_DAYS,
    NAME,
    RUNNING,
    STOPPED,
    Experiment,
)
from search.recommend.experiments.surfaces import HOME_SHELVES
from web.requests.validation import Body, ChoiceOf, Flag, Number, RequestModel, Whole

Share = Annotated[Number, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]


class ArmSettings(RequestModel):
    """What an arm changes in the feed; without a field the shop's own holds."""

    shelves: tuple[Annotated[str, ChoiceOf(HOME_SHELVES)], ...] = ()
    repeat_share: Share | None = None
    relevance_share: Share | None = None
    model: Annotated[Flag, Field(description="Whether a fitted model ranks.")] = True


class ArmFields(RequestModel):
    """One of the ways to compare. Shares need not add up to 1."""

    name: Name
    share: Annotated[Number, Field(gt=0, le=1e6)] = 1.0
    settings: ArmSettings = Field(default_factory=ArmSettings)


class ExperimentFields(Body):
    """Two arms or more, of which the first is the control, and for how many days to measure."""

    example = '{"arms": [{"name": "control"}, {"name": "new", "settings": {"repeat_share": 0.2}}], "days": 14}'
    runnable = False
    arms: Annotated[list[ArmFields], Field(min_length=MIN_ARMS, max_length=MAX_ARMS)]
    days: Annotated[int, Field(ge=MIN_DAYS, le=MAX_DAYS), Whole] = DEFAULT_DAYS
    goal: Annotated[str, ChoiceOf(GOALS)] = Field(PURCHASE, description="What the arms are compared by.")

    def experiment(self, name: str) -> Experiment:
        """Return the experiment. Raises BadInput for one that cannot be."""
        fields: dict[str, Any] = self.model_dump()
        return Experiment.from_dict(fields | {"name": name})


class ExperimentState(Body):
    """What an experiment shall do."""

    example = '{"state": "running"}'
    runnable = False
    state: Annotated[str, ChoiceOf((RUNNING, STOPPED))]
