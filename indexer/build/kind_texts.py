"""Encode texts of a shop's kinds when it is indexed: their names, and what some products of each say of themselves."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappush, heappushpop
from pathlib import Path

import numpy as np

from catalog.product import CATEGORY_SEPARATOR, Product
from indexer.cache.vector_cache import VectorCache, cache_path, title_cache_key
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.generations.kind_vectors import KindVectors, kind_names, kind_vectors
from indexer.generations.phrase_vectors import packaged_vectors, save_packaged
from indexer.generations.product_phrases import product_phrases
from indexer.numeric import batches
from indexer.types import Floats

SENTENCE_VECTORS = "sentences"  # kind of the cache
MAX_TEXTS = 4_000  # of products, in all
MAX_PER_KIND = 6
MAX_KINDS = 2_000  # the kinds with the most products
MAX_CHARACTERS = 200
BATCH_SIZE = 512  # of which the encoder makes batches by length


def write_kind_vectors(home: Path, folder: Path, samples: Mapping[str, Sequence[str]], encoder: Encoder) -> None:
    """Write the vectors of a shop's kinds into a generation's folder, given texts of products by kind.

    Writes nothing when no text can be encoded.
    """
    if not isinstance(encoder, BaseEncoder) or encoder.sentence_dim is None:
        return
    texts = dict.fromkeys(text for label, own in samples.items() for text in (*kind_names(label), *own))
    phrases, owners = product_phrases()
    known = packaged_vectors(encoder.sentence_key)
    vectors = _encode(home, encoder, [*texts, *(phrases if known is None else ())])
    labels, rows = kind_vectors(samples, vectors)
    rows = rows.reshape(-1, encoder.sentence_dim)
    if known is None:
        known = np.stack([vectors[phrase] for phrase in phrases])
    KindVectors(labels, rows, known, np.array(owners)).save(folder)


def package_phrases(encoder: BaseEncoder) -> int:
    """Encode the phrases about kinds of all shops, write their vectors into the package, and return their number."""
    phrases, _ = product_phrases()
    rows = {
        text: row
        for batch in _by_length(phrases)
        for text, row in zip(batch, encoder.encode_sentences(batch), strict=True)
    }
    save_packaged(encoder.sentence_key, np.stack([rows[phrase] for phrase in phrases]))
    return len(phrases)


class KindSamples:
    """Chooses texts of some products of each deepest category, the same ones whenever the products are the same.

    It is one of the writers of tables, which see every product in one pass, and writes no file itself.
    """

    def __init__(self) -> None:
        self._chosen: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._counts: defaultdict[str, int] = defaultdict(int)

    def add(self, key: int, product: Product) -> None:
        """Take the next product."""
        label = CATEGORY_SEPARATOR.join(product.category_path)
        if not label:
            return
        self._counts[label] += 1
        order = -zlib.crc32(product.id.encode("utf-8", "replace"))
        chosen = self._chosen[label]
        if len(chosen) < MAX_PER_KIND:
            heappush(chosen, (order, _text(product)))
        elif order >= chosen[0][0]:
            heappushpop(chosen, (order, _text(product)))

    def write(self, folder: Path, changed: str) -> None:
        """Write nothing: `write_kind_vectors` does."""

    def texts(self) -> dict[str, list[str]]:
        """Return the chosen texts by category, of the largest categories."""
        counts = self._counts
        largest = sorted(counts, key=lambda label: (-counts[label], label))[:MAX_KINDS]
        most = max(1, min(MAX_PER_KIND, MAX_TEXTS // max(1, len(largest))))
        return {label: [text for _, text in sorted(self._chosen[label], reverse=True)[:most]] for label in largest}


def sample_texts(products: Iterable[Product]) -> dict[str, list[str]]:
    """Return texts of some products by deepest category, as `KindSamples` chooses them."""
    samples = KindSamples()
    for product in products:
        samples.add(0, product)
    return samples.texts()


def _text(product: Product) -> str:
    parts = (product.category_path[-1], product.title, product.description)
    return ". ".join(part for part in parts if part)[:MAX_CHARACTERS]


def _by_length(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield batches of texts of about one length, which take no padding."""
    return batches(sorted(texts, key=len), BATCH_SIZE)


def _encode(home: Path, encoder: BaseEncoder, texts: Sequence[str]) -> dict[str, Floats]:
    """Return the vector of each text, from the cache where it is there."""
    assert encoder.sentence_dim is not None
    path = cache_path(home, encoder.fingerprint, SENTENCE_VECTORS)
    with VectorCache(path, encoder.fingerprint, encoder.sentence_dim) as cache:
        known = {text: cache.get(title_cache_key(text)) for text in dict.fromkeys(texts)}
        for batch in _by_length([text for text, vector in known.items() if vector is None]):
            rows = encoder.encode_sentences(batch)
            cache.put([title_cache_key(text) for text in batch], rows)
            known.update(zip(batch, rows, strict=True))
    return {text: vector for text, vector in known.items() if vector is not None}
