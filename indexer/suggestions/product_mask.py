"""Some of a segment's products, as bits, and as a mask and places where a reader needs those."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexer.types import Ids, Mask

Bits = NDArray[np.uint64]  # of a product, bit `place % WIDTH` of number `place // WIDTH`

WIDTH = 64


class ProductMask:
    """Some of a segment's `size` products. Never changes."""

    def __init__(self, bits: Bits, size: int) -> None:
        self.bits = bits
        self.size = size

    @classmethod
    def of(cls, mask: Mask) -> ProductMask:
        """Return the products of a mask."""
        bits = np.zeros(-(-len(mask) // WIDTH) * 8, np.uint8)
        bits[: -(-len(mask) // 8)] = np.packbits(mask, bitorder="little")
        return cls(bits.view(np.uint64), len(mask))

    def __and__(self, other: ProductMask) -> ProductMask:
        return ProductMask(self.bits & other.bits, self.size)

    def __or__(self, other: ProductMask) -> ProductMask:
        return ProductMask(self.bits | other.bits, self.size)

    @cached_property
    def mask(self) -> Mask:
        """The mask (size,) of these products; not to be written to."""
        return np.unpackbits(self.bits.view(np.uint8), count=self.size, bitorder="little").view(np.bool_)

    @cached_property
    def count(self) -> int:
        """The number of these products."""
        return count_of(self.bits)

    @cached_property
    def places(self) -> Ids:
        """The places of these products, in order."""
        return np.flatnonzero(self.mask)


def count_of(bits: Bits) -> int:
    """Return how many bits are set."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))
