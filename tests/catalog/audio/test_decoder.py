"""S8 for recordings: what happens in the process that decodes costs one recording."""

import numpy as np
import pytest

from catalog.audio.decoder import decode_in_child
from catalog.errors import AudioTooLarge, BadAudio, UnsupportedAudio
from tests.catalog.audio.recordings import tone, wav


def test_a_recording_is_decoded_as_here():
    assert np.abs(decode_in_child(wav(rate=44_100)) - tone())[400:-400].max() < 1e-3


def test_the_childs_refusal_arrives():
    with pytest.raises(BadAudio, match="cut off") as refused:
        decode_in_child(wav()[:-10])
    assert refused.value.hint == "Send all of it."


def test_what_is_no_recording_starts_no_child(monkeypatch):
    monkeypatch.setattr("subprocess.Popen", None)
    with pytest.raises(UnsupportedAudio):
        decode_in_child(b"GIF89a" + bytes(100))


@pytest.mark.promise("S8", "7 deaths of the process that decodes recordings")
@pytest.mark.parametrize(
    ("deed", "error", "message"),
    [
        ("segv", BadAudio, "crash"),
        ("loop", BadAudio, "longer than"),
        ("flood", BadAudio, "crash"),
        ("memory", AudioTooLarge, "memory"),
        ("text", BadAudio, "crash"),
        ("few", BadAudio, "crash"),
        ("code", BadAudio, "crash"),
    ],
)
def test_a_child_that_does_not_survive_costs_one_recording(deed, error, message, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_TEST_DEATH", deed)
    with pytest.raises(error, match=message):
        decode_in_child(wav(), 0.5 if deed == "loop" else 20.0, worker="tests.catalog.audio.dying_workers")
