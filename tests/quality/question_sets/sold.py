"""Questions for the verdict on words: what the shop sells, what other shops sell, nonsense, and sentences."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.product import Product
from catalog.text.labelled_csv import read_labelled_csv
from tests.quality.question_sets.colour_kind import (
    CHINESE,
    DATA,
    ENGLISH,
    FREE,
    TUNE,
    colour_words,
    fashion_kinds_in_chinese,
    leaf,
    singular,
)
from tests.quality.question_sets.own_words import own_words

KIND, COLOUR_KIND, FRAGMENT, BRAND_KIND, OWN_WORDS, ADJECTIVE_KIND = (
    "kind",
    "colour and kind",
    "part of a title",
    "brand and kind",
    "own words",
    "adjective and kind",
)
OF_EACH = 30  # questions of one type
MIN_PRODUCTS = 5  # of a kind that is asked for
ADJECTIVES = {
    ENGLISH: ("cheap", "large", "modern", "vintage", "small", "best"),
    CHINESE: ("便宜的", "大号", "现代", "复古", "小", "好看的"),
}
ONLY_NEAR = frozenset(("sofa", "settee", "沙发", "chandelier"))  # the shop has what serves, but not the thing


@dataclass(frozen=True, slots=True)
class TypedQuestion:
    """What a shopper types, the type of question that it is, and whether the shop sells it."""

    text: str
    type: str
    sold: bool


def sold_questions(products: Sequence[Product], shop: str, language: str, part: str) -> list[TypedQuestion]:
    """What the shop sells: kinds, colours with kinds, parts of titles, brands with kinds, and own words."""
    rng = random.Random(part)
    kinds = _kinds(products, shop, language, rng, part)
    colours = colour_words(shop)
    held = defaultdict(set)
    for product in products:
        held[leaf(product)].update(product.attributes.get("colour", "").lower().split())
    pairs = [(english, kind) for kind in kinds for english in colours if held[kind].issuperset(english.split())]
    rng.shuffle(pairs)
    if language == ENGLISH:
        texts = [(KIND, rng.choice((singular, str))(kind.lower())) for kind in list(kinds)[:OF_EACH]]
        texts += [(COLOUR_KIND, f"{colour} {singular(kind.lower())}") for colour, kind in pairs[:OF_EACH]]
        texts += [(FRAGMENT, _fragment(product.title, rng)) for product in _sampled(products, OF_EACH, rng)]
        branded = _sampled(products, OF_EACH // 2, rng)
        texts += [(BRAND_KIND, f"{_brand(product)} {singular(leaf(product).lower())}") for product in branded]
    else:
        texts = [(KIND, kinds[kind]) for kind in list(kinds)[:OF_EACH]]
        texts += [(COLOUR_KIND, f"{colours[colour]}{kinds[kind]}") for colour, kind in pairs[:OF_EACH]]
        titles = [product.attributes.get("title_zh", "") for product in _sampled(products, OF_EACH, rng)]
        texts += [(FRAGMENT, _chinese_fragment(title, rng)) for title in titles if title]
    own = [question.text for question in own_words(shop, language, part) if question.text not in ONLY_NEAR]
    texts += [(OWN_WORDS, text) for text in rng.sample(own, min(OF_EACH, len(own)))]
    return [TypedQuestion(text, type_, True) for type_, text in texts]


def unsold_questions(shop: str, language: str, part: str) -> list[TypedQuestion]:
    """What the shop does not sell: other shops' kinds, bare, with a colour, with an adjective; nonsense; sentences."""
    rng = random.Random(part)
    colours = list(colour_words(shop).items())
    gap = " " if language == ENGLISH else ""
    questions = []
    for row in read_labelled_csv(DATA / "unsold.csv", ("words", "lang", "shop", "type", "part")):
        values = row.values
        if (values["lang"], values["part"]) != (language, part) or values["shop"] not in ("", shop):
            continue
        words, type_ = values["words"], values["type"]
        questions.append(TypedQuestion(words, type_, False))
        if type_ == KIND:
            colour = rng.choice(colours)[0 if language == ENGLISH else 1]
            questions.append(TypedQuestion(f"{colour}{gap}{words}", COLOUR_KIND, False))
            questions.append(TypedQuestion(f"{rng.choice(ADJECTIVES[language])}{gap}{words}", ADJECTIVE_KIND, False))
    return questions


def of_kinds(kinds: Iterable[str], part: str, *, sold: bool) -> list[TypedQuestion]:
    """English questions for some kinds of the sample shop, bare and with a colour."""
    rng = random.Random(part)
    colours = list(colour_words("sample"))
    questions = []
    for kind in kinds:
        name = singular(kind.lower())
        questions.append(TypedQuestion(name, KIND, sold))
        questions.append(TypedQuestion(f"{rng.choice(colours)} {name}", COLOUR_KIND, sold))
    return questions


def _kinds(products: Sequence[Product], shop: str, language: str, rng: random.Random, part: str) -> dict[str, str]:
    """Half of the kinds, in random order, with their Chinese names; the other part of the questions has the rest."""
    count = Counter(leaf(product) for product in products if product.category_path[0] != FREE)
    chinese = {leaf(item): item.attributes.get("category_zh", "").split(">")[-1].strip() for item in products}
    names = chinese if shop == "sample" else fashion_kinds_in_chinese()
    kinds = sorted(kind for kind, members in count.items() if members >= MIN_PRODUCTS)
    kinds = [kind for kind in kinds if language == ENGLISH or kind in names]
    random.Random(0).shuffle(kinds)
    half = kinds[: len(kinds) // 2] if part == TUNE else kinds[len(kinds) // 2 :]
    rng.shuffle(half)
    return {kind: names.get(kind, "") for kind in half}


def _sampled(products: Sequence[Product], count: int, rng: random.Random) -> list[Product]:
    return rng.sample(products, min(count, len(products)))


def _brand(product: Product) -> str:
    return product.brand or product.title.split()[0]


def _fragment(title: str, rng: random.Random) -> str:
    words = title.replace(",", "").lower().split()
    size = min(len(words), rng.randint(2, 4))
    start = rng.randint(0, len(words) - size)
    return " ".join(words[start : start + size])


def _chinese_fragment(title: str, rng: random.Random) -> str:
    characters = title.split(" ", 1)[-1].split("（")[0]
    size = min(len(characters), rng.randint(4, 8))
    start = rng.randint(0, len(characters) - size)
    return characters[start : start + size]
