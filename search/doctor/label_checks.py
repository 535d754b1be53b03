"""Categories, attributes and titles that do not fit what the picture and the title predict.

Every product is judged by label heads that were fitted without it (Northcutt et al. 2021, "Confident learning",
doi:10.1613/jair.1.12125), so a wrong listing cannot confirm its own fault.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR
from indexer.labels.examples import LabelExamples, targets_of
from indexer.labels.knn import Ints
from indexer.layout import WORDS
from indexer.numeric import chunks, softmax
from indexer.training.label_heads import LabelRecipe, fit_outputs, learnable_names
from indexer.types import Floats
from search.doctor.audit_rows import MIN_CONFIDENCE, AuditRows, Finding, ReportProgress
from search.listings.attribute_fields import CATEGORY, group_of, labels_of

AUDIT_FOLDS = 2
ROWS_PREDICTED = 2_000  # rows that are predicted at once
MIN_TRAINING_ROWS = 32  # fewest rows of a fold; check a smaller shop by hand
MAX_TRAINING_ROWS = 40_000  # most rows of a fold; more would not improve the heads much
MIN_SHARE = 1e-3  # least share of a label: no head's evidence against a label is stronger
MIN_ACCURACY = 0.5  # accuracy of a field's picture head from which it may contradict listings
CATEGORY_KIND, TITLE_KIND, PICTURE_KIND = "category", "title", "wrong picture"
BY_PICTURE, BY_TITLE = "pictures", "titles"
RECIPES = {BY_PICTURE: LabelRecipe(steps=300), BY_TITLE: LabelRecipe(steps=300, titled=1.0)}
# Logistic curves (slope, offset) over the evidence in nats; chosen in docs/decisions/listing-suggestions.md.
Curve = tuple[float, float]
PRIOR_MISTAKES = 0.03  # share of listings mistaken for any one other label, where nothing is known
PRIOR_LISTINGS = 1.0  # how many listings the rate of contradiction over all labels counts as
CURVES = {CATEGORY_KIND: (1.0, 8.0), "attribute": (1.0, 9.0), TITLE_KIND: (2.0, 4.0), PICTURE_KIND: (1.0, 6.5)}


@dataclass(frozen=True, slots=True)
class Predictions:
    """Shares of the labels of one field, (n, names), by the picture alone and by the title alone; out of fold.

    `listed` (n,) is the position of the listing's own label, -1 when it has none or one that no head knows.
    """

    names: Sequence[str]
    listed: Ints
    by_picture: Floats
    by_title: Floats | None


def label_findings(shop: AuditRows, progress: ReportProgress) -> Iterator[Finding]:
    """Find listings whose category, attributes or title contradict the picture."""
    for field, predictions in _predict(shop, progress).items():
        right = predictions.by_picture.argmax(axis=1) == predictions.listed
        has_label = predictions.listed >= 0
        if not has_label.any() or (field != CATEGORY and right[has_label].mean() < MIN_ACCURACY):
            continue
        yield from _contradicted(shop, field, predictions)
        if field == CATEGORY and predictions.by_title is not None:
            yield from _misfits(shop, predictions)


def _predict(shop: AuditRows, progress: ReportProgress) -> dict[str, Predictions]:
    """Cross-fit label heads for each field, on pictures and on titles, and predict every product out of fold."""
    labels = labels_of(shop.products)
    names = {field: known for field, values in labels.items() if len(known := learnable_names(values)) > 1}
    groups = np.unique([group_of(product) for product in shop.products], return_inverse=True)[1].astype(np.int64)
    fold = np.random.default_rng(0).permutation(groups.max() + 1)[groups] % AUDIT_FOLDS
    sources = (BY_PICTURE, BY_TITLE) if WORDS in shop.layout.names else (BY_PICTURE,)
    shares = {
        (source, field): np.zeros((len(shop), len(names[field])), np.float32) for source in sources for field in names
    }
    for done, (number, source) in enumerate(itertools.product(range(AUDIT_FOLDS), sources)):
        holdout, training = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if not len(holdout) or not names or len(training) < MIN_TRAINING_ROWS:
            continue
        progress("what pictures and titles say", done, AUDIT_FOLDS * len(sources))
        training = np.sort(np.random.default_rng(number).permutation(training)[:MAX_TRAINING_ROWS])
        rows, fresh = _rows_of(shop, training, source), np.ones(len(training), np.bool_)
        own = {field: [labels[field][i] for i in training.tolist()] for field in names}
        examples = LabelExamples(shop.layout, {}, rows, groups[training], fresh, own)
        heads = fit_outputs(examples, names, RECIPES[source], 0)
        for part in chunks(len(holdout), ROWS_PREDICTED):
            rows = _rows_of(shop, holdout[part], source)
            for field, head in heads.items():
                shares[source, field][holdout[part]] = softmax(head(rows))
    return {
        field: Predictions(
            known, _listed(labels[field], known), shares[BY_PICTURE, field], shares.get((BY_TITLE, field))
        )
        for field, known in names.items()
    }


def _rows_of(shop: AuditRows, places: Ints, source: str) -> Floats:
    """Return rows of the pictures without the titles' block, or of the titles' block alone."""
    counted = {name: float((name == WORDS) == (source == BY_TITLE)) for name in shop.layout.names}
    return shop.layout.weigh(shop.rows(places), counted)


def _listed(labels: Sequence[tuple[str, ...]], names: Sequence[str]) -> Ints:
    targets = targets_of(labels, names)
    single = (targets > 0).sum(axis=1) == 1
    return np.where(single, targets.argmax(axis=1), -1).astype(np.int64)


def _contradicted(shop: AuditRows, field: str, predictions: Predictions) -> Iterator[Finding]:
    """Yield listings whose label the picture contradicts, and the title does not support."""
    best, confidence = contradictions(predictions, CURVES[CATEGORY_KIND if field == CATEGORY else "attribute"])
    for i in np.flatnonzero(confidence >= MIN_CONFIDENCE).tolist():
        proposal = predictions.names[best[i]]
        evidence = f"the picture alone says {_leaf(proposal)} with {predictions.by_picture[i, best[i]]:.0%}"
        if predictions.by_title is not None:
            evidence += f", the title alone with {predictions.by_title[i, best[i]]:.0%}"
        why = f"Listed as {_leaf(predictions.names[predictions.listed[i]])}; {evidence}."
        yield Finding(field, shop.products[i], float(confidence[i]), why, field, proposal)


def contradictions(predictions: Predictions, curve: Curve) -> tuple[Ints, Floats]:
    """Return the best label by picture and title (n,), and the confidence that the listing's own label is wrong.

    Where many listings of one label look and read like another, the shop names things that way, and nothing is wrong:
    the chance of a mistake is weighed against how usual that pair of labels is.
    """
    seen = _logs(predictions.by_picture)
    read = seen if predictions.by_title is None else _logs(predictions.by_title)  # without titles pictures count twice
    both, every = seen + read, np.arange(len(seen))
    best, listed = both.argmax(axis=1), np.maximum(predictions.listed, 0)
    disagree = (predictions.listed >= 0) & (best != listed) & (seen[every, best] > seen[every, listed])
    confidence = np.where(disagree, _logistic(both[every, best] - both[every, listed], curve), 0.0)
    usual = _usual(predictions, disagree, best, confidence)
    return best.astype(np.int64), np.asarray(confidence * PRIOR_MISTAKES / (PRIOR_MISTAKES + usual), dtype=np.float32)


def _usual(predictions: Predictions, disagree: NDArray[np.bool_], best: Ints, confidence: Floats) -> Floats:
    """Return how often other listings of the same label are predicted as `best`, (n,).

    Labels with few listings borrow the rate at which they are contradicted at all; or, when `best` lies in another
    branch of the tree, the rate at which the one branch is taken for the other.
    """
    count = len(predictions.names)
    label = np.maximum(predictions.listed, 0)
    listed = np.bincount(label[predictions.listed >= 0], minlength=count)
    pairs = np.zeros((count, count))
    np.add.at(pairs, (label[disagree], best[disagree]), confidence[disagree])
    prior = np.repeat((pairs.sum(axis=1) / np.maximum(listed, 1))[:, None], count, axis=1)
    tops = np.unique([name.split(CATEGORY_SEPARATOR)[0] for name in predictions.names], return_inverse=True)[1]
    if tops.max() + 1 < count:
        under = (tops[:, None] == np.arange(tops.max() + 1)).astype(np.float64)
        between = (under.T @ pairs @ under) / np.maximum(under.T @ listed, 1)[:, None]
        prior = np.where(tops[:, None] == tops[None], prior, between[tops][:, tops])
    others = np.maximum(pairs[label, best] - confidence, 0.0)
    usual = (others + PRIOR_LISTINGS * prior[label, best]) / (listed[label] + PRIOR_LISTINGS)
    return np.asarray(usual, dtype=np.float32)


def _misfits(shop: AuditRows, predictions: Predictions) -> Iterator[Finding]:
    """Yield titles that fit neither picture nor category, and pictures that fit neither title nor category."""
    assert predictions.by_title is not None
    seen, read = _logs(predictions.by_picture), _logs(predictions.by_title)
    for i in np.flatnonzero(predictions.listed >= 0).tolist():
        listed = predictions.listed[i]
        for kind, misfit, other in ((TITLE_KIND, read, seen), (PICTURE_KIND, seen, read)):
            best = int(misfit[i].argmax())
            evidence = min(float(misfit[i, best] - misfit[i, listed]), float(other[i, listed] - other[i, best]))
            confidence = float(_logistic(evidence, CURVES[kind]))
            if best == listed or confidence < MIN_CONFIDENCE:
                continue
            field, rest = ("title", "picture") if kind == TITLE_KIND else ("picture", "title")
            predicted, category = _leaf(predictions.names[best]), _leaf(predictions.names[listed])
            why = f"The {field} speaks of {predicted}; category and {rest} say {category}."
            yield Finding(kind, shop.products[i], confidence, why, field)


def _logs(shares: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(shares, MIN_SHARE)), dtype=np.float32)


def _logistic(evidence: Any, curve: Curve) -> Any:
    slope, offset = curve
    return 1 / (1 + np.exp(-slope * (evidence - offset)))


def _leaf(name: str) -> str:
    return name.split(CATEGORY_SEPARATOR)[-1]
