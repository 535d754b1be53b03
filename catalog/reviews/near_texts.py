"""Find texts that are nearly the same: hashes of which such texts share some, and the comparison that decides.

The hashes are bands of a MinHash signature with one permutation (Li, Owen and Zhang, "One Permutation Hashing", 2012),
with empty bins filled from the next one (Shrivastava and Li, "Densifying One Permutation Hashing", 2014).
"""

from __future__ import annotations

import hashlib
import re
import zlib

from catalog.text.folding import normalise

SHINGLE = 5  # characters
LEAST_LENGTH = 25  # folded characters: many customers write "Very nice, thanks" of their own accord
LEAST_UNSPACED = 12  # Chinese and Japanese say as much in half as many characters
SAME_SHARE = 0.7  # Jaccard similarity of the shingles from which two texts are nearly the same
_BANDS, _ROWS = 8, 3
_BINS = _BANDS * _ROWS
_MIX = 0x9E3779B1  # 2^32 / golden ratio: spreads the bits of a checksum
_NO_LETTER = re.compile(r"[\W_]+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


def fold(text: str) -> str:
    """Return the letters and digits of a text alone, in one spelling."""
    return _NO_LETTER.sub("", normalise(text))


def text_digest(text: str) -> bytes:
    """Return the digest of a review's text: 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def bands_of(folded: str) -> tuple[int, ...]:
    """Return eight numbers of 56 bits; nearly equal texts share at least one. () for a text too short to compare.

    Two texts with Jaccard similarity s share one with the probability 1 - (1 - s^3)^8: 0.96 at 0.7, 0.06 at 0.2.
    """
    least = LEAST_UNSPACED if _UNSPACED.search(folded) else LEAST_LENGTH
    if len(folded) < least:
        return ()
    bins: list[int | None] = [None] * _BINS
    for shingle in _shingles(folded):
        mixed = zlib.crc32(shingle.encode("utf-8", "surrogatepass")) * _MIX & 0xFFFFFFFF
        place, value = mixed % _BINS, mixed // _BINS
        smallest = bins[place]
        if smallest is None or value < smallest:
            bins[place] = value
    filled = _filled(bins)
    return tuple(_band(number, filled[number * _ROWS : (number + 1) * _ROWS]) for number in range(_BANDS))


def nearly_same(text: str, other: str) -> bool:
    """Tell whether two folded texts are nearly the same."""
    first, second = _shingles(text), _shingles(other)
    return len(first & second) >= SAME_SHARE * len(first | second)


def _shingles(folded: str) -> set[str]:
    return {folded[place : place + SHINGLE] for place in range(max(len(folded) - SHINGLE, 0) + 1)}


def _filled(bins: list[int | None]) -> list[int]:
    filled = []
    for place in range(_BINS):
        distance = next(step for step in range(_BINS) if bins[(place + step) % _BINS] is not None)
        filled.append((bins[(place + distance) % _BINS] or 0) + (distance << 32))
    return filled


def _band(number: int, values: list[int]) -> int:
    data = b"%d" % number + b"".join(value.to_bytes(8, "little") for value in values)
    return int.from_bytes(hashlib.blake2b(data, digest_size=7).digest(), "little")
