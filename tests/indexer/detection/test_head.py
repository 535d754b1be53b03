"""The detection head: what the package ships, its file, and the network that it is trained as."""

import numpy as np
import pytest

from catalog.errors import EncoderUnavailable
from indexer.detection.head import (
    DILATIONS,
    OUTPUTS,
    WEIGHTS,
    DetectionHead,
    load_detector,
    save_detector,
    shipped_head,
)
from indexer.types import FeatureMaps

WIDTH, FINE, DEEP = 6, 3, 5


def a_head(seed=0):
    rng = np.random.default_rng(seed)

    def noise(*shape):
        return rng.normal(0, 0.3, shape).astype(np.float32)

    return DetectionHead(
        mean=noise(FINE + DEEP),
        scale=np.abs(noise(FINE + DEEP)) + 0.5,
        inner=noise(WIDTH, FINE + DEEP),
        inner_bias=noise(WIDTH),
        context=noise(WIDTH, WIDTH),
        context_bias=noise(WIDTH),
        kernels=noise(len(DILATIONS), 9, WIDTH, WIDTH),
        kernel_biases=noise(len(DILATIONS), WIDTH),
        outer=noise(OUTPUTS, WIDTH),
        outer_bias=noise(OUTPUTS),
        card={"name": "a head"},
    )


def some_maps(seed=1, side=14):
    rng = np.random.default_rng(seed)
    fine, deep = (rng.normal(0, 1, (1, side, side, channels)).astype(np.float32) for channels in (FINE, DEEP))
    return FeatureMaps(fine, deep)


def test_the_shipped_head_is_small_and_reads_the_starters_maps():
    head = shipped_head()
    assert WEIGHTS.stat().st_size < 300_000
    assert head.fits(FeatureMaps(np.zeros((1, 2, 2, 112)), np.zeros((1, 2, 2, 320))))
    assert head.card["maps"].startswith("lite0-maps-1") and head.card["pictures"] > 1000


def test_a_saved_head_sees_the_same(tmp_path):
    head, file = a_head(), tmp_path / "head.safetensors"
    # A transposed view lies in memory column by column.
    save_detector(DetectionHead(**{**fields_of(head), "inner": np.asfortranarray(head.inner)}), file)
    found, again = head(some_maps()), load_detector(file)(some_maps())
    assert load_detector(file).card == {"name": "a head"}
    np.testing.assert_allclose(found.centres, again.centres, atol=0.01)
    np.testing.assert_allclose(found.sides, again.sides, rtol=0.03)


def test_cells_far_from_each_other_are_seen_together():
    maps = some_maps(side=28)
    changed = FeatureMaps(maps.fine.copy(), maps.deep.copy())
    changed.fine[0, 3, 3] += 5
    difference = np.abs(a_head()(maps).sides - a_head()(changed).sides).max(axis=2)
    assert difference[3:17, 3:17].max() > difference[27, 27] > 0


@pytest.mark.parametrize("content", [b"", b"no safetensors", None])
def test_a_file_that_is_no_head_is_refused(tmp_path, content):
    file = tmp_path / "head.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EncoderUnavailable, match="make detector"):
        load_detector(file)


@pytest.mark.torch
def test_the_head_computes_what_the_network_computes():
    import torch

    from indexer.training.detection.fit_detector import Standardiser, _head
    from indexer.training.detection.network import DetectorNetwork

    torch.manual_seed(0)
    network = DetectorNetwork(7)
    rng = np.random.default_rng(0)
    mean, scale, axes = rng.normal(0, 1, 8), rng.uniform(0.5, 1, 8), rng.normal(0, 0.3, (8, 7))
    standardise = Standardiser(*(part.astype(np.float32) for part in (mean, scale, axes)))
    maps = some_maps(side=28)
    cells = standardise(np.concatenate([maps.fine, maps.deep], axis=3))
    with torch.no_grad():
        centres, sides, _ = network(torch.from_numpy(cells).permute(0, 3, 1, 2))
    found = _head(network, standardise, {})(maps)
    np.testing.assert_allclose(found.centres, torch.sigmoid(centres)[0], atol=1e-4)
    np.testing.assert_allclose(found.sides, sides[0].permute(1, 2, 0), rtol=1e-3)


def fields_of(head):
    return {name: getattr(head, name) for name in DetectionHead.__slots__}
