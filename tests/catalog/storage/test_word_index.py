"""The word index follows every change of a product in the same transaction; older catalogues get one."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.product import Picture, Product
from catalog.storage import word_index
from catalog.storage.catalogue import Catalogue
from catalog.storage.connections import SCHEMA_VERSION
from catalog.storage.sqlite_catalogue import SqliteCatalogue

ONE_PICTURE = (Picture("/a.jpg", "aa", 1, 1),)
FIELDS = word_index.WORD_COLUMNS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "catalog.sqlite"


def product(product_id, title, **facts):
    return Product(product_id, title, ONE_PICTURE, **facts)


def held(catalogue):
    """What the index holds, (word, field) -> keys; and what it should hold, worked out from the products."""
    should = defaultdict(set)
    for key, indexed in catalogue.iterate():
        for field, row in zip(FIELDS, word_index.words_of(indexed), strict=True):
            for word in row.split():
                should[word, field].add(key)
    found = {}
    with catalogue.words() as words:
        for word, _ in words.vocabulary():
            for field in FIELDS:
                if keys := words.postings((word,), field):
                    found[word, field] = set(map(int, keys.split(",")))
    return found, dict(should)


def test_each_field_holds_its_words(catalogue):
    catalogue.put(
        [
            product("SKU-1", "Red teapot", brand="Kettle & Wick", category="Tableware > Teapots"),
            product("2", "红色杯", attributes={"mpn": "WH-1000"}, description="a red cup"),
        ]
    )
    with catalogue.words() as words:
        assert words.postings(("red",), "name") == "1"
        assert words.postings(("red",), "text") == "2"
        assert words.postings(("teapot", "cup"), "name") == "1"
        assert words.postings(("红色",), "name") == "2"
        assert words.postings(("=sku1",), "code") == "1"
        assert words.postings(("kettlewick",), "code") == "1"
        assert words.postings(("wh1000",), "code") == "2"
        assert words.known(("nothing", "teapots"))
        assert not words.known(("nothing",))
        assert (words.products(), words.seq()) == (2, 2)
        assert dict(words.vocabulary())["red"] == 2
        assert [*words.occurrences()] == [*word_index.Words.occurrences(words)]
        assert ("red", 2, "4,10") in [*words.occurrences()]


def test_what_is_rolled_back_leaves_no_word(catalogue):
    catalogue.put([product("1", "teapot")])
    with pytest.raises(RuntimeError), catalogue.replacing([product("2", "mug")]):
        with catalogue.words() as words:
            assert (words.known(("mug",)), words.known(("teapot",))) == (True, False)
        raise RuntimeError
    with catalogue.words() as words:
        assert (words.known(("mug",)), words.known(("teapot",))) == (False, True)


TEXTS = st.sampled_from(
    [
        *("red mug", "blue mugs", "红色杯", "T-shirt 1.5l", "", "mug mug", "1½ 120x170 cm", "=+\u0301\u094d"),
        *("Brødkurv Æ", "दीपक साड़ी", "จานสีขาว ๑๒", "ខ្នើយ", "ചുവന്ന പാൽ", "👗 🇸🇪 ❤️", "x\u00ady"),
        *("کتاب\u200cخانه", "الكرسي", "שולחן־צד"),
    ]
)
PRODUCTS = st.builds(
    lambda number, title, brand, text: product(f"p-{number}", title or "x", brand=brand, description=text),
    st.integers(0, 4),
    TEXTS,
    TEXTS,
    TEXTS,
)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(PRODUCTS, max_size=4)),
        st.tuples(st.just("replace"), st.lists(PRODUCTS, max_size=4)),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 4).map("p-{}".format), max_size=3)),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_it_holds_what_the_products_say_whatever_was_done(catalogue, changes):
    for what, given_ in changes:
        getattr(catalogue, what)(given_)
    found, should = held(catalogue)
    assert found == should and catalogue.faults() == []


def make_old(path, products):
    """A catalogue as the first schema had it."""
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put(products)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "DROP TABLE vocabulary; DROP TABLE words; DELETE FROM meta WHERE name LIKE 'words.%';"
            "UPDATE meta SET value = '1' WHERE name = 'schema_version'"
        )


@pytest.mark.promise("R10")
def test_an_older_catalogue_is_brought_up_to_date_when_it_is_opened(path, monkeypatch):
    monkeypatch.setattr(word_index, "FILL_PRODUCTS", 3)
    products = [product(f"{i}", f"mug {i}") for i in range(10)]
    make_old(path, products)
    with closing(Catalogue.open(path)) as catalogue:
        found, should = held(catalogue)
        assert found == should
        assert len(found["mug", "name"]) == 10
        assert catalogue.seq == 10
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone() == (str(SCHEMA_VERSION),)


@pytest.mark.promise("R10")
def test_others_write_while_an_older_catalogue_is_brought_up_to_date(path, monkeypatch):
    monkeypatch.setattr(word_index, "FILL_PRODUCTS", 3)
    make_old(path, [product(f"{i}", f"mug {i}") for i in range(10)])
    steps = []
    real = word_index.fill

    def fill(db, read):
        steps.append(1)
        if len(steps) == 1:
            return real(db, read)
        if len(steps) == 2:  # upgraded half-way: this program died, and another goes on
            raise KeyboardInterrupt
        return real(db, read)

    monkeypatch.setattr(word_index, "fill", fill)
    with pytest.raises(KeyboardInterrupt):
        Catalogue.open(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT value FROM meta WHERE name = 'words.until'").fetchone() == ("3",)
    catalogue = SqliteCatalogue(_opened(path))
    catalogue.put([product("1", "cup 1"), product("8", "cup 8"), product("new", "jug")])
    catalogue.remove(["2", "9"])
    catalogue.close()
    with closing(Catalogue.open(path)) as catalogue:
        found, should = held(catalogue)
        assert found == should
        assert ("jug", "name") in found


def _opened(path):
    from catalog.storage.connections import Connections

    return Connections.open(path)


def test_another_tokenizer_version_rebuilds_the_index(path, monkeypatch):
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put([product("1", "mug"), product("2", "cup")])
    monkeypatch.setattr(word_index, "ANALYSIS", 999)
    monkeypatch.setattr(word_index, "words_of", lambda indexed: (f"other{indexed.id}", "", "", ""))
    with closing(Catalogue.open(path)) as catalogue, catalogue.words() as words:
        assert words.vocabulary() == [("other1", 1), ("other2", 1)]


@pytest.mark.promise("R10")
def test_words_that_an_older_version_made_are_made_again(path):
    titles = {"1": ("दीपक", "द पक"), "2": ("Łóżko", "łozko"), "3": ("จาน", "จาน"), "4": ("mug", "mug")}
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put([product(product_id, title) for product_id, (title, _) in titles.items()])
    with closing(sqlite3.connect(path)) as db, db:
        word_index.create(db, word_index.ALL_KEYS)
        for key, (_, old_words) in enumerate(titles.values(), 1):
            db.execute(word_index._INSERT_WORDS, (key, old_words, "", "", f"={key}"))
        db.execute("UPDATE meta SET value = '1' WHERE name = 'words.analysis'")
    with closing(Catalogue.open(path)) as catalogue:
        found, should = held(catalogue)
        assert found == should
        with catalogue.words() as words:
            assert words.postings(("lozko", "दीपक", "จาน", "mug"), "name") == "1,2,3,4"
            assert not words.known(("łozko", "पक"))


def test_words_are_made_again_when_python_knows_other_characters(path, monkeypatch):
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put([product("1", "mug")])
    monkeypatch.setattr(word_index.unicodedata, "unidata_version", "99.0.0")
    with closing(sqlite3.connect(path)) as db:
        assert word_index.needs_reindex(db)
    with closing(Catalogue.open(path)) as catalogue:
        found, should = held(catalogue)
        assert found == should


def test_a_brand_is_one_word_in_each_of_its_spellings(path):
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put([product("1", "mug", brand="Götz & Söhne")])
        with catalogue.words() as words:
            assert words.postings(("gotzsohne",), "code") == words.postings(("goetzsoehne",), "code") == "1"


def test_a_change_that_touches_no_word_writes_none(path, monkeypatch):
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put([product("1", "mug")])
        monkeypatch.setattr(word_index, "_DELETE_WORDS", "this is no SQL")
        catalogue.put([replace(product("1", "mug"), in_stock=False)])
        assert not catalogue.get("1").in_stock
