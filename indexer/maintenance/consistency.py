"""Check that catalogue, cache and generation agree; every finding says what to do about it."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from catalog import images
from catalog.errors import BadPicture
from catalog.storage.catalogue import Catalogue, PictureRow
from catalog.storage.opening import open_catalogue
from indexer.build.row_writer import ReusableRows
from indexer.cache.vector_cache import PICTURE_VECTORS, TITLE_VECTORS, cache_path, read_vectors, title_cache_key
from indexer.encoders.base import Encoder
from indexer.encoders.picture_input import decode_side, prepared_file
from indexer.generations.store import Generation
from indexer.layout import WORDS
from indexer.numeric import batches, unit

MAX_DIFFERENCE = 2e-3  # largest change of a number by rounding to float16 or by another batch
MIN_COSINE = 0.999
SAMPLE_ROWS = 20
PAGE_ROWS = 16_384
MAX_LINES = 10  # findings of one kind that are printed
_UPDATE = "python -m indexer update --from-catalogue"
_BUILD = "make index FEED=..."
_PRICES = "restore a backup, or go on: the next change of the product's price completes its history"


@dataclass(slots=True)
class Findings:
    """What does not agree: at most ten lines of a kind, and notes that are no fault."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, what: str, todo: str) -> None:
        """Add a finding; only the first ten of a kind get a line."""
        self._counts[kind] += 1
        if self._counts[kind] <= MAX_LINES:
            self.lines.append(f"{kind}: {what}. To do: {todo}")

    def all(self) -> list[str]:
        """Return every line, and how many more findings each kind has."""
        more = [f"{kind}: {count - MAX_LINES:,} more" for kind, count in self._counts.items() if count > MAX_LINES]
        return self.lines + more


def check_consistency(home: Path, generation: Generation) -> Findings:
    """Find products without rows, rows without products, and rows that differ from the cache."""
    findings = Findings()
    with closing(open_catalogue(home)) as catalogue:
        seq = generation.manifest.seq
        if catalogue.seq < seq:
            what = f"the catalogue's last change is {catalogue.seq}, the index was made at {seq}"
            findings.add("older catalogue", what, f"restore the newer catalogue, or index the feed again: {_BUILD}")
        changed = set(catalogue.keys_changed(seq))
        _one_to_one(catalogue, generation, changed, findings)
        _against_cache(home, catalogue, generation, changed, findings)
        for fault in catalogue.price_history.faults():
            findings.add("price history", fault, _PRICES)
        waiting = catalogue.seq - seq
    if waiting > 0:
        note = f"{waiting:,} changes since this index was made; servers show them, an update takes them in"
        findings.notes.append(note)
    return findings


def check_deep(home: Path, generation: Generation, encoder: Encoder, findings: Findings, seed: int = 0) -> None:
    """Read the catalogue's file and every picture file, and encode a sample of pictures again."""
    with closing(open_catalogue(home)) as catalogue:
        for fault in catalogue.price_history.deep_faults():
            findings.add("price history", fault, _PRICES)
        for fault in catalogue.faults():
            findings.add("catalogue", fault, "restore a backup: python -m indexer restore, or index again: " + _BUILD)
        pictures = {row.path: row for page in catalogue.iter_picture_rows() for row in page}
    for picture in pictures.values():
        if fault := _file_fault(picture):
            findings.add("picture file", f"{picture.path} {fault}", "python -m indexer update --check-pictures")
    if encoder.fingerprint != generation.manifest.fingerprint:
        name = generation.manifest.encoder.name
        what = f"the installed encoder {name!r} is not the one that made the index"
        findings.add("encoder", what, f"python -m indexer update --encoder {name}")
        return
    paths = {picture.sha256: path for path, picture in pictures.items()}
    count = len(generation.rows)
    for number in np.random.default_rng(seed).permutation(count)[:SAMPLE_ROWS].tolist():
        picture_hash = generation.picture_hashes[number].decode()
        if (path := paths.get(picture_hash)) is None:
            continue
        with suppress(BadPicture):
            pixels = prepared_file(Path(path), picture_hash, encoder, decode_side(encoder))
            row = np.asarray(generation.rows[number, : encoder.dim], dtype=np.float32)
            cosine = float(unit(row) @ unit(encoder.encode_pixels(pixels[None])[0]))
            if cosine < MIN_COSINE:
                findings.add("row", f"{path} encoded again has cosine {cosine:.4f} with its row", _BUILD)


def _one_to_one(catalogue: Catalogue, generation: Generation, changed: set[int], findings: Findings) -> None:
    matched = np.zeros(len(generation.rows), bool)
    present: list[int] = []
    for page in catalogue.iter_picture_rows():
        numbers = ReusableRows(generation, ()).numbers(page)
        matched[numbers[numbers >= 0]] = True
        present.extend(dict.fromkeys(row.key for row in page))
        for i in np.flatnonzero(numbers < 0).tolist():
            if page[i].key not in changed:
                what = f"product {page[i].key} ({page[i].title[:60]!r}) has no row for picture {page[i].position + 1}"
                findings.add("missing row", what, _UPDATE)
    removed = sum(change.kind == "remove" for change in catalogue.changes(generation.manifest.seq))
    listed = np.array(present, np.int64)
    stray = np.flatnonzero(~matched & ~np.isin(generation.product_keys, np.fromiter(changed, np.int64)))
    for key in np.unique(generation.product_keys[stray]).tolist():
        if key in listed:
            findings.add("stray row", f"product {key} has a row for a picture that it does not show", _UPDATE)
        elif removed:
            removed -= 1
        else:
            findings.add("stray row", f"a row belongs to product {key}, which is not in the catalogue", _UPDATE)


def _against_cache(
    home: Path, catalogue: Catalogue, generation: Generation, changed: set[int], findings: Findings
) -> None:
    layout, fingerprint = generation.layout, generation.manifest.fingerprint
    kinds = [(PICTURE_VECTORS, slice(0, layout.encoder_dim), _picture_key)]
    if layout.text_block is not None:
        kinds.append((TITLE_VECTORS, layout.slice(WORDS), _title_key))
    for page in batches(itertools.chain.from_iterable(catalogue.iter_picture_rows()), PAGE_ROWS):
        numbers = ReusableRows(generation, changed).numbers(page)
        pairs = [(picture, number) for picture, number in zip(page, numbers.tolist(), strict=True) if number >= 0]
        rows = np.asarray(generation.rows[numbers[numbers >= 0]])  # at once: they may be in an engine
        for kind, span, key_of in kinds:
            keys = [key_of(picture) for picture, _ in pairs]
            cached = read_vectors(cache_path(home, fingerprint, kind), span.stop - span.start, set(keys))
            for (picture, number), row, key in zip(pairs, rows, keys, strict=True):
                vector = cached.get(key)
                if vector is not None and np.abs(row[span] - vector).max() > MAX_DIFFERENCE:
                    what = f"row {number} of product {picture.key} differs from the cache of {kind}"
                    findings.add("row", what, _BUILD)


def _picture_key(picture: PictureRow) -> bytes:
    return bytes.fromhex(picture.sha256)


def _title_key(picture: PictureRow) -> bytes:
    return title_cache_key(picture.title)


def _file_fault(picture: PictureRow) -> str:
    try:
        same = images.content_hash(images.read_file(Path(picture.path))) == picture.sha256
    except BadPicture as error:
        return f"cannot be read ({error.message})"
    return "" if same else "has changed since it was indexed"
