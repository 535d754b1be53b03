"""A hub that is out of reach: a quick answer that says what to do instead."""

import logging
import socket

import pytest
from huggingface_hub import constants

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends import hub
from indexer.encoders.backends.hub import hub_refused, single_attempt
from indexer.encoders.registry import open_encoder
from tests.timing import Lateness

pytestmark = [pytest.mark.timeout(600), pytest.mark.torch]


@pytest.fixture(autouse=True)
def nothing_fetched(tmp_path, monkeypatch, shared_models):
    """No cache of the hub, none of exports, and a hub that only a closed port of this machine stands for."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("WINDOWSHOP_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        yield


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("resnet50", "timm:resnet50.a1_in1k@/path/to/model.safetensors"),
        ("timm:resnet18.a1_in1k", "timm:resnet18.a1_in1k@/path/to/model.safetensors"),
        ("clip-b32", "clip:/path/to/directory"),
        ("clip:ViT-B-16@laion2b_s34b_b88k", "clip:/path/to/directory"),
    ],
)
def test_a_hub_out_of_reach_names_the_local_form(name, instead, caplog):
    import open_clip  # noqa: F401 - their imports take seconds, which are not the hub's
    import timm  # noqa: F401

    with (
        caplog.at_level(logging.WARNING),
        Lateness() as wait,
        pytest.raises(EncoderUnavailable, match="cannot be fetched") as refused,
    ):
        open_encoder(name)
    assert wait.within(12)
    assert instead in refused.value.hint and "--encoder starter" in refused.value.hint
    assert "Retrying" not in caplog.text
    assert constants.HF_HUB_OFFLINE is False


def test_offline_by_setting_is_no_slower(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "_answers", lambda endpoint: pytest.fail("the hub was called although it is off"))
    with pytest.raises(EncoderUnavailable, match="cannot be fetched"):
        open_encoder("resnet50")
    assert constants.HF_HUB_OFFLINE is True


def test_a_silent_hub_is_given_seconds(monkeypatch):
    monkeypatch.setattr(hub, "HUB_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with Lateness() as wait:
            assert not hub._answers(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert wait.within(5)


def test_a_hub_that_answers_is_left_to_its_client(monkeypatch):
    monkeypatch.setattr(hub, "_answers", lambda endpoint: True)
    with single_attempt():
        assert constants.HF_HUB_OFFLINE is False


def test_offline_ends_with_the_block_whatever_happens(monkeypatch):
    monkeypatch.setattr(hub, "_answers", lambda endpoint: False)
    with pytest.raises(KeyError), single_attempt():
        assert constants.HF_HUB_OFFLINE is True
        raise KeyError
    assert constants.HF_HUB_OFFLINE is False


def test_what_counts_as_a_refusal():
    def caused(error, cause):
        error.__cause__ = cause
        return error

    assert hub_refused(ConnectionError())
    assert hub_refused(caused(RuntimeError("Failed to download"), FileNotFoundError()))
    assert not hub_refused(RuntimeError("Unknown model"))
    assert not hub_refused(caused(RuntimeError(), KeyError()))


@pytest.mark.parametrize("name", ["timm:nosuch", "timm:resnet50.nosuch", "clip:nosuch@openai", "clip:ViT-B-32@nosuch"])
def test_models_that_nobody_has(name):
    with pytest.raises(EncoderUnavailable, match="nosuch") as refused:
        open_encoder(name)
    assert "list_" in refused.value.hint and "--encoder starter" in refused.value.hint
