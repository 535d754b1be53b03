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
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.errors import EncoderUnavailable, ParityError
from catalog.files.atomic import record
from indexer.types import Floats

if TYPE_CHECKING:
    import torch

RUNTIMES = ("auto", "onnx", "torch")
PARITY = 0.9999  # least cosine between the exported model's output and torch's
EXPORT_VERSION = 1
_EXPORTING = threading.Lock()  # torch's exporter is not made for threads, and one export is enough

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A torch module with what an export needs: example inputs (batch of 2) and facts to keep beside it.

    `free_axes` are the axes of every input whose length may differ from the example's.
    """

    module: torch.nn.Module
    example: Arrays
    meta: Mapping[str, Any]
    free_axes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class ModelSource:
    """How to get a frozen model: a key that names it among all exports, and a function that loads it with torch."""

    name: str
    key: str
    load: Callable[[], TorchModel]


class Runner(Protocol):
    """A frozen model ready to run: arrays by input name in, one float32 array (n, ..., features) out."""

    kind: str
    meta: Mapping[str, Any]

    def __call__(self, inputs: Arrays) -> Floats:
        """Run one batch."""


def open_runner(recipe: ModelSource, runtime: str = "auto") -> Runner:
    """The recipe's model on the runtime asked for; "auto" is torch where CUDA works, else ONNX Runtime."""
    if runtime not in RUNTIMES:
        raise EncoderUnavailable(f"There is no runtime {runtime!r}.", f"Use one of: {', '.join(RUNTIMES)}.")
    if _in_torch(runtime):
        return TorchRunner(recipe.load())
    with _EXPORTING:
        model, meta = _exported(recipe)
    return OnnxRunner(model, meta)


def ready_runner(recipe: ModelSource, runtime: str = "auto") -> Runner | None:
    """As `open_runner`, but None where the model has to be exported first, which takes torch and seconds."""
    if _in_torch(runtime):
        return open_runner(recipe, runtime)
    exported = _whole(recipe, _card_of(recipe))
    return None if exported is None else OnnxRunner(*exported)


class OnnxRunner:
    """A model exported to ONNX, run on the CPU."""

    kind = "onnx"

    def __init__(self, model: Path, meta: Mapping[str, Any]) -> None:
        import onnxruntime

        _calm_numpy()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # see indexer/__init__.py
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

    def __init__(self, loaded: TorchModel) -> None:
        import torch

        self.meta = loaded.meta
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._module = loaded.module.eval().to(self._device)
        if self._device == "cpu":
            torch.set_num_threads(threads())

    def __call__(self, inputs: Arrays) -> Floats:
        """Run the batch in inference mode."""
        import torch

        arrays = [np.require(array, requirements=["C", "W"]) for array in inputs.values()]  # Pillow's are read-only
        tensors = [torch.from_numpy(array).to(self._device) for array in arrays]
        with torch.inference_mode(), torch.autocast("cuda", enabled=self._device == "cuda"):
            output: Floats = self._module(*tensors).float().cpu().numpy()
        return output


def _calm_numpy() -> None:
    """Let numpy's matrix products run on one thread.

    Its pool and ONNX Runtime's both spin while they wait; on two cores they took turns waiting for each other, and
    one picture took 11 ms instead of 6.
    """
    from threadpoolctl import ThreadpoolController

    numpy_libraries = ThreadpoolController().select(prefix="libscipy_openblas")
    for library in numpy_libraries.lib_controllers:
        library.set_num_threads(1)


def threads() -> int:
    """Threads one model may use: OMP_NUM_THREADS, else every core this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    """SHA-256 of a file's bytes. Raises EncoderUnavailable when there is no such file."""
    if not file.is_file():
        raise EncoderUnavailable(f"There is no checkpoint {file}.", "Check the path, or use --encoder starter.")
    return record(file).sha256


def _in_torch(runtime: str) -> bool:
    return runtime == "torch" or (runtime == "auto" and _cuda_works())


def _cuda_works() -> bool:
    if shutil.which("nvidia-smi") is None:  # keeps torch out of a CPU server
        return False
    import torch

    return torch.cuda.is_available()


def _exported(recipe: ModelSource) -> tuple[Path, Mapping[str, Any]]:
    """The recipe's export and its card, made when there is none that is whole.

    The card is written last and names its model by content: an export that was cut short does not count, damage
    is found, and two processes that export at once cannot mix their files.
    """
    folder = models_folder()
    card = _card_of(recipe)
    known = _whole(recipe, card)
    if known is not None:
        return known
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-")
    except OSError as error:
        raise EncoderUnavailable(
            f"Exported models cannot be kept in {folder}: {error.strerror}.",
            "Set WINDOWSHOP_MODELS to a folder that can be written, or use --runtime torch.",
        ) from error
    with scratch as inside:
        target, draft = Path(inside) / "model.onnx", Path(inside) / "card.json"
        meta = _export(recipe.load(), target)
        meta["onnx_sha256"] = file_digest(target)
        draft.write_text(json.dumps(meta, indent=1))
        model = _model_file(recipe, card, meta)
        target.replace(model)
        draft.replace(card)
    return model, meta


def _card_of(recipe: ModelSource) -> Path:
    key = hashlib.sha256(f"{EXPORT_VERSION} {recipe.key}".encode()).hexdigest()[:16]
    return models_folder() / f"{recipe.name}-{key}.json"


def _whole(recipe: ModelSource, card: Path) -> tuple[Path, Mapping[str, Any]] | None:
    try:
        meta = json.loads(card.read_text())
        model = _model_file(recipe, card, meta)
        return (model, meta) if file_digest(model) == meta["onnx_sha256"] else None
    except (OSError, ValueError, KeyError, TypeError, EncoderUnavailable):
        return None


def _model_file(recipe: ModelSource, card: Path, meta: Mapping[str, Any]) -> Path:
    return card.with_name(f"{recipe.name}-{meta['onnx_sha256'][:16]}.onnx")


def _export(loaded: TorchModel, target: Path) -> dict[str, Any]:
    import torch

    tensors = tuple(torch.from_numpy(array) for array in loaded.example.values())
    with torch.inference_mode():
        expected = loaded.module.eval()(*tensors).numpy()
        try:
            _write_onnx(loaded, tensors, target)
        except Exception as error:  # the exporter, its passes and the model's own code each raise what they like
            reason = str(error).strip().partition("\n")[0]
            raise EncoderUnavailable(
                f"This model cannot be exported to ONNX: {type(error).__name__}: {reason[:300]}", "Use --runtime torch."
            ) from error
    parity = _least_cosine(expected, OnnxRunner(target, {})(loaded.example))
    if not parity >= PARITY:
        raise ParityError(
            f"The exported model differs from the original: cosine {parity:.6f}, at least {PARITY} is needed.",
            "Run with --runtime torch, and report the torch and onnxruntime versions.",
        )
    return {**loaded.meta, "parity_cosine": round(parity, 7), "torch": torch.__version__}


def _write_onnx(loaded: TorchModel, tensors: tuple[torch.Tensor, ...], target: Path) -> None:
    import torch

    free = {axis: torch.export.Dim(f"axis{axis}", min=1, max=4096) for axis in loaded.free_axes}
    for chatty in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        torch.onnx.export(
            loaded.module,
            tensors,
            str(target),
            input_names=list(loaded.example),
            output_names=["features"],
            dynamic_shapes=tuple(free for _ in tensors),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _least_cosine(a: Floats, b: Floats) -> float:
    """Row by row; of feature maps, cell by cell."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(((a * b).sum(axis=-1) / np.maximum(lengths, 1e-12)).min())
