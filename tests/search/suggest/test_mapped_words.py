"""Words that lie beside the index give the suggestions that words read from the catalogue give."""

import random
from dataclasses import replace

import pytest

from catalog.product import Product
from indexer.suggestions import segment_builder, segment_files
from search.suggest import vocabulary
from search.suggest.suggester import Suggester
from search.suggest.vocabulary import VocabularyFollower
from tests.search.suggest.conftest import mapped_words

PRODUCTS = 600
THINGS = {"mug": "马克杯", "teapot": "茶壶", "lamp": "台灯", "t-shirt": "恤衫", "vase": "花瓶", "sofa bed": "沙发床"}
COLOURS = {"red": "红色", "blue": "蓝色", "white": "白色", "mustard yellow": "芥末黄", "ivory": "象牙白"}
LOOKS = (
    "glazed",
    "Café",
    "with lid",
    "oak",
    "tall",
    "Größe 44",
    "summer",
    "750ml",
    "Strickjacke",
    "l'eau",
    "für Kinder",
)
BRANDS = ("Kettlewick", "Mirucasa", "Nike Air", "耐克", "Götz", "")


def drawn(number, chance):
    thing, colour = chance.choice([*THINGS]), chance.choice([*COLOURS])
    extra = " ".join(chance.sample(LOOKS, chance.randint(0, 2)))
    in_chinese = chance.random() < 0.15
    return Product(
        f"P-{number:05d}",
        COLOURS[colour] + THINGS[thing] if in_chinese else f"{chance.choice(BRANDS)} {colour} {thing} {extra}".strip(),
        (),
        f"Home > {thing.title()}s",
        brand=chance.choice(BRANDS),
        in_stock=chance.random() < 0.8,
        attributes={"colour": colour, "season": chance.choice(["Summer", "Winter"]), "batch": f"B{number % 40:04d}"}
        | ({"category_zh": f"家居 > {THINGS[thing]}"} if chance.random() < 0.3 else {}),
    )


def typed_texts(chance, products):
    texts = [
        "",
        "红",
        "红色",
        "红色马",
        "马克",
        "白色 茶",
        "杯",
        "P-0",
        "P-00012",
        "B0003",
        "teapto",
        "mustrad",
        "blue tepot",
    ]
    for product in chance.sample(products, 25):
        title = product.title.lower()
        texts += [title[: chance.randint(1, len(title))], title.split()[0] + " ", " ".join(title.split()[:2]) + " s"]
        words = max(title.split(), key=len)
        at = chance.randrange(len(words))
        texts.append(words[:at] + words[at + 1 :])
    return texts


class TwoReaders:
    """A shop whose words are read by one suggester, and mapped by another."""

    def __init__(self, shop, folder):
        self.shop, self.chance = shop, random.Random(3)
        self.read, self.mapping = shop.suggester, Suggester(shop.catalogue, shop.glossary)
        self.words = mapped_words(shop, folder)

    def assert_same(self, limit=6):
        products = list(self.shop.catalogue.get_many(self.shop.catalogue.keys()).values())
        for text in typed_texts(self.chance, products):
            read = self.read.suggest(text, self.shop.columns, limit, {})
            assert self.mapping.suggest(text, self.shop.columns, limit, {}, self.words) == read, text
            assert not read.degraded

    def change(self, put, gone):
        self.shop.catalogue.put([drawn(number, self.chance) for number in put])
        self.shop.catalogue.remove([f"P-{number:05d}" for number in gone])
        self.shop.follow()


@pytest.fixture
def two_readers(tmp_path, open_shop, monkeypatch):
    monkeypatch.setattr(segment_builder, "MIN_DENSE", 100)
    monkeypatch.setattr(vocabulary, "PROMPT_SECONDS", 60.0)
    chance = random.Random(2)
    shop = open_shop(*(drawn(number, chance) for number in range(PRODUCTS)))
    yield TwoReaders(shop, tmp_path / "generation")


def test_the_same_suggestions_before_and_after_changes(two_readers, tmp_path):
    shop = two_readers.shop
    two_readers.assert_same()
    for step in range(2):
        two_readers.change(range(step * 20, PRODUCTS + 10, 150), range(step, PRODUCTS, 200))
        two_readers.assert_same(limit=20 if step else 6)
    two_readers.words = mapped_words(shop, tmp_path / "next")  # a new generation
    two_readers.read = Suggester(shop.catalogue, shop.glossary)  # reads all of them again
    two_readers.assert_same()
    two_readers.change([5, PRODUCTS + 50], [7])
    two_readers.assert_same()


def test_nothing_is_read_again_for_mapped_words(two_readers, monkeypatch):
    def refused(*given):
        raise AssertionError("all words were read")

    monkeypatch.setattr(segment_files, "build_segment", refused)
    mapping, shop, words = two_readers.mapping, two_readers.shop, two_readers.words
    mapping.start(shop.columns, words)
    mapping.wait()
    assert mapping.suggest("mu", shop.columns, 6, {}, words).words
    monkeypatch.setattr(vocabulary, "MAX_RECENT", 5)
    two_readers.change(range(PRODUCTS, PRODUCTS + 30), range(20))
    mapping.suggest("mu", shop.columns, 6, {}, words)
    mapping.wait()
    assert mapping.suggest("mu", shop.columns, 6, {}, words).words
    found = mapping.suggest(f"P-{PRODUCTS + 29:05d}", shop.columns, 6, {}, words).products
    assert [product.id for product in found] == [f"P-{PRODUCTS + 29:05d}"]


def test_words_of_another_catalogue_are_not_used(two_readers):
    shop = two_readers.shop
    for wrong in (
        replace(two_readers.words, changed="another"),
        replace(two_readers.words, seq=two_readers.words.seq + 1),
    ):
        follower = VocabularyFollower(shop.catalogue)
        vocabulary = follower.current(shop.columns, wrong)
        assert vocabulary.segments[0] is not wrong.segment and vocabulary.segments[0].table is shop.columns


def test_words_of_an_earlier_generation_do_not_replace_later_ones(two_readers, tmp_path):
    shop, before = two_readers.shop, two_readers.words
    two_readers.change([1], [2])
    later = mapped_words(shop, tmp_path / "next")
    follower = VocabularyFollower(shop.catalogue)
    for words, table in ((before, before), (later, later), (before, later), (None, later)):
        assert follower.current(shop.columns, words).segments[0].table is table.segment.table


def test_too_many_changes_for_mapped_words_are_read_from_the_catalogue(two_readers, monkeypatch):
    monkeypatch.setattr(vocabulary, "MAX_RECENT", 5)
    monkeypatch.setattr(vocabulary, "MAX_REPLAYED_CHANGES", 10)
    shop, words = two_readers.shop, two_readers.words
    two_readers.change(range(PRODUCTS, PRODUCTS + 30), range(20))
    follower = VocabularyFollower(shop.catalogue)
    follower.current(shop.columns, words)
    follower.wait()
    (segment,) = follower.current(shop.columns, words).segments
    assert segment.table is shop.columns
