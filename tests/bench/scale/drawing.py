"""Draw vectors of further products around real ones, so that neighbourhoods keep their shape.

A drawn product lies where its real one and some neighbours of that span: its vector is the real one's, moved along
differences to near neighbours. Pictures and titles are moved alike, so that titles suit their pictures as well as real
ones do. `SPREAD` is how far; docs/decisions/scale.md says how it was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.ann.block_weights import shop_weights
from indexer.layout import RowLayout
from indexer.types import Floats, Ids
from tests.bench.scale.real_products import RealProducts

NEIGHBOURS = 20  # nearest real products, of which a drawn one is moved towards or away from some
MOVES = 4
SPREAD = 0.5  # standard deviation of a move, as a part of the distance to that neighbour, times the root of MOVES
NOISE = 0.02  # length of a random part in every direction, beside blocks of unit length
BLOCK_QUERIES = 512


@dataclass(frozen=True)
class Drawing:
    """Real products with the neighbours (n, 20) of each, to draw around."""

    layout: RowLayout
    real: RealProducts
    neighbours: Ids
    spread: float = SPREAD

    def draw(self, count: int, chance: np.random.Generator) -> tuple[Ids, Floats, Floats]:
        """Return the number of each drawn product's real one and neighbour (n, 2), its picture's and title's vector."""
        own = chance.integers(0, len(self.real.rows), count)
        places = np.argsort(chance.random((count, NEIGHBOURS)), axis=1)[:, :MOVES]
        near = np.take_along_axis(self.neighbours[own], places, axis=1)
        moves = chance.normal(0, self.spread / np.sqrt(MOVES), (count, MOVES)).astype(np.float32)
        towards = near[np.arange(count), np.argmax(moves, axis=1)]
        pictures = self._moved(self.real.pictures, own, near, moves, chance)
        titles = self._moved(self.real.titles, own, near, moves, chance)
        start = 0
        for block in self.layout.blocks[:-1]:
            part = pictures[:, start : start + block.dim]
            if self.real.pictures[:, start : start + block.dim].min() >= 0:  # shares of colours are never negative
                np.maximum(part, 0, out=part)
            part /= np.linalg.norm(part, axis=1, keepdims=True)
            start += block.dim
        titles /= np.linalg.norm(titles, axis=1, keepdims=True)
        return np.stack([own, towards], axis=1), pictures, titles

    @staticmethod
    def _moved(vectors: Floats, own: Ids, near: Ids, moves: Floats, chance: np.random.Generator) -> Floats:
        moved = vectors[own] * (1 - moves.sum(axis=1, keepdims=True))
        for place in range(MOVES):
            moved += moves[:, place, None] * vectors[near[:, place]]
        noise = chance.standard_normal(moved.shape, np.float32)
        return moved + NOISE / np.sqrt(moved.shape[1]) * noise


def neighbours_of(layout: RowLayout, real: RealProducts) -> Ids:
    """Return the numbers of the 20 nearest others of each product, nearest first, as searches by picture score them."""
    rows = layout.rows(real.pictures, real.titles)
    queries = layout.weigh(layout.queries(real.pictures), shop_weights(layout)["picture"])
    found = np.empty((len(rows), NEIGHBOURS), np.int64)
    for start in range(0, len(rows), BLOCK_QUERIES):
        part = slice(start, start + BLOCK_QUERIES)
        scores = queries[part] @ rows.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        best = np.argpartition(-scores, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        found[part] = np.take_along_axis(best, order, axis=1)
    return found
