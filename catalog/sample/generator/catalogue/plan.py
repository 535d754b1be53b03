"""Plan the products of the sample shop: shapes in looks. The same seed gives the same list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from catalog.sample.generator.rendering.scenes import Thing, product_thing
from catalog.sample.generator.shapes.families import FAMILIES, Family
from catalog.sample.generator.shapes.materials import COLOURS, FINISHES, Look
from catalog.sample.generator.shapes.tableware import Rng

SEED = 2026
SIBLINGS = (4, 3, 3)
UNSEEN_FAMILIES = 8
TRAIN, TEST = "train", "test"
BRANDS: dict[str, float] = {
    "Alderfinch": 1.0,
    "Mirucasa": 1.15,
    "Brumelle": 1.4,
    "Kettlewick": 0.85,
    "Osmunda": 1.05,
    "Tallowby": 0.95,
}
_NAMES = """
    Alma Anouk Arlo Asta Aveline Bela Birk Bodil Bruno Calla Caspian Cleo Corin Dagny Dario Delia Dune Edda Eira Elio
    Elske Emil Enzo Esme Fable Faro Fenna Fleur Flint Freja Gaia Gilda Greta Hale Hanno Hedda Henrik Hilde Ida Ilse
    Imre Inga Iris Isla Ivo Jette Jonas Juna Kaja Kasimir Kilian Kirsi Lark Leif Lena Lind Livia Lorenz Lotte Luca
    Maren Marlo Mira Moss Nadia Nell Nils Nora Odile Olan Orla Otto Paloma Per Petra Pina Quill Ragna Remy Rosa Runa
    Saga Selma Sigrid Sol Soren Svea Tilda Tove Tuva Ulla Una Vera Vida Vigo Wilma Wren Yrsa Zelda Zora
"""
NAMES = tuple(_NAMES.split())


@dataclass(frozen=True)
class Item:
    """One product: its shape (`group` has the siblings that share it), its look and its seller's facts."""

    id: str
    group: str
    family: Family
    style: int
    model: str
    shape_seed: int
    look: Look
    brand: str
    in_stock: bool
    seed: int

    @property
    def thing(self) -> Thing:
        """Its shape, ready to be put in a scene."""
        return product_thing(self.family.key, self.style, self.shape_seed, self.look, self.seed)

    @property
    def measures(self) -> tuple[float, float, float]:
        """Width, depth and height in centimetres."""
        width, depth, height = np.ptp(self.thing.points, axis=0)
        return float(width), float(depth), float(height)


def contrasting(colour: str, among: tuple[str, ...], rng: Rng) -> str:
    """Return a second colour that contrasts with the first."""
    first = COLOURS[colour].linear ** 0.45
    usable = [name for name in among if np.abs(COLOURS[name].linear ** 0.45 - first).sum() > 0.75]
    preferred = [name for name in usable if name in ("white", "ivory", "charcoal", "navy", "terracotta", "sand")]
    return str(rng.choice(preferred or usable))


def _looks(family: Family, style: int, count: int, rng: Rng) -> list[Look]:
    finish = family.finishes[(style + int(rng.integers(len(family.finishes)))) % len(family.finishes)]
    kind = FINISHES[finish]
    colours = [str(c) for c in rng.choice(kind.colours, count, replace=False)]
    shared = str(rng.choice(kind.patterns))
    looks = []
    for colour in colours:
        pattern = shared if rng.random() < 0.6 else str(rng.choice(kind.patterns))
        second = "ivory" if pattern == "plain" else contrasting(colour, kind.colours, rng)
        looks.append(Look(finish, colour, pattern, second))
    return looks


def _group(family: Family, style: int, model: str, seed: int) -> list[Item]:
    rng = np.random.default_rng([SEED, seed])
    brand = str(rng.choice(list(BRANDS)))
    shape_seed = int(rng.integers(1_000_000))
    group = f"{family.key}-{style + 1}"
    return [
        Item(f"{group}{'abcdef'[k]}", group, family, style, model, shape_seed, look, brand, rng.random() > 0.08, seed)
        for k, look in enumerate(_looks(family, style, SIBLINGS[style], rng))
    ]


@cache
def items() -> tuple[Item, ...]:
    """Return every product, family by family, with siblings next to each other."""
    names = np.random.default_rng(SEED).permutation(NAMES)
    planned: list[Item] = []
    for k, (family, style) in enumerate((f, s) for f in FAMILIES.values() for s in range(3)):
        planned += _group(family, style, str(names[k]), k + 1)
    return tuple(planned)


@cache
def _unseen() -> tuple[frozenset[str], frozenset[str]]:
    """Return the families, and the groups of other families, that training must not see."""
    rng = np.random.default_rng([SEED, 5])
    keys = [str(key) for key in rng.permutation(list(FAMILIES))]
    groups = {f"{key}-{rng.integers(len(SIBLINGS)) + 1}" for key in keys[UNSEEN_FAMILIES:]}
    return frozenset(keys[:UNSEEN_FAMILIES]), frozenset(groups)


def split(item: Item) -> str:
    """Return whether a product is for training an encoder ("train") or for measuring it ("test").

    Eight whole families, and of every other family one shape with all its siblings, are for tests: so no test
    product has a sibling in training, and a third of them are of a kind that training never saw.
    """
    families, groups = _unseen()
    return TEST if item.family.key in families or item.group in groups else TRAIN


def paper(item: Item) -> tuple[float, float, float]:
    """Return the colour of a brand's studio paper, as linear RGB."""
    tints = ((0.80, 0.795, 0.785), (0.82, 0.80, 0.77), (0.78, 0.785, 0.80), (0.80, 0.80, 0.80), (0.82, 0.80, 0.79),
             (0.77, 0.785, 0.775))  # fmt: skip
    return tints[list(BRANDS).index(item.brand)]
