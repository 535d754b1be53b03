"""Whether the shop knows what it does not sell: the verdict's probability on its own products and on strangers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from catalog.sample.generator.catalogue.plan import TEST
from search.evaluation.statistics import (
    BINS,
    DIGITS,
    Numbers,
    auroc,
    calibration_error,
    equal_bins,
    mean,
    measured,
    perfect_error,
)
from search.hits import EXACT, NO_MATCH_THRESHOLD
from tests.quality.measures import Bin, precision, reliability, roc_points
from tests.quality.questions import Answer, of_split, unreadable
from tests.quality.report.failures import photo_failure
from tests.quality.report.plots import distributions, reliability_curve, roc
from tests.quality.report.records import Gallery, Headline, Outcome, Plot, Section, Share, Table
from tests.quality.sample_shop import SampleShop

TITLE = "Knowing what the shop does not have"
NO_MATCH = "no_match"
OWN, STRANGERS = "own", "strangers"  # photos of what the shop has, and of what it does not sell
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer with what its verdict says: how probable it is that the shop has the thing, and the kind of match.

    `exact` is how probable it is that the first hit is that very product; None where that was not said.
    """

    answer: Answer
    probability: float
    kind: str
    exact: float | None = None

    @property
    def called(self) -> bool:
        """Whether the shop said that it does not have the thing."""
        return self.kind == NO_MATCH


def no_match(shop: SampleShop) -> Outcome:
    """Test photos, whose product the shop has, against photos of what it has not: are they told apart?"""
    own, strangers = judged(of_split(shop.photos, TEST)), judged(shop.strangers)
    if not own or not strangers:
        why = f"The encoder {shop.engine.status().encoder!r} has no calibration, so its answers carry no verdict."
        return Outcome(NO_MATCH, {"skipped": why}, Section(TITLE, "", note=why))
    refused = unreadable((*shop.photos, *shop.strangers))
    figures = no_match_figures(own, strangers) | {"unreadable": refused}
    section = Section(
        title=TITLE,
        how="Every answer to a photo states how probable it is that the shop has the thing at all; below the cut it "
        'says "no match". AUROC is the chance that a test photo is given a higher probability than a photo of a '
        "stranger, a thing that the shop does not sell (0.5 is guessing). Recall is the share of strangers that are "
        "called no match, precision the share of strangers among all that is called so, false alarms the share of the "
        "shop's own products that are. ECE is how far what was stated lies from what came true, on average over ten "
        "bins of as many photos. Few photos lie off by chance alone: perfect is what the ECE of these very "
        "probabilities would be if they were true, and without chance is the root mean square error with the part that "
        "chance adds taken off (Kumar, Liang and Ma, 2019); it is never below the ECE of endless photos.",
        tables=(_table(figures),),
        plots=_plots(figures, own, strangers),
        note=f"{len(refused)} photos could not be read and are left out." if refused else "",
        galleries=(
            _gallery("Strangers that the shop was surest to have", strangers, shop, surest_first=True),
            _gallery(
                "Products of the shop that were called no match",
                [one for one in own if one.called],
                shop,
                surest_first=False,
            ),
        ),
    )
    count = len(own) + len(strangers)
    headlines = (
        Headline("No match, AUROC", Share.of(figures, "auroc"), count),
        Headline("No match, precision at the cut", Share.of(figures, "precision"), figures["called"]),
        Headline("No match, recall at the cut", Share.of(figures, "recall"), len(strangers)),
    )
    return Outcome(NO_MATCH, figures, section, headlines)


def judged(answers: Iterable[Answer]) -> list[Judged]:
    """The answers that carry a verdict, with it."""
    verdicts = [(answer, answer.page.verdict if answer.page else None) for answer in answers]
    return [Judged(answer, said.probability, said.kind, said.exact) for answer, said in verdicts if said is not None]


def no_match_figures(own: Sequence[Judged], strangers: Sequence[Judged]) -> dict[str, Any]:
    """AUROC of the probability, and at the cut: recall and precision of "no match", and its false alarms."""
    called, called_wrongly = ([one.called for one in of] for of in (strangers, own))
    return {
        OWN: len(own),
        STRANGERS: len(strangers),
        "cut": NO_MATCH_THRESHOLD,
        **measured("auroc", auroc, probabilities(own), probabilities(strangers)),
        "called": sum(called) + sum(called_wrongly),
        **measured("precision", precision, called, called_wrongly),
        **measured("recall", mean, called),
        **measured("false_alarms", mean, called_wrongly),
        **calibration_figures(own, strangers),
        **measured("exact_ece", calibration_error, stated_and_true(own, strangers, exact=True)),
        **measured("exact_precision", mean, [one.answer.rank == 1 for one in (*own, *strangers) if one.kind == EXACT]),
        "kinds": {name: dict(Counter(one.kind for one in of)) for name, of in ((OWN, own), (STRANGERS, strangers))},
        "reliability": {name: [asdict(one) for one in bins] for name, bins in reliabilities(own, strangers).items()},
    }


def calibration_figures(own: Sequence[Judged], strangers: Sequence[Judged]) -> dict[str, Any]:
    """How far stated probabilities lie from what came true: as it is, if they were true, and without chance."""
    told = stated_and_true(own, strangers)
    return {
        **measured("ece", calibration_error, told),
        "ece_perfect": round(perfect_error(told), DIGITS),
        **measured("ece_without_chance", debiased_error, told),
    }


def reliabilities(own: Sequence[Judged], strangers: Sequence[Judged]) -> dict[str, list[Bin]]:
    """What was stated beside how often the shop had the thing, and beside how often the first hit was it."""
    has, exact = (stated_and_true(own, strangers, exact=asked) for asked in (False, True))
    return {
        "the shop has it": reliability(*_columns(has)),
        "the first hit is right": reliability(*_columns(exact)),
    }


def stated_and_true(own: Sequence[Judged], strangers: Sequence[Judged], *, exact: bool = False) -> Numbers:
    """(n, 2): the stated probability, that the shop has it or that the first hit is it, and whether that was so."""
    if exact:
        rows = [(one.exact, one.answer.rank == 1) for one in (*own, *strangers) if one.exact is not None]
    else:
        rows = [(one.probability, true) for of, true in ((own, True), (strangers, False)) for one in of]
    return np.array(rows, float).reshape(-1, 2)


def debiased_error(rows: Numbers, bins: int = BINS) -> float:
    """The root mean square calibration error of rows (stated, true) without what chance adds to it; at least 0.

    The estimator of Kumar, Liang and Ma, "Verified uncertainty calibration", 2019: the variance of a bin's share of
    truths is taken from the square of its gap.
    """
    parts = [part for part in equal_bins(rows, bins) if len(part) > 1]
    squares = 0.0
    for part in parts:
        stated, true = part.mean(axis=0)
        squares += len(part) * ((stated - true) ** 2 - true * (1 - true) / (len(part) - 1))
    return float(np.sqrt(max(0.0, squares / len(rows))))


def _columns(rows: Numbers) -> tuple[list[float], list[bool]]:
    return rows[:, 0].tolist(), rows[:, 1].astype(bool).tolist()


def probabilities(of: Sequence[Judged]) -> Numbers:
    """The stated probabilities that the shop has what was asked for."""
    return np.array([one.probability for one in of])


def _table(figures: Mapping[str, Any]) -> Table:
    names = {
        "auroc": "AUROC",
        "recall": "recall",
        "precision": "precision",
        "false_alarms": "false alarms",
        "ece": "ECE",
        "ece_without_chance": "without chance",
    }
    names |= {"exact_ece": "ECE of exact", "exact_precision": "exact is right"}
    return Table(
        (STRANGERS, OWN, "cut", "ECE if perfect", *names.values()),
        (
            (
                str(figures[STRANGERS]),
                str(figures[OWN]),
                f"{figures['cut']:.2f}",
                f"{figures['ece_perfect']:.3f}",
                *(Share.of(figures, name) for name in names),
            ),
        ),
    )


def _plots(figures: Mapping[str, Any], own: Sequence[Judged], strangers: Sequence[Judged]) -> tuple[Plot, ...]:
    have, have_not = probabilities(own), probabilities(strangers)
    at_cut = (1 - figures["recall"], 1 - figures["false_alarms"])
    groups = {"the shop has it": have, "strangers": have_not}
    return (
        Plot(
            distributions(groups, NO_MATCH_THRESHOLD, "verdicts", "Stated probabilities"),
            "What was stated, for both kinds of photo.",
        ),
        Plot(roc(roc_points(have, have_not), at_cut, "roc", "ROC curve"), "Every cut that could be chosen."),
        Plot(
            reliability_curve(reliabilities(own, strangers), "reliability", "Reliability"),
            "On the diagonal a probability means what it says; larger marks are more photos.",
        ),
    )


def _gallery(title: str, of: Sequence[Judged], shop: SampleShop, *, surest_first: bool) -> Gallery:
    chosen = sorted(of, key=lambda one: one.probability, reverse=surest_first)[:SHOWN]
    notes = [f"has it: {one.probability:.2f}, {one.kind.replace('_', ' ')}" for one in chosen]
    return Gallery(
        title,
        tuple(photo_failure(one.answer, shop.products, note) for one, note in zip(chosen, notes, strict=True)),
    )
