"""Read WebM, Ogg and MP4 by PyAV, which only the extra [voice-formats] installs.

PyAV's wheel carries FFmpeg with x264 and x265, whose licence is the GPL: docs/decisions/speech.md. Only our decoding
process imports it.
"""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np

from catalog.audio.limits import EXTRA, MAX_SAMPLES, MP4, OGG, RATE, WEBM, check_seconds
from catalog.audio.wav import Samples
from catalog.errors import BadAudio, UnsupportedAudio
from catalog.extras import requires_extra

DEMUXERS = {WEBM: "matroska", MP4: "mov", OGG: "ogg"}
CODECS = frozenset(("opus", "libopus", "vorbis", "libvorbis", "aac"))


def read_container(data: bytes, name: str) -> Samples:
    """Return the first audio stream as mono samples at RATE, float32 from -1 to 1.

    Raises BadAudio, AudioTooLarge, UnsupportedAudio, MissingExtra.
    """
    with requires_extra(EXTRA, f"Decoding {name}"):
        av = importlib.import_module("av")  # its libraries have 100 MB: only the process that decodes loads them
    try:
        with av.open(io.BytesIO(data), format=DEMUXERS[name]) as container:
            return _decode(av, container)
    except (av.FFmpegError, ValueError, IndexError, EOFError) as error:
        raise BadAudio(f"The recording cannot be decoded as {name}.", "Record it again, best as WAV.") from error


def _decode(av: Any, container: Any) -> Samples:
    if not container.streams.audio:
        raise BadAudio("The recording has no sound in it.", "Record again.")
    stream = container.streams.audio[0]
    if stream.codec_context.name not in CODECS:
        raise UnsupportedAudio(
            f"The recording has the codec {stream.codec_context.name}.", f"Send one of: {', '.join(sorted(CODECS))}."
        )
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    pieces: list[Samples] = []
    count = 0
    for frame in container.decode(stream):
        for resampled in resampler.resample(frame):
            pieces.append(resampled.to_ndarray().reshape(-1))
            count += len(pieces[-1])
        if count > MAX_SAMPLES:
            break
    check_seconds(count / RATE)
    if not count:
        raise BadAudio("The recording has no samples.", "Record again.")
    samples = np.concatenate(pieces)
    if not np.isfinite(samples).all():
        raise BadAudio("The recording has samples that are no numbers.", "Record again.")
    return np.clip(samples, -1, 1).astype(np.float32)
