"""Runs a frozen model: ONNX Runtime on a CPU (exported once, cached, parity-gated), torch on CUDA or when asked."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.errors import EncoderUnavailable, ParityError
from indexer.encoders.base import Floats

if TYPE_CHECKING:
    import torch

RUNTIMES = ("auto", "onnx", "torch")
_NETWORK = ("huggingface_hub", "httpx", "httpcore", "requests", "urllib3", "urllib")
PARITY = 0.9999  # least cosine between the exported model's output and torch's
EXPORT_VERSION = 1

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A torch module with what an export needs: example inputs (batch of 2) and facts to keep beside it.

    `free_axes` are the axes of every input whose length may differ from the example's.
    """

    module: torch.nn.Module
    example: Arrays
    meta: Mapping[str, Any]
    free_axes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to get a frozen model: a key that names it among all exports, and a function that loads it with torch."""

    name: str
    key: str
    load: Callable[[], Loaded]


class Runner(Protocol):
    """A frozen model ready to run: arrays by input name in, one float32 array (n, features) out."""

    kind: str
    meta: Mapping[str, Any]

    def __call__(self, inputs: Arrays) -> Floats:
        """Run one batch."""


def open_runner(recipe: Recipe, runtime: str = "auto") -> Runner:
    """The recipe's model on the runtime asked for; "auto" is torch where CUDA works, else ONNX Runtime."""
    if runtime not in RUNTIMES:
        raise EncoderUnavailable(f"There is no runtime {runtime!r}.", f"Use one of: {', '.join(RUNTIMES)}.")
    if runtime == "torch" or (runtime == "auto" and _cuda_works()):
        return TorchRunner(recipe.load())
    return OnnxRunner(*_exported(recipe))


class OnnxRunner:
    """A model exported to ONNX, run on the CPU."""

    kind = "onnx"

    def __init__(self, model: Path, meta: Mapping[str, Any]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = 3
        self.meta = meta
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def __call__(self, inputs: Arrays) -> Floats:
        """Run the batch; thread-safe."""
        output: Floats = self._session.run(None, dict(inputs))[0]
        return output


class TorchRunner:
    """The original module: float32 on a CPU, autocast to float16 on CUDA."""

    kind = "torch"

    def __init__(self, loaded: Loaded) -> None:
        import torch

        self.meta = loaded.meta
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._module = loaded.module.eval().to(self._device)
        if self._device == "cpu":
            torch.set_num_threads(threads())

    def __call__(self, inputs: Arrays) -> Floats:
        """Run the batch in inference mode."""
        import torch

        tensors = [torch.from_numpy(np.ascontiguousarray(array)).to(self._device) for array in inputs.values()]
        with torch.inference_mode(), torch.autocast("cuda", enabled=self._device == "cuda"):
            output: Floats = self._module(*tensors).float().cpu().numpy()
        return output


def threads() -> int:
    """Threads one model may use: OMP_NUM_THREADS, else every core this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else len(os.sched_getaffinity(0))


def models_folder() -> Path:
    """Where exported models are kept: $WINDOWSHOP_MODELS, else windowshop/models in the user's cache folder."""
    chosen = os.environ.get("WINDOWSHOP_MODELS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else cache / "windowshop" / "models"


def weights_digest(module: torch.nn.Module) -> str:
    """SHA-256 over the names and bytes of every weight."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def file_digest(file: Path) -> str:
    """SHA-256 of a checkpoint's bytes. Raises EncoderUnavailable when there is no such file."""
    if not file.is_file():
        raise EncoderUnavailable(f"There is no checkpoint {file}.", "Check the path, or use --encoder starter.")
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def hub_refused(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that a model hub could not be reached or has no such file."""
    seen: BaseException | None = error
    while seen is not None:
        module = type(seen).__module__.split(".")[0]
        if module in _NETWORK or isinstance(seen, OSError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _cuda_works() -> bool:
    if shutil.which("nvidia-smi") is None:  # keeps torch out of a CPU server
        return False
    import torch

    return torch.cuda.is_available()


def _exported(recipe: Recipe) -> tuple[Path, Mapping[str, Any]]:
    folder = models_folder()
    stem = f"{recipe.name}-{hashlib.sha256(f'{EXPORT_VERSION} {recipe.key}'.encode()).hexdigest()[:16]}"
    model, card = folder / f"{stem}.onnx", folder / f"{stem}.json"
    if not card.exists() or not model.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as scratch:
            meta = _export(recipe.load(), Path(scratch) / model.name)
            (Path(scratch) / card.name).write_text(json.dumps(meta, indent=1))
            (Path(scratch) / model.name).replace(model)
            (Path(scratch) / card.name).replace(card)  # last: a model without its card does not count
    return model, json.loads(card.read_text())


def _export(loaded: Loaded, target: Path) -> dict[str, Any]:
    import torch

    module = loaded.module.eval()
    tensors = tuple(torch.from_numpy(array) for array in loaded.example.values())
    free = {axis: torch.export.Dim(f"axis{axis}", min=1, max=4096) for axis in loaded.free_axes}
    for chatty in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with torch.inference_mode(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        expected = module(*tensors).numpy()
        torch.onnx.export(
            module,
            tensors,
            str(target),
            input_names=list(loaded.example),
            output_names=["features"],
            dynamic_shapes=tuple(free for _ in tensors),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    parity = _least_cosine(expected, OnnxRunner(target, {})(loaded.example))
    if not parity >= PARITY:
        raise ParityError(
            f"The exported model differs from the original: cosine {parity:.6f}, at least {PARITY} is needed.",
            "Run with --runtime torch, and report the torch and onnxruntime versions.",
        )
    return {**loaded.meta, "parity_cosine": round(parity, 7), "torch": torch.__version__}


def _least_cosine(a: Floats, b: Floats) -> float:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / np.maximum(lengths, 1e-12)).min())
