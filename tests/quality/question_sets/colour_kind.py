"""Short questions, colour and kind of thing ("red mug", 红色马克杯), drawn from a shop's catalogue by a seed."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from catalog.product import Product
from catalog.text.labelled_csv import read_labelled_csv
from search.evaluation.catalogue_grader import KindQuestion

DATA = Path(__file__).parents[1] / "data"
ENGLISH, CHINESE = "en", "zh"
LANGUAGES = (ENGLISH, CHINESE)
TUNE, REPORT = "tune", "report"
SEED = 20_260
QUESTIONS = 150  # of a part
MIN_PRODUCTS = 3  # of a kind that fashion questions ask for
WITH_GENDER = 0.3
GENDERS = {"Men": "men", "Women": "women", "Boys": "boys", "Girls": "girls"}
GENDER_WORDINGS = ("{colour} {kind} for {gender}", "{gender} {colour} {kind}", "{gender}'s {colour} {kind}")
FREE = "Free Items"  # a department of the fashion feed that nobody asks for
_ONLY_PLURAL = (
    "shoes shorts jeans trousers pants sunglasses leggings stockings heels flats sandals socks briefs flops suspenders "
    "tights boxers jeggings capris gloves cufflinks accessories chains earrings"
)
ONLY_PLURAL = frozenset(_ONLY_PLURAL.split())
IRREGULAR = {
    "shelves": "shelf",
    "glasses": "glass",
    "boxes": "box",
    "benches": "bench",
    "dresses": "dress",
    "clutches": "clutch",
    "scarves": "scarf",
    "watches": "watch",
    "ties": "tie",
}


def colour_words(shop: str) -> dict[str, str]:
    """English colour words with the Chinese ones, for one shop: "sample" or "fashion"."""
    return {row.values["en"]: row.values["zh"] for row in read_labelled_csv(DATA / f"colours_{shop}.csv", ("en", "zh"))}


def part_of(questions: Sequence[KindQuestion], part: str) -> list[KindQuestion]:
    """The questions to tune with, or as many others to report; half of them where a shop has few."""
    count = min(QUESTIONS, (len(questions) + 1) // 2)
    start = 0 if part == TUNE else count
    return list(questions[start : start + count])


def sample_questions(products: Sequence[Product], language: str, part: str) -> list[KindQuestion]:
    """A colour and a kind of the sample shop, also pairs that it does not sell; 烛台 names two kinds."""
    chinese = {leaf(item): item.attributes.get("category_zh", "").split(">")[-1].strip() for item in products}
    kinds = sorted(kind for kind, name in chinese.items() if name or language == ENGLISH)
    pairs = [(colour, kind) for colour in colour_words("sample").items() for kind in kinds]
    random.Random(SEED).shuffle(pairs)
    questions = []
    for (english, colour), kind in pairs:
        if language == ENGLISH:
            text, right = f"{english} {singular(kind.lower())}", (kind,)
        else:
            text = f"{colour}{chinese[kind]}"
            right = tuple(other for other in kinds if chinese[other] == chinese[kind])
        questions.append(KindQuestion(text, right, {"colour": english}, language))
    return part_of(questions, part)


def fashion_questions(products: Sequence[Product], language: str, part: str) -> list[KindQuestion]:
    """A colour and an article type, as the feed writes it or singular, some with a gender; Chinese for common types."""
    chinese = fashion_kinds_in_chinese()
    count = Counter(leaf(product) for product in products if product.category_path[0] != FREE)
    kinds = sorted(kind for kind, members in count.items() if members >= MIN_PRODUCTS)
    kinds = [kind for kind in kinds if language == ENGLISH or kind in chinese]
    genders: dict[str, Counter[str]] = defaultdict(Counter)
    for product in products:
        genders[leaf(product)][product.attributes.get("gender", "")] += 1
    rng = random.Random(SEED)
    pairs = [(colour, kind) for colour in colour_words("fashion").items() for kind in kinds]
    rng.shuffle(pairs)
    return part_of(list(_fashion_wordings(pairs, genders, chinese, language, rng)), part)


def frequent_fashion_questions(products: Sequence[Product], part: str) -> list[KindQuestion]:
    """The colour and the article type of random products, in English: what the shop has much of comes often."""
    rng = random.Random(SEED)
    known = colour_words("fashion")
    sold = [product for product in products if product.category_path[0] != FREE]
    drawn = rng.sample(sold, len(sold))
    pairs = dict.fromkeys((product.attributes.get("colour", "").lower(), leaf(product)) for product in drawn)
    questions = [
        KindQuestion(f"{colour} {rng.choice((singular, str))(kind.lower())}", (kind,), {"colour": colour}, ENGLISH)
        for colour, kind in pairs
        if colour in known
    ]
    return part_of(questions, part)


def _fashion_wordings(
    pairs: Sequence[tuple[tuple[str, str], str]],
    genders: Mapping[str, Counter[str]],
    chinese: Mapping[str, str],
    language: str,
    rng: random.Random,
) -> Iterator[KindQuestion]:
    for (english, colour), kind in pairs:
        form = rng.choice((singular, str))(kind.lower())
        sold_to = sorted(name for name, members in genders[kind].items() if name in GENDERS and members >= MIN_PRODUCTS)
        gender = rng.choice(sold_to) if sold_to and rng.random() < WITH_GENDER else ""
        if language == CHINESE:
            yield KindQuestion(f"{colour}{chinese[kind]}", (kind,), {"colour": english}, language)
        elif gender:
            text = rng.choice(GENDER_WORDINGS).format(colour=english, kind=form, gender=GENDERS[gender])
            yield KindQuestion(text, (kind,), {"colour": english, "gender": gender}, language)
        else:
            yield KindQuestion(f"{english} {form}", (kind,), {"colour": english}, language)


def fashion_kinds_in_chinese() -> dict[str, str]:
    """Chinese names of the fashion feed's most common article types."""
    rows = read_labelled_csv(DATA / "fashion_kinds_zh.csv", ("kind", "zh"))
    return {row.values["kind"]: row.values["zh"] for row in rows}


def leaf(product: Product) -> str:
    """The kind of thing: the last part of the category."""
    return product.category_path[-1]


def singular(phrase: str) -> str:
    """A kind's name as one thing is called: "side tables" -> "side table"; shoes stay shoes."""
    *front, last = phrase.split()
    if last in ONLY_PLURAL:
        return phrase
    if last in IRREGULAR:
        last = IRREGULAR[last]
    elif last.endswith("ies"):
        last = f"{last[:-3]}y"
    elif last.endswith("s") and not last.endswith("ss"):
        last = last[:-1]
    return " ".join([*front, last])
