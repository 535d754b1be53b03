"""Run a model in torch and export it to ONNX. Imports torch."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.graphs import parity
from indexer.types import Arrays, Floats


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A torch module with what an export needs: example inputs (batch of 2) and metadata to store with the export.

    `free_axes` are the axes of every input whose length may differ from the example's.
    """

    module: nn.Module
    example: Arrays
    meta: Mapping[str, Any]
    free_axes: tuple[int, ...] = (0,)


def torch_model(
    module: nn.Module,
    example: Arrays,
    meta: Mapping[str, Any] | None = None,
    *,
    weights: nn.Module | None = None,
    free_axes: tuple[int, ...] = (0,),
) -> TorchModel:
    """Return the module with `meta` and the digest of `weights`, which are the module's own by default."""
    digest = weights_digest(module if weights is None else weights)
    return TorchModel(module.eval(), example, {"weights_sha256": digest, **(meta or {})}, free_axes)


class TorchRunner:
    """The original module: float32 on a CPU with `threads` threads, autocast to float16 on CUDA."""

    kind = "torch"
    batches_at_once = 1

    def __init__(self, model: TorchModel, threads: int) -> None:
        self.meta = model.meta
        self._device = "cuda" if cuda_available() else "cpu"
        self._module = model.module.eval().to(self._device)
        if self._device == "cpu":
            torch.set_num_threads(threads)

    def __call__(self, inputs: Arrays) -> Floats:
        """Run the batch in inference mode."""
        arrays = [np.require(array, requirements=["C", "W"]) for array in inputs.values()]  # Pillow's are read-only
        tensors = [torch.from_numpy(array).to(self._device) for array in arrays]
        with torch.inference_mode(), torch.autocast("cuda", enabled=self._device == "cuda"):
            output: Floats = self._module(*tensors).float().cpu().numpy()
        return output

    def run_batches(self, batches: Sequence[Arrays]) -> list[Floats]:
        """Run every batch."""
        return [self(batch) for batch in batches]


def cuda_available() -> bool:
    """Return whether torch can use a GPU."""
    return torch.cuda.is_available()


def weights_digest(module: nn.Module) -> str:
    """Return the SHA-256 over the names and bytes of every weight."""
    return parity.weights_digest((name, tensor.detach().cpu().numpy()) for name, tensor in module.state_dict().items())


def export_onnx(model: TorchModel, target: Path) -> tuple[dict[str, Any], Floats]:
    """Write the model as ONNX; return its metadata and the original's output for the example inputs.

    Raises EncoderUnavailable when the model cannot be exported.
    """
    tensors = tuple(torch.from_numpy(array) for array in model.example.values())
    with torch.inference_mode():
        expected: Floats = model.module.eval()(*tensors).numpy()
        try:
            _write_onnx(model, tensors, target)
        except Exception as error:  # the exporter, its passes and the model's code raise errors of many types
            reason = str(error).strip().partition("\n")[0]
            raise EncoderUnavailable(
                f"This model cannot be exported to ONNX: {type(error).__name__}: {reason[:300]}", "Use --runtime torch."
            ) from error
    return {**model.meta, "torch": torch.__version__}, expected


def _write_onnx(model: TorchModel, tensors: tuple[torch.Tensor, ...], target: Path) -> None:
    free = {axis: torch.export.Dim(f"axis{axis}", min=1, max=4096) for axis in model.free_axes}
    for name in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        torch.onnx.export(
            model.module,
            tensors,
            str(target),
            input_names=list(model.example),
            output_names=["features"],
            dynamic_shapes=tuple(free for _ in tensors),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
