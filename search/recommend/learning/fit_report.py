"""What the last fit did, for the shop's owner: a JSON file, written whether the models were taken or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from catalog.home import ShopHome
from search.fitting.report_file import read_report, write_report
from search.fitting.version_store import StoredVersion
from search.recommend.learning.gate import (
    FIRST,
    FRESHER,
    IMPROVED,
    NO_BETTER_THAN_RULES,
    NOTHING_NEW,
    REFITTED,
    SERVED,
    WORSE_THAN_RULE,
    WORSE_THAN_SERVED,
    Comparison,
)
from search.recommend.learning.manifest import ModelManifest

TAKEN, NOT_TAKEN, TOO_FEW, FAILED = "taken", "not_taken", "too_few", "failed"

_SENTENCES = {
    FIRST: "The models are served now: they are the first, and better than {other}.",
    IMPROVED: "The new models are served now: they are better than version {served}.",
    FRESHER: "The new models are served now: they are as good as version {served}, and know later events.",
    REFITTED: "The new models are served now: they are better than {other}."
    " They were not compared with version {served}, which was fitted on the weeks held out.",
    WORSE_THAN_RULE: "The models are not served: they are worse than {other}.",
    NO_BETTER_THAN_RULES: "The models are not served: they are not clearly better than {other}.",
    WORSE_THAN_SERVED: "The new models are not served: they are worse than version {served}, which stays.",
    NOTHING_NEW: "No models were fitted: less than six days of events are new to version {served}, which stays.",
}
_NAMES = {"own_history": "what each visitor bought before", "popularity": "what is popular lately"}


@dataclass(frozen=True, slots=True)
class FitReport:
    """A fit: its outcome, the reason as a code of `gate` and as a sentence, and what was measured.

    `at` is its end in unix seconds, `version` the number of the new version where it was taken, `served` that of the
    version it was compared with. `models` are the figures of all models by name.
    """

    outcome: str
    reason: str
    message: str
    at: int = 0
    seconds: float = 0.0
    version: int | None = None
    served: int | None = None
    holdout_weeks: int = 0
    events: Mapping[str, Any] = field(default_factory=dict)
    decisive: Comparison | None = None
    comparisons: tuple[Comparison, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {
            "decisive": None if self.decisive is None else self.decisive.to_dict(),
            "comparisons": [compared.to_dict() for compared in self.comparisons],
        }

    def save(self, home: Path) -> None:
        """Write the report, over that of the fit before."""
        write_report(ShopHome(home).fit_report, self.to_dict())


def last_fit(home: Path) -> dict[str, Any] | None:
    """Return the report of the last fit as JSON values; None before the first, or where it cannot be read."""
    return read_report(ShopHome(home).fit_report)


def with_figures(
    last: dict[str, Any] | None, versions: Sequence[StoredVersion[ModelManifest]]
) -> dict[str, Any] | None:
    """Return the report of the last fit; where that measured nothing, with the figures of the served version."""
    manifest = next((stored.manifest for stored in versions if stored.current), None)
    if last is None or last.get("figures") or manifest is None:
        return last
    figures, weeks = manifest.figures.get("models", {}), manifest.settings.get("holdout_weeks", 0)
    return last | {"figures": figures, "holdout_weeks": weeks}


def sentence(reason: str, decisive: Comparison | None, served: int | None) -> str:
    """Return why models were taken or not, with the figure that decided."""
    other = "" if decisive is None else _NAMES.get(decisive.against, "")
    text = _SENTENCES[reason].format(served=served, other=other)
    if decisive is None:
        return text
    against = f"version {served}" if decisive.against == SERVED else other
    return (
        f"{text} Recall@20 of {decisive.figure}: {decisive.new:.3f} against {decisive.other:.3f} of {against},"
        f" a difference of {decisive.low:+.3f} to {decisive.high:+.3f} ({decisive.visitors:,} visitors)."
    )
