"""Exports: made once, intact, as good as the original; and the choice of the runtime."""

import json
import logging
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.errors import EncoderUnavailable, ParityError
from indexer.encoders.backends import runtime, torch_runtime
from indexer.encoders.backends.runtime import (
    ModelSource,
    file_digest,
    models_folder,
    open_runner,
    threads,
)
from indexer.encoders.backends.torch_runtime import TorchModel, weights_digest

pytestmark = [pytest.mark.timeout(1500), pytest.mark.torch]

ROOT = Path(__file__).parents[4]
PIXELS = np.arange(24, dtype=np.float32).reshape(4, 6) / 24


class Doubling(torch.nn.Module):
    def forward(self, numbers):
        return torch.cat([numbers * 2, numbers.sum(1, keepdim=True)], dim=1)


class Loads:
    """A recipe's loader that counts its calls."""

    def __init__(self, module=None):
        self.calls = 0
        self.module = module or Doubling()

    def __call__(self):
        self.calls += 1
        return TorchModel(self.module, {"numbers": PIXELS[:2]}, {"weights_sha256": "none", "dim": 7})


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder with one whole export in it."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINDOWSHOP_MODELS", str(folder))
        open_runner(ModelSource("doubling", "key", Loads()), "onnx")
    return folder


@pytest.fixture
def fast(exported, models, monkeypatch):
    """What is exported is a copy of it, because torch takes a second."""
    (whole,) = exported.glob("*.onnx")
    monkeypatch.setattr(
        torch_runtime, "_write_onnx", lambda model, tensors, target: target.write_bytes(whole.read_bytes())
    )


@pytest.fixture
def export_copy(exported, models, fast):
    """A copy of it for a test to spoil."""
    models.mkdir()
    for file in exported.iterdir():
        (models / file.name).write_bytes(file.read_bytes())
    return models


def run(runner):
    return runner({"numbers": PIXELS})


def expected():
    return np.concatenate([PIXELS * 2, PIXELS.sum(1, keepdims=True)], axis=1)


def test_both_runtimes_run_any_number_of_rows(export_copy):
    for name in ("onnx", "torch"):
        runner = open_runner(ModelSource("doubling", "key", Loads()), name)
        assert runner.kind == name and runner.meta["dim"] == 7
        out = run(runner)
        assert out.dtype == np.float32 and np.allclose(out, expected(), atol=1e-5)


def test_an_export_is_made_once(export_copy):
    before = {file.name: file.stat().st_mtime_ns for file in export_copy.iterdir()}
    loads = Loads()
    assert np.allclose(run(open_runner(ModelSource("doubling", "key", loads), "onnx")), expected(), atol=1e-5)
    assert loads.calls == 0
    assert {file.name: file.stat().st_mtime_ns for file in export_copy.iterdir()} == before


def test_another_key_is_another_export(export_copy):
    loads = Loads()
    open_runner(ModelSource("doubling", "another key", loads), "onnx")
    assert loads.calls == 1 and len(list(export_copy.glob("*.json"))) == 2


def test_the_card_tells_what_was_exported(export_copy):
    (card,) = export_copy.glob("*.json")
    card_values = json.loads(card.read_text())
    assert card_values["dim"] == 7 and card_values["weights_sha256"] == "none"
    assert card_values["parity_cosine"] >= 0.9999 and card_values["torch"] == torch.__version__
    (model,) = export_copy.glob("*.onnx")
    assert file_digest(model) == card_values["onnx_sha256"]


@pytest.mark.promise("S11")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda card, model: model.unlink(),
        lambda card, model: model.write_bytes(model.read_bytes()[:-10]),
        lambda card, model: model.write_bytes(bytes([model.read_bytes()[0] ^ 1]) + model.read_bytes()[1:]),
        lambda card, model: card.unlink(),
        lambda card, model: card.write_text(""),
        lambda card, model: card.write_text("[]"),
        lambda card, model: card.write_text('{"onnx_sha256": 7}'),
        lambda card, model: card.write_text(card.read_text()[:40]),
    ],
    ids=["no model", "short model", "flipped model", "no card", "empty card", "other card", "odd card", "short card"],
)
def test_an_export_that_is_not_whole_is_made_again(export_copy, spoil):
    (card,), (model,) = export_copy.glob("*.json"), export_copy.glob("*.onnx")
    spoil(card, model)
    loads = Loads()
    assert np.allclose(run(open_runner(ModelSource("doubling", "key", loads), "onnx")), expected(), atol=1e-5)
    assert loads.calls == 1
    assert sorted(export_copy.iterdir()) == sorted([card, model])
    open_runner(ModelSource("doubling", "key", loads), "onnx")
    assert loads.calls == 1


def test_what_an_interrupted_export_left_does_not_count(models, fast):
    (models / ".exporting-abc").mkdir(parents=True)
    (models / ".exporting-abc" / "model.onnx").write_bytes(b"half")
    loads = Loads()
    assert np.allclose(run(open_runner(ModelSource("doubling", "key", loads), "onnx")), expected(), atol=1e-5)


def test_a_failed_export_leaves_nothing(models, monkeypatch):
    def cut(loaded, tensors, target):
        target.write_bytes(b"half")
        raise RuntimeError("no way\nwith many\nlines")

    monkeypatch.setattr(torch_runtime, "_write_onnx", cut)
    with pytest.raises(EncoderUnavailable, match="cannot be exported to ONNX: RuntimeError: no way") as refused:
        open_runner(ModelSource("doubling", "key", Loads()), "onnx")
    assert "--runtime torch" in refused.value.hint
    assert list(models.iterdir()) == []


def test_a_model_that_onnx_cannot_say_is_a_typed_error(models):
    class Branching(torch.nn.Module):
        def forward(self, numbers):
            return numbers * 2 if numbers.sum().item() > 0 else numbers

    with pytest.raises(EncoderUnavailable, match="cannot be exported to ONNX"):
        open_runner(ModelSource("branching", "key", Loads(Branching())), "onnx")
    assert np.allclose(run(open_runner(ModelSource("branching", "key", Loads(Branching())), "torch")), PIXELS * 2)


@pytest.mark.promise("R19")
@pytest.mark.parametrize(
    "wrong", [lambda x: x[:, ::-1], lambda x: x * np.nan, lambda x: x * 0], ids=["turned", "nan", "0"]
)
def test_an_export_that_differs_from_the_original_is_refused(models, fast, monkeypatch, wrong):
    right = runtime.OnnxRunner.__call__
    monkeypatch.setattr(runtime.OnnxRunner, "__call__", lambda self, inputs: wrong(right(self, inputs)))
    with pytest.raises(ParityError, match=r"0\.9999 is needed") as refused:
        open_runner(ModelSource("doubling", "key", Loads()), "onnx")
    assert "--runtime torch" in refused.value.hint
    assert list(models.iterdir()) == []


def test_an_unknown_runtime_is_named():
    with pytest.raises(EncoderUnavailable, match="'cuda'") as refused:
        open_runner(ModelSource("doubling", "key", Loads()), "cuda")
    assert "auto, onnx, torch" in refused.value.hint


def test_auto_is_onnx_without_a_gpu_and_torch_with_one(export_copy, monkeypatch):
    monkeypatch.setattr(runtime, "_cuda_works", lambda: False)
    assert open_runner(ModelSource("doubling", "key", Loads())).kind == "onnx"
    monkeypatch.setattr(runtime, "_cuda_works", lambda: True)
    assert open_runner(ModelSource("doubling", "key", Loads())).kind == "torch"


def test_where_exports_are_stored(monkeypatch, tmp_path):
    monkeypatch.setenv("WINDOWSHOP_MODELS", str(tmp_path / "here"))
    assert models_folder() == tmp_path / "here"
    monkeypatch.delenv("WINDOWSHOP_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert models_folder() == tmp_path / "cache" / "windowshop" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert models_folder() == Path.home() / ".cache" / "windowshop" / "models"


def test_a_folder_that_cannot_be_written_is_a_typed_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WINDOWSHOP_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(EncoderUnavailable, match="cannot be stored in") as refused:
        open_runner(ModelSource("doubling", "key", Loads()), "onnx")
    assert "WINDOWSHOP_MODELS" in refused.value.hint


def test_two_threads_export_once_and_say_nothing(models, capfd, caplog):
    loads = Loads()
    out = sys.stdout
    with caplog.at_level(logging.INFO), ThreadPoolExecutor(2) as pool:
        runners = list(pool.map(lambda _: open_runner(ModelSource("doubling", "key", loads), "onnx"), range(2)))
    shown = capfd.readouterr()
    errors = [line for line in shown.err.splitlines() if "chttp2" not in line]  # a client of an earlier test may write
    assert shown.out == "" and errors == [] and caplog.text == ""
    assert loads.calls == 1
    assert sys.stdout is out
    assert all(np.allclose(run(runner), expected(), atol=1e-5) for runner in runners)


def test_two_processes_that_export_at_once_both_end_with_a_whole_one(exported, models):
    """Each writes a graph that needs no torch, which takes seconds to import, as soon as both are there."""
    (whole,) = exported.glob("*.onnx")
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from indexer.encoders.backends.runtime import ModelSource, open_runner
        from indexer.encoders.graphs.starter import BuiltModel

        def build():
            print("here", flush=True)
            sys.stdin.read()
            return BuiltModel(data, {"dim": 7}, {}, None)

        data = Path(sys.argv[1]).read_bytes()
        open_runner(ModelSource("doubling", "key", None, build), "onnx")
    """)
    command = [sys.executable, "-c", script, str(whole)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for child in children:
        assert child.stdout.readline() == b"here\n"
    for child in children:
        child.stdin.close()
    for child in children:
        child.stdout.close()
        assert child.stderr.read() == b"" and child.wait(300) == 0
        child.stderr.close()
    loads = Loads()
    assert np.allclose(run(open_runner(ModelSource("doubling", "key", loads), "onnx")), expected(), atol=1e-5)
    assert loads.calls == 0
    assert not list(models.glob(".exporting-*"))


def test_threads_follow_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3
    for odd in ("", "many", "0", "-1"):
        monkeypatch.setenv("OMP_NUM_THREADS", odd)
        assert threads() >= 1


@pytest.mark.parametrize(("environment", "policy"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_that_wait_sleep_unless_the_environment_says_otherwise(environment, policy):
    code = "import os, indexer.ann.faiss_index; print(os.environ['OMP_WAIT_POLICY'])"
    env = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | environment
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == policy


def test_onnx_threads_sleep_too(export_copy):
    runner = open_runner(ModelSource("doubling", "key", Loads()), "onnx")
    options = runner._session.get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_many_batches_run_on_one_thread_each_and_a_few_on_all(export_copy, monkeypatch):
    monkeypatch.setattr(runtime, "threads", lambda: 2)
    runner = open_runner(ModelSource("doubling", "key", Loads()), "onnx")
    batches = [{"numbers": PIXELS[:2] * factor} for factor in range(runtime.MIN_BATCHES_AT_ONCE)]
    few, many = runner.run_batches(batches[1:]), runner.run_batches(batches)
    assert runner._one_thread._session.get_session_options().intra_op_num_threads == 1
    assert runner._session.get_session_options().intra_op_num_threads == 2
    np.testing.assert_allclose(many, [runner(batch) for batch in batches], atol=1e-5)
    np.testing.assert_allclose(few, many[1:], atol=1e-5)


def test_a_model_that_spares_a_core_runs_many_batches_without_a_second_copy(export_copy, monkeypatch):
    monkeypatch.setattr(runtime, "threads", lambda: 2)
    runner = open_runner(ModelSource("doubling", "key", Loads()), "onnx", spare=1)
    assert runner._session.get_session_options().intra_op_num_threads == 1
    batches = [{"numbers": PIXELS[:2] * factor} for factor in range(3)]
    np.testing.assert_allclose(runner.run_batches(batches), [runner(batch) for batch in batches], atol=1e-5)
    assert runner._one_thread is None


def test_a_machine_of_one_core_spares_none(export_copy, monkeypatch):
    monkeypatch.setattr(runtime, "threads", lambda: 1)
    runner = open_runner(ModelSource("doubling", "key", Loads()), "onnx", spare=1)
    assert runner._session.get_session_options().intra_op_num_threads == 1


def test_a_small_models_batch_that_comes_while_another_runs_has_one_thread(export_copy, monkeypatch):
    monkeypatch.setattr(runtime, "threads", lambda: 2)
    clock = [100.0]
    monkeypatch.setattr(runtime, "monotonic", lambda: clock[0])
    runner = open_runner(ModelSource("doubling", "key", Loads()), "onnx", small=True)
    alone = runner({"numbers": PIXELS[:2]})
    assert runner._one_thread is None, "alone: all cores"
    inside, outputs = runner._outputs, []

    def outputs_of_both(inputs):
        if not outputs:
            outputs.append(runner({"numbers": PIXELS[:2]}))  # comes while the first runs
        return inside(inputs)

    monkeypatch.setattr(runner, "_outputs", outputs_of_both)
    outputs.append(runner({"numbers": PIXELS[:2]}))
    assert runner._one_thread._session.get_session_options().intra_op_num_threads == 1
    for output in outputs:
        np.testing.assert_allclose(output, alone, atol=1e-5)
    runner._one_thread = None
    clock[0] += runtime.CROWDED_S / 2
    runner({"numbers": PIXELS[:2]})
    assert runner._one_thread is not None, "soon after two met"
    runner._one_thread = None
    clock[0] += runtime.CROWDED_S
    runner({"numbers": PIXELS[:2]})
    assert runner._one_thread is None, "alone again"


def test_weights_digest_sees_names_and_numbers():
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 2)
    first = weights_digest(module)
    assert weights_digest(module) == first
    with torch.no_grad():
        module.weight[0, 0] += 1e-3
    assert weights_digest(module) != first


def test_file_digest(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_digest(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(EncoderUnavailable, match="There is no checkpoint"):
            file_digest(missing)
