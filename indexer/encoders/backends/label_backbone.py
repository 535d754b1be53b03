"""Label network: predicts labels from pixels with the starter tower's frozen early stages and late stages of its own.

Imports torch.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.runtime import ModelSource, Runner, graph_module, open_runner
from indexer.encoders.backends.starter_backbones import PictureBackbone
from indexer.encoders.backends.starter_towers import EARLY_KEY, PREPROCESS
from indexer.encoders.backends.torch_modules import pixel_model
from indexer.encoders.backends.torch_runtime import TorchModel
from indexer.encoders.graphs.label_network import OUTPUTS
from indexer.encoders.graphs.parity import noise_pictures
from indexer.encoders.graphs.starter import FROZEN_STAGES

MAP_CHANNELS, MAP_SIDE = 80, 14  # shape of the last frozen stage's maps


class LateStages(nn.Module):
    """Maps (n, 80, 14, 14) to the logits of all labels (n, labels); starts from the tower's own weights."""

    def __init__(self, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        tower = PictureBackbone().tower
        self.stages = nn.Sequential(*tower.blocks[FROZEN_STAGES:], tower.conv_head, tower.bn2)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(tower.num_features, labels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the logits of the batch."""
        logits: Tensor = self.out(self.dropout(self.stages(maps).mean((2, 3))))
        return logits


def open_early(runtime: str = "auto") -> Runner:
    """Open the early stages for uint8 pictures; they give float32 (n, 80 * 14 * 14)."""
    source = ModelSource(
        "lite0-early",
        EARLY_KEY,
        early_model,
        lambda: graph_module("starter").build_early_stages(),
    )
    return open_runner(source, runtime)


def early_model() -> TorchModel:
    """Return the early stages with what an export needs."""
    return pixel_model(_early_stages(), PREPROCESS)


def save_late(late: LateStages, file: Path, card: str) -> None:
    """Write the late stages as safetensors, float16, with `card` in the metadata.

    The network's outputs for two pictures of noise go with them, so that a graph of it can be checked without torch.
    """
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in late.state_dict().items()}
    rounded = pixel_model(_network(tensors), PREPROCESS)
    with torch.inference_mode():
        outputs = rounded.module(torch.from_numpy(noise_pictures(PREPROCESS.side)))
    file.write_bytes(save(tensors | {OUTPUTS: outputs.contiguous()}, metadata={"card": card}))


def _early_stages() -> nn.Module:
    """Return a model of normalised pictures (n, 3, 224, 224) to the late stages' input maps (n, 80 * 14 * 14)."""
    tower = PictureBackbone().tower
    stages = nn.Sequential(tower.conv_stem, tower.bn1, *tower.blocks[:FROZEN_STAGES])
    return _named(stages=stages, flat=nn.Flatten())


def _named(**layers: nn.Module) -> nn.Module:
    """Return the layers in sequence; their names are part of the weights' digest."""
    return nn.Sequential(OrderedDict(layers))


def load_label_backbone(file: Path) -> TorchModel:
    """Load the network with the late stages in a file. Raises EncoderUnavailable."""
    try:
        return pixel_model(_network(load_file(file)), PREPROCESS)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise EncoderUnavailable(
            f"The shop's label network {file} cannot be read: {error}.",
            "Remove the file, or fit the network again: python -m search learn --fine-tune.",
        ) from error


def _network(tensors: dict[str, Tensor]) -> nn.Module:
    """Return the whole network with these late stages. Raises KeyError, RuntimeError when they do not fit."""
    late = LateStages(len(tensors["out.bias"]))
    late.load_state_dict({name: tensor for name, tensor in tensors.items() if name != OUTPUTS})
    return _named(early=_early_stages(), maps=nn.Unflatten(1, (MAP_CHANNELS, MAP_SIDE, MAP_SIDE)), late=late).eval()
