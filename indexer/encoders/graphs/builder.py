"""Build ONNX graphs node by node. Needs onnx, but no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18  # the first in which every reduction takes its axes as an input
OPSET_4_BITS = 21  # the first with numbers of 4 bits
IR_VERSION = 10  # ONNX Runtime 1.20 reads it

Array = NDArray[Any]


class GraphBuilder:
    """Collects nodes and constants; each operation returns the name of its result."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        """Declare an input; an axis named by a string may have any length."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def constant(self, values: Array) -> str:
        """Add a constant."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def packed_constant(self, dtype: int, shape: Sequence[int], data: bytes) -> str:
        """Add a constant of a type that numpy lacks, such as numbers of 4 bits, packed as ONNX packs them."""
        name = f"c{len(self._constants)}"
        self._constants.append(TensorProto(name=name, data_type=dtype, dims=shape, raw_data=data))
        return name

    def op(self, kind: str, *inputs: str | Array | np.float32, **attributes: Any) -> str:
        """Add a node of one output; arrays among its inputs become constants."""
        names = [value if isinstance(value, str) else self.constant(np.asarray(value)) for value in inputs]
        name = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, names, [name], name=name, **attributes))
        return name

    def scalar(self, kind: str, value: str, operand: float) -> str:
        """Add a node of a value and a float32 number, such as Mul."""
        return self.op(kind, value, np.float32(operand))

    def reduce(self, kind: str, value: str, axes: Sequence[int], keep: bool = True) -> str:
        """Reduce axes: ReduceSum, ReduceMean, ReduceMax or ReduceL2."""
        return self.op(kind, value, np.array(axes, np.int64), keepdims=int(keep))

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        """Reshape; 0 keeps an axis, -1 is what is left."""
        return self.op("Reshape", value, np.array(shape, np.int64))

    def take(self, value: str, axis: int, indices: int | Sequence[int]) -> str:
        """Select along an axis; a single index removes the axis."""
        return self.op("Gather", value, np.array(indices, np.int64), axis=axis)

    def transpose(self, value: str, order: Sequence[int]) -> str:
        """Reorder axes."""
        return self.op("Transpose", value, perm=list(order))

    def concat(self, values: Sequence[str], axis: int) -> str:
        """Join along an axis."""
        return self.op("Concat", *values, axis=axis)

    def resize(self, value: str, scale: float) -> str:
        """Resize maps (n, c, h, w) bilinearly, without smoothing, as torch's interpolate does."""
        if scale == 1:
            return value
        scales = np.array([1, 1, scale, scale], np.float32)
        attributes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel", "antialias": 0}
        empty = np.zeros(0, np.float32)
        return self.op("Resize", value, empty, scales, **attributes)

    def model(self, output: str, axes: int = 2, name: str = "features") -> bytes:
        """Return the graph that ends in `output`, serialised; its output is float32 with that many axes."""
        domains = {node.domain for node in self._nodes if node.domain}
        self._nodes.append(helper.make_node("Identity", [output], [name]))
        result = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * axes)
        graph = helper.make_graph(self._nodes, "windowshop", self._inputs, [result], self._constants)
        opsets = [helper.make_opsetid("", OPSET_4_BITS if domains else OPSET)]
        opsets += [helper.make_opsetid(domain, 1) for domain in sorted(domains)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="windowshop")
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))
