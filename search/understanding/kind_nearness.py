"""Which of a shop's kinds a question is near to in meaning, and how likely it is that the shop sells what is asked."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from catalog.errors import GenerationError
from catalog.text.tokenizer import normalise
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.generations.kind_vectors import KindVectors, combine, kind_names
from indexer.generations.store import Generation
from indexer.numeric import chunks, sigmoid, softmax, unit
from indexer.types import Floats, Ids
from search.understanding.question_words import question_words
from search.understanding.world_kinds import names_of_kinds

TEMPERATURE = 0.04  # of the softmax over phrases about kinds of all shops
RELATED_SHARE = 2.5  # of what a kind has in common with the kinds of all shops that a question is near to
SAME_KIND = 0.7  # cosine from which a kind of all shops is a kind of this one
USES_SHARE = 0.5  # of what a kind is used for in its vector
FOREIGN = 0.55  # cosine to the nearest name of the shop's kinds, below which a kind of all shops is not sold here
KIND_TEMPERATURE = 0.06  # of the softmax that shares confidence among the shop's kinds
SOLD_KIND = 0.55  # relation to a kind of the shop from which a kind of all shops is sold here, perhaps by another name
MAX_NAME_WORDS = 4
MIN_FOREIGN = 50  # kinds not sold here that the evidence is scaled by
BATCH_KINDS = 256  # of all shops that are compared with all phrases at once: 19 MB

# Log odds that the kind is sold: a line over the evidence in standard deviations of things not sold. Fitted on tuning
# halves of questions in shoppers' own words and of things not sold, in the sample shop and the fashion shop.
SLOPE, OFFSET = 1.7, -2.4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Nearness:
    """The shop's kinds by nearness to a question, best first, with shares that add up to 1.

    `probability` is that of the shop selling what is asked.
    """

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    probability: float


class KindNearness:
    """Compares questions with the kinds of one generation, and of products that came later. Threads share it."""

    def __init__(self, encoder: BaseEncoder, vectors: KindVectors) -> None:
        self._encoder = encoder
        self._vectors = vectors
        self._places = {label: place for place, label in enumerate(vectors.labels)}
        self._later: dict[str, Floats] = {}
        self._scales: tuple[frozenset[str], _Scale] | None = None

    @classmethod
    def open(cls, generation: Generation, encoder: Encoder) -> KindNearness | None:
        """Return the nearness to a generation's kinds; None where it has no vectors of kinds."""
        if not isinstance(encoder, BaseEncoder) or encoder.sentence_dim is None:
            return None
        try:
            vectors = KindVectors.load(generation.folder)
        except GenerationError as error:
            log.warning("Questions are not compared with kinds: %s", error)
            return None
        return None if vectors is None else cls(encoder, vectors)

    def nearest(self, text: str, labels: Collection[str]) -> Nearness:
        """Place a text among the kinds `labels`, which the shop has now."""
        names = tuple(sorted(labels))
        if not names or not text.strip():
            return Nearness((), (), 0.0)
        scale = self._scale(names)
        query = self._encoder.encode_sentences([text])
        (scores,), (evidence,) = _compare(query @ scale.kinds.T, query @ self._vectors.phrases.T, scale)
        logit = SLOPE * (float(evidence) - scale.mean) / scale.spread + OFFSET
        order = np.lexsort((np.arange(len(names)), -scores))
        shares = softmax(scores[order] / KIND_TEMPERATURE)
        return Nearness(tuple(names[i] for i in order.tolist()), tuple(shares.tolist()), sigmoid(logit))

    def names_other_kind(self, text: str, labels: Collection[str]) -> bool:
        """Return whether a text ends with the name of a kind that shops sell, but this one does not."""
        words = [word.text for word in question_words(normalise(text)) if not word.empty]
        ends = (tuple(words[-size:]) for size in range(min(MAX_NAME_WORDS, len(words)), 0, -1))
        number = next((number for end in ends if (number := names_of_kinds().get(end)) is not None), None)
        if number is None:
            return False
        return bool(self._scale(tuple(sorted(labels))).sold[self._vectors.owners[number]] < SOLD_KIND)

    def near_kinds(self, label: str, labels: Collection[str]) -> tuple[str, ...]:
        """Return the kinds `labels` in the order of their likeness to one of them, itself left out."""
        names = tuple(sorted({*labels, label}))
        rows = self._scale(names).kinds
        scores = rows @ rows[names.index(label)]
        return tuple(names[i] for i in np.argsort(-scores, kind="stable").tolist() if names[i] != label)

    def _scale(self, names: Sequence[str]) -> _Scale:
        wanted = frozenset(names)
        scales = self._scales
        if scales is None or scales[0] != wanted:
            scales = wanted, _scale_of(self._rows(names), self._all_shops)
            self._scales = scales
        return scales[1]

    @cached_property
    def _all_shops(self) -> _AllShops:
        return _AllShops.of(self._vectors)

    def _rows(self, names: Sequence[str]) -> Floats:
        missing = [label for label in names if label not in self._places and label not in self._later]
        if missing:
            texts = [text for label in missing for text in kind_names(label)]
            rows = self._encoder.encode_sentences(texts).reshape(len(missing), 2, -1)
            for label, (name, path) in zip(missing, rows, strict=True):
                self._later[label] = combine(name, path, None)
        own = self._vectors.kinds
        return np.stack([own[self._places[n]] if n in self._places else self._later[n] for n in names])


@dataclass(frozen=True, slots=True)
class _Owned:
    """Which phrases are about which kind of all shops: the phrases by kind, and where those of a kind start."""

    order: Ids
    starts: Ids
    kinds: Ids  # that have a phrase
    count: int

    @classmethod
    def of(cls, owners: Ids, count: int) -> _Owned:
        """Return the phrases of `count` kinds; the owner -1 is the last one."""
        kinds = np.where(owners < 0, count - 1, owners)
        order = np.argsort(kinds, kind="stable")
        own, starts = np.unique(kinds[order], return_index=True)
        return cls(order, starts, own, count)

    def sums(self, values: Floats) -> Floats:
        """Return the sums (q, kinds) of the values (q, phrases) of each kind."""
        sums = np.zeros((len(values), self.count), np.float32)
        sums[:, self.kinds] = np.add.reduceat(values[:, self.order], self.starts, axis=1)
        return sums


@dataclass(frozen=True, slots=True)
class _Scale:
    """The vectors of the kinds (n, dim), and their relation to each kind of all shops (m + 1, n).

    `sold` (m + 1,) is the cosine of the nearest kind's name to that of each kind of all shops: 1 where the shop sells
    it. The last of these stands for what is nothing to buy. `owned` (m + 1, p) adds what phrases say of their kinds.
    `mean` and `spread` are those of the evidence of things that the shop does not sell.
    """

    kinds: Floats
    related: Floats
    sold: Floats
    owned: _Owned
    mean: float = 0.0
    spread: float = 1.0


@dataclass(frozen=True, slots=True)
class _AllShops:
    """The kinds of all shops: names and uses (m, dim), the phrases of each, and how alike they are among themselves.

    `shares` (m, m + 1) says how near the name of each is to the phrases of each, as if the list lacked it itself. They
    take half a second of the processor and 7 MB, and are the same whatever a shop sells.
    """

    names: Floats
    uses: Floats
    owned: _Owned
    shares: Floats

    @classmethod
    def of(cls, vectors: KindVectors) -> _AllShops:
        """Compare the names with all phrases."""
        names, owned = vectors.names, _Owned.of(vectors.owners, len(vectors.names) + 1)
        shares = np.zeros((len(names), owned.count), np.float32)
        for part in chunks(len(names), BATCH_KINDS):
            others = names[part] @ vectors.phrases.T
            own = np.arange(len(names))[part, None]
            others[vectors.owners == own] = -1.0  # there are more kinds than these
            shares[part] = _shares(others, owned)
        return cls(names, vectors.uses, owned, shares)


def _scale_of(kinds: Floats, world: _AllShops) -> _Scale:
    """Compare the kinds with those of all shops, by name and by what the same kind of all shops is used for."""
    cosines = world.names @ kinds.T
    twins, uses = cosines.argmax(axis=0), world.uses
    known = (cosines.max(axis=0) >= SAME_KIND).astype(np.float32)
    kinds = unit(kinds + np.float32(USES_SHARE) * uses[twins] * known[:, None])
    related = unit(world.names + np.float32(USES_SHARE) * uses) @ kinds.T
    # What is nothing to buy, owner -1, is related to no kind.
    related, sold = np.pad(related, ((0, 1), (0, 0))), np.pad(cosines.max(axis=1), (0, 1))
    scale = _Scale(kinds, related, sold, world.owned)
    foreign = np.flatnonzero(cosines.max(axis=1) < FOREIGN)
    if len(foreign) < MIN_FOREIGN:
        return scale
    evidence = world.shares[foreign] @ sold
    return replace(scale, mean=float(evidence.mean()), spread=max(1e-3, float(evidence.std())))


def _compare(cosines: Floats, others: Floats, scale: _Scale) -> tuple[Floats, Floats]:
    """Return the scores of the kinds (q, n), and the evidence (q,) that the shop sells what is asked.

    `cosines` (q, n) are those to the shop's kinds, `others` (q, p) those to all phrases. The evidence: how near
    the kinds that the question is near to are to the shop's, 1 where the shop sells them.
    """
    shares = _shares(others, scale.owned)
    return cosines + np.float32(RELATED_SHARE) * (shares @ scale.related), shares @ scale.sold


def _shares(others: Floats, owned: _Owned) -> Floats:
    """Return how the nearness (q, p) to all phrases is shared among the kinds that these are about (q, m + 1)."""
    powers = others / np.float32(TEMPERATURE)
    powers -= powers.max(axis=1, keepdims=True)
    sums = owned.sums(np.exp(powers, out=powers))
    shares: Floats = sums / sums.sum(axis=1, keepdims=True)
    return shares
