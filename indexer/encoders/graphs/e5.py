"""multilingual-e5-small in 4 bits as an ONNX graph: the weights stay as the package stores them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto

from indexer.encoders.graphs.bert import Bert
from indexer.encoders.graphs.builder import Array, GraphBuilder
from indexer.encoders.graphs.e5_file import BLOCK, QuantisedTensor

LAYERS = 12
RUNTIME_DOMAIN = "com.microsoft"  # of ONNX Runtime's own operators
FLOAT_PRODUCTS = 1  # accuracy level: with 4, which rounds activations to 8 bits, the cosine to torch is 0.9998


class E5(Bert):
    """The layers of the network in a graph; `matrices` are the weights of 4 bits by transformers' names."""

    def __init__(
        self, graph: GraphBuilder, weights: Mapping[str, Array], matrices: Mapping[str, QuantisedTensor]
    ) -> None:
        super().__init__(graph, weights, LAYERS)
        self._matrices = matrices

    def _words(self, ids: str) -> str:
        table = self._matrices["embeddings.word_embeddings.weight"]
        signed = table.packed() ^ np.uint8(0x88)  # the operator reads two's complement: a weight less 8
        words = self._graph.packed_constant(TensorProto.INT4, (len(signed), self._dim), signed.tobytes())
        scales = table.scales.astype(np.float32)
        layout = {"block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1}
        return self._graph.op("GatherBlockQuantized", words, ids, scales, domain=RUNTIME_DOMAIN, **layout)

    def _product(self, x: str, name: str) -> str:
        matrix = self._matrices[f"{name}.weight"]
        rows, blocks = matrix.scales.shape
        layout = {"K": blocks * BLOCK, "N": rows, "bits": 4, "block_size": BLOCK, "accuracy_level": FLOAT_PRODUCTS}
        return self._graph.op(
            "MatMulNBits", x, matrix.packed(), matrix.scales.astype(np.float32), domain=RUNTIME_DOMAIN, **layout
        )
