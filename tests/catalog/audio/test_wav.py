"""S4 for recordings: WAV files of every kind are read, and no byte string does more than raise a typed error."""

import random
import struct

import numpy as np
import pytest

from catalog.audio.decoding import decode
from catalog.audio.limits import MAX_BYTES, MAX_SAMPLES
from catalog.audio.resampling import resample
from catalog.errors import AudioTooLarge, BadAudio, UnsupportedAudio
from tests.catalog.audio.recordings import (
    EXTENSIBLE,
    FLOAT,
    PCM,
    chunk,
    described,
    encoded,
    extensible,
    riff,
    spoiled,
    tone,
    wav,
)

KINDS = [(bits, PCM) for bits in (8, 16, 24, 32)] + [(32, FLOAT), (64, FLOAT)]
SOUND = chunk(b"data", encoded(tone()))


@pytest.mark.parametrize(("bits", "tag"), KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_kind_of_sample_gives_the_same_sound(bits, tag, channels):
    samples = decode(wav(bits=bits, tag=tag, channels=channels))
    assert samples.dtype == np.float32
    assert np.abs(samples - tone()).max() < (0.01 if bits == 8 else 1e-4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_every_rate_becomes_16_khz(rate):
    samples = decode(wav(rate=rate))
    assert abs(len(samples) - 8_000) <= 1
    assert np.abs(samples - tone()[: len(samples)])[400:-400].max() < 1e-3


def test_frequencies_that_16_khz_cannot_hold_do_not_come_back_as_others():
    assert np.abs(resample(tone(rate=48_000, hz=11_000), 48_000)[400:-400]).max() < 1e-3


def test_channels_are_averaged():
    frames = np.stack([tone(), -tone()], axis=1)
    assert np.abs(decode(riff(described(channels=2), chunk(b"data", encoded(frames))))).max() < 1e-4


def test_other_chunks_and_odd_lengths_are_passed_over():
    assert len(decode(riff(chunk(b"LIST", b"odd"), described(), chunk(b"fact", b"1234"), SOUND))) == 8_000


def test_a_stream_of_unknown_length_is_read_to_its_end():
    assert len(decode(riff(described(), chunk(b"data", encoded(tone()), 0xFFFFFFFF)))) == 8_000


def test_the_extensible_description_is_read():
    assert np.abs(decode(extensible()) - tone()).max() < 1e-4
    assert np.abs(decode(extensible(32, FLOAT)) - tone()).max() < 1e-4


@pytest.mark.parametrize(
    ("data", "error"),
    {
        "empty": (b"", BadAudio),
        "a picture": (b"\xff\xd8\xff" + bytes(100), UnsupportedAudio),
        "the head alone": (wav()[:12], BadAudio),
        "no sound": (riff(described()), BadAudio),
        "no samples": (riff(described(), chunk(b"data", b"")), BadAudio),
        "sound before its description": (riff(SOUND, described()), BadAudio),
        "cut off": (wav()[:-100], BadAudio),
        "false length": (riff(described(), chunk(b"data", bytes(100), 2**31)), BadAudio),
        "false length before": (riff(chunk(b"LIST", bytes(4), 2**32 - 1), described(), SOUND), BadAudio),
        "half a description": (riff(chunk(b"fmt ", bytes(8)), SOUND), BadAudio),
        "many chunks": (riff(*[chunk(b"JUNK", b"")] * 100, described(), SOUND), BadAudio),
        "rate 0": (riff(described(rate=0), SOUND), BadAudio),
        "rate 2^32 - 1": (riff(described(rate=2**32 - 1), SOUND), BadAudio),
        "no channels": (riff(described(channels=0), SOUND), BadAudio),
        "many channels": (riff(described(channels=65_535, block=2), SOUND), BadAudio),
        "12 bits": (riff(described(bits=12), SOUND), UnsupportedAudio),
        "float of 16 bits": (riff(described(FLOAT), SOUND), UnsupportedAudio),
        "contradicting": (riff(described(block=4), SOUND), BadAudio),
        "mu-law": (riff(described(7, bits=8), SOUND), UnsupportedAudio),
        "extensible of nothing": (riff(described(EXTENSIBLE), SOUND), UnsupportedAudio),
        "extensible of another sort": (extensible(tail=bytes(14)), UnsupportedAudio),
        "no number": (wav(np.full(100, np.nan), bits=32, tag=FLOAT), BadAudio),
        "infinity": (wav(np.full(100, np.inf), bits=64, tag=FLOAT), BadAudio),
        "11 s": (wav(np.zeros(11 * 8_000), rate=8_000), AudioTooLarge),
        "too many bytes": (wav(np.zeros(MAX_BYTES // 2)), AudioTooLarge),
        "webm": (b"\x1a\x45\xdf\xa3" + bytes(100), BadAudio),
        "mp4": (bytes(4) + b"ftypM4A " + bytes(100), BadAudio),
        "ogg": (b"OggS" + bytes(100), BadAudio),
    }.values(),
)
def test_what_is_refused(data, error):
    with pytest.raises(error) as refused:
        decode(data)
    assert refused.value.message and refused.value.hint


def test_samples_that_are_too_loud_are_cut_to_the_loudest():
    assert np.abs(decode(wav(np.float32([1e30, -3.0, 0.5] * 20), bits=32, tag=FLOAT))).max() == 1.0


def attack(count, seed):
    luck = random.Random(seed)
    seeds = [wav(tone(0.05), bits=bits, tag=tag, channels=n) for bits, tag in KINDS for n in (1, 3)]
    seeds += [wav(tone(0.05, rate), rate=rate) for rate in (8_000, 44_100)]
    answers = 0
    for _ in range(count):
        data = spoiled(luck.choice(seeds), luck)
        try:
            samples = decode(data)
        except BadAudio:
            continue
        answers += 1
        assert len(samples) <= MAX_SAMPLES + 1 and np.isfinite(samples).all(), data[:80].hex()
    return answers


@pytest.mark.promise("S4", "1,000 spoiled recordings")
def test_spoiled_recordings_are_decoded_or_refused():
    assert 50 < attack(1_000, seed=19) < 950


@pytest.mark.torture
@pytest.mark.promise("S4", "12,000 spoiled recordings")
def test_many_spoiled_recordings_are_decoded_or_refused():
    assert attack(12_000, seed=20) > 600


def test_every_cut_of_a_recording_is_refused():
    data = wav(tone(0.01))
    for length in range(len(data) - 1):
        with pytest.raises(BadAudio):
            decode(data[:length])


def test_the_length_in_the_first_head_does_not_count():
    data = bytearray(wav())
    data[4:8] = struct.pack("<I", 7)
    assert len(decode(bytes(data))) == 8_000
