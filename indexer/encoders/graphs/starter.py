"""The starter's models as ONNX graphs, built from the packages' weight files without torch.

`backends.starter_backbones` has the same models as torch modules, which the tests compare with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from indexer.encoders.graphs import bert, lite0
from indexer.encoders.graphs.builder import Array, GraphBuilder
from indexer.encoders.graphs.checkpoint import read_lite0, read_minilm
from indexer.encoders.graphs.e5 import E5
from indexer.encoders.graphs.e5_file import E5_SHA256, read_e5
from indexer.encoders.graphs.parity import example_texts, noise_pictures, weights_digest
from indexer.types import Arrays, Floats

SIDE, MAP_SIDE = 224, 448  # pixels of the input; maps are twice as fine
POOLED_STAGES = (1, 2, 4, 5)  # EfficientNet has seven; these show edges and colours, textures, parts
MAP_STAGES = (4, 6)
FOREGROUND_STAGE = 4  # 14 x 14 cells: fine enough for a box, deep enough to know cloth from cup
FROZEN_STAGES = 4  # of the label network, which has later stages of its own
CENTRE_WIDTH = 0.6  # standard deviation of the centre's weight, as a share of half the picture's side
MINILM_LAYERS = 6
COLOUR_STEPS = 5  # levels a channel of the soft RGB histogram
REFERENCE = Path(__file__).parent.parent / "starter" / "reference.safetensors"
REFERENCE_CELLS = 49  # every so many cells of a map are in the reference
_SHORTEST = 1e-12  # shortest length that a vector is divided by


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """A serialised ONNX graph, its metadata, example inputs and what torch gave for them, float32 (n, cells, features).

    `expected` has every REFERENCE_CELLS-th cell of a map, and the one row of a vector; None when nothing is known.
    """

    data: bytes
    meta: Mapping[str, Any]
    example: Arrays
    expected: Floats | None


def build_pictures() -> BuiltModel:
    """Build the picture tower: uint8 (n, 224, 224, 3) to float32 (n, 1898). Raises EncoderUnavailable."""
    graph = GraphBuilder()
    network = lite0.Lite0(graph, lite0_weights())
    rgb = network.pixels(SIDE)
    small = graph.op("AveragePool", rgb, kernel_shape=[4, 4], strides=[4, 4])
    maps = _stages(network, rgb)
    foreground = _foreground(graph, maps[FOREGROUND_STAGE], cells=14)
    pooled = [_histogram(graph, small, None), _histogram(graph, small, graph.resize(foreground, 4))]
    for stage, cells in zip(POOLED_STAGES, (56, 28, 14, 7), strict=True):
        pooled.append(_average(graph, maps[stage], graph.resize(foreground, cells / 14)))
    pooled.append(_average(graph, network.head(maps[-1]), graph.resize(foreground, 7 / 14)))
    return _lite0_model(graph, graph.concat(pooled, axis=1), "lite0", SIDE)


def build_maps(preprocess: Mapping[str, Any]) -> BuiltModel:
    """Build the feature maps of stages 5 and 7: uint8 (n, 448, 448, 3) to float32 (n, 28, 28, 432).

    The metadata hold the record of the preprocessing and the number of channels of the finer stage.
    """
    graph = GraphBuilder()
    network = lite0.Lite0(graph, lite0_weights())
    maps = _stages(network, network.pixels(MAP_SIDE))
    fine, deep = maps[MAP_STAGES[0]], graph.resize(maps[MAP_STAGES[1]], 2)
    scaled = []
    for cells in (fine, deep):
        length = graph.reduce("ReduceMean", graph.reduce("ReduceL2", cells, (1,)), (2, 3))
        scaled.append(graph.op("Div", cells, graph.scalar("Add", length, 1e-6)))
    joined = graph.transpose(graph.concat(scaled, axis=1), (0, 2, 3, 1))
    built = _lite0_model(graph, joined, "lite0-maps", MAP_SIDE, axes=4)
    fine = lite0_weights()[f"blocks.{MAP_STAGES[0]}.0.conv_pwl.weight"].shape[0]
    return replace(built, meta={**built.meta, "preprocess": dict(preprocess), "fine": int(fine)})


def build_early_stages() -> BuiltModel:
    """Build the label network's frozen stages: uint8 (n, 224, 224, 3) to float32 (n, 80 * 14 * 14)."""
    graph = GraphBuilder()
    network = lite0.Lite0(graph, lite0_weights())
    x = network.stem(network.pixels(SIDE))
    for number in range(FROZEN_STAGES):
        x = network.stage(x, number)
    return _lite0_model(graph, graph.op("Flatten", x), "lite0-early", SIDE)


def build_texts() -> BuiltModel:
    """Build the sentence tower: ids and mask, int64 (n, length), to float32 (n, 768). Raises EncoderUnavailable."""
    weights = read_minilm()
    graph = GraphBuilder()
    data = graph.model(bert.Bert(graph, weights, MINILM_LAYERS).features())
    names = [*bert.layer_names(MINILM_LAYERS), "pooler.dense.weight", "pooler.dense.bias"]
    digest = weights_digest((f"tower.{name}", weights[name]) for name in names)
    return BuiltModel(data, {"weights_sha256": digest}, example_texts(), _expected("minilm"))


def build_multilingual_texts() -> BuiltModel:
    """Build the tower that reads many languages: ids and mask, int64 (n, length), to float32 (n, 768)."""
    file = read_e5()
    graph = GraphBuilder()
    data = graph.model(E5(graph, file.weights, file.matrices).features())
    return BuiltModel(data, {"weights_sha256": E5_SHA256}, example_texts(), _expected("e5"))


def _lite0_model(graph: GraphBuilder, output: str, name: str, side: int, axes: int = 2) -> BuiltModel:
    digest = weights_digest((f"tower.{layer}", values) for layer, values in lite0_weights().items())
    example = {"pixels": noise_pictures(side)}
    return BuiltModel(graph.model(output, axes), {"weights_sha256": digest}, example, _expected(name))


@cache
def lite0_weights() -> dict[str, Array]:
    """Return the package's weights by timm's names. Raises EncoderUnavailable."""
    return read_lite0()


def _expected(name: str) -> Floats:
    expected: Floats = load_file(REFERENCE)[name].astype(np.float32)
    return expected


def _stages(network: lite0.Lite0, rgb: str) -> list[str]:
    x = network.stem(rgb)
    return [x := network.stage(x, number) for number in range(len(lite0.STAGES))]


def _foreground(graph: GraphBuilder, features: str, cells: int) -> str:
    """Return how far each cell belongs to the object: (n, c, cells, cells) to (n, 1, cells, cells), above 0.

    The weight grows with the distance from the most similar cell of the picture's border, and towards the centre.
    """
    centred = graph.op("Sub", features, graph.reduce("ReduceMean", features, (2, 3)))
    length = graph.op("Max", graph.reduce("ReduceL2", centred, (1,)), np.float32(_SHORTEST))
    flat = graph.reshape(graph.op("Div", centred, length), (0, 0, -1))
    places = np.arange(cells * cells).reshape(cells, cells)
    inside = set(places[1:-1, 1:-1].ravel().tolist())
    border = graph.take(flat, 2, [place for place in places.ravel().tolist() if place not in inside])
    nearest = graph.reduce("ReduceMax", graph.op("MatMul", graph.transpose(flat, (0, 2, 1)), border), (2,))
    apart = graph.reshape(graph.op("Relu", graph.op("Sub", np.float32(1), nearest)), (0, 1, cells, cells))
    line = np.linspace(-1, 1, cells, dtype=np.float32)
    centre = np.exp(-(line[:, None] ** 2 + line[None] ** 2) / np.float32(2 * CENTRE_WIDTH**2))
    weighted = graph.op("Mul", graph.op("Mul", apart, apart), centre.astype(np.float32))
    return graph.scalar("Add", weighted, 1e-6)  # never 0, so that a picture of one colour is averaged evenly


def _average(graph: GraphBuilder, features: str, weights: str) -> str:
    """Return the weighted average over the cells: (n, c, h, w) and (n, 1, h, w) to (n, c)."""
    return graph.reduce("ReduceSum", graph.op("Mul", features, _shares(graph, weights)), (2, 3), keep=False)


def _shares(graph: GraphBuilder, weights: str) -> str:
    return graph.op("Div", weights, graph.reduce("ReduceSum", weights, (2, 3)))


def _histogram(graph: GraphBuilder, rgb: str, weights: str | None) -> str:
    """Return the weighted share of each of 5 x 5 x 5 RGB cells, interpolated: (n, 3, h, w) in 0..1 to (n, 125)."""
    levels = np.linspace(0, 1, COLOUR_STEPS, dtype=np.float32).reshape(1, 1, -1, 1, 1)
    apart = graph.op("Abs", graph.op("Sub", graph.op("Unsqueeze", rgb, np.array([2], np.int64)), levels))
    near = graph.op("Relu", graph.op("Sub", np.float32(1), graph.scalar("Mul", apart, COLOUR_STEPS - 1)))
    red, green, blue = (graph.reshape(graph.take(near, 1, plane), (0, COLOUR_STEPS, -1)) for plane in range(3))
    first, second = (graph.op("Unsqueeze", plane, np.array([axis], np.int64)) for plane, axis in ((red, 2), (green, 1)))
    pairs = graph.reshape(graph.op("Mul", first, second), (0, COLOUR_STEPS**2, -1))
    if weights is None:
        cells = graph.op("MatMul", pairs, graph.transpose(blue, (0, 2, 1)))
        cells = graph.scalar("Mul", cells, 1 / (SIDE // 4) ** 2)
    else:
        shares = graph.reshape(_shares(graph, weights), (0, 1, -1))
        cells = graph.op("MatMul", graph.op("Mul", pairs, shares), graph.transpose(blue, (0, 2, 1)))
    return graph.op("Flatten", cells)
