"""Shrink the effects of each product towards those of its category, and these towards those of the shop.

Effects e (k,) of a product are normal about those of its category, and those of a category about those of the category
above. EffectEvidence is in information form: a precision (k, k) and a precision times estimate (k,), so that a product
without any is a row of zeros. In a tree of normal variables, one pass up and one down give exact posteriors (Gaussian
belief propagation; Pearl, Probabilistic Reasoning in Intelligent Systems, 1988). The variances of the steps are fitted
by EM (empirical Bayes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Ids
from search.pricing.demand.regression.category_tree import DEPTH, CategoryTree

Doubles = NDArray[np.float64]
STEPS = DEPTH + 1  # from the shop to the first level, ..., from the last level to the product
_START_VARIANCE = 0.3
_POOLED_VARIANCE = 1e-6
_VARIANCE_WEIGHT = 2.0  # products that the starting variance counts as
_INFORMED = 0.05  # a product whose data say less than this about a step does not count for the step's variance


@dataclass(frozen=True, slots=True, eq=False)
class EffectEvidence:
    """What is known of the effects of n things: `precision` (n, k, k), `weighted` (n, k) = precision times estimate."""

    precision: Doubles
    weighted: Doubles

    def mean(self) -> Doubles:
        """Return the estimates (n, k); the precision must be positive."""
        return _solve(self.precision, self.weighted)

    def covariance(self) -> Doubles:
        """Return the covariances (n, k, k); the precision must be positive."""
        return np.asarray(np.linalg.inv(self.precision), np.float64)

    def plus(self, other: EffectEvidence) -> EffectEvidence:
        """Return both together."""
        return EffectEvidence(self.precision + other.precision, self.weighted + other.weighted)

    def minus(self, other: EffectEvidence) -> EffectEvidence:
        """Return what is left without the other."""
        return EffectEvidence(self.precision - other.precision, self.weighted - other.weighted)

    def at(self, places: Ids) -> EffectEvidence:
        """Return the evidence of some things."""
        return EffectEvidence(self.precision[places], self.weighted[places])

    def blurred(self, variances: Doubles) -> EffectEvidence:
        """Return what it says of something that differs from these things by normal steps with `variances` (k,).

        The covariance grows by the variances: precision P becomes (P^-1 + V)^-1 = (I + P V)^-1 P, without an inverse of
        P.
        """
        factor = np.eye(len(variances)) + self.precision * variances
        precision = np.linalg.solve(factor, self.precision)
        return EffectEvidence((precision + precision.transpose(0, 2, 1)) / 2, _solve(factor, self.weighted))

    def summed(self, groups: Ids, count: int) -> EffectEvidence:
        """Return the sum of the evidence of each of `count` groups."""
        k = self.weighted.shape[1]
        columns = np.concatenate([self.precision.reshape(-1, k * k), self.weighted], axis=1)
        sums = np.stack([np.bincount(groups, column, count).astype(np.float64) for column in columns.T], axis=1)
        return EffectEvidence(sums[:, : k * k].reshape(count, k, k), sums[:, k * k :])


@dataclass(frozen=True, slots=True, eq=False)
class Shrinkage:
    """How effects spread: normal about `centre` (k,) in any shop with `centre_variances` (k,), and in each step of the
    tree with `variances` (STEPS, k).
    """

    centre: Doubles
    centre_variances: Doubles
    variances: Doubles

    @classmethod
    def start(cls, centre: Doubles, centre_variances: Doubles) -> Shrinkage:
        """Return the shrinkage that nothing was learnt for."""
        return cls(centre, centre_variances, np.full((STEPS, len(centre)), _START_VARIANCE))

    def spread(self, tree: CategoryTree, products: EffectEvidence) -> Spread:
        """Combine the evidence of all products."""
        rising = products.blurred(self.variances[DEPTH])
        below = rising.summed(tree.leaves, len(tree))
        risen = EffectEvidence(np.zeros_like(below.precision), np.zeros_like(below.weighted))
        for depth in range(DEPTH, 0, -1):
            nodes = np.flatnonzero(tree.depths == depth)
            message = below.at(nodes).blurred(self.variances[depth - 1])
            risen.precision[nodes], risen.weighted[nodes] = message.precision, message.weighted
            below = below.plus(message.summed(tree.parents[nodes], len(tree)))
        belief, cavity = _descend(self, tree, below, risen)
        outside = belief.at(tree.leaves).minus(rising)
        return Spread(below, belief, cavity, outside, outside.blurred(self.variances[DEPTH]))

    @classmethod
    def pooled(cls, centre: Doubles, centre_variances: Doubles) -> Shrinkage:
        """Return the shrinkage that lets no product's effects differ from the shop's."""
        return cls(centre, centre_variances, np.full((STEPS, len(centre)), _POOLED_VARIANCE))

    def refitted(self, tree: CategoryTree, products: EffectEvidence, found: Spread) -> Shrinkage:
        """Return the shrinkage after one step of EM for its variances."""
        variances = self.variances.copy()
        for depth in range(1, DEPTH + 1):
            nodes = np.flatnonzero(tree.depths == depth)
            variances[depth - 1] = _variance(found.below.at(nodes), found.cavity.at(nodes), variances[depth - 1])
        variances[DEPTH] = _variance(products, found.outside, variances[DEPTH])
        return Shrinkage(self.centre, self.centre_variances, variances)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What a tree knows: for each node what its products say (`below`), all that is known (`belief`), and what is known
    of its parent without it (`cavity`); for each product what is known of its category without it (`outside`), and the
    `prior` of its own effects that follows.
    """

    below: EffectEvidence
    belief: EffectEvidence
    cavity: EffectEvidence
    outside: EffectEvidence
    prior: EffectEvidence


def _descend(
    shrinkage: Shrinkage, tree: CategoryTree, below: EffectEvidence, risen: EffectEvidence
) -> tuple[EffectEvidence, EffectEvidence]:
    root = np.diag(1 / shrinkage.centre_variances)
    belief = EffectEvidence(below.precision.copy(), below.weighted.copy())
    belief.precision[0] += root
    belief.weighted[0] += root @ shrinkage.centre
    cavity = EffectEvidence(belief.precision.copy(), belief.weighted.copy())
    for depth in range(1, DEPTH + 1):
        nodes = np.flatnonzero(tree.depths == depth)
        above = belief.at(tree.parents[nodes]).minus(risen.at(nodes))
        prior = above.blurred(shrinkage.variances[depth - 1])
        cavity.precision[nodes], cavity.weighted[nodes] = above.precision, above.weighted
        belief.precision[nodes] += prior.precision
        belief.weighted[nodes] += prior.weighted
    return belief, cavity


def _variance(evidence: EffectEvidence, above: EffectEvidence, variances: Doubles) -> Doubles:
    """Return the mean square of the steps between things and what is above them, one step of EM from `variances` on."""
    if not len(evidence.weighted):
        return variances
    # What the evidence says of the step alone: the thing above is uncertain, and its mean is subtracted.
    covariance = above.covariance()
    factor = np.eye(len(variances)) + evidence.precision @ covariance
    precision = np.linalg.solve(factor, evidence.precision)
    shift = evidence.weighted - np.einsum("nij,nj->ni", evidence.precision, above.mean())
    posterior = np.linalg.inv(precision + np.diag(1 / variances))
    step = np.einsum("nij,nj->ni", posterior, _solve(factor, shift))
    squares = np.einsum("nii->ni", posterior) + step**2
    informed = np.einsum("nii->ni", precision) * variances > _INFORMED
    total = (squares * informed).sum(axis=0) + _VARIANCE_WEIGHT * _START_VARIANCE
    return np.asarray(total / (informed.sum(axis=0) + _VARIANCE_WEIGHT), np.float64)


def _solve(matrices: Doubles, vectors: Doubles) -> Doubles:
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0], np.float64)
