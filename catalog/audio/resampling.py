"""Change the rate of a signal."""

from __future__ import annotations

import math

import numpy as np

from catalog.audio.limits import RATE
from catalog.audio.wav import Samples

PADDING_S = 0.05  # silence around the signal: the transform takes its end to meet its beginning


def resample(samples: Samples, rate: int, target: int = RATE) -> Samples:
    """Return the signal at the target rate, without the frequencies that it cannot hold.

    The spectrum is cut or extended: exact, and one transform of at most two million samples.
    """
    if rate == target or not len(samples):
        return samples
    step = rate // math.gcd(rate, target)  # so many samples become a whole number of samples
    before = -(-int(PADDING_S * rate) // step) * step
    padded = np.pad(samples, (before, before + -len(samples) % step))
    length = len(padded) * target // rate
    spectrum = np.fft.rfft(padded)[: length // 2 + 1]
    resampled = np.fft.irfft(spectrum, length) * (length / len(padded))
    begin = before * target // rate
    return resampled[begin : begin + round(len(samples) * target / rate)].astype(np.float32)
