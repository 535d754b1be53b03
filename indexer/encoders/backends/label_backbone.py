"""Label network: predicts labels from pixels with the starter tower's frozen early stages and late stages of its own.

Imports torch.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.runtime import ModelSource, Runner, open_runner
from indexer.encoders.backends.starter_backbones import PictureBackbone
from indexer.encoders.backends.starter_towers import EARLY_KEY, PREPROCESS
from indexer.encoders.backends.torch_modules import pixel_model
from indexer.encoders.backends.torch_runtime import TorchModel

FROZEN_STAGES = 4  # the first of EfficientNet's seven stages
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
    return open_runner(ModelSource("lite0-early", EARLY_KEY, lambda: pixel_model(_early_stages(), PREPROCESS)), runtime)


def save_late(late: LateStages, file: Path, card: str) -> None:
    """Write the late stages as safetensors, float16, with `card` in the metadata."""
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in late.state_dict().items()}
    file.write_bytes(save(tensors, metadata={"card": card}))


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
        tensors = load_file(file)
        late = LateStages(len(tensors["out.bias"]))
        late.load_state_dict(tensors)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise EncoderUnavailable(
            f"The shop's label network {file} cannot be read: {error}.",
            "Remove the file, or fit the network again: python -m search learn --fine-tune.",
        ) from error
    backbone = _named(early=_early_stages(), maps=nn.Unflatten(1, (MAP_CHANNELS, MAP_SIDE, MAP_SIDE)), late=late)
    return pixel_model(backbone, PREPROCESS)
