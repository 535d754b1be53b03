"""Encode texts of a shop's kinds when it is indexed: their names, and what some products of each say of themselves."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.storage.catalogue import Catalogue
from indexer.cache.vector_cache import VectorCache, cache_path, title_cache_key
from indexer.columns.fields import CATEGORY
from indexer.columns.product_table import ShopTable
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.generations.kind_vectors import KindVectors, kind_names, kind_vectors
from indexer.generations.phrase_vectors import packaged_vectors, save_packaged
from indexer.generations.product_phrases import product_phrases
from indexer.numeric import batches, chunks
from indexer.types import Floats

SENTENCE_VECTORS = "sentences"  # kind of the cache
MAX_TEXTS = 4_000  # of products, in all
MAX_PER_KIND = 6
MAX_KINDS = 2_000  # the kinds with the most products
MAX_CHARACTERS = 200
PAGE_IDS = 10_000
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


def sample_texts(table: ShopTable, catalogue: Catalogue) -> dict[str, list[str]]:
    """Return texts of some products of each deepest category, of the largest ones; `table` is that of the catalogue.

    They are the same ones whenever the products are the same.
    """
    labels = table.labels.get(CATEGORY)
    if labels is None:
        return {}
    kinds = np.full(len(table), -1, np.int64)
    kinds[: len(labels.numbers)] = labels.deepest(CATEGORY_SEPARATOR)[labels.numbers]
    counts = np.bincount(kinds[kinds >= 0], minlength=1)
    names = {kind: labels.words.texts[kind] for kind in np.flatnonzero(counts).tolist()}
    largest = sorted(names, key=lambda kind: (-counts[kind], names[kind]))[:MAX_KINDS]
    most = max(1, min(MAX_PER_KIND, MAX_TEXTS // max(1, len(largest))))
    order = np.lexsort((_checksums(table), kinds))
    first = np.searchsorted(kinds[order], largest)
    chosen = [order[start : start + min(most, counts[kind])] for start, kind in zip(first, largest, strict=True)]
    keys = [table.keys[places].tolist() for places in chosen]
    products = catalogue.get_many([key for own in keys for key in own])
    return {names[kind]: [_text(products[key]) for key in own] for kind, own in zip(largest, keys, strict=True)}


def _checksums(table: ShopTable) -> NDArray[np.uint32]:
    """Return a number of each product's id, in no order: the products of a category with the lowest are chosen."""
    numbers = np.empty(len(table), np.uint32)
    for part in chunks(len(table), PAGE_IDS):
        numbers[part] = [zlib.crc32(name.encode("utf-8", "replace")) for name in table.ids[part]]
    return numbers


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
