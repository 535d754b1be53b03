"""Texts and facts of products: those of the real ones, and varied ones for the drawn, each with a title of its own."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

COLUMNS = (
    *("id", "title", "category", "brand", "price", "list_price", "availability", "description"),
    *("colour", "gender", "season", "year", "usage", "warehouse", "collection", "batch", "gtin", "image"),
)
CHINESE_COLOURS = {
    "Black": "黑色", "White": "白色", "Blue": "蓝色", "Brown": "棕色", "Grey": "灰色", "Red": "红色",
    "Green": "绿色", "Pink": "粉色", "Navy Blue": "藏青色", "Purple": "紫色", "Silver": "银色", "Yellow": "黄色",
}  # fmt: skip
CHINESE_KINDS = {
    "Tshirts": "T恤", "Shirts": "衬衫", "Casual Shoes": "休闲鞋", "Watches": "手表", "Sports Shoes": "运动鞋",
    "Handbags": "手提包", "Tops": "上衣", "Heels": "高跟鞋", "Sunglasses": "太阳镜", "Flip Flops": "人字拖",
    "Wallets": "钱包", "Sandals": "凉鞋", "Belts": "皮带", "Backpacks": "双肩包", "Socks": "袜子",
    "Formal Shoes": "正装鞋", "Jeans": "牛仔裤", "Shorts": "短裤", "Trousers": "长裤", "Dresses": "连衣裙",
}  # fmt: skip
CHINESE_SHARE = 0.03  # of the titles that could be, so many are Chinese in part
COMMON = 60  # words in more titles than this say what a product is; a drawn title does not get another such word
WAREHOUSES, COLLECTIONS, BATCHES = 2, 20, 1_000
STEP = 7_368_787  # a prime: neighbouring products get words far from one another in the alphabet
PEOPLE = ("men", "women", "boy", "girl", "unisex", "kid")


class Texts:
    """Makes the feed rows of numbered products from real rows."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self._rows = rows
        words = Counter(word for row in rows for word in set(row["title"].split()))
        self._words = sorted(word for word, n in words.items() if n <= COMMON and re.fullmatch("[A-Za-z]{4,12}", word))

    def row(self, number: int, own: int, near: int, chance: np.random.Generator) -> list[str]:
        """Return the cells of a product: `own` is its real product, and `near` a neighbour of that, or `own` again."""
        base, other = self._rows[own], self._rows[near]
        real = own == near
        title = base["title"] if real else self._title(number, base, other, chance)
        price = round(float(np.exp(chance.normal(3.4, 0.8))), 2)
        reduced = chance.random() < 0.2
        return [
            f"P{number:07d}",
            title,
            base["category"],
            _brand(base["title"]),
            f"{price:.2f} EUR",
            f"{price * 1.25:.2f} EUR" if reduced else "",
            "in stock" if chance.random() < 0.92 else "out of stock",
            _description(base, other),
            base["colour"],
            base["gender"],
            base["season"],
            base["year"],
            base["usage"],
            f"W{chance.integers(WAREHOUSES)}",
            f"Collection {chance.integers(COLLECTIONS):02d}",
            f"B{chance.integers(BATCHES):04d}",
            str(4_000_000_000_000 + number),
            picture_name(number),
        ]

    def _title(self, number: int, base: dict[str, str], other: dict[str, str], chance: np.random.Generator) -> str:
        """Return a title of its own: the real one's, some words of the neighbour's, and two that no other has so."""
        count = len(self._words)
        first, second = divmod(number * STEP % count**2, count)
        words = base["title"].split()
        own = [word for word in other["title"].split() if word not in words and not word.lower().startswith(PEOPLE)]
        if own and chance.random() < 0.5:
            words.insert(int(chance.integers(1, len(words) + 1)), own[int(chance.integers(len(own)))])
        kind, colour = base["category"].rpartition(" > ")[2], base["colour"]
        if kind in CHINESE_KINDS and colour in CHINESE_COLOURS and chance.random() < CHINESE_SHARE:
            words = [words[0], CHINESE_COLOURS[colour] + CHINESE_KINDS[kind]]
        return " ".join([*words, self._words[first], self._words[second]])


def picture_name(number: int) -> str:
    """Return the name of a product's picture in the feed's folder."""
    return f"images/{number // 1000:04d}/{number}.jpg"


def _brand(title: str) -> str:
    """Return the words of a title before whom it is for, at most three: that is how these titles begin."""
    words = title.split()
    at = next((at for at, word in enumerate(words) if word.lower().startswith(PEOPLE)), 1)
    return " ".join(words[: max(1, min(at, 3))])


def _description(base: dict[str, str], other: dict[str, str]) -> str:
    kind = base["category"].rpartition(" > ")[2]
    return (
        f"{base['usage']} {kind.lower()} in {base['colour'].lower()} for {base['gender'].lower()},"
        f" {base['season'].lower()} {base['year']}. Goes well with {other['title']}."
    )
