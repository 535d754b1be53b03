"""Trees run by ONNX Runtime answer as scikit-learn's do."""

import numpy as np
import pytest

from catalog.errors import DamagedStore
from search.trees.tree_ensemble import TreeEnsemble, fit_trees

ensemble = pytest.importorskip("sklearn.ensemble")


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(2_000, 5)).astype(np.float32)
    features[:, 1] = np.round(features[:, 1])  # values on both sides of a threshold, and on it
    features[rng.random(features.shape) < 0.1] = np.nan
    labels = np.nan_to_num(features[:, 0]) + np.nan_to_num(features[:, 1]) ** 2 + rng.normal(size=2_000) > 1
    model = ensemble.HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=15).fit(features, labels)
    return model, features


def test_probabilities_equal_those_of_scikit_learn(fitted, tmp_path):
    model, features = fitted
    trees = TreeEnsemble.from_sklearn(model)
    trees.save(tmp_path / "trees.onnx")
    for found in (trees, TreeEnsemble.load(tmp_path / "trees.onnx")):
        np.testing.assert_allclose(found.predict(features), model.predict_proba(features)[:, 1], atol=1e-6)


def test_a_regressor_of_quantiles_equals_that_of_scikit_learn(fitted):
    _, features = fitted
    values = np.nan_to_num(features[:, 0]) * 3 + 7
    settings = {"loss": "quantile", "quantile": 0.9, "max_iter": 20, "max_leaf_nodes": 8}
    model = ensemble.HistGradientBoostingRegressor(**settings).fit(features, values)
    np.testing.assert_allclose(TreeEnsemble.from_sklearn(model).predict(features), model.predict(features), rtol=1e-5)


def test_no_rows_have_no_probabilities(fitted):
    assert TreeEnsemble.from_sklearn(fitted[0]).predict(np.empty((0, 5), np.float32)).shape == (0,)


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "trees.onnx").write_bytes(b"no trees")
    with pytest.raises(DamagedStore, match=r"trees\.onnx"):
        TreeEnsemble.load(tmp_path / "trees.onnx")


def test_a_feature_that_is_never_known_is_no_obstacle(fitted):
    features = fitted[1].copy()
    features[:, 2] = np.nan
    trees = fit_trees(features, features[:, 0] > 0, max_iter=5)
    found = trees.predict(features)
    assert found[features[:, 0] > 0.1].min() > found[features[:, 0] < -0.1].max()
    np.testing.assert_array_equal(trees.predict(fitted[1]), found)
