"""What a listing says against what its picture and its title say: categories, attributes, titles.

Every product is judged by heads that were fitted without it (Northcutt et al. 2021, "Confident learning",
doi:10.1613/jair.1.12125), so a wrong listing cannot teach its own fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR
from indexer.labels.heads import softmax
from indexer.labels.knn import Ints
from indexer.layout import WORDS
from indexer.numeric import chunks
from indexer.training.label_heads import LabelExamples, LabelRecipe, fit_outputs, learnable_names, targets_of
from indexer.types import Floats
from search.doctor.audit_rows import LEAST_SURE, AuditRows, Finding, Step
from search.listings.attribute_fields import CATEGORY, group_of, labels_of

FOLDS = 2
RECIPE = LabelRecipe(steps=300)
LEAST_LEARNT = 32  # rows of a fold; a smaller shop is better looked through by hand
MOST_LEARNT = 40_000  # rows a fold learns from; more would not teach much
FLOOR = 1e-3  # no head is surer than that of what is not
TOLD = 0.5  # share of products of which the picture must tell a field, before it contradicts any
CATEGORY_KIND, TITLE_KIND, PICTURE_KIND = "category", "title", "wrong picture"
# Logistic curves (slope, offset) over the evidence in nats; chosen in docs/decisions.md.
Curve = tuple[float, float]
MISTAKEN = 0.03  # share of listings that are mistaken for any one other thing, where nothing is known
FEW = 1.0  # listings of a name, up to which how often it is contradicted at all counts more than by what
CURVES = {CATEGORY_KIND: (1.0, 8.0), "attribute": (1.0, 9.0), TITLE_KIND: (2.0, 4.0), PICTURE_KIND: (1.0, 6.5)}


@dataclass(frozen=True, slots=True)
class Opinions:
    """What pictures and titles alone say of one field: shares (n, names) of products that the heads never saw.

    `said` (n,) is the place of what the listing says, -1 when it says nothing or what no head knows.
    """

    names: Sequence[str]
    said: Ints
    pictured: Floats
    titled: Floats | None


def label_findings(shop: AuditRows, step: Step) -> Iterator[Finding]:
    """Listings whose category, attributes or title do not fit the rest of them. Imports torch."""
    for field, opinions in _opinions(shop, step).items():
        right = opinions.pictured.argmax(axis=1) == opinions.said
        told = opinions.said >= 0
        if not told.any() or (field != CATEGORY and right[told].mean() < TOLD):
            continue
        yield from _contradicted(shop, field, opinions)
        if field == CATEGORY and opinions.titled is not None:
            yield from _misfits(shop, opinions)


def _opinions(shop: AuditRows, step: Step) -> dict[str, Opinions]:
    labels = labels_of(shop.products)
    names = {field: learnable_names(of) for field, of in labels.items()}
    names = {field: of for field, of in names.items() if len(of) > 1}
    groups = np.unique([group_of(product) for product in shop.products], return_inverse=True)[1].astype(np.int64)
    fold = np.random.default_rng(0).permutation(groups.max() + 1)[groups] % FOLDS
    worded = WORDS in shop.layout.names
    ways = ("pictures", "titles") if worded else ("pictures",)
    count = len(shop)
    found = {way: {field: np.zeros((count, len(of)), np.float32) for field, of in names.items()} for way in ways}
    done, total = 0, FOLDS * len(ways)
    for number in range(FOLDS):
        asked, learnt = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if not len(asked) or not names or len(learnt) < LEAST_LEARNT:
            continue
        learnt = np.sort(np.random.default_rng(number).permutation(learnt)[:MOST_LEARNT])
        for way in ways:
            step("what pictures and titles say", done, total)
            done += 1
            rows = _only(shop, learnt, way)
            examples = LabelExamples(
                shop.layout,
                {},
                rows,
                groups[learnt],
                np.ones(len(learnt), np.bool_),
                {field: [labels[field][i] for i in learnt.tolist()] for field in names},
            )
            recipe = RECIPE if way == "pictures" else LabelRecipe(steps=RECIPE.steps, titled=1.0)
            heads = fit_outputs(examples, names, recipe, 0)
            for part in chunks(len(asked), 2_000):
                rows = _only(shop, asked[part], way)
                for field, head in heads.items():
                    found[way][field][asked[part]] = softmax(head(rows))
    return {
        field: Opinions(
            of, _said(labels[field], of), found["pictures"][field], found["titles"][field] if worded else None
        )
        for field, of in names.items()
    }


def _only(shop: AuditRows, places: Ints, way: str) -> Floats:
    """Rows of the pictures without words, or of the words without pictures."""
    rows = shop.rows(places)
    if way == "titles":
        words = rows[:, shop.layout.slice(WORDS)].copy()
        rows[:] = 0.0
        rows[:, shop.layout.slice(WORDS)] = words
    elif WORDS in shop.layout.names:
        rows[:, shop.layout.slice(WORDS)] = 0.0
    return rows


def _said(labels: Sequence[tuple[str, ...]], names: Sequence[str]) -> Ints:
    targets = targets_of(labels, names)
    single = (targets > 0).sum(axis=1) == 1
    return np.where(single, targets.argmax(axis=1), -1).astype(np.int64)


def _contradicted(shop: AuditRows, field: str, opinions: Opinions) -> Iterator[Finding]:
    """Listings that say one thing where the picture says another, and the title does not take their side."""
    kind = CATEGORY_KIND if field == CATEGORY else "attribute"
    best, sure = contradictions(opinions, CURVES[kind])
    for i in np.flatnonzero(sure >= LEAST_SURE).tolist():
        proposal = opinions.names[best[i]]
        share = f"the picture alone says {_leaf(proposal)} with {opinions.pictured[i, best[i]]:.0%}"
        if opinions.titled is not None:
            share += f", the title alone with {opinions.titled[i, best[i]]:.0%}"
        why = f"Listed as {_leaf(opinions.names[opinions.said[i]])}; {share}."
        yield Finding(kind if kind == CATEGORY_KIND else field, shop.products[i], float(sure[i]), why, field, proposal)


def contradictions(opinions: Opinions, curve: Curve) -> tuple[Ints, Floats]:
    """What pictures and titles say instead of what each listing does, and how sure it is that the listing is wrong.

    Where many listed as one thing look and read like the other, that is how this shop names things, and no fault:
    the chance that a listing was mistaken is set against how usual it is to say this for that.
    """
    seen = _logs(opinions.pictured)
    read = seen if opinions.titled is None else _logs(opinions.titled)  # without words the picture speaks for both
    both, every = seen + read, np.arange(len(seen))
    best, said = both.argmax(axis=1), np.maximum(opinions.said, 0)
    asked = (opinions.said >= 0) & (best != said) & (seen[every, best] > seen[every, said])
    sure = np.where(asked, _curve(both[every, best] - both[every, said], curve), 0.0)
    usual = _usual(opinions, asked, best, sure)
    return best.astype(np.int64), np.asarray(sure * MISTAKEN / (MISTAKEN + usual), dtype=np.float32)


def _usual(opinions: Opinions, asked: NDArray[np.bool_], best: Ints, sure: Floats) -> Floats:
    """How often what is listed as this is found to be that, this listing left out, (n,).

    Of names with few listings more is known from how often they are contradicted at all, or, when that is of another
    branch of the tree, how often the one branch is taken for the other.
    """
    count = len(opinions.names)
    said = np.maximum(opinions.said, 0)
    listed = np.bincount(said[opinions.said >= 0], minlength=count)
    pairs = np.zeros((count, count))
    np.add.at(pairs, (said[asked], best[asked]), sure[asked])
    told = np.repeat((pairs.sum(axis=1) / np.maximum(listed, 1))[:, None], count, axis=1)
    tops = np.unique([name.split(CATEGORY_SEPARATOR)[0] for name in opinions.names], return_inverse=True)[1]
    if tops.max() + 1 < count:
        under = (tops[:, None] == np.arange(tops.max() + 1)).astype(np.float64)
        between = (under.T @ pairs @ under) / np.maximum(under.T @ listed, 1)[:, None]
        told = np.where(tops[:, None] == tops[None], told, between[tops][:, tops])
    others = np.maximum(pairs[said, best] - sure, 0.0)
    return np.asarray((others + FEW * told[said, best]) / (listed[said] + FEW), dtype=np.float32)


def _misfits(shop: AuditRows, opinions: Opinions) -> Iterator[Finding]:
    """Titles that fit neither picture nor category, and pictures that fit neither title nor category."""
    assert opinions.titled is not None
    seen, read = _logs(opinions.pictured), _logs(opinions.titled)
    for i in np.flatnonzero(opinions.said >= 0).tolist():
        said = opinions.said[i]
        for kind, strange, other in ((TITLE_KIND, read, seen), (PICTURE_KIND, seen, read)):
            best = int(strange[i].argmax())
            if best == said:
                continue
            apart = float(strange[i, best] - strange[i, said])
            sure = float(_curve(min(apart, float(other[i, said] - other[i, best])), CURVES[kind]))
            if sure < LEAST_SURE:
                continue
            what, rest = ("title", "picture") if kind == TITLE_KIND else ("picture", "title")
            speaks, listed = _leaf(opinions.names[best]), _leaf(opinions.names[said])
            why = f"The {what} speaks of {speaks}; category and {rest} say {listed}."
            yield Finding(kind, shop.products[i], sure, why, what)


def _logs(shares: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(shares, FLOOR)), dtype=np.float32)


def _curve(evidence: Any, curve: Curve) -> Any:
    slope, offset = curve
    return 1 / (1 + np.exp(-slope * (evidence - offset)))


def _leaf(name: str) -> str:
    return name.split(CATEGORY_SEPARATOR)[-1]
