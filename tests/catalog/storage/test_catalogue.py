"""The catalogue keeps every product, logs every change once, and never gives a key to another product."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.errors import BadInput, DamagedStore, NewerStore, StoreError, UnknownProduct
from catalog.product import Picture, Product
from catalog.storage import connections
from catalog.storage.catalogue import Catalogue, Change, ReplaceCounts
from catalog.storage.connections import SCHEMA_VERSION
from tests.timing import Lateness, ProcessorTime, speed

SHIRT = Product(
    "s1",
    "Blå skjorta 衬衫",
    (Picture("/shop/a.jpg", "aa", 60, 80), Picture("/shop/b.jpg", "bb", 10, 20)),
    category="Apparel > Shirts",
    price=Decimal("12.90"),
    currency="EUR",
    in_stock=False,
    brand="O'Neill",
    attributes={"colour": "Navy", "size": '"L"'},
    description="Robert'); DROP TABLE products;--\nnext line",
    link="https://shop.example/s1?a=1&b=2",
    list_price=Decimal("19.90"),
    item_group_id="shirts-7",
    origin="products.csv:2",
)
SHOE = Product("s2", "Shoe", (Picture("/shop/c.jpg", "cc", 60, 80),))


def test_a_product_comes_back_as_it_went_in(catalogue):
    catalogue.put([SHIRT, SHOE])
    assert catalogue.get("s1") == SHIRT
    assert catalogue.get("s1").origin == "products.csv:2"
    assert str(catalogue.get("s1").price) == "12.90"
    assert catalogue.get("s2") == SHOE
    assert (catalogue.count(), catalogue.pictures_count()) == (2, 3)


def test_what_is_not_there(catalogue):
    with pytest.raises(UnknownProduct, match="nobody"):
        catalogue.get("nobody")
    with pytest.raises(UnknownProduct):
        catalogue.key_of("nobody")
    assert catalogue.picture("ff") is None
    assert catalogue.get_many([1, 2]) == {}
    assert catalogue.get_many([]) == {}
    assert (catalogue.count(), catalogue.pictures_count(), catalogue.seq) == (0, 0, 0)
    assert list(catalogue.iterate()) == catalogue.keys() == []


def test_real_changes_are_logged_and_equal_products_are_not(catalogue):
    catalogue.put([SHIRT, SHOE])
    assert catalogue.seq == 2
    catalogue.put([replace(SHIRT, origin="products.csv:9"), SHOE])
    assert catalogue.seq == 2
    assert catalogue.get("s1").origin == "products.csv:9"
    catalogue.put([replace(SHOE, title="Boot")])
    catalogue.put([replace(SHIRT, pictures=SHIRT.pictures[:1])])
    assert catalogue.remove(["s2", "nobody", "s2"]) == 1
    changes = [("s1", "put"), ("s2", "put"), ("s2", "put"), ("s1", "put"), ("s2", "remove")]
    assert catalogue.changes() == [Change(seq, *change) for seq, change in enumerate(changes, 1)]
    assert catalogue.changes(after=4) == [Change(5, "s2", "remove")]
    assert catalogue.pictures_count() == 1


def test_new_and_changed_products_are_logged_in_the_order_given(catalogue):
    catalogue.put([SHIRT, SHOE])
    catalogue.put(
        [replace(SHOE, id="s4"), replace(SHOE, title="Boot"), replace(SHOE, id="s3"), replace(SHIRT, title="Vest")]
    )
    assert [change.product_id for change in catalogue.changes(after=2)] == ["s4", "s2", "s3", "s1"]
    assert [catalogue.key_of(product_id) for product_id in ("s1", "s2", "s4", "s3")] == [1, 2, 3, 4]


def test_an_import_has_more_memory_for_pages_while_it_runs(in_file):
    def pages():
        with in_file._connections.checked() as db:
            return db.execute("PRAGMA cache_size").fetchone()[0]

    usual = pages()
    with pytest.raises(ZeroDivisionError), in_file.applying([SHIRT], []):
        assert pages() < 100 * usual < 0
        raise ZeroDivisionError
    assert pages() == usual
    assert in_file.count() == 0


def test_keys_stay_and_are_never_given_again(catalogue):
    catalogue.put([SHIRT, SHOE])
    key = catalogue.key_of("s2")
    catalogue.put([replace(SHOE, title="Boot")])
    assert catalogue.key_of("s2") == key
    catalogue.remove(["s2"])
    catalogue.put([replace(SHOE, id="s3")])
    assert catalogue.key_of("s3") > key
    assert catalogue.get_many([key]) == {}


def test_get_many_keeps_the_order_of_the_keys(catalogue):
    products = [replace(SHOE, id=f"p{number}") for number in range(2_500)]
    catalogue.put(products)
    keys = catalogue.keys()[::-1]
    found = catalogue.get_many([*keys, 10**6])
    assert list(found) == keys
    assert [product.id for product in found.values()] == [product.id for product in products[::-1]]
    assert [key for key, _ in catalogue.iterate()] == keys[::-1]
    assert [product for _, product in catalogue.iterate()] == products


def test_replace_makes_it_equal_to_what_is_given(catalogue):
    assert catalogue.replace([SHIRT, SHOE]) == ReplaceCounts(added=2, changed=0, removed=0, unchanged=0)
    hat = Product("h1", "Hat", ())
    assert catalogue.replace([replace(SHOE, title="Boot"), hat]) == ReplaceCounts(1, 1, 1, 0)
    assert [product.id for _, product in catalogue.iterate()] == ["s2", "h1"]
    assert catalogue.changes()[-1].kind == "remove"
    seq = catalogue.seq
    assert catalogue.replace([hat, replace(SHOE, title="Boot")]) == ReplaceCounts(0, 0, 0, 2)
    assert catalogue.seq == seq
    assert catalogue.replace([]) == ReplaceCounts(0, 0, 2, 0)


def test_an_id_given_twice_stands_as_last_given(catalogue):
    catalogue.put([SHOE, replace(SHOE, title="Boot")])
    assert catalogue.get("s2").title == "Boot"
    assert catalogue.count() == 1


@pytest.mark.parametrize("write", ["put", "replace"])
def test_all_or_nothing(catalogue, write):
    catalogue.put([SHIRT])

    def breaks_off():
        yield SHOE
        raise RuntimeError("the feed broke off")

    with pytest.raises(RuntimeError):
        getattr(catalogue, write)(breaks_off())
    assert [product for _, product in catalogue.iterate()] == [SHIRT]
    assert catalogue.seq == 1
    catalogue.put([SHOE])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": "\ud800"}, "'s2' is not valid Unicode"),
        ({"origin": "feed\udcff.csv:3"}, "'s2' is not valid Unicode"),
        ({"brand": "a\0b"}, "'s2' has the character NUL"),
        ({"attributes": {"a\0b": "red"}}, "'s2' has the character NUL"),
        ({"pictures": (Picture("/a\0b.jpg"),)}, "'s2' has the character NUL"),
        ({"id": "x" * 2_001}, "longer than 2,000 bytes"),
        ({"id": "\N{ROCKET}" * 501}, "longer than 2,000 bytes"),
    ],
)
def test_what_every_database_refuses_alike(catalogue, fields, reason):
    bad = [SHIRT, replace(SHOE, **fields)]
    for write in (catalogue.put, catalogue.replace, lambda products: catalogue.applying(products, []).__enter__()):
        with pytest.raises(BadInput, match=reason):
            write(bad)
    assert (catalogue.count(), catalogue.seq) == (0, 0)


def test_the_longest_ids_are_stored(catalogue):
    ids = ["".join(chr(0x10000 + 7 * number) for number in range(500)), "x" * 2_000]  # of a feed; of any product
    catalogue.put([replace(SHOE, id=product_id, price=None) for product_id in ids])
    assert [product.id for _, product in catalogue.iterate()] == ids
    with pytest.raises(BadInput):
        catalogue.get("\ud800")


def test_a_picture_is_found_by_its_content(catalogue):
    catalogue.put([SHIRT, SHOE])
    assert catalogue.picture("bb") == SHIRT.pictures[1]


def test_it_outlives_its_process(store):
    with closing(store.open()) as first:
        first.put([SHIRT])
    with closing(store.open()) as second:
        assert second.get("s1") == SHIRT


def test_settings_that_keep_data_safe(in_file):
    with in_file._connections.checked() as db:
        names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 1, 0]


def test_threads_read_while_one_writes(catalogue):
    catalogue.put([SHIRT])
    done = threading.Event()

    def read():
        while not done.is_set():
            assert catalogue.get("s1").pictures == SHIRT.pictures
            assert len(catalogue.get_many(catalogue.keys())) >= 1

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for number in range(20):
            catalogue.put([replace(SHIRT, title=f"Shirt {number}"), replace(SHOE, id=f"p{number}")])
        done.set()
        for reader in readers:
            reader.result()
    assert catalogue.count() == 21


def test_several_may_make_the_same_catalogue_at_once(store):
    def open_and_put(number):
        with closing(store.open()) as opened:
            opened.put([replace(SHOE, id=f"p{number}")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_and_put, range(8)))
    with closing(store.open()) as opened:
        assert opened.count() == 8
        assert [change.seq for change in opened.changes()] == list(range(1, 9))


def test_a_thread_takes_its_connection_with_it(in_file):
    for _ in range(5):
        thread = threading.Thread(target=in_file.count)
        thread.start()
        thread.join()
    assert len(in_file._connections._all) == 1


def test_a_closed_catalogue_says_so(catalogue):
    catalogue.close()
    with pytest.raises(StoreError, match="closed"):
        catalogue.count()


def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "catalog.sqlite"
    Catalogue.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (str(SCHEMA_VERSION + 1),))
    db.close()
    with pytest.raises(NewerStore, match="newer Windowshop"):
        Catalogue.open(path)


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"id,title\n" * 1000)
    with pytest.raises(DamagedStore):
        Catalogue.open(path)
    assert path.read_bytes() == b"id,title\n" * 1000


def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(DamagedStore, match="not a catalogue"):
        Catalogue.open(path)
    assert path.read_bytes() == before


def test_a_broken_row_is_named(catalogue):
    catalogue.put([SHIRT])
    with catalogue._connections.transaction() as db:
        db.execute("UPDATE products SET price = 'much'")
    with pytest.raises(DamagedStore, match="row 1"):
        catalogue.get("s1")


def test_a_path_that_cannot_be_opened(tmp_path):
    with pytest.raises(StoreError):
        Catalogue.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        Catalogue.open(tmp_path / "file" / "catalog.sqlite")


def test_quick_enough_for_a_server(catalogue):
    catalogue.put(replace(SHIRT, id=f"p{number}") for number in range(1_000))
    keys = catalogue.keys()[:10]
    with ProcessorTime() as spell:
        for _ in range(100):
            catalogue.get_many(keys)
    assert spell.seconds / 100 < 0.01 * speed()  # about 0.2 ms on an idle machine


def test_opening_waits_for_no_writer(catalogue, store):
    catalogue.put([SHIRT])
    with catalogue.applying([SHOE], []), Lateness() as wait, closing(store.open()) as reader:
        assert reader.get("s1") == SHIRT and reader.count() == 1
    assert wait.within(5)


def test_replacing_shows_to_others_at_its_end_only(catalogue, store):
    catalogue.put([SHIRT])
    other = store.open()
    with pytest.raises(ZeroDivisionError), catalogue.replacing([SHOE]) as replaced:
        assert replaced == ReplaceCounts(added=1, changed=0, removed=1, unchanged=0)
        assert [product.id for _, product in catalogue.iterate()] == ["s2"]
        assert [product.id for _, product in other.iterate()] == ["s1"]
        raise ZeroDivisionError
    assert catalogue.get("s1") == SHIRT and catalogue.seq == 1
    with catalogue.replacing([SHOE]):
        pass
    assert [product.id for _, product in other.iterate()] == ["s2"]
    other.close()


def test_categories_of_keys(catalogue):
    catalogue.put([Product("a", "a", (), "Cups"), Product("b", "b", ())])
    key = catalogue.key_of("a")
    assert catalogue.categories([key, catalogue.key_of("b"), 99]) == {key: "Cups", catalogue.key_of("b"): ""}


def test_a_wrong_amount_of_changes_is_never_read(catalogue, store):
    """Another process that follows the log sees each change once, in order, while two write."""
    seen: list[int] = []
    stop = threading.Event()

    def follow():
        with closing(store.open()) as follower:
            while True:
                last = stop.is_set()
                seen.extend(change.seq for change in follower.changes(seen[-1] if seen else 0))
                if last:
                    return

    def write(name):
        with closing(store.open()) as writer:
            for number in range(12):
                writer.put([replace(SHOE, id=f"{name}-{number}-{each}") for each in range(3)])

    with ThreadPoolExecutor(3) as pool:
        follower = pool.submit(follow)
        for writer in [pool.submit(write, name) for name in "ab"]:
            writer.result()
        stop.set()
        follower.result()
    assert seen == list(range(1, 73)) and catalogue.seq == 72


def test_texts_about_the_catalogue(catalogue):
    assert catalogue.get_meta("pending") is None
    catalogue.set_meta("pending", "7")
    catalogue.set_meta("pending", "8")
    assert catalogue.get_meta("pending") == "8"
    with pytest.raises(ZeroDivisionError), catalogue.applying([SHOE], []):
        catalogue.set_meta("pending", "9")
        raise ZeroDivisionError
    assert catalogue.get_meta("pending") == "8"
    catalogue.set_meta("pending", None)
    assert catalogue.get_meta("pending") is None


def test_what_an_index_and_a_sitemap_read(catalogue):
    catalogue.put([SHIRT, SHOE, Product("n", "Nothing to see", ())])
    assert [row.sha256 for page in catalogue.iter_picture_rows() for row in page] == ["aa", "bb", "cc"]
    assert [*catalogue.ids()] == [(1, "s1"), (2, "s2"), (3, "n")]
    assert [title for _, title in catalogue.titles()] == [SHIRT.title, SHOE.title, "Nothing to see"]
    assert catalogue.keys_of(["n", "s1", "nobody"]) == [1, 3] and catalogue.keys_changed(1) == [2, 3]
    parts = catalogue.key_ranges(2)
    assert [(part.number, part.products) for part in parts] == [(0, 2), (1, 1)]
    assert set(catalogue.times_between(1, 2)) == {"s1", "s2"} and max(parts[0].changed, "2") == parts[0].changed
    catalogue.move_pictures("/shop/", "/moved/")
    assert catalogue.get("s2").pictures[0].path == "/moved/c.jpg" and catalogue.seq == 3
    assert catalogue.changes(0, 2) == catalogue.changes()[:2] and catalogue.faults() == []


def test_a_copy_in_a_file_answers_the_same(catalogue, tmp_path):
    catalogue.put([SHIRT, SHOE])
    catalogue.put([replace(SHOE, price=Decimal(3))])
    catalogue.remove(["s1"])
    catalogue.set_meta("pending", "7")
    catalogue.copy_to(tmp_path / "copy.sqlite")
    with closing(Catalogue.open(tmp_path / "copy.sqlite")) as copied:
        assert [*copied.iterate()] == [*catalogue.iterate()] and copied.changes() == catalogue.changes()
        assert [*copied.price_history.of_all()] == [*catalogue.price_history.of_all()]
        assert copied.history.preview(2, 1) == catalogue.history.preview(2, 1)
        assert copied.get_meta("pending") == "7"
        with copied.words() as there, catalogue.words() as here:
            assert there.vocabulary() == here.vocabulary()
        copied.put([Product("new", "New", ())])
        assert copied.key_of("new") == 3  # no number is given twice


def test_a_handle_closes_its_connection_in_its_own_process_alone():
    own, inherited = (connections._Handle(sqlite3.connect(":memory:")) for _ in range(2))
    still_open = inherited.connection
    inherited._process = -1  # as in a process that was forked
    closed = own.connection
    del own, inherited
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        closed.execute("SELECT 1")
    assert still_open.execute("SELECT 1").fetchone() == (1,) and still_open in connections._INHERITED
    connections._INHERITED.clear()
