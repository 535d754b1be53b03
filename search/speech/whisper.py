"""Whisper on CTranslate2: a recording and words that are probable in, readings of what was said out."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from catalog.audio.limits import RATE
from catalog.audio.wav import Samples
from catalog.extras import requires_extra
from indexer.encoders.backends.runtime import threads
from indexer.types import Floats
from search.speech.log_mel import log_mel
from search.speech.weights import EXTRA, model_folder

MARGIN_S = 4.0  # silence behind a clip: the encoder was fitted to recordings that end in it
MIN_SECONDS, MAX_SECONDS = 6.0, 30.0  # of what the encoder sees; it was fitted to 30
MAX_PROMPT_TOKENS = 160
MAX_TOKENS = 64  # of an answer; 10 s of speech have about 40
BEAMS = 5  # and as many readings
REPETITION_PENALTY = 1.1  # noise else makes it say one word for ever


@dataclass(frozen=True, slots=True)
class Reading:
    """What may have been said, and the mean log probability of its tokens."""

    text: str
    log_probability: float


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of a recording, best first, and the probability that nobody speaks."""

    items: tuple[Reading, ...]
    no_speech: float


class WhisperModel:
    """The open model; one recording at a time, threads wait for each other."""

    def __init__(self) -> None:
        folder = model_folder()
        with requires_extra(EXTRA, "Recognising speech"):
            self._library: Any = importlib.import_module("ctranslate2")  # 150 MB: only where somebody speaks
        self._model = self._library.models.Whisper(str(folder), compute_type="int8", intra_threads=threads())
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._lock = threading.Lock()

    def read(self, samples: Samples, language: str, prompt: str, noise: Floats | None = None) -> Readings:
        """Return at most BEAMS readings of samples at 16 kHz, in one of `languages.LANGUAGES`.

        `prompt` is text that could have been said before: its words and spelling become more probable. `noise` is
        taken out of the samples.
        """
        seconds = min(MAX_SECONDS, max(MIN_SECONDS, float(np.ceil(len(samples) / RATE + MARGIN_S))))
        features = self._library.StorageView.from_array(log_mel(samples, seconds, noise)[None])
        with self._lock:
            result = self._model.generate(
                features,
                [self._prompt(language, prompt)],
                beam_size=BEAMS,
                num_hypotheses=BEAMS,
                max_length=MAX_TOKENS + MAX_PROMPT_TOKENS,
                repetition_penalty=REPETITION_PENALTY,
                sampling_temperature=0.0,
                return_scores=True,
                return_no_speech_prob=True,
            )[0]
        pairs = zip(result.sequences_ids, result.scores, strict=True)
        return Readings(tuple(Reading(self._text(ids), float(score)) for ids, score in pairs), result.no_speech_prob)

    def _prompt(self, language: str, prompt: str) -> list[int]:
        """Return the tokens before the answer: the prompt, then what to do. The language is given, never guessed."""
        begin = ("startoftranscript", language, "transcribe", "notimestamps")
        tokens = [self._special(name) for name in begin]
        if not prompt:
            return tokens
        words: Sequence[int] = self._tokenizer.encode(f" {prompt}", add_special_tokens=False).ids
        return [self._special("startofprev"), *words[:MAX_PROMPT_TOKENS], *tokens]

    def _special(self, name: str) -> int:
        number = self._tokenizer.token_to_id(f"<|{name}|>")
        assert number is not None, name
        return int(number)

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True)).strip()
