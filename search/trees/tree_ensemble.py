"""Gradient-boosted trees, fitted by scikit-learn and run by ONNX Runtime: a server needs neither it nor pickle."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from typing_extensions import Self

from catalog.errors import DamagedStore
from catalog.extras import import_extra
from indexer.types import Floats, Mask

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

TREE_SETTINGS = {
    "max_iter": 200,
    "learning_rate": 0.08,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 100,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}
INPUT, MARGINS, OUTPUT = "features", "margins", "probabilities"
_AGAIN = "Fit the model again."


class TreeEnsemble:
    """A binary classifier or regressor of trees; threads may share it. Raises DamagedStore for bytes that hold none."""

    def __init__(self, graph: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # several threads of a server ask at once
        options.log_severity_level = 3
        self.graph = graph  # the bytes of an ONNX file
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # what ONNX Runtime raises has no base class of its own
            raise DamagedStore(f"The file of a model holds no trees: {error}", _AGAIN) from error

    @classmethod
    def from_sklearn(cls, model: HistGradientBoostingClassifier | HistGradientBoostingRegressor) -> Self:
        """Take over a fitted model without categorical features: a binary classifier, or a regressor whose prediction
        is the sum of the leaves, such as one of squared errors or of a quantile.
        """
        trees = [predictors[0].nodes for predictors in model._predictors]
        bias = float(np.ravel(model._baseline_prediction)[0])
        activation = "Sigmoid" if hasattr(model, "predict_proba") else "Identity"
        return cls(_graph(trees, bias, model.n_features_in_, activation).SerializeToString())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load stored trees. Raises DamagedStore."""
        try:
            return cls(path.read_bytes())
        except (OSError, DamagedStore) as error:
            raise DamagedStore(f"{path} holds no trees: {error}", _AGAIN) from error

    def save(self, path: Path) -> None:
        """Write the trees to a file."""
        path.write_bytes(self.graph)

    def predict(self, features: Floats) -> Floats:
        """Return the probability, or a regressor's value, of each row of features, float32 (n, features) to (n,)."""
        if not len(features):
            return np.empty(0, np.float32)
        (found,) = self._session.run([OUTPUT], {INPUT: np.ascontiguousarray(features, np.float32)})
        return np.asarray(found[:, 0], np.float32)


def fit_trees(features: Floats, labels: Mask, **settings: Any) -> TreeEnsemble:
    """Fit a binary classifier on features (n, f) and labels (n,); `settings` in place of TREE_SETTINGS.

    Raises MissingExtra.
    """
    ensemble = import_extra("recs", "sklearn.ensemble", "Fitting trees")
    unknown = np.isnan(features).all(axis=0)  # such as prices in a log without any, which scikit-learn cannot bin
    if unknown.any():
        features = np.where(unknown, np.float32(0), features)
    return TreeEnsemble.from_sklearn(
        ensemble.HistGradientBoostingClassifier(**{**TREE_SETTINGS, **settings}).fit(features, labels)
    )


def _graph(trees: list[np.ndarray[Any, Any]], bias: float, features: int, activation: str) -> Any:
    """Return a graph that adds the leaves of trees to a bias and applies an activation, an operator of ONNX."""
    nodes = np.concatenate(trees)
    sizes = np.array([len(tree) for tree in trees])
    tree_ids = np.repeat(np.arange(len(trees)), sizes)
    node_ids = np.concatenate([np.arange(size) for size in sizes])
    leaf = nodes["is_leaf"].astype(bool)
    attributes: dict[str, Any] = {
        "nodes_treeids": tree_ids,
        "nodes_nodeids": node_ids,
        "nodes_featureids": np.where(leaf, 0, nodes["feature_idx"]),
        "nodes_values": np.where(leaf, np.float32(0), _rounded_down(nodes["num_threshold"])),
        "nodes_modes": ["LEAF" if is_leaf else "BRANCH_LEQ" for is_leaf in leaf.tolist()],
        "nodes_truenodeids": np.where(leaf, 0, nodes["left"]),
        "nodes_falsenodeids": np.where(leaf, 0, nodes["right"]),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, nodes["missing_go_to_left"]),
        "target_treeids": tree_ids[leaf],
        "target_nodeids": node_ids[leaf],
        "target_ids": np.zeros(int(leaf.sum()), np.int64),
        "target_weights": nodes["value"][leaf].astype(np.float32),
        "n_targets": 1,
        "base_values": [bias],
    }
    listed = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in attributes.items()}
    # Loaded where trees are fitted alone: a server that runs them needs no onnx.
    onnx, helper = import_module("onnx"), import_module("onnx.helper")
    graph = helper.make_graph(
        [
            helper.make_node("TreeEnsembleRegressor", [INPUT], [MARGINS], domain="ai.onnx.ml", **listed),
            helper.make_node(activation, [MARGINS], [OUTPUT]),
        ],
        "trees",
        [helper.make_tensor_value_info(INPUT, onnx.TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, [None, 1])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _rounded_down(thresholds: np.ndarray[Any, Any]) -> Floats:
    """Return float32 thresholds that part float32 features as the float64 ones do: none is larger than before."""
    finite = np.clip(thresholds, np.finfo(np.float32).min, np.finfo(np.float32).max)
    rounded = finite.astype(np.float32)
    below = np.nextafter(rounded, np.float32(-np.inf))
    return np.asarray(np.where(rounded > finite, below, rounded), np.float32)
