"""The picture of a sound that Whisper reads: 80 mel bands of a short-time spectrum, as logarithms."""

from __future__ import annotations

from functools import cache

import numpy as np

from catalog.audio.limits import RATE
from catalog.audio.wav import Samples
from indexer.types import Floats

BANDS = 80
WINDOW = 400  # samples of one spectrum: 25 ms
HOP = 160  # samples from one to the next: 10 ms
FRAMES_PER_SECOND = RATE // HOP
FLOOR = 1e-10
SMOOTH = 5  # spectra in whose mean noise is told from speech
LEFT = 0.1  # of the power where there is but noise: none at all makes tones that warble
RANGE = 8.0  # powers of ten below the loudest cell at which everything counts as silence

# Slaney's mel scale: linear up to 1 kHz, logarithmic above.
_HZ_PER_MEL = 200 / 3
_KNEE_HZ = 1000.0
_KNEE_MEL = _KNEE_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27


def log_mel(samples: Samples, seconds: float, noise: Floats | None = None) -> Floats:
    """Return float32 (BANDS, 100 a second) of samples at RATE, with silence up to `seconds`, about -1 to 1.5.

    The values are those of OpenAI's Whisper, whose weights were fitted to them. `noise`, the mean of `power_spectra`
    where nobody speaks, is taken out.
    """
    length = int(seconds * RATE)
    signal = np.zeros(length, np.float32)
    signal[: len(samples)] = samples[:length]
    power = power_spectra(signal)
    if noise is not None:
        spoken = power[: len(samples) // HOP]
        spoken *= _gains(spoken, noise)
    mel = _filters() @ power.T.astype(np.float32)
    logs = np.log10(np.maximum(mel, FLOOR))
    logs = np.maximum(logs, logs.max() - RANGE)
    scaled: Floats = ((logs + 4) / 4).astype(np.float32)
    return np.ascontiguousarray(scaled)


def power_spectra(samples: Samples) -> Floats:
    """Return the power of each frequency, one row each HOP samples."""
    padded = np.pad(samples, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[:-1:HOP]
    power: Floats = np.abs(np.fft.rfft(windows * _hann())) ** 2
    return power


def _gains(power: Floats, noise: Floats) -> Floats:
    """Return Wiener's gains: the share of each power that is not noise, LEFT at least."""
    sums = np.cumsum(np.pad(power, ((SMOOTH // 2 + 1, SMOOTH // 2), (0, 0))), axis=0)
    means = (sums[SMOOTH:] - sums[:-SMOOTH]) / SMOOTH
    gains: Floats = np.maximum(LEFT, 1 - noise / np.maximum(means, FLOOR))
    return gains


@cache
def _hann() -> Floats:
    """Return the periodic Hann window."""
    window: Floats = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    return window


@cache
def _filters() -> Floats:
    """Return float32 (BANDS, WINDOW / 2 + 1): triangles of equal area, evenly spaced on the mel scale up to 8 kHz."""
    edges = _hz(np.linspace(0, _mel(RATE / 2), BANDS + 2))
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    filters: Floats = (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return filters


def _mel(hz: float) -> float:
    return hz / _HZ_PER_MEL if hz < _KNEE_HZ else _KNEE_MEL + float(np.log(hz / _KNEE_HZ)) / _LOG_STEP


def _hz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < _KNEE_MEL, mel * _HZ_PER_MEL, _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))
