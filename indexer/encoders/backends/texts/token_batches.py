"""Make batches of tokenised texts of about one length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from indexer.encoders.backends.runtime import Runner
from indexer.types import Arrays, Floats, Ids

# Tokens of a batch with its padding. With fewer, unpacking the 4-bit weights counts; with more, the layers' results
# leave the processor's cache: 16, 32 and 64 titles of 12 tokens took 8.4, 7.9 and 8.9 ms of processor time each.
BATCH_TOKENS = 384

TokenRows = Sequence[Sequence[int]]


def run_by_length(run: Runner, rows: TokenRows, pad: int) -> Floats:
    """Return the model's features, float32 (n, features), of at least one text's token numbers, in the rows' order."""
    parts = list(length_parts(rows, BATCH_TOKENS))
    return in_order(parts, run.run_batches([padded([rows[i] for i in part], pad) for part in parts]))


def length_parts(rows: TokenRows, tokens: int) -> Iterator[Ids]:
    """Yield the numbers of rows that make a batch of at most `tokens` tokens, by rising length; at least one row."""
    lengths = np.array([len(row) for row in rows])
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * lengths[order[end]] > tokens:
            yield order[start:end]
            start = end


def padded(rows: TokenRows, pad: int) -> Arrays:
    """Return `ids` and a `mask` that is 0 for padding, int64 (n, longest)."""
    lengths = np.array([len(row) for row in rows])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    ids = np.full(mask.shape, pad, np.int64)
    ids[mask == 1] = np.concatenate(rows)
    return {"ids": ids, "mask": mask}


def in_order(parts: Sequence[Ids], features: Sequence[Floats]) -> Floats:
    """Join the features of the parts in the order of the rows."""
    return np.asarray(np.concatenate(features)[np.argsort(np.concatenate(parts))], dtype=np.float32)
