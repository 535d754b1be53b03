"""What a measurement hands to the report: figures for the JSON, and headlines, tables, plots and pictures to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search.evaluation.statistics import Interval


@dataclass(frozen=True, slots=True)
class Share:
    """A figure to show, with its interval where there is one; None when it could not be told."""

    figure: float | None
    interval: Interval | None = None

    @classmethod
    def of(cls, figures: Mapping[str, Any], name: str) -> Share:
        """The figure of that name and its interval, as `measured` wrote them."""
        interval = figures.get(f"{name}_interval")
        return cls(figures[name], (interval[0], interval[1]) if interval else None)


@dataclass(frozen=True, slots=True)
class Headline:
    """One line of the summary: what was measured on how many questions, its floor and its ceiling if it has them."""

    name: str
    share: Share
    count: int
    floor: float | None = None
    ceiling: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the floor is reached; None without a floor."""
        return None if self.floor is None else (self.share.figure or 0.0) >= self.floor


@dataclass(frozen=True, slots=True)
class Table:
    """A small table of figures; a cell is text or a Share."""

    header: tuple[str, ...]
    rows: tuple[tuple[str | Share, ...], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing as an SVG element, and the sentence under it."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture (a data: URL, or "" when there are only words) with its words; `right` marks the right product."""

    picture: str
    title: str
    note: str = ""
    right: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """What was asked, what should have come, and what came first."""

    asked: Shown
    expected: tuple[Shown, ...]
    hits: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Gallery:
    """Failures of one kind, worst first; `empty` is said when there are none."""

    title: str
    failures: tuple[Failure, ...]
    empty: str = "There are none."


@dataclass(frozen=True, slots=True)
class Section:
    """One task in the report: `how` says what is measured and how, `note` what was left out and why."""

    title: str
    how: str
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    galleries: tuple[Gallery, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one task gives: its key and figures in the JSON, its headlines, its section."""

    key: str
    figures: Mapping[str, Any]
    section: Section
    headlines: tuple[Headline, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A data set's tasks; `skipped` says why there are none, `facts` how much was searched."""

    key: str
    title: str
    outcomes: tuple[Outcome, ...] = ()
    skipped: str = ""
    facts: Mapping[str, int] = field(default_factory=dict)
