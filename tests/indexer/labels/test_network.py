"""A shop's own network: fine-tuned on drawn things, kept, read back without torch, joined with heads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.errors import DamagedGeneration
from catalog.home import ShopHome
from indexer.labels.heads import FusionWeights
from indexer.labels.network import (
    LabelNetwork,
    NetworkField,
    NetworkWeight,
    mix_network,
    network_metadata,
    read_network,
)

ROOT = Path(__file__).parents[3]
FUSION = FusionWeights(0.5, 1.0, 0.7, 100, 0.9, 0.8, 0.95)


def test_the_network_counts_its_weight_among_the_labels_that_it_knows():
    head = np.array([[0.6, 0.2, 0.2]], np.float32)
    network = np.array([[0.0, 1.0, 0.0]], np.float32)
    knows = np.array([True, True, False])
    assert mix_network(head, network, 0.5, knows) == pytest.approx(np.array([[0.3, 0.5, 0.2]]))
    assert mix_network(head, network, 0.0, knows) == pytest.approx(head)
    assert mix_network(head, network, 1.0, knows).sum() == pytest.approx(1)


def test_without_a_head_the_network_speaks_alone():
    network = np.array([[0.25, 0.75, 0.0]], np.float32)
    knows = np.array([True, True, False])
    assert mix_network(np.zeros((1, 3), np.float32), network, 0.2, knows) == pytest.approx(network)


def test_without_a_title_and_with_one_it_has_a_part_of_its_own():
    image_only, with_title = NetworkWeight(0.5, FUSION), NetworkWeight(0.2, FUSION)
    assert NetworkField(("a", "b"), image_only, with_title).part(titled=True) is with_title
    assert NetworkField(("a", "b"), image_only, with_title).part(titled=False) is image_only
    assert NetworkField(("a", "b"), image_only).part(titled=True) is image_only


@pytest.fixture(scope="module")
def home(tmp_path_factory, shared_models):
    """A network that was never trained, of two fields; only one has a part."""
    import torch

    from indexer.encoders.backends.label_backbone import LateStages, save_late

    torch.manual_seed(0)  # one export for every run of the tests
    home = tmp_path_factory.mktemp("home")
    fields = {
        "category": NetworkField(("Hats", "Mugs", "Shoes"), NetworkWeight(0.5, FUSION), NetworkWeight(0.2, FUSION))
    }
    outputs = {"colour": ("red", "blue"), "category": ("Hats", "Mugs", "Shoes")}
    save_late(LateStages(5), ShopHome(home).label_network, network_metadata("abc", fields, outputs))
    return home


@pytest.mark.weights
@pytest.mark.torch
@pytest.mark.timeout(600)
def test_what_is_kept_reads_the_same_on_both_runtimes_and_only_for_its_encoder(home):
    pictures = [Image.new("RGB", (60, 80), colour) for colour in ("red", "navy", "white")]
    read_network(ShopHome(home).label_network, "onnx")
    onnx, torch = (LabelNetwork.load(home, "abc", runtime) for runtime in ("onnx", "torch"))
    said = onnx.shares(pictures)
    assert list(said) == ["category"] and said["category"].shape == (3, 3)
    assert said["category"].sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert said["category"] == pytest.approx(torch.shares(pictures)["category"], abs=1e-3)
    assert onnx.fields == torch.fields and onnx.fields["category"].image_only == NetworkWeight(0.5, FUSION)
    assert LabelNetwork.load(home, "another encoder") is None
    assert LabelNetwork.load(home / "nowhere", "abc") is None


@pytest.mark.weights
def test_it_is_built_and_read_without_torch(home, tmp_path):
    code = (
        "import sys; from pathlib import Path; from PIL import Image;"
        "from indexer.labels.network import LabelNetwork;"
        f"network = LabelNetwork.load(Path({str(home)!r}), 'abc', 'onnx');"
        "assert network.shares([Image.new('RGB', (9, 9))])['category'].shape == (1, 3);"
        "assert 'torch' not in sys.modules"
    )
    env = os.environ | {"WINDOWSHOP_MODELS": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=True, timeout=600)
    card = json.loads(next(tmp_path.glob("label-network-*.json")).read_text())
    assert card["parity_cosine"] > 0.9999


def test_a_broken_file_is_told(tmp_path):
    ShopHome(tmp_path).label_network.write_bytes(b"nothing")
    with pytest.raises(DamagedGeneration, match="label network"):
        LabelNetwork.load(tmp_path, "abc")


@pytest.mark.torch
def test_a_card_that_does_not_fit_its_outputs_is_told(tmp_path):
    from safetensors.numpy import save

    card = json.loads(
        network_metadata(
            "abc", {"category": NetworkField(("a", "b"), NetworkWeight(0.5, FUSION))}, {"category": ("a",)}
        )
    )
    ShopHome(tmp_path).label_network.write_bytes(save({"x": np.zeros(1)}, metadata={"card": json.dumps(card)}))
    with pytest.raises(DamagedGeneration, match="do not fit its outputs"):
        LabelNetwork.load(tmp_path, "abc")
