"""Recognise a spoken question: decode the recording, find the speech in it, read it, and take the shop's words."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from catalog.audio.decoder import decode_in_child
from catalog.audio.limits import RATE
from catalog.errors import DeadlineExceeded, VoiceBusy
from catalog.storage.opening import open_catalogue
from catalog.storage.word_index import Words
from catalog.text.glossary import ENGLISH
from search.speech.cooccurrence import shares_held_together
from search.speech.prompts import prompt_of
from search.speech.snapping import Snapped, WordSnapper
from search.speech.spoken_text import cleaned
from search.speech.vocabulary import MIN_LIKENESS, SpokenVocabulary
from search.speech.voice_activity import is_silent, spoken_part
from search.speech.whisper import Reading, WhisperModel

SILENCE, NO_SPEECH = "silence", "no_speech"
MAX_ALTERNATIVES = 3
MAX_WAITING = 3  # recordings that wait for the one that is recognised
DEADLINE_S = 20.0
REREAD_SECONDS = 30.0  # between two readings of a shop's words that change
MAX_NO_SPEECH, MIN_SURE_LOG_PROBABILITY = 0.6, -1.0  # Whisper's own limits: beyond both, nobody spoke
MIN_LOG_PROBABILITY = -1.6  # below, a reading is a guess
TOGETHER_BONUS = 0.8  # the same for words that one product has all of
KNOWN_BONUS = 0.6  # log probability that a reading of known words alone has ahead of one of unknown words


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was said: `text` in the shop's words, `recognised` as the model read it, and other readings.

    `reason` says why there is no text: SILENCE or NO_SPEECH. `confidence` is from 0 to 1, `seconds` the recording's.
    """

    text: str
    recognised: str
    language: str
    confidence: float
    alternatives: tuple[str, ...]
    seconds: float
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self) | {"alternatives": list(self.alternatives), "seconds": round(self.seconds, 2)}


class SpeechRecogniser:
    """Recognises one recording at a time, for threads that share it. The model opens with the first recording."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._places = threading.BoundedSemaphore(1 + MAX_WAITING)
        self._turn = threading.Lock()
        self._model: WhisperModel | None = None
        self._words = ShopWords(home)

    def recognise(self, data: bytes, language: str, deadline_s: float = DEADLINE_S) -> Recognised:
        """Return what is said in a recording, in one of `languages.LANGUAGES`.

        Raises BadAudio, AudioTooLarge, UnsupportedAudio, VoiceBusy, DeadlineExceeded, MissingExtra, EncoderUnavailable,
        NoGeneration.
        """
        with self._admitted(deadline_s):
            samples = decode_in_child(data)
            seconds = len(samples) / RATE
            if is_silent(samples):
                return _nothing(language, seconds, SILENCE)
            spoken = spoken_part(samples)
            if spoken is None:
                return _nothing(language, seconds, NO_SPEECH)
            self._model = self._model or WhisperModel()
            snapper, prompt = self._words.current(language)
            answers = [self._model.read(spoken.samples, language, prompt)]
            if spoken.noise is not None and language == ENGLISH:  # in others no word of the shop tells which is better
                answers.append(self._model.read(spoken.samples, language, prompt, spoken.noise))
        pairs = [(reading, readings.no_speech) for readings in answers for reading in readings.items]
        certain = [reading for reading, no_speech in pairs if not _is_guess(reading, no_speech)]
        candidates = self._words.ranked(_candidates(certain, language, snapper), language)
        if not candidates:
            return _nothing(language, seconds, NO_SPEECH)
        best = candidates[0]
        return Recognised(
            text=best.text,
            recognised=best.reading.text,
            language=language,
            confidence=round(math.exp(min(0.0, best.reading.log_probability)) * (0.5 + 0.5 * best.known), 3),
            alternatives=_alternatives(candidates, language),
            seconds=seconds,
        )

    @contextmanager
    def _admitted(self, deadline_s: float) -> Iterator[None]:
        """Wait for the turn. Raises VoiceBusy when too many wait, DeadlineExceeded when it does not come in time."""
        if not self._places.acquire(blocking=False):
            raise VoiceBusy("Other shoppers are speaking at the moment.", "Try again in some seconds, or type it.")
        with ExitStack() as stack:
            stack.callback(self._places.release)
            if not self._turn.acquire(timeout=deadline_s):
                raise DeadlineExceeded("The recording was not recognised in time.", "Try again, or type it.")
            stack.callback(self._turn.release)
            yield


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    reading: Reading
    known: float
    together: float = 0.0  # the largest share of its words that one product has

    @property
    def score(self) -> float:
        return self.reading.log_probability + KNOWN_BONUS * self.known + TOGETHER_BONUS * self.together


class ShopWords:
    """The words of a shop by sound, and those that are probable in a question; read again when the shop has changed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seq, self._read_at = -1, -math.inf
        self._vocabulary: SpokenVocabulary | None = None
        self._snapper: WordSnapper | None = None
        self._prompts: dict[str, str] = {}  # by language

    def current(self, language: str) -> tuple[WordSnapper | None, str]:
        """Return what replaces words by sound, in English alone, and a prompt."""
        if self._vocabulary is None or time.monotonic() - self._read_at >= REREAD_SECONDS:
            self._read()
        assert self._vocabulary is not None
        if language not in self._prompts:
            self._prompts[language] = prompt_of(self._vocabulary, language)
        return (self._snapper if language == ENGLISH else None), self._prompts[language]

    def ranked(self, candidates: Sequence[_Candidate], language: str) -> list[_Candidate]:
        """Return the candidates, best first: before others those whose words are of one product."""
        if language == ENGLISH and len(candidates) > 1:
            with self._index() as index:
                shares = shares_held_together(index, [candidate.text for candidate in candidates])
            candidates = [replace(known, together=share) for known, share in zip(candidates, shares, strict=True)]
        return sorted(candidates, key=lambda candidate: -candidate.score)

    def _read(self) -> None:
        with self._index() as index:
            if index.seq() != self._seq or self._vocabulary is None:
                self._vocabulary, self._seq = SpokenVocabulary(index.vocabulary()), index.seq()
                self._snapper, self._prompts = WordSnapper(self._vocabulary), {}
        self._read_at = time.monotonic()

    @contextmanager
    def _index(self) -> Iterator[Words]:
        catalogue = open_catalogue(self._home)
        try:
            with catalogue.words() as index:
                yield index
        finally:
            catalogue.close()


def _candidates(readings: Iterable[Reading], language: str, snapper: WordSnapper | None) -> list[_Candidate]:
    """Return the readings as texts to search for, each as it is best known."""
    found: dict[str, _Candidate] = {}
    for reading in readings:
        text = cleaned(reading.text, language)
        # Strictly and freely: where the free one has words of one product, it is the better one.
        ways = (snapper.snap(text), snapper.snap(text, MIN_LIKENESS)) if snapper else (Snapped(text, 1.0, 0.0),)
        for snapped in ways:
            candidate = _Candidate(snapped.text, reading, snapped.known)
            if snapped.text and (snapped.text not in found or candidate.score > found[snapped.text].score):
                found[snapped.text] = candidate
    return list(found.values())


def _alternatives(candidates: Sequence[_Candidate], language: str) -> tuple[str, ...]:
    """Return other texts, among them what was recognised, where that is another text than the best."""
    best = candidates[0]
    texts = [cleaned(best.reading.text, language).lower(), *(candidate.text for candidate in candidates[1:])]
    return tuple(dict.fromkeys(text for text in texts if text != best.text))[:MAX_ALTERNATIVES]


def _is_guess(reading: Reading, no_speech: float) -> bool:
    unsure = no_speech > MAX_NO_SPEECH and reading.log_probability < MIN_SURE_LOG_PROBABILITY
    return unsure or reading.log_probability < MIN_LOG_PROBABILITY


def _nothing(language: str, seconds: float, reason: str) -> Recognised:
    return Recognised("", "", language, 0.0, (), seconds, reason)
