"""The network that reads labels off pictures themselves: early stages as the starter's tower has them, late ones of its
own. Imports torch.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.runtime import ModelSource, Runner, TorchModel, open_runner, weights_digest
from indexer.encoders.backends.starter_backbones import PictureTrunk
from indexer.encoders.backends.starter_packages import PREPROCESS
from indexer.encoders.backends.starter_towers import EARLY_KEY
from indexer.encoders.backends.torch_modules import NormalisedPixels, map_example

EARLY = 4  # of EfficientNet's seven stages, that stay as they are
CHANNELS, SIDE = 80, 14  # of what the last of those gives


class EarlyStages(nn.Module):
    """Normalised pictures (n, 3, 224, 224) to the maps that late stages begin with, flattened: (n, 80 * 14 * 14)."""

    def __init__(self) -> None:
        super().__init__()
        tower = PictureTrunk().tower
        self.stages = nn.Sequential(tower.conv_stem, tower.bn1, *tower.blocks[:EARLY])

    def forward(self, rgb: Tensor) -> Tensor:
        """The maps of the batch."""
        return torch.flatten(self.stages(rgb), 1)


class LateStages(nn.Module):
    """Maps (n, 80, 14, 14) to logits of all labels side by side, (n, labels); begins with the tower's own weights."""

    def __init__(self, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        tower = PictureTrunk().tower
        self.stages = nn.Sequential(*tower.blocks[EARLY:], tower.conv_head, tower.bn2)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(tower.num_features, labels)

    def forward(self, maps: Tensor) -> Tensor:
        """Logits of the batch."""
        logits: Tensor = self.out(self.dropout(self.stages(maps).mean((2, 3))))
        return logits


class LabelTrunk(nn.Module):
    """Both, as one: normalised pictures to logits."""

    def __init__(self, late: LateStages) -> None:
        super().__init__()
        self.early, self.late = EarlyStages(), late

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits of the batch."""
        logits: Tensor = self.late(self.early(rgb).view(-1, CHANNELS, SIDE, SIDE))
        return logits


def open_early(runtime: str = "auto") -> Runner:
    """The early stages, ready to run on uint8 pictures: float32 (n, 80 * 14 * 14)."""
    return open_runner(ModelSource("lite0-early", EARLY_KEY, _load_early), runtime)


def save_late(late: LateStages, file: Path, card: str) -> None:
    """Write safetensors, float16, with a card in its metadata."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().half().contiguous() for name, tensor in late.state_dict().items()}
    file.write_bytes(save(tensors, metadata={"card": card}))


def _load_early() -> TorchModel:
    early = EarlyStages().eval()
    meta = {"weights_sha256": weights_digest(early)}
    return TorchModel(NormalisedPixels(early, PREPROCESS).eval(), map_example(PREPROCESS.side), meta)


def load_label_trunk(file: Path) -> TorchModel:
    """The network with the late stages in a file. Raises EncoderUnavailable."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(file)
        late = LateStages(len(tensors["out.bias"]))
        late.load_state_dict(tensors)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise EncoderUnavailable(
            f"The shop's label network {file} cannot be read: {error}.", "Remove the file, and let it be learnt anew."
        ) from error
    trunk = LabelTrunk(late).eval()
    meta = {"weights_sha256": weights_digest(trunk)}
    return TorchModel(NormalisedPixels(trunk, PREPROCESS).eval(), map_example(PREPROCESS.side), meta)
