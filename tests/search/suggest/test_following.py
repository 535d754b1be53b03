"""Suggestions follow the shop: what is removed vanishes, what is put appears, counts stay those of a plain loop."""

import random
import threading

import pytest

from catalog.product import Product
from catalog.text.tokenizer import indexed
from indexer.suggestions import segment_files
from search.live.product_edit import edit_of
from search.suggest import vocabulary
from search.suggest.suggestions import LATE
from tests.search.shop_fixtures import make_shop
from tests.search.suggest.conftest import Shop, mapped_words
from tests.web.shop_fixtures import picture_bytes

WORDS = ("red", "blue", "green", "mug", "bowl", "lamp", "steel", "oak", "tall", "round")


def test_an_engine_suggests_what_was_put_and_nothing_that_was_removed(home):
    with make_shop(home) as engine:
        assert [word.text for word in engine.suggest("scar").words][:1] == ["scarf"]
        assert [kind.category for kind in engine.suggest("hat").kinds] == ["Apparel > Hats"]
        engine.put(
            edit_of("n", {"title": "purple samovar", "category": "Kitchen > Samovars"}, [picture_bytes((9, 9, 9))])
        )
        found = engine.suggest("samo")
        assert [(word.text, word.products) for word in found.words] == [("samovar", 1)]
        assert [(kind.category, kind.products) for kind in found.kinds] == [("Kitchen > Samovars", 1)]
        assert [product.id for product in found.products] == ["n"]
        engine.put(edit_of("n", {"title": "purple kettle", "category": "Kitchen > Kettles"}))
        assert not engine.suggest("samo").words and not engine.suggest("samo").kinds
        engine.remove("n")
        found = engine.suggest("kett")
        assert not (found.words or found.kinds or found.products)
        engine.remove("b")
        assert not engine.suggest("hat").words and not engine.suggest("hat").kinds


@pytest.mark.parametrize("mapped", [False, True])
def test_counts_through_a_life_of_a_shop_are_those_of_a_plain_loop(open_shop, tmp_path, monkeypatch, mapped):
    monkeypatch.setattr(vocabulary, "PROMPT_SECONDS", 60.0)
    monkeypatch.setattr(vocabulary, "MAX_RECENT", 12)
    monkeypatch.setattr(vocabulary, "REREAD_SECONDS", 0.0)
    chance = random.Random(4)
    shop = open_shop(*(title(chance) for _ in range(30)))
    if mapped:
        shop.words = mapped_words(shop, tmp_path / "generation")
    shop.suggest("x")
    for step in range(40):
        names = [f"p{chance.randrange(45)}" for _ in range(chance.choice((1, 1, 2, 20)))]
        if step % 3:
            shop.catalogue.put([Product(name, title(chance), ()) for name in names])
        else:
            shop.catalogue.remove(names)
        shop.follow()
        shop.suggest("x")
        shop.suggester.wait()  # what is read in the background has been read
        texts = [set(indexed(product.title)) for _, product in shop.catalogue.iterate()]
        for before, last in ((), "m"), ((), "b"), (("red",), "m"), (("steel",), "l"), (("red", "oak"), "b"):
            found = shop.suggest(" ".join((*before, last)), limit=20).words
            for word in found:
                assert word.products == sum(set(word.text.split()) <= text for text in texts), (step, word)
            complete = {word for text in texts if text >= set(before) for word in text if word.startswith(last)}
            assert {word.text.split()[-1] for word in found if len(word.text.split()) == len(before) + 1} == complete


def title(chance):
    return " ".join(chance.sample(WORDS, chance.randint(1, 4)))


def test_of_many_changes_removed_products_vanish_before_the_words_are_read_again(open_shop, monkeypatch):
    monkeypatch.setattr(vocabulary, "MAX_RECENT", 3)
    shop = open_shop(*(f"mug {number}" for number in range(10)), "bowl")
    assert shop.suggest("mu").words[0].products == 10
    shop.catalogue.remove([f"p{number}" for number in range(6)])
    shop.follow()
    assert shop.suggest("mu").words[0].products == 4 and len(shop.suggest("mu").products) == 4


def test_a_request_does_not_wait_for_words_that_another_reads(open_shop, monkeypatch):
    monkeypatch.setattr(vocabulary, "WAIT_SECONDS", 0.0)
    reading, go_on = threading.Event(), threading.Event()
    read = segment_files.build_segment

    def slow(*given):
        reading.set()
        go_on.wait(60)
        return read(*given)

    monkeypatch.setattr(segment_files, "build_segment", slow)
    shop = open_shop("red mug")
    shop.suggester.start(shop.columns)
    assert reading.wait(60)
    try:
        assert shop.suggest("mu").degraded == (LATE,) and shop.suggest("mu").words == ()
    finally:
        go_on.set()
    shop.suggester.wait()
    assert shop.texts("mu") == ["mug"] and shop.suggest("mu").degraded == ()


def test_a_closed_catalogue_makes_suggestions_late_and_breaks_nothing(tmp_path):
    shop = Shop(tmp_path, [Product("a", "red mug", ())])
    shop.catalogue.close()
    assert shop.suggest("mu").degraded == (LATE,)


@pytest.mark.parametrize("count", [1, 7])
def test_threads_get_whole_suggestions_while_the_shop_changes(open_shop, count):
    shop = open_shop(*(f"red mug {number}" for number in range(5)))
    found, stop = [], threading.Event()

    def type_on():
        while not stop.is_set():
            found.append([word.text for word in shop.suggest("red m").words if not word.text.split()[-1].isdecimal()])

    threads = [threading.Thread(target=type_on) for _ in range(count)]
    for thread in threads:
        thread.start()
    for number in range(15):
        shop.catalogue.put([Product("n", f"red mug new{number}", ())])
        shop.follow()
    stop.set()
    for thread in threads:
        thread.join()
    assert found and all(texts[0] == "red mug" for texts in found if texts)
