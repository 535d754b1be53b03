"""BERT encoders as ONNX graphs (Devlin et al. 2018, arXiv:1810.04805), averaged at two layers: MiniLM-L6, E5."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto

from indexer.encoders.graphs.builder import GraphBuilder
from indexer.encoders.graphs.checkpoint import Weights

HEADS = 12
NORM_EPSILON = 1e-12
_MASKED = -1e9  # added to the attention of padding


class Bert:
    """The layers of a network in a graph. `weights` have the names of transformers' BertModel.

    A subclass may store matrices in another form: it has its own `_words` and `_product`.
    """

    def __init__(self, graph: GraphBuilder, weights: Weights, layers: int) -> None:
        self._graph = graph
        self._weights = weights
        self._layers = layers
        self._dim = weights["embeddings.LayerNorm.weight"].shape[0]

    def features(self) -> str:
        """Return float32 (n, 768) of ids and mask, int64 (n, length): the means of the first and the last layer."""
        graph = self._graph
        ids = graph.input("ids", TensorProto.INT64, ["n", "length"])
        mask = graph.op("Cast", graph.input("mask", TensorProto.INT64, ["n", "length"]), to=TensorProto.FLOAT)
        hidden = words = self._embeddings(ids)
        padding = graph.scalar("Mul", graph.scalar("Sub", mask, 1), -_MASKED)
        attention = graph.op("Unsqueeze", padding, np.array([1, 2], np.int64))
        for number in range(self._layers):
            hidden = self._layer(hidden, attention, f"encoder.layer.{number}")
        weight = graph.op("Unsqueeze", mask, np.array([2], np.int64))
        count = graph.reduce("ReduceSum", weight, (1,))
        means = [
            graph.op("Div", graph.reduce("ReduceSum", graph.op("Mul", states, weight), (1,)), count)
            for states in (words, hidden)
        ]
        return graph.reshape(graph.concat(means, axis=2), (0, -1))

    def _embeddings(self, ids: str) -> str:
        graph = self._graph
        length = graph.op("Shape", ids, start=1, end=2)
        types = self._weights["embeddings.token_type_embeddings.weight"][0]
        positions = self._weights["embeddings.position_embeddings.weight"] + types
        placed = graph.op("Slice", positions, np.array([0], np.int64), length, np.array([0], np.int64))
        return self._norm(graph.op("Add", self._words(ids), placed), "embeddings.LayerNorm")

    def _words(self, ids: str) -> str:
        return self._graph.op("Gather", self._weights["embeddings.word_embeddings.weight"], ids)

    def _layer(self, x: str, attention: str, name: str) -> str:
        graph = self._graph
        attended = self._linear(self._attend(x, attention, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = self._norm(graph.op("Add", attended, x), f"{name}.attention.output.LayerNorm")
        inner = self._gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._norm(graph.op("Add", self._linear(inner, f"{name}.output.dense"), x), f"{name}.output.LayerNorm")

    def _attend(self, x: str, attention: str, name: str) -> str:
        graph = self._graph
        query, key, value = (self._heads(self._linear(x, f"{name}.{part}")) for part in ("query", "key", "value"))
        scores = graph.op("MatMul", query, graph.transpose(key, (0, 1, 3, 2)))
        scores = graph.scalar("Mul", scores, 1 / math.sqrt(self._dim // HEADS))
        shares = graph.op("Softmax", graph.op("Add", scores, attention), axis=-1)
        joined = graph.transpose(graph.op("MatMul", shares, value), (0, 2, 1, 3))
        return graph.reshape(joined, (0, 0, self._dim))

    def _heads(self, x: str) -> str:
        split = self._graph.reshape(x, (0, 0, HEADS, self._dim // HEADS))
        return self._graph.transpose(split, (0, 2, 1, 3))

    def _linear(self, x: str, name: str) -> str:
        return self._graph.op("Add", self._product(x, name), self._weights[f"{name}.bias"])

    def _product(self, x: str, name: str) -> str:
        return self._graph.op("MatMul", x, self._weights[f"{name}.weight"].T)

    def _norm(self, x: str, name: str) -> str:
        gain, offset = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return self._graph.op("LayerNormalization", x, gain, offset, axis=-1, epsilon=NORM_EPSILON)

    def _gelu(self, x: str) -> str:
        graph = self._graph
        erf = graph.scalar("Add", graph.op("Erf", graph.scalar("Mul", x, 1 / math.sqrt(2))), 1)
        return graph.op("Mul", graph.scalar("Mul", x, 0.5), erf)


def layer_names(layers: int) -> list[str]:
    """Return the names of a network's weights in the order of its layers, without its pooler."""
    names = [f"embeddings.{part}_embeddings.weight" for part in ("word", "position", "token_type")]
    names += _pair("embeddings.LayerNorm")
    parts = [f"attention.self.{part}" for part in ("query", "key", "value")]
    parts += ["attention.output.dense", "attention.output.LayerNorm", "intermediate.dense"]
    parts += ["output.dense", "output.LayerNorm"]
    return names + [name for n in range(layers) for part in parts for name in _pair(f"encoder.layer.{n}.{part}")]


def _pair(layer: str) -> list[str]:
    return [f"{layer}.weight", f"{layer}.bias"]
