"""Write what torch gives for the example inputs of the starter's graphs.

Run `python -m tests.indexer.encoders.graphs.reference`. The file ships, so that an installation without torch can check
the graphs that it builds.
"""

from collections.abc import Callable

import numpy as np
import torch
from safetensors.numpy import save_file

from indexer.encoders.backends import starter_backbones
from indexer.encoders.backends.label_backbone import early_model
from indexer.encoders.backends.torch_runtime import TorchModel
from indexer.encoders.graphs.starter import REFERENCE, REFERENCE_CELLS
from indexer.types import Floats

MODELS: dict[str, Callable[[], TorchModel]] = {
    "lite0": starter_backbones.load_picture_backbone,
    "lite0-maps": starter_backbones.load_picture_maps,
    "lite0-early": early_model,
    "minilm": starter_backbones.load_text_backbone,
    "e5": starter_backbones.load_multilingual_backbone,
}


def torch_output(model: TorchModel, inputs: list[np.ndarray]) -> Floats:
    """Return the torch module's own output."""
    with torch.inference_mode():
        output: Floats = model.module.eval()(*map(torch.from_numpy, inputs)).numpy()
    return output


def reference() -> dict[str, np.ndarray]:
    """Return the outputs that ship, float16, of maps only some cells."""
    outputs = {}
    for name, load in MODELS.items():
        model = load()
        outputs[name] = shipped_cells(torch_output(model, list(model.example.values())))
    return outputs


def shipped_cells(rows: Floats) -> np.ndarray:
    """Return the part of an output that ships, float16."""
    cells = rows.reshape(len(rows), -1, rows.shape[-1])
    return cells[:, ::REFERENCE_CELLS].astype(np.float16)


if __name__ == "__main__":
    save_file(reference(), REFERENCE)
    print(f"{REFERENCE}: {REFERENCE.stat().st_size:,} bytes")
