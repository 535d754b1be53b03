"""Define the materials of the sample products: colours, finishes, patterns, and the textures these give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.sample.generator.shapes.meshes import Array

TILE = 192


@dataclass(frozen=True)
class Colour:
    """A colour with its names; `hex` is sRGB."""

    en: str
    zh: str
    hex: str

    @property
    def linear(self) -> Array:
        """The colour as linear RGB, as light adds up."""
        srgb = np.array([int(self.hex[i : i + 2], 16) for i in (0, 2, 4)]) / 255
        return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


@dataclass(frozen=True)
class Finish:
    """How a material looks and is sold: numbers, colours, patterns, price factor."""

    en: str
    zh: str
    roughness: float
    colours: tuple[str, ...]
    patterns: tuple[str, ...] = ("plain",)
    metallic: float = 0.0
    clearcoat: float = 0.0
    sheen: float = 0.0
    glass: float = 0.0
    grain: str = ""
    price: float = 1.0


@dataclass(frozen=True)
class Look:
    """One product's outside: finish, colour, pattern and the pattern's second colour (keys of the tables below)."""

    finish: str
    colour: str
    pattern: str = "plain"
    second: str = "ivory"


COLOURS: dict[str, Colour] = {
    "white": Colour("white", "白色", "F1EFEA"),
    "ivory": Colour("ivory", "象牙白", "EBE0C8"),
    "sand": Colour("sand", "沙色", "CDB48C"),
    "terracotta": Colour("terracotta", "陶土色", "BC5F3C"),
    "rust": Colour("rust", "铁锈红", "96401F"),
    "mustard": Colour("mustard yellow", "芥末黄", "D69E22"),
    "lemon": Colour("lemon yellow", "柠檬黄", "F0D648"),
    "olive": Colour("olive green", "橄榄绿", "767A36"),
    "sage": Colour("sage green", "鼠尾草绿", "9DB092"),
    "forest": Colour("forest green", "墨绿色", "24513A"),
    "mint": Colour("mint", "薄荷绿", "A5DAC2"),
    "teal": Colour("teal", "青色", "17797B"),
    "sky": Colour("sky blue", "天蓝色", "84B9E0"),
    "cobalt": Colour("cobalt blue", "钴蓝色", "1F45A8"),
    "navy": Colour("navy", "藏青色", "1D2B4C"),
    "lilac": Colour("lilac", "丁香紫", "B7A2D4"),
    "plum": Colour("plum", "梅紫色", "662B52"),
    "blush": Colour("blush pink", "浅粉色", "EABFB5"),
    "coral": Colour("coral", "珊瑚色", "EC7560"),
    "red": Colour("red", "红色", "B92025"),
    "chocolate": Colour("chocolate brown", "巧克力色", "52331F"),
    "grey": Colour("grey", "灰色", "94948F"),
    "charcoal": Colour("charcoal", "炭灰色", "43454A"),
    "black": Colour("black", "黑色", "1C1C1E"),
    "oak": Colour("oak", "橡木色", "CBA06A"),
    "walnut": Colour("walnut", "胡桃木色", "714A2E"),
    "ash": Colour("pale ash", "白蜡木色", "DFC9A1"),
    "cherry": Colour("cherry wood", "樱桃木色", "A4603A"),
    "ebony": Colour("black-stained wood", "黑漆木色", "2D2724"),
    "brass": Colour("brass", "黄铜色", "D9AE56"),
    "copper": Colour("copper", "紫铜色", "D08661"),
    "steel": Colour("steel", "不锈钢色", "C4C6C9"),
    "gunmetal": Colour("gunmetal", "枪灰色", "55575C"),
    "clear": Colour("clear", "透明", "F6FAFA"),
    "amber": Colour("amber", "琥珀色", "E39B37"),
    "smoke": Colour("smoke grey", "烟灰色", "84858B"),
    "bottle": Colour("bottle green", "酒瓶绿", "5DA06F"),
    "ocean": Colour("ocean blue", "海蓝色", "5B9BD0"),
    "rose": Colour("rose", "玫瑰色", "E79AA5"),
    "natural": Colour("natural", "原色", "CBA871"),
}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_GLAZES = _names(
    "white ivory sand terracotta mustard lemon olive sage forest mint teal sky cobalt navy lilac plum blush coral red "
    "grey charcoal black"
)
_POWDER = _names("white black charcoal sage forest mustard terracotta sky red blush navy")
_WOVEN = _names("ivory sand terracotta mustard olive sage forest teal sky navy plum blush coral grey charcoal rust")
_METALS = ("brass", "copper", "steel", "gunmetal")
_GLASSES = ("clear", "amber", "smoke", "bottle", "ocean", "rose")
_WOODS = ("oak", "walnut", "ash", "cherry", "ebony")
_LINENS = ("white", "ivory", "sand", "blush", "sage", "mustard", "navy", "charcoal")
_DECORATED = ("plain", "stripes", "dots", "checks", "two-tone", "speckle")
_PRINTED = ("plain", "stripes", "dots", "checks", "two-tone")
_DIPPED = ("plain", "plain", "plain", "two-tone")

FINISHES: dict[str, Finish] = {
    "glazed": Finish("glazed stoneware", "釉面陶瓷", 0.22, _GLAZES, _DECORATED, clearcoat=0.9, price=1.15),
    "matte": Finish("matte ceramic", "哑光陶瓷", 0.62, _GLAZES, _DECORATED),
    "metal": Finish("metal", "金属", 0.27, _METALS, metallic=1.0, price=1.5),
    "lacquer": Finish("powder-coated steel", "喷塑钢", 0.45, _POWDER, _DIPPED, price=1.2),
    "enamel": Finish(
        "enamelled steel", "搪瓷", 0.15, _GLAZES, ("plain", "speckle", "two-tone"), clearcoat=1.0, price=1.1
    ),
    "glass": Finish("glass", "玻璃", 0.04, _GLASSES, glass=1.0, price=1.1),
    "wood": Finish("solid wood", "实木", 0.42, _WOODS, grain="wood", price=1.4),
    "painted": Finish("painted wood", "彩漆木", 0.4, _POWDER, _DIPPED, price=1.25),
    "fabric": Finish("cotton", "棉布", 0.9, _WOVEN, _PRINTED, sheen=0.6, grain="weave", price=0.9),
    "wool": Finish("wool", "羊毛", 1.0, _WOVEN, _PRINTED, sheen=1.0, grain="knit", price=1.3),
    "wicker": Finish(
        "woven seagrass",
        "海草编织",
        0.85,
        ("natural", "walnut", "white", "charcoal"),
        ("plain", "two-tone"),
        grain="wicker",
    ),
    "linen": Finish("linen", "亚麻", 0.9, _LINENS, ("plain", "plain", "stripes"), grain="weave"),
    # A mirror in an empty studio reflects nothing: its pane carries the window light that a photographer would set.
    "mirror": Finish("mirror", "镜面", 0.12, ("steel",), metallic=0.25, grain="reflection"),
}
TRIMS: dict[str, Look] = {
    "oak": Look("wood", "oak"),
    "walnut": Look("wood", "walnut"),
    "black": Look("lacquer", "black"),
    "white": Look("matte", "white"),
    "brass": Look("metal", "brass"),
    "steel": Look("metal", "steel"),
    "shade": Look("linen", "ivory"),
    "cord": Look("fabric", "charcoal"),
    "rope": Look("fabric", "sand"),
    "wax": Look("matte", "ivory"),
    "mirror": Look("mirror", "steel"),
    "print": Look("matte", "sand", "dots", "terracotta"),
    "art": Look("matte", "sage", "stripes", "ivory"),
    "glass": Look("glass", "clear"),
    "soil": Look("wool", "chocolate"),
    "leaf": Look("matte", "forest"),
}

PATTERNS: dict[str, tuple[str, str]] = {
    "plain": ("plain", "纯色"),
    "stripes": ("striped", "条纹"),
    "dots": ("dotted", "波点"),
    "checks": ("checked", "格子"),
    "two-tone": ("two-tone", "双色拼接"),
    "speckle": ("speckled", "斑点"),
}

REPEATS = {"stripes": 7.0, "dots": 5.5, "checks": 4.5, "speckle": 1.6}
GRAIN_REPEATS = {"wood": 1.0, "weave": 14.0, "knit": 16.0, "wicker": 9.0, "reflection": 1.0}


def _noise(rng: np.random.Generator, wide: float, long: float) -> Array:
    """Periodic smooth noise of standard deviation 1 with features of the given sizes in texels."""
    f = np.fft.fftfreq(TILE)
    weight = np.exp(-2 * np.pi**2 * ((f[None, :] * wide) ** 2 + (f[:, None] * long) ** 2))
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((TILE, TILE))) * weight).real
    return np.asarray(field / field.std())


def _mask(pattern: str, rng: np.random.Generator) -> Array:
    """How much of the second colour each texel of one tile has, 0..1."""
    v, u = np.mgrid[0:TILE, 0:TILE] / TILE
    soft = 90.0
    if pattern == "stripes":
        return np.asarray(np.clip((np.abs(v - 0.5) - 0.27) * soft * -1, 0, 1))
    if pattern == "dots":
        rows = [np.hypot(u - a, v - b) for a, b in ((0.25, 0.25), (0.75, 0.75))]
        return np.asarray(np.clip((0.17 - np.minimum(*rows)) * soft, 0, 1))
    if pattern == "checks":
        bands = [np.clip((0.25 - np.abs(w - 0.5)) * soft, 0, 1) for w in (u, v)]
        return np.asarray((bands[0] + bands[1]) / 2)
    if pattern == "speckle":
        return np.asarray(np.clip((_noise(rng, 0.9, 0.9) - 1.75) * 2.2, 0, 1))
    return np.zeros((TILE, TILE))


def _grain(kind: str, rng: np.random.Generator) -> Array:
    """A brightness factor that makes a tile look like wood, woven thread or wicker."""
    v, u = np.mgrid[0:TILE, 0:TILE] / TILE
    if kind == "wood":
        rings = np.sin(2 * np.pi * (5 * u + 0.55 * _noise(rng, 7, 60)))
        return np.asarray(np.clip(1 + 0.1 * rings + 0.07 * _noise(rng, 0.9, 30) + 0.06 * _noise(rng, 10, 70), 0.5, 1.4))
    if kind in ("weave", "knit"):
        over = np.sign(np.sin(2 * np.pi * 2 * u) * np.sin(2 * np.pi * 2 * v))
        thread = np.where(over > 0, np.abs(np.sin(2 * np.pi * 4 * u)), np.abs(np.sin(2 * np.pi * 4 * v)))
        return np.asarray(0.86 + (0.2 if kind == "weave" else 0.28) * (thread - 0.4) + 0.03 * _noise(rng, 2, 2))
    if kind == "wicker":
        row = np.floor(v * 4)
        bow = np.abs(np.sin(np.pi * (v * 4 % 1))) ** 0.6
        strand = np.abs(np.sin(np.pi * (u * 2 + 0.5 * (row % 2)))) ** 0.4
        return np.asarray(0.3 + 0.8 * bow * (0.35 + 0.65 * strand) + 0.05 * _noise(rng, 3, 1))
    if kind == "reflection":
        sky = 0.62 + 0.5 * v + 0.25 * u
        panes = sum(np.clip((wide - np.abs(u - 0.55 * v - at)) * 30, 0, 1) for at, wide in ((0.12, 0.09), (0.34, 0.04)))
        return np.asarray(np.clip(sky + 0.42 * panes, 0.4, 1.6))
    return np.ones((TILE, TILE))


def texture(look: Look, seed: int) -> tuple[Array, float]:
    """One tile of the look's surface as linear RGB, and how often it repeats across the product.

    A two-tone tile is not repeated (0): it runs once from the product's foot to its top.
    """
    rng = np.random.default_rng(seed)
    first, second = COLOURS[look.colour].linear, COLOURS[look.second].linear
    if look.pattern == "two-tone":
        mask = np.repeat(np.clip((0.42 - np.mgrid[0:TILE, 0:1][0] / TILE) * 150, 0, 1), TILE, axis=1)
        return np.asarray(first * (1 - mask[..., None]) + second * mask[..., None]), 0.0
    kind = FINISHES[look.finish].grain
    mask = _mask(look.pattern, rng)[..., None]
    plain = np.asarray(first * (1 - mask) + second * mask)
    if not kind:
        return plain, REPEATS.get(look.pattern, 1.0)
    grain = _grain(kind, rng)[..., None]
    if look.pattern == "plain":
        return np.clip(plain * grain, 0, 0.95), GRAIN_REPEATS[kind]
    return np.clip(plain * np.tile(grain[::3, ::3], (3, 3, 1)), 0, 0.95), REPEATS[look.pattern]
