"""What a recording may be: its format by its first bytes, its size and its length."""

from __future__ import annotations

from catalog.errors import AudioTooLarge, BadAudio, UnsupportedAudio
from catalog.extras import has_extra

RATE = 16_000  # samples a second of decoded audio
MAX_BYTES = 1_000_000
MAX_SECONDS = 10  # that a recording may have, as callers are told
MAX_DECODED_SECONDS = 10.5  # what is refused: a browser stops a little late
MAX_SAMPLES = int(MAX_DECODED_SECONDS * RATE)

WAV, WEBM, MP4, OGG = "wav", "webm", "mp4", "ogg"
CONTAINERS = (WEBM, MP4, OGG)  # which only the extra can decode
EXTRA = "voice-formats"
CONTENT_TYPES = {
    "audio/wav": WAV,
    "audio/x-wav": WAV,
    "audio/wave": WAV,
    "audio/vnd.wave": WAV,
    "audio/webm": WEBM,
    "audio/mp4": MP4,
    "audio/x-m4a": MP4,
    "audio/ogg": OGG,
}


def formats() -> tuple[str, ...]:
    """Return the names of the formats that can be decoded here."""
    return (WAV, *CONTAINERS) if has_extra(EXTRA) else (WAV,)


def check_format(data: bytes) -> str:
    """Return the format of a recording by its first bytes. Raises BadAudio, AudioTooLarge, UnsupportedAudio."""
    if not data:
        raise BadAudio("The recording is empty (0 bytes).", "Record again.")
    check_size(len(data))
    name = _sniff(data)
    if name is None:
        raise UnsupportedAudio("The recording is in no known format.", f"Send one of: {', '.join(formats())}.")
    if name not in formats():
        raise UnsupportedAudio(
            f"Recordings as {name} cannot be decoded here.",
            f"Send WAV, or install the format: pip install 'windowshop[{EXTRA}]'.",
        )
    return name


def check_size(size: int) -> None:
    """Raise AudioTooLarge when a recording has too many bytes."""
    if size > MAX_BYTES:
        raise AudioTooLarge(
            f"The recording has {size:,} bytes; {MAX_BYTES:,} are allowed.",
            f"Send at most {MAX_SECONDS} s, best as mono WAV at 16 kHz.",
        )


def check_seconds(seconds: float) -> None:
    """Raise AudioTooLarge when a recording is too long."""
    if seconds > MAX_DECODED_SECONDS:
        raise AudioTooLarge(
            f"The recording is {seconds:.1f} s long; {MAX_SECONDS} s are allowed.", "Say it in fewer words."
        )


def _sniff(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return WAV
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return WEBM
    if data[4:8] == b"ftyp":
        return MP4
    return OGG if data[:4] == b"OggS" else None
