"""Rows of products from their words: title, category, brand and price, hashed to vectors of one length.

They stand in for picture rows where a shop has none. Words count by their inverse document frequency, and each is
hashed to four places with a sign (Weinberger et al. 2009), so that no vocabulary is stored. 256 places are enough:
look-alikes found by them foretell purchases as well as those found by the whole vocabulary
(docs/decisions/personalisation.md).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.text.tokenizer import indexed
from indexer.numeric import chunks, unit
from indexer.types import Floats
from search.recommend.events.product_table import ProductTable

TEXT_DIM = 256  # a power of two: a byte is a place
PLACES = 4  # of each word
BANDS = 2  # of prices in a doubling
_CHUNK = 4_096

Halves = NDArray[np.float16]


def text_rows(products: ProductTable) -> Halves:
    """Return a row for each product, float16 (products, TEXT_DIM): of unit length, zeros for a product without words.

    A word that only one product has says nothing of others, and is left out.
    """
    of_title = {title: frozenset(indexed(title)) for title in set(products.titles)}
    words = [of_title[title] | _facts(products, product) for product, title in enumerate(products.titles)]
    counts = Counter(word for of_product in words for word in of_product)
    weights = {word: math.log(len(words) / count) + 1.0 for word, count in counts.items() if count > 1}
    number = {word: place for place, word in enumerate(weights)}
    hashed = np.frombuffer(b"".join(map(_hashed, number)), np.uint8).reshape(len(number), 2 * PLACES)
    values = np.where(hashed[:, PLACES:] & 1, 1.0, -1.0) * np.array(list(weights.values()))[:, None]
    numbered = [[number[word] for word in of_product if word in number] for of_product in words]
    rows = np.zeros((len(words), TEXT_DIM), np.float16)
    for part in chunks(len(words), _CHUNK):
        rows[part] = _sums(numbered[part], hashed[:, :PLACES], values.astype(np.float32))
    return rows


def _facts(products: ProductTable, product: int) -> set[str]:
    """Return the category levels, brand and price band of a product, each with a prefix that no word of a title has."""
    words = {f"category:{products.category_paths[code]}" for code in products.categories[product].tolist() if code >= 0}
    if products.brands[product] >= 0:
        words.add(f"brand:{products.brands[product]}")
    if products.prices[product] > 0:
        words.add(f"price:{round(math.log2(products.prices[product]) * BANDS)}")
    return words


def _hashed(word: str) -> bytes:
    return hashlib.blake2b(word.encode("utf-8"), digest_size=2 * PLACES).digest()


def _sums(words: Sequence[Sequence[int]], places: NDArray[np.uint8], values: Floats) -> Floats:
    """Return the unit sums of the words of some products, float32 (products, TEXT_DIM)."""
    flat = np.fromiter(_flat(words), np.int64)
    owner = np.repeat(np.arange(len(words)), [len(of_product) for of_product in words])
    at = (owner[:, None] * TEXT_DIM + places[flat]).ravel()
    sums = np.bincount(at, values[flat].ravel(), minlength=len(words) * TEXT_DIM)
    return unit(sums.reshape(len(words), TEXT_DIM).astype(np.float32))


def _flat(words: Sequence[Sequence[int]]) -> Iterator[int]:
    return (word for of_product in words for word in of_product)
