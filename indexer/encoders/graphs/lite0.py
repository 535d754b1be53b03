"""EfficientNet-Lite0 as an ONNX graph (Tan and Le 2019, arXiv:1905.11946; Lite0 drops squeeze-and-excitation)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from onnx import TensorProto

from indexer.encoders.graphs.builder import Array, GraphBuilder
from indexer.encoders.graphs.checkpoint import Weights

NORM_EPSILON = 1e-3
HEAD = "conv_head"


class Stage(NamedTuple):
    """One of the seven stages: its blocks, the side of their depthwise kernels, and the stride of the first."""

    blocks: int
    kernel: int
    stride: int


STAGES = (
    Stage(1, 3, 1),
    Stage(2, 3, 2),
    Stage(2, 5, 2),
    Stage(3, 3, 2),
    Stage(3, 5, 1),
    Stage(4, 5, 2),
    Stage(1, 3, 1),
)


class Lite0:
    """The layers of the network in a graph. `weights` have timm's names."""

    def __init__(self, graph: GraphBuilder, weights: Weights) -> None:
        self._graph = graph
        self._weights = weights

    def pixels(self, side: int) -> str:
        """Declare the input, uint8 (n, side, side, 3), and return float32 (n, 3, side, side) from 0 to 1."""
        pixels = self._graph.input("pixels", TensorProto.UINT8, ["n", side, side, 3])
        planes = self._graph.transpose(self._graph.op("Cast", pixels, to=TensorProto.FLOAT), (0, 3, 1, 2))
        return self._graph.scalar("Mul", planes, 1 / 255)

    def stem(self, rgb: str) -> str:
        """Return the first layer's maps of pictures from 0 to 1."""
        centred = self._graph.scalar("Sub", self._graph.scalar("Mul", rgb, 2), 1)
        return self._convolution(centred, "conv_stem", "bn1", stride=2)

    def stage(self, x: str, number: int) -> str:
        """Return a stage's maps, of those of the stage before it."""
        stage = STAGES[number]
        for block in range(stage.blocks):
            x = self._block(x, f"blocks.{number}.{block}", stage.stride if block == 0 else 1)
        return x

    def head(self, x: str) -> str:
        """Return the last layer's maps, with 1,280 channels."""
        return self._convolution(x, HEAD, "bn2")

    def _block(self, x: str, name: str, stride: int) -> str:
        if f"{name}.conv_pwl.weight" not in self._weights:  # the first stage does not expand
            wide = self._convolution(x, f"{name}.conv_dw", f"{name}.bn1", stride=stride)
            return self._convolution(wide, f"{name}.conv_pw", f"{name}.bn2", clip=False)
        wide = self._convolution(x, f"{name}.conv_pw", f"{name}.bn1")
        wide = self._convolution(wide, f"{name}.conv_dw", f"{name}.bn2", stride=stride)
        narrow = self._convolution(wide, f"{name}.conv_pwl", f"{name}.bn3", clip=False)
        same_shape = stride == 1 and self._weights[f"{name}.conv_pw.weight"].shape[1] == self._channels(name)
        return self._graph.op("Add", x, narrow) if same_shape else narrow

    def _channels(self, name: str) -> int:
        return int(self._weights[f"{name}.conv_pwl.weight"].shape[0])

    def _convolution(self, x: str, layer: str, norm: str, *, stride: int = 1, clip: bool = True) -> str:
        """Convolve, normalise and clip to 0..6; the normalisation is folded into the kernel."""
        kernel, offset = self._folded(layer, norm)
        groups = kernel.shape[0] if kernel.shape[1] == 1 and kernel.shape[2] > 1 else 1
        attributes = {"strides": [stride, stride], "group": groups, "auto_pad": "SAME_UPPER"}
        x = self._graph.op("Conv", x, kernel, offset, **attributes)
        return self._graph.op("Clip", x, np.float32(0), np.float32(6)) if clip else x

    def _folded(self, layer: str, norm: str) -> tuple[Array, Array]:
        gain, offset, mean, variance = (
            self._weights[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + NORM_EPSILON)
        kernel = self._weights[f"{layer}.weight"].astype(np.float64) * scale[:, None, None, None]
        return kernel.astype(np.float32), (offset - mean * scale).astype(np.float32)
