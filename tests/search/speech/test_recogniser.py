"""Spoken questions on the real weights: what is said is found, and what nobody said is not."""

import threading
from pathlib import Path

import numpy as np
import pytest

from catalog import extras
from catalog.audio.decoding import decode
from catalog.errors import BadAudio, DeadlineExceeded, EncoderUnavailable, MissingExtra, NoGeneration, VoiceBusy
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.speech import recogniser as module
from search.speech import weights
from search.speech import whisper as module_of_model
from search.speech.recogniser import SpeechRecogniser
from search.speech.whisper import WhisperModel
from tests.catalog.audio.recordings import RATE, tone, wav

SPOKEN = Path(__file__).with_name("red_teapot.wav")  # "red teapot", in a synthetic voice
TITLES = ("Red teapot", "Blue teapot", "Walnut board")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("shop")
    catalogue = Catalogue.open(ShopHome(home).catalogue)
    catalogue.put([Product(title, title, ()) for title in TITLES])
    catalogue.close()
    return home


@pytest.fixture(scope="module")
def recogniser(home):
    return SpeechRecogniser(home)


@pytest.mark.weights
def test_what_is_said_is_recognised(recogniser):
    found = recogniser.recognise(SPOKEN.read_bytes(), "en")
    assert (found.text, found.language, found.reason) == ("red teapot", "en", None)
    assert 0.3 < found.confidence <= 1 and found.seconds == pytest.approx(1.614, abs=0.01)
    assert found.text not in found.alternatives and len(found.alternatives) <= 3
    assert set(found.to_dict()) >= {"text", "recognised", "language", "confidence", "alternatives", "reason"}


@pytest.mark.weights
@pytest.mark.parametrize(("below_db", "read"), {"no noise": (None, 1), "quiet": (30, 1), "loud": (10, 2)}.values())
def test_what_is_said_in_noise_is_read_twice(recogniser, monkeypatch, below_db, read):
    samples = np.concatenate([np.zeros(RATE // 2, np.float32), decode(SPOKEN.read_bytes())])
    if below_db is not None:
        voice = np.sqrt((samples[np.abs(samples) > 0.01] ** 2).mean())
        samples = samples + NOISE[: len(samples)] * voice * 10 ** (-below_db / 20)
    noises = []

    def read_once(self, samples, language, prompt, noise=None):
        noises.append(noise)
        return module_of_model.Readings((module_of_model.Reading("red teapot", -0.3 + 0.1 * len(noises)),), 0.0)

    monkeypatch.setattr(WhisperModel, "read", read_once)
    found = recogniser.recognise(wav(samples), "en")
    assert (found.text, len(noises), noises[0]) == ("red teapot", read, None)
    assert [noise.shape for noise in noises[1:]] == [(201,)] * (read - 1)


def hum():
    return sum(tone(3, hz=hz, loudness=0.2 / n) for n, hz in enumerate((50, 100, 150), 1))


def melody():
    fade = np.linspace(1, 0, RATE // 3, dtype=np.float32)
    return np.concatenate([tone(1 / 3, hz=hz)[: len(fade)] * fade for hz in (262, 294, 330, 349, 392, 440, 494, 523)])


NOISE = np.random.default_rng(5).standard_normal(3 * RATE).astype(np.float32)
BROWN = np.cumsum(NOISE) - np.linspace(0, NOISE.sum(), len(NOISE))


@pytest.mark.weights
@pytest.mark.parametrize(
    ("samples", "reason"),
    {
        "silence": (np.zeros(3 * RATE), "silence"),
        "a quiet room": (NOISE * 5e-4, "silence"),
        "one sample": (np.zeros(1), "silence"),
        "white noise": (NOISE * 0.1, "no_speech"),
        "brown noise": (BROWN / np.abs(BROWN).max() * 0.5, "no_speech"),
        "hum": (hum(), "no_speech"),
        "music": (melody(), "no_speech"),
        "a click": (np.eye(1, RATE, 4_000)[0] * 0.9, "no_speech"),
    }.values(),
)
def test_what_nobody_says_has_no_words(recogniser, samples, reason):
    found = recogniser.recognise(wav(samples), "en")
    assert (found.text, found.confidence, found.alternatives, found.reason) == ("", 0.0, (), reason)


def test_what_is_no_recording_is_refused(recogniser):
    with pytest.raises(BadAudio):
        recogniser.recognise(SPOKEN.read_bytes()[:-5], "en")


def test_only_so_many_may_wait_and_not_for_ever(home, monkeypatch):
    speaking, end = threading.Event(), threading.Event()

    def decode_slowly(data):
        speaking.set()
        end.wait(60)
        raise BadAudio("Late.")

    monkeypatch.setattr(module, "decode_in_child", decode_slowly)
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    recogniser = SpeechRecogniser(home)

    def speak():
        with pytest.raises(BadAudio):
            recogniser.recognise(b"", "en")

    first = threading.Thread(target=speak)
    first.start()
    assert speaking.wait(60)
    with pytest.raises(DeadlineExceeded):
        recogniser.recognise(b"", "en", deadline_s=0.01)
    second = threading.Thread(target=speak)
    second.start()
    while recogniser._places.acquire(blocking=False):  # the second does not wait yet
        recogniser._places.release()
    with pytest.raises(VoiceBusy):
        recogniser.recognise(b"", "en")
    end.set()
    first.join()
    second.join()


def test_the_words_of_a_changed_shop_are_read_again(home, monkeypatch):
    monkeypatch.setattr(module, "REREAD_SECONDS", 0.0)
    words = module.ShopWords(home)
    snapper, prompt = words.current("en")
    assert "teapot" in prompt and snapper.snap("tea cozzy").text == "tea cozzy"
    catalogue = Catalogue.open(ShopHome(home).catalogue)
    catalogue.put([Product("cosy", "Tea cosy", ())])
    catalogue.close()
    assert words.current("en")[0].snap("tea cozzy").text == "tea cosy"
    assert words.current("zh")[0] is None and "茶壶" in words.current("zh")[1]


def test_a_folder_without_a_shop_is_named_and_stays_empty(tmp_path):
    with pytest.raises(NoGeneration, match="no shop"):
        module.ShopWords(tmp_path).current("en")
    assert not list(tmp_path.iterdir())


def test_words_of_one_product_come_before_others(home):
    words = module.ShopWords(home)
    snapper, _ = words.current("en")
    readings = [module.Reading(text, chance) for text, chance in (("walnut teapot", -0.4), ("wall nut bored", -0.5))]
    candidates = words.ranked(module._candidates(readings, "en", snapper), "en")
    assert candidates[0].text == "walnut board" and candidates[0].together == 1.0
    assert "walnut teapot" in {candidate.text for candidate in candidates[1:]}
    with words._index() as index:
        assert module.shares_held_together(index, ["red teapot", "don't", "red board", "the"]) == [1.0, 0.0, 0.5, 0.0]


def test_files_of_the_model_are_joined_and_mended(tmp_path, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_MODELS", str(tmp_path))
    first = tmp_path / "first"
    first.write_bytes(b"abc")
    digest = "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721"  # of "abcdef"
    monkeypatch.setattr(weights, "FILES", {"model.bin": (digest, (("a", "first"), ("a", "second")))})
    monkeypatch.setattr(weights, "_packaged", lambda module, name: tmp_path / name)
    with pytest.raises(EncoderUnavailable, match="cannot be stored"):
        weights.model_folder()
    (tmp_path / "second").write_bytes(b"deg")
    with pytest.raises(EncoderUnavailable, match="another"):
        weights.model_folder()
    (tmp_path / "second").write_bytes(b"def")
    model = weights.model_folder() / "model.bin"
    assert model.read_bytes() == b"abcdef"
    model.write_bytes(b"abcdeF")
    assert (weights.model_folder() / "model.bin").read_bytes() == b"abcdef"
    assert not list(model.parent.glob(".joining-*"))


def test_without_the_extra_it_names_itself(monkeypatch):
    monkeypatch.setattr(extras, "missing_modules", lambda extra: ("ctranslate2",))
    with pytest.raises(MissingExtra, match="ctranslate2") as refused:
        weights.model_folder()
    assert "windowshop[voice]" in refused.value.hint
