"""A shop's label network as an ONNX graph: the starter's frozen early stages and late stages of the shop's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from catalog.errors import EncoderUnavailable
from indexer.encoders.graphs import lite0
from indexer.encoders.graphs.builder import GraphBuilder
from indexer.encoders.graphs.checkpoint import Weights
from indexer.encoders.graphs.parity import noise_pictures
from indexer.encoders.graphs.starter import FROZEN_STAGES, SIDE, BuiltModel, lite0_weights

OUTPUTS = "reference.outputs"  # of the two pictures of noise, when torch had just fitted the network


def build_label_network(file: Path) -> BuiltModel:
    """Build the network in a file: uint8 (n, 224, 224, 3) to logits, float32 (n, labels). Raises EncoderUnavailable."""
    try:
        late = {name: values.astype(np.float32) for name, values in load_file(file).items()}
        graph = GraphBuilder()
        network = lite0.Lite0(graph, lite0_weights() | _tower_names(late))
        x = network.stem(network.pixels(SIDE))
        for number in range(len(lite0.STAGES)):
            x = network.stage(x, number)
        means = graph.reduce("ReduceMean", network.head(x), (2, 3), keep=False)
        logits = graph.op("Add", graph.op("MatMul", means, late["out.weight"].T), late["out.bias"])
        expected = late[OUTPUTS][:, None] if OUTPUTS in late else None
        return BuiltModel(graph.model(logits), {}, {"pixels": noise_pictures(SIDE)}, expected)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise EncoderUnavailable(
            f"The shop's label network {file} cannot be read: {error}.",
            "Remove the file, or fit the network again: python -m search learn --fine-tune.",
        ) from error


def _tower_names(late: Weights) -> dict[str, np.ndarray]:
    """Return the late stages by the tower's names: "stages.0.1.bn1.bias" is "blocks.4.1.bn1.bias"."""
    head, norm = len(lite0.STAGES) - FROZEN_STAGES, len(lite0.STAGES) - FROZEN_STAGES + 1
    names = {}
    for name, values in late.items():
        if name.startswith("stages."):
            number, _, rest = name.removeprefix("stages.").partition(".")
            layer = {head: lite0.HEAD, norm: "bn2"}.get(int(number), f"blocks.{int(number) + FROZEN_STAGES}")
            names[f"{layer}.{rest}"] = values
    return names
