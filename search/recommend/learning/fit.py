"""Fit a shop's models, measure them on its last weeks, and publish them where they are better."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import BadInput, TooFewEvents, WindowshopError
from catalog.extras import check_extra
from catalog.files.failpoints import failpoint
from search.recommend.evaluation.model_table import MODELS, SERVED
from search.recommend.evaluation.protocol import HOLDOUT_WEEKS, Split, figures_of, rank_cases
from search.recommend.events.interactions import Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.learning import gate
from search.recommend.learning.aligned_model import AlignedModel
from search.recommend.learning.background.fit_progress import fit_progress
from search.recommend.learning.fit_report import FAILED, NOT_TAKEN, TAKEN, TOO_FEW, FitReport, sentence
from search.recommend.learning.fitted_models import FEATURE_NAMES, STORED_MODELS, FittedModels
from search.recommend.learning.gate import SwapDecision, decide, recalls
from search.recommend.learning.manifest import ModelManifest
from search.recommend.learning.model_store import fit_lock, open_current, publish
from search.recommend.learning.shop_events import EventCounts, read_shop, require_enough
from search.recommend.models.base import DAY_S, WEEK_S, RecommenderModel
from search.recommend.outlook.evaluation import evaluate_outlook
from search.recommend.outlook.outlook import Outlook
from search.recommend.outlook.training_pairs import sample_visitors
from search.recommend.ranking.blend import Blend

MAX_JUDGES = 2_000  # visitors of the holdout that models are measured on; more hardly narrow the intervals
OUTLOOK_VISITORS, OUTLOOK_WEEKS = 4_000, 2  # that the outlook is measured on: its horizon, and little time
WEEKS_BEFORE_HOLDOUT = 3  # at least so many weeks of the log for each week of the holdout
MIN_NEW_S = 6 * DAY_S  # of events; a weekly timer comes early now and then
Kinds = Mapping[str, type[Any]]
log = logging.getLogger(__name__)
Step = Callable[[], object]


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Models to store by name, of which `judged` goes through the gate, and those that are measured.

    Where the events are too few for it, `fallback` takes its place.
    """

    stored: Kinds = field(default_factory=lambda: STORED_MODELS)
    measured: Kinds = field(default_factory=lambda: MODELS)
    judged: str = SERVED
    fallback: str = Blend.name
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Measured:
    """The figures of all models by name, the one that was judged, and the gate's decision with its comparisons."""

    judged: str
    figures: Mapping[str, Any]
    comparisons: tuple[gate.Comparison, ...]
    decision: SwapDecision


def fit(home: Path, options: FitOptions | None = None) -> FitReport:
    """Fit, measure, and publish the models if the gate takes them; return and store what was measured and decided.

    Servers follow a new version; a fit that fails or is killed leaves the served one. The same events give the same
    models. Raises MissingExtra, NoGeneration, StoreError, TooFewEvents, and TrainingError while another fit is running.
    """
    check_extra("recs", "Fitting the models of recommendations")
    options = options or FitOptions()
    with fit_lock(home):
        began = time.monotonic()
        try:
            report = _fit(home, options)
        except WindowshopError as error:
            outcome = TOO_FEW if isinstance(error, TooFewEvents) else FAILED
            _timed(FitReport(outcome, error.code, str(error)), began).save(home)
            raise
        except Exception as error:
            _timed(FitReport(FAILED, "internal", f"The fit ended with an error: {error}"), began).save(home)
            raise
        report = _timed(report, began)
        report.save(home)
    return report


def _fit(home: Path, options: FitOptions) -> FitReport:
    with fit_progress(home, 3 + len(options.measured) + len(options.stored)) as step:
        table, events = read_shop(home)
        counts = EventCounts.of(events, table)
        require_enough(counts)
        served = open_current(home)
        report = FitReport(NOT_TAKEN, "", "", served=served.version if served else None, events=asdict(counts))
        if served is not None and not _changed(served.manifest, events):
            return replace(report, reason=gate.NOTHING_NEW, message=sentence(gate.NOTHING_NEW, None, served.version))
        step()
        weeks = _holdout_weeks(counts, served)
        begin = _holdout_begin(counts, weeks, served)
        measured = _measure(_split(events, table, begin, options.seed), options, served, step)
        decision = measured.decision
        report = replace(
            report,
            reason=decision.reason,
            message=sentence(decision.reason, decision.decisive, report.served),
            holdout_weeks=weeks,
            decisive=decision.decisive,
            comparisons=measured.comparisons,
            figures=measured.figures,
        )
        failpoint("fit.measured")
        if not decision.taken:
            return report
        models, left_out = _fit_all(events, table, replace(options, judged=measured.judged), step)
        settings = {"holdout_weeks": weeks, "seed": options.seed, "judges": MAX_JUDGES, "features": FEATURE_NAMES}
        manifest = ModelManifest(
            version=0,
            fitted_at=int(time.time()),
            since=counts.since,
            until=counts.until,
            events=counts.events,
            visitors=counts.visitors,
            products=counts.products,
            models=tuple(models),
            settings=settings,
            figures={"models": measured.figures},
        )
        failpoint("fit.fitted")
        published = publish(home, FittedModels(table, models, manifest))
        step()
    message = " ".join([report.message, *left_out])
    return replace(report, outcome=TAKEN, version=published.version, message=message)


def _measure(split: Split, options: FitOptions, served: FittedModels | None, step: Step) -> _Measured:
    """Fit all models on what came before the holdout, and measure them and the served one on it.

    The served one is left out where it was fitted on weeks of the holdout: it would be asked for what it has seen.
    """
    figures: dict[str, Any] = {}
    found: dict[str, gate.Recalls] = {}
    candidates = (options.judged, options.fallback)
    for name, kind in options.measured.items():
        try:
            model = kind.fit(split.known, split.products, split.now)
        except TooFewEvents:
            if name != options.judged or options.fallback not in options.measured:
                raise
        else:
            ranked = rank_cases(model, split)
            figures[name], found[name] = figures_of(ranked, split), recalls(ranked)
        step()
    judged = next(name for name in candidates if name in found)
    former = served.ranking if served is not None and served.manifest.until <= split.now else None
    if served is not None and isinstance(former, RecommenderModel):
        ranked = rank_cases(AlignedModel(former, served.table, split.products), split)
        figures[gate.SERVED], found[gate.SERVED] = figures_of(ranked, split), recalls(ranked)
    step()
    comparisons = gate.compare(found[judged], found)
    # A served model whose events end before the holdout's end knows less than the new one will.
    decision = decide(comparisons, newer=served is not None, first=served is None)
    return _Measured(judged, figures, comparisons, decision)


def _fit_all(
    events: Interactions, table: ProductTable, options: FitOptions, step: Step
) -> tuple[dict[str, Any], list[str]]:
    """Fit the models to store on all events; return them, and why others than the judged one are left out."""
    models, left_out = {}, []
    for name, kind in options.stored.items():
        if name in (SERVED, options.fallback) and name != options.judged:
            step()
            continue  # one model ranks
        try:
            if name == Outlook.name:
                _require_good_outlook(events, table)
            models[name] = kind.fit(events, table, events.end)
        except TooFewEvents as error:
            if name == options.judged:
                raise
            left_out.append(f"The version has no {name}: {error.message}")
        step()
    return models, left_out


def _require_good_outlook(events: Interactions, table: ProductTable) -> None:
    """Raise TooFewEvents where the outlook, fitted before the last weeks, is no better on them than a plain table."""
    found = evaluate_outlook(sample_visitors(events, OUTLOOK_VISITORS), table, OUTLOOK_WEEKS)
    for name, figures in (("categories", found.category), ("products", found.product)):
        if not (share := figures["log_loss_by_table"]) < 1:
            raise TooFewEvents(
                f"The log loss of its probabilities of {name} is {share:.3f} times that of a table of how often and how"
                " long ago visitors bought.",
                "Fit again when there are more purchases.",
            )


def _changed(manifest: ModelManifest, events: Interactions) -> bool:
    """Return whether `MIN_NEW_S` of events are new to a version, or events that it knew are gone or came in late."""
    if events.end - manifest.until >= MIN_NEW_S:
        return True
    return len(events.between(manifest.since, manifest.until)) != manifest.events


def _holdout_weeks(counts: EventCounts, served: FittedModels | None) -> int:
    """Return how many weeks to hold out: at most four, and where possible none that the served version knows."""
    weeks = min(HOLDOUT_WEEKS, int(counts.weeks // (WEEKS_BEFORE_HOLDOUT + 1)))
    if served is not None:
        weeks = min(weeks, (counts.until - served.manifest.until + WEEK_S - MIN_NEW_S) // WEEK_S)
    return max(weeks, 1)


def _holdout_begin(counts: EventCounts, weeks: int, served: FittedModels | None) -> int:
    """Return when the holdout begins: up to a day later than so many weeks, if the served version knows that day."""
    begin = counts.until - weeks * WEEK_S
    if served is not None and 0 < served.manifest.until - begin <= WEEK_S - MIN_NEW_S:
        return served.manifest.until
    return begin


def _split(events: Interactions, table: ProductTable, begin: int, seed: int) -> Split:
    """Part the log at `begin`, with at most `MAX_JUDGES` visitors in the holdout. Raises TooFewEvents."""
    try:
        split = Split.of(events, table, (events.end - begin) / WEEK_S)
    except BadInput as error:
        raise TooFewEvents(error.message, "More purchases by returning visitors are needed.") from error
    returning = np.intersect1d(split.known.of_kind().visitors, split.held_out.visitors)
    if len(returning) <= MAX_JUDGES:
        return split
    drawn = np.random.default_rng(seed).choice(returning, MAX_JUDGES, replace=False)
    return replace(split, held_out=split.held_out.where(np.isin(split.held_out.visitors, drawn)))


def _timed(report: FitReport, began: float) -> FitReport:
    return replace(report, at=int(time.time()), seconds=round(time.monotonic() - began, 1))
