"""Run a frozen model: ONNX Runtime on a CPU (built or exported once, cached, parity-gated), torch on CUDA or request.

Imports neither torch nor ONNX Runtime until a model is opened.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from threadpoolctl import ThreadpoolController

from catalog.errors import EncoderUnavailable, ParityError
from catalog.extras import has_extra, requires_extra
from catalog.files.atomic import record
from indexer.numeric import unit
from indexer.types import Arrays, Floats

if TYPE_CHECKING:
    from indexer.encoders.backends.torch_runtime import TorchModel
    from indexer.encoders.graphs.starter import BuiltModel

RUNTIMES = ("auto", "onnx", "torch")
MIN_PARITY_COSINE = 0.9999  # between the exported model's output and torch's
EXPORT_VERSION = 1
MIN_BATCHES_AT_ONCE = 8  # fewer do not pay for a second copy of the model
MAX_BATCHES_AT_ONCE = 4  # of a small model, each with 55 MB; a build decodes for no more of them
CROWDED_S = 0.1  # seconds after two batches of a small model met, in which others are likely to come
_export_lock = threading.Lock()  # torch's exporter is not thread-safe, and one export is enough


@dataclass(frozen=True, slots=True)
class ModelSource:
    """How to get a frozen model: a key that identifies its export, and a function that loads it with torch.

    `build` makes its graph without torch, where there is such a function.
    """

    name: str
    key: str
    load: Callable[[], TorchModel]
    build: Callable[[], BuiltModel] | None = None

    @property
    def card(self) -> Path:
        """Return the file that holds the export's metadata."""
        key = hashlib.sha256(f"{EXPORT_VERSION} {self.key}".encode()).hexdigest()[:16]
        return models_folder() / f"{self.name}-{key}.json"

    def onnx(self, sha256: str) -> Path:
        """Return the file of an export with that content."""
        return models_folder() / f"{self.name}-{sha256[:16]}.onnx"


class Runner(Protocol):
    """A frozen model ready to run: arrays by input name in, one float32 array (n, ..., features) out."""

    kind: str
    meta: Mapping[str, Any]
    batches_at_once: int  # that as many threads run in less time than one after the other

    def __call__(self, inputs: Arrays) -> Floats:
        """Run one batch."""

    def run_batches(self, batches: Sequence[Arrays]) -> list[Floats]:
        """Run every batch."""


def open_runner(source: ModelSource, runtime: str = "auto", *, small: bool = False, spare: int = 0) -> Runner:
    """Open the model on a runtime; "auto" is torch where CUDA works, else ONNX Runtime.

    Of a `small` model, batches that come while another runs take one thread each, in a second copy of the model. One
    batch leaves `spare` cores to other work, where there are more.
    Raises EncoderUnavailable, ParityError.
    """
    if runtime not in RUNTIMES:
        raise EncoderUnavailable(f"There is no runtime {runtime!r}.", f"Use one of: {', '.join(RUNTIMES)}.")
    if _runs_in_torch(runtime):
        runner: Runner = torch_module("torch_runtime").TorchRunner(source.load(), threads())
        return runner
    with _export_lock:
        model, meta = _exported(source)
    return OnnxRunner(model, meta, max(1, threads() - spare), small=small)


class OnnxRunner:
    """A model exported to ONNX, run on the CPU; `cores` is how many threads share one batch, by default `threads()`.

    Threads that share a batch wait for each other at each layer, which is worth it while cores are idle. A `small`
    model's batch that comes while another runs, or soon after two met, has one thread, so that no core waits.
    """

    kind = "onnx"

    def __init__(self, model: Path, meta: Mapping[str, Any], cores: int = 0, *, small: bool = False) -> None:
        import onnxruntime  # only a process that opens a model needs the 60 ms and the native library

        _limit_numpy_threads()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._cores = cores or threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # see indexer/__init__.py
        options.log_severity_level = 3
        self.meta = meta
        self._model = model
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._lock = threading.Lock()
        self._one_thread: OnnxRunner | None = None
        self._small = small and self._cores > 1
        self.batches_at_once = min(self._cores, MAX_BATCHES_AT_ONCE) if self._small else 1
        self._running = 0  # batches of a small model
        self._met = -math.inf  # when two of them last met, in seconds of the monotonic clock

    def __call__(self, inputs: Arrays) -> Floats:
        """Run the batch; thread-safe."""
        if not self._small:
            return self._outputs(inputs)
        with self._lock:
            self._running += 1
            now = monotonic()
            if self._running > 1:
                self._met = now
            alone = now - self._met > CROWDED_S
        try:
            return self._outputs(inputs) if alone else self._on_one_thread()(inputs)
        finally:
            with self._lock:
                self._running -= 1

    def run_batches(self, batches: Sequence[Arrays]) -> list[Floats]:
        """Run every batch; many batches on one thread each, because threads that share a batch wait for each other.

        For that a model of several threads is opened a second time.
        """
        cores = threads()
        if cores == 1 or len(batches) < (2 if self._cores == 1 else MIN_BATCHES_AT_ONCE):
            return [self(batch) for batch in batches]
        with ThreadPoolExecutor(cores, "encode") as pool:
            return list(pool.map(self._on_one_thread(), batches))

    def _on_one_thread(self) -> OnnxRunner:
        """Return the model on one thread: itself, or a second copy, which is opened when it is first needed."""
        if self._cores == 1:
            return self
        with self._lock:
            self._one_thread = self._one_thread or OnnxRunner(self._model, self.meta, cores=1)
            return self._one_thread

    def _outputs(self, inputs: Arrays) -> Floats:
        output: Floats = self._session.run(None, dict(inputs))[0]
        return output


def _limit_numpy_threads() -> None:
    """Run numpy's matrix products on one thread.

    Its pool and ONNX Runtime's both spin while they wait; on two cores they took turns waiting for each other, and
    one picture took 11 ms instead of 6.
    """
    for library in ThreadpoolController().select(prefix="libscipy_openblas").lib_controllers:
        library.set_num_threads(1)


def threads() -> int:
    """Return how many threads one model may use: OMP_NUM_THREADS, else every core this process may run on."""
    setting = os.environ.get("OMP_NUM_THREADS", "")
    if setting.isdigit() and int(setting) > 0:
        return int(setting)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def models_folder() -> Path:
    """Return the folder of exported models: $WINDOWSHOP_MODELS, else windowshop/models in the user's cache folder."""
    setting = os.environ.get("WINDOWSHOP_MODELS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(setting) if setting else cache / "windowshop" / "models"


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes. Raises EncoderUnavailable when there is no such file."""
    if not file.is_file():
        raise EncoderUnavailable(f"There is no checkpoint {file}.", "Check the path, or use --encoder starter.")
    return record(file).sha256


def torch_module(name: str) -> ModuleType:
    """Import a module of this package that imports torch, which takes seconds; exported models never need one.

    Raises MissingExtra.
    """
    with requires_extra("torch", "Running or exporting this encoder's model"):
        return importlib.import_module(f"{__package__}.{name}")


def graph_module(name: str) -> ModuleType:
    """Import a module of `indexer.encoders.graphs`, which imports onnx: only a model that is built needs it."""
    return importlib.import_module(f"indexer.encoders.graphs.{name}")


def _runs_in_torch(runtime: str) -> bool:
    return runtime == "torch" or (runtime == "auto" and _cuda_works())


def _cuda_works() -> bool:
    if shutil.which("nvidia-smi") is None or not has_extra("torch"):
        return False
    return bool(torch_module("torch_runtime").cuda_available())


def _exported(source: ModelSource) -> tuple[Path, Mapping[str, Any]]:
    """Return the model's export and its card; export the model when there is no intact export.

    The card is written last and names the model file by content: an interrupted export does not count, damage is
    found, and two processes that export at once cannot mix their files.
    """
    if (intact := _intact_export(source)) is not None:
        return intact
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-")
    except OSError as error:
        raise EncoderUnavailable(
            f"Exported models cannot be stored in {folder}: {error.strerror}.",
            "Set WINDOWSHOP_MODELS to a folder that can be written, or use --runtime torch.",
        ) from error
    with scratch as inside:
        target, draft = Path(inside) / "model.onnx", Path(inside) / "card.json"
        meta = _write_built(source.build(), target) if source.build else _export(source.load(), target)
        meta["onnx_sha256"] = file_digest(target)
        draft.write_text(json.dumps(meta, indent=1))
        model = target.replace(source.onnx(meta["onnx_sha256"]))
        draft.replace(source.card)
    return model, meta


def _export(model: TorchModel, target: Path) -> dict[str, Any]:
    meta, expected = torch_module("torch_runtime").export_onnx(model, target)
    return {**meta, "parity_cosine": _parity(OnnxRunner(target, {})(model.example), expected)}


def _write_built(model: BuiltModel, target: Path) -> dict[str, Any]:
    target.write_bytes(model.data)
    if model.expected is None:
        return dict(model.meta)
    output = OnnxRunner(target, {})(model.example)
    cells = output.reshape(len(output), -1, output.shape[-1])
    step = -(-cells.shape[1] // model.expected.shape[1])
    return {**model.meta, "parity_cosine": _parity(cells[:, ::step], model.expected)}


def _parity(output: Floats, expected: Floats) -> float:
    """Return the smallest cosine over all rows, and cells of maps, to the original's. Raises ParityError."""
    cosine = float((unit(expected) * unit(output)).sum(axis=-1).min())
    if not cosine >= MIN_PARITY_COSINE:
        raise ParityError(
            f"The exported model differs from the original: cosine {cosine:.6f}, at least {MIN_PARITY_COSINE} is"
            " needed.",
            "Run with --runtime torch, and report the torch and onnxruntime versions.",
        )
    return round(cosine, 7)


def _intact_export(source: ModelSource) -> tuple[Path, Mapping[str, Any]] | None:
    try:
        meta = json.loads(source.card.read_text())
        model = source.onnx(meta["onnx_sha256"])
        return (model, meta) if file_digest(model) == meta["onnx_sha256"] else None
    except (OSError, ValueError, KeyError, TypeError, EncoderUnavailable):
        return None
