"""The features of a sound are those that Whisper's weights were fitted to."""

import numpy as np

from search.speech.log_mel import BANDS, log_mel, power_spectra

# Of WhisperFeatureExtractor of transformers 5.24 for `chirp`: bands 0, 20, 40, 60, 79 at frames 0, 50, 100, 150.
REFERENCE = np.array(
    [
        [1.11956, -0.59794, -0.59794, -0.59794],
        [0.52865, -0.17924, -0.59794, -0.59794],
        [0.18716, -0.59794, -0.36186, -0.59794],
        [-0.12486, -0.59794, -0.59794, -0.59794],
        [-0.30180, -0.59794, -0.59794, -0.59794],
    ]
)


def chirp():
    place = np.arange(32_000) / 16_000
    return (0.4 * np.sin(2 * np.pi * (200 * place + 900 * place**2))).astype(np.float32)


def test_the_features_are_the_reference_ones():
    features = log_mel(chirp(), 30.0)
    assert features.shape == (BANDS, 3_000) and features.dtype == np.float32
    assert np.abs(features[[0, 20, 40, 60, 79]][:, [0, 50, 100, 150]] - REFERENCE).max() < 1e-4


def test_a_shorter_window_has_the_same_features():
    assert np.array_equal(log_mel(chirp(), 6.0)[:, :150], log_mel(chirp(), 30.0)[:, :150])


def test_noise_is_taken_out_and_what_is_louder_stays():
    hiss = (0.02 * np.random.default_rng(5).standard_normal(32_000)).astype(np.float32)
    noise = power_spectra(hiss).mean(axis=0)
    sound = np.concatenate([hiss[:16_000], hiss[16_000:] + chirp()[:16_000]])
    plain, quiet = log_mel(sound, 3.0), log_mel(sound, 3.0, noise)
    lowered = (plain - quiet) * 4  # powers of ten
    assert lowered[:, 5:90].mean() > 0.5 and lowered.max() < 1.001
    loudest = plain[:, 110:190].argmax(axis=0)
    assert np.abs(lowered[loudest, np.arange(110, 190)]).max() < 0.1
    assert np.abs(lowered[:, 210:]).max() < 1e-3
