"""The tokenizer of multilingual-e5-small: a unigram model (Kudo 2018, arXiv:1804.10959), run by sentencepiece.

`tokenizers` holds the 250,002 pieces in 295 MB of memory, sentencepiece in 60 MB.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from sentencepiece import SentencePieceProcessor

from catalog.errors import EncoderUnavailable
from catalog.files.atomic import SHARED, draft
from indexer.encoders.backends.runtime import graph_module, models_folder
from indexer.encoders.graphs.e5_file import BEGIN, E5_SHA256, END, PAD

PIECES_KEY = "nfkc-1"  # raise it whenever `encode` gives other numbers
_FILE_KEY = hashlib.sha256(f"1 {E5_SHA256}".encode()).hexdigest()[:16]


class Pieces:
    """Cuts texts into numbered pieces. Threads share it."""

    begin, pad, end = BEGIN, PAD, END

    def __init__(self) -> None:
        self._processor = SentencePieceProcessor(model_proto=_model())

    def encode(self, texts: Sequence[str], longest: int) -> list[list[int]]:
        """Return the numbers of each text's pieces, at most `longest` with its ends."""
        lines = [unicodedata.normalize("NFKC", text) for text in texts]
        encoded: list[list[int]] = self._processor.encode(lines)
        return [[self.begin, *row[: longest - 2], self.end] for row in encoded]


def _model() -> bytes:
    """Return the serialised model, which is built from the package's file once and then cached.

    The file is named by its content, so that a damaged one is made again.
    """
    folder = models_folder()
    for file in folder.glob(f"e5-pieces-{_FILE_KEY}-*.model"):
        data = file.read_bytes()
        if file == _file_of(data, folder):
            return data
    data = bytes(graph_module("e5_pieces").build_pieces())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _file_of(data, folder)
        with draft(file, data, mode=SHARED) as written:
            written.replace(file)
    except OSError as error:
        raise EncoderUnavailable(
            f"The tokenizer cannot be stored in {folder}: {error.strerror}.",
            "Set WINDOWSHOP_MODELS to a folder that can be written.",
        ) from error
    return data


def _file_of(data: bytes, folder: Path) -> Path:
    return folder / f"e5-pieces-{_FILE_KEY}-{hashlib.sha256(data).hexdigest()[:16]}.model"
