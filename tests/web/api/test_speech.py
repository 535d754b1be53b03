"""Spoken questions over HTTP: what is answered, what is refused, and that nothing of a recording stays."""

import io
import logging
from pathlib import Path

import pytest

from catalog.audio.limits import MAX_BYTES
from catalog.errors import VoiceBusy
from catalog.extras import missing_modules
from tests.catalog.audio.recordings import RATE, tone, wav
from tests.web.shop_fixtures import fake_app, stored_bytes
from web.settings import Settings
from web.voice import BROWSER, OFF, SERVER, Voice, voice_of

# A form that is refused half-way leaves its files to the garbage collector, which closes them.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
SPOKEN = (Path(__file__).parents[2] / "search" / "speech" / "red_teapot.wav").read_bytes()
URL = "/api/v1/speech"


def send(client, data=SPOKEN, content_type="audio/wav", **parameters):
    return client.post(URL, data=data, content_type=content_type, query_string=parameters)


def send_form(client, data=SPOKEN, **fields):
    return client.post(URL, data={"audio": (io.BytesIO(data), "a.wav"), **fields})


@pytest.mark.weights
def test_a_spoken_question_is_searched_for_and_leaves_nothing(client, home, caplog):
    before = {path for path in home.rglob("*") if path.suffix != ".sqlite-shm"}
    with caplog.at_level(logging.DEBUG):
        answer = send_form(client, k="2", language="en-GB")
    assert answer.status_code == 200, answer.text
    found = answer.json
    assert "red" in found["text"].split() and found["language"] == "en" and found["reason"] is None
    assert len(found["search"]["hits"]) == 2 and found["search"]["hits"][0]["id"] == "red"
    assert answer.headers["Cache-Control"] == "no-store"
    logs = ("queries", "counts")
    written = {
        path: data for path, data in stored_bytes(home, "*").items() if path not in before or path.name.startswith(logs)
    }
    assert all(len(data) < len(SPOKEN) or b"RIFF" not in data for data in written.values())
    assert "teapot" not in caplog.text.lower() and "RIFF" not in caplog.text


@pytest.mark.weights
def test_silence_is_no_error_and_no_search(client):
    found = send(client, wav(tone(loudness=0)), k=5).json
    assert (found["text"], found["reason"], found["search"], found["confidence"]) == ("", "silence", None, 0)


@pytest.mark.skipif(bool(missing_modules("voice")), reason="the extra voice is not installed")
@pytest.mark.parametrize(
    ("content_type", "data", "parameters", "status", "code"),
    [
        ("audio/wav", b"", {}, 422, "bad_audio"),
        ("audio/wav", SPOKEN[:-9], {}, 422, "bad_audio"),
        ("audio/wav", b"GIF89a" + bytes(50), {}, 415, "unsupported_audio"),
        ("audio/wav", wav(tone(10.6, 8_000), 8_000), {}, 413, "audio_too_large"),
        ("audio/wav", bytes(MAX_BYTES + 1), {}, 413, "audio_too_large"),
        ("audio/wav", bytes(2 * MAX_BYTES), {}, 413, "too_large"),
        ("audio/flac", SPOKEN, {}, 415, "unsupported_audio"),
        ("application/json", b"{}", {}, 415, "unsupported_audio"),
        ("audio/wav", SPOKEN, {"language": "tlh"}, 422, "bad_query"),
        ("audio/wav", SPOKEN, {"k": "-1"}, 422, "bad_query"),
        ("audio/wav", SPOKEN, {"k": "201"}, 422, "bad_query"),
        ("audio/wav", SPOKEN, {"colour": "red"}, 422, "bad_query"),
    ],
)
def test_what_is_refused(client, content_type, data, parameters, status, code):
    answer = send(client, data, content_type, **parameters)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["message"] and "Traceback" not in answer.text


@pytest.mark.skipif(bool(missing_modules("voice")), reason="the extra voice is not installed")
def test_forms_that_are_refused(client):
    for form in ({}, {"audio": "text"}, {"audio": [(io.BytesIO(SPOKEN), "a.wav"), (io.BytesIO(SPOKEN), "b.wav")]}):
        answer = client.post(URL, data=form, content_type="multipart/form-data")
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad_audio")
    assert send_form(client, colour="red").json["error"]["code"] == "bad_query"
    assert send_form(client, bytes(2 * MAX_BYTES)).status_code == 413


@pytest.mark.skipif(bool(missing_modules("voice")), reason="the extra voice is not installed")
def test_a_busy_server_says_when_to_come_back(client, app, monkeypatch):
    def refuse(*_):
        raise VoiceBusy("Other shoppers are speaking at the moment.", "Try again.")

    monkeypatch.setattr(voice_of(app).recogniser(), "recognise", refuse)
    answer = send(client, wav(tone(1, RATE)))
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "voice_busy")
    assert int(answer.headers["Retry-After"]) > 0


def test_voice_that_is_off(tmp_path):
    with fake_app(tmp_path, voice="off") as app:
        client = app.test_client()
        assert client.get(URL).json["mode"] == OFF
        answer = send(client)
        assert (answer.status_code, answer.json["error"]["code"]) == (501, "voice_unavailable")


def test_what_the_page_finds_out(client):
    found = client.get(URL).json
    assert found["mode"] in (SERVER, BROWSER, OFF) and "wav" in found["formats"]
    assert set(found["measured"]) <= set(found["languages"]) >= {"en", "zh"}
    assert (found["max_seconds"], found["max_bytes"]) == (10, MAX_BYTES)


def test_who_recognises(tmp_path, monkeypatch):
    def mode(**changes):
        return Voice(Settings(home=tmp_path, **changes)).mode

    monkeypatch.setattr("web.voice.missing_modules", lambda extra: ())
    assert mode() == mode(voice_browser=True) == SERVER
    assert mode(voice="off") == OFF and mode(voice="off", voice_browser=True) == BROWSER
    monkeypatch.setattr("web.voice.missing_modules", lambda extra: ("ctranslate2",))
    assert mode() == OFF and mode(voice_browser=True) == BROWSER
