"""A shop that changes while it is open: put and removed products, by this engine and by others, up to a new opening."""

import gc
import io
import os
import re
import threading
import time
import weakref
from contextlib import closing

import pytest
from PIL import Image

from catalog import images
from catalog.errors import BadPicture, BadQuery, BadRow, LiveIndexFull, StoreError, UnknownProduct
from catalog.files.failpoints import VARIABLE, Failed
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.cache.vector_cache import VectorCache, cache_path
from indexer.generations import store
from search.engine import SearchEngine
from search.live.product_edit import edit_of
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from search.retrieval.search_run import SearchRun
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, GREEN, RED, YELLOW, Item, make_shop, open_shop, picture, save_picture


def file_of(colour, kind="PNG", size=8, **options):
    out = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(out, kind, **options)
    return out.getvalue()


def put(engine, product_id, *colours, **fields):
    pictures = [file_of(colour) for colour in colours] if colours else None
    return engine.put(edit_of(product_id, fields, pictures))


def found(engine, colour=RED, k=10):
    return [hit.product.id for hit in engine.search(Query((PictureTerm(picture(colour)),), k=k, collapse=False)).hits]


@pytest.fixture
def opened(home, fake_encoder):
    """Opens the shop as a server does: with all changes since its generation was built."""
    make_shop(home).close()
    engines = []

    def open_it(**options):
        engines.append(SearchEngine.open(home, **options))
        return engines[-1]

    yield open_it
    for engine in engines:
        engine.close()


def test_a_new_product_is_found_by_the_next_search(engine):
    written = put(engine, "n", RED, title="red cup", price="3.50", currency="eur", attributes={"made of": "tin"})
    assert written.created and written.product == engine.product("n")
    assert (written.product.price, written.product.currency) == (pytest.approx(3.5), "EUR")
    assert found(engine)[:2] == ["n", "r"]
    hit = engine.search(Query((PictureTerm(picture(RED)),))).hits[0]
    assert (hit.score, hit.picture) == (pytest.approx(1.0, abs=1e-3), written.product.pictures[0])
    assert engine.similar("n").hits[0].product.id == "r"
    assert engine.thumbnail(hit.picture.sha256, 64)[:2] == b"\xff\xd8"
    status = engine.status()
    assert (status.products, status.pictures, status.live, status.degraded) == (5, 6, 1, ())


def test_a_removed_product_is_no_hit_and_resembles_nothing(engine):
    engine.remove("r")
    assert found(engine) == ["y", "b", "g"]
    with pytest.raises(UnknownProduct):
        engine.similar("r")
    with pytest.raises(UnknownProduct):
        engine.remove("r")
    assert engine.status().products == 3
    assert put(engine, "r", RED, title="red scarf").created
    assert found(engine)[0] == "r"


def test_a_product_with_new_pictures_is_found_by_those_only(engine):
    assert not put(engine, "r", BLUE, GREEN).created
    scores = {hit.product.id: hit.score for hit in engine.search(Query((PictureTerm(picture(RED)),))).hits}
    assert scores["r"] == pytest.approx(0.2, abs=0.03)  # by its title alone
    assert len(engine.product("r").pictures) == 2
    assert engine.status().products == 4


def test_price_and_stock_touch_no_vector(home, fake_encoder, engine):
    encoded = engine.encoder.pictures_encoded
    put(engine, "y", price="9.90 USD", in_stock=False)
    assert engine.encoder.pictures_encoded == encoded
    after = engine.product("y")
    assert (str(after.price), after.currency, after.in_stock, len(after.pictures)) == ("9.90", "USD", False, 2)
    assert engine.status().live == 0
    assert found(engine, GREEN)[:2] == ["g", "y"]
    assert put(engine, "y", price="").product.price is None
    assert engine.product("y").currency == "USD"
    put(engine, "y", price="5")
    assert put(engine, "y", price=None).product.price is None
    assert engine.product("y").currency == "USD"


def test_a_new_title_keeps_the_pictures_and_their_vectors(engine):
    encoded = engine.encoder.pictures_encoded
    put(engine, "b", title="red hat")
    assert engine.encoder.pictures_encoded == encoded
    hit = next(h for h in engine.search(Query((TextTerm("red"),), blocks={"lexical": 0})).hits if h.product.id == "b")
    assert hit.parts["words"] == pytest.approx(0.5, abs=1e-3)
    put(engine, "b", title="blue hat")
    assert engine.status().live == 0, "as it was built, so the generation's own rows do"


def test_fields_that_are_not_given_stay(engine):
    put(engine, "r", description="Warm.", brand="Acme")
    put(engine, "r", attributes={"colour": "red"})
    after = engine.product("r")
    assert (after.title, after.category, after.brand, after.description) == (
        "red scarf",
        "Apparel > Scarves > Plain",
        "Acme",
        "Warm.",
    )
    assert after.attributes == {"colour": "red"}


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"colour": "red"}, BadQuery, "'colour'"),
        ({"title": " \n"}, BadQuery, "blank"),
        ({"title": 5}, BadQuery, "title is 5"),
        ({"title": "x" * 2001}, BadRow, "2,000"),
        ({"price": "much"}, BadRow, "bad price"),
        ({"price": -1}, BadRow, "negative"),
        ({"price": float("nan")}, BadRow, "bad price"),
        ({"price": True}, BadQuery, "price is True"),
        ({"price": "3 EUR", "currency": "USD"}, BadRow, "USD"),
        ({"currency": "taler"}, BadRow, "currency"),
        ({"in_stock": "perhaps"}, BadQuery, "in_stock"),
        ({"in_stock": None}, BadQuery, "in_stock"),
        ({"in_stock": [1]}, BadQuery, "in_stock"),
        ({"attributes": ["a"]}, BadQuery, "attributes"),
        ({"attributes": {"a": {}}}, BadQuery, "'a'"),
        ({"description": "x" * 50_001}, BadQuery, "50,000"),
    ],
    ids=str,
)
def test_impossible_values_are_refused_by_name(engine, fields, error, says):
    with pytest.raises(error, match=says):
        put(engine, "r", **fields)
    assert engine.product("r").title == "red scarf"


# A count is as good in JSON as in a feed; it was once refused.
@pytest.mark.parametrize(
    "word",
    ["true", " Yes ", "in stock", "InStock", "https://schema.org/InStock", "1", "12", "10+", "auf Lager", 1, 3, 0.5],
)
def test_an_edit_understands_the_availability_words_of_feeds(word):
    assert edit_of("p", {"in_stock": word}).fields["in_stock"] is True


@pytest.mark.parametrize(
    "word", ["false", "no", "out_of_stock", "Sold out", "onbackorder", "0", "-1", "缺货", 0, -2, 0.0]
)
def test_an_edit_understands_the_words_for_out_of_stock(word):
    assert edit_of("p", {"in_stock": word}).fields["in_stock"] is False


def test_a_new_product_needs_title_and_picture(engine):
    for given, colours, lacks in (({}, (RED,), "title"), ({"title": "x"}, (), "pictures")):
        with pytest.raises(BadQuery, match=lacks):
            put(engine, "n", *colours, **given)
    with pytest.raises(BadQuery, match="pictures"):
        engine.put(edit_of("r", {}, []))
    with pytest.raises(BadRow, match="id"):
        edit_of("a\nb", {})
    with pytest.raises(BadPicture):
        engine.put(edit_of("n", {"title": "x"}, [b"no picture"]))
    with pytest.raises(BadPicture, match="0 bytes"):
        engine.put(edit_of("n", {"title": "x"}, [b""]))


@pytest.mark.promise("S6")
def test_pictures_are_stored_re_encoded(home, engine):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"
    data = file_of(RED, "JPEG", 40, exif=exif) + b"<script>alert(1)</script>"
    first = engine.put(edit_of("n", {"title": "red"}, [data, data])).product.pictures
    assert len(first) == 1
    stored_bytes = (home / "pictures" / first[0].sha256[:2] / f"{first[0].sha256}.jpg").read_bytes()
    assert images.content_hash(stored_bytes) == first[0].sha256
    assert b"Secret" not in stored_bytes and b"script" not in stored_bytes
    assert engine.put(edit_of("n", {}, [data])).product.pictures == first
    wide = Image.new("RGB", (4000, 100), RED)
    out = io.BytesIO()
    wide.save(out, "PNG")
    assert engine.put(edit_of("w", {"title": "w"}, [out.getvalue()])).product.pictures[0].width == 2048


def test_leftovers_of_a_killed_writer_are_removed_in_time(home, opened):
    unfinished = home / "pictures" / "unfinished"
    unfinished.mkdir(parents=True)
    for name, age in (("old", 4_000), ("new", 10)):
        (unfinished / name).write_bytes(b"half")
        then = time.time() - age
        os.utime(unfinished / name, (then, then))
    engine = opened()
    assert [path.name for path in unfinished.iterdir()] == ["new"]
    put(engine, "n", RED, title="red")
    assert [path.name for path in unfinished.iterdir()] == ["new"]


def test_another_opening_finds_all_changes_and_encodes_nothing_twice(opened, fake_encoder):
    first = opened()
    for number in range(12):
        put(first, f"n{number:02}", (255, number, 0), title=f"red {number}")
    put(first, "n00", title="green")
    first.remove("b")
    first.remove("n11")
    put(first, "r", price="1")
    before, hits = first.status(), found(first, k=30)
    first.close()
    pictures, texts = fake_encoder.pictures_encoded, fake_encoder.texts_encoded
    again = opened()
    assert found(again, k=30) == hits and len(hits) == 3 + 11
    assert again.status() == before
    assert fake_encoder.pictures_encoded - pictures == 1, "the question itself"
    assert fake_encoder.texts_encoded - texts <= 8


def test_changes_of_another_process_are_followed(home, opened):
    engine = opened()
    with closing(Catalogue.open(home / "catalog.sqlite")) as other:
        other.put([Product("n", "red cup", (save_picture(home / "feed", RED),))])
        other.put([Product("q", "no picture", ())])
        other.remove(["g"])
        assert "n" not in found(engine)
        engine.follow()
        assert found(engine) == ["n", "r", "y", "b"]
        assert "g" not in engine._live.served.snapshot.draw(10, 1)
        other.remove(["n"])
        other.put([Product("g", "green", (save_picture(home / "feed", RED),))])
        engine.follow()
        assert found(engine) == ["r", "g", "y", "b"]
        assert engine.status().products == 4
        other.put([Product("lost", "lost", (save_picture(home / "feed", (9, 9, 9)),))])
        (home / "feed" / "090909-8.png").unlink()
        engine.follow()
        assert "lost" not in found(engine) and engine.status().degraded == ()


def test_the_number_of_live_rows_is_limited(opened):
    engine = opened(live_rows=3)
    for name in "opq":
        put(engine, name, RED, title=name)
    for refused in (("s", {"title": "s"}, (RED,)), ("r", {}, (BLUE,)), ("o", {}, (BLUE, RED))):
        with pytest.raises(LiveIndexFull, match="3 live rows"):
            put(engine, refused[0], *refused[2], **refused[1])
    put(engine, "o", GREEN, title="in place of the other")
    put(engine, "r", price="5")
    engine.remove("b")
    engine.remove("p")
    put(engine, "s", RED, title="s")
    assert sorted(found(engine)) == ["g", "o", "q", "r", "s", "y"]


def test_changes_of_others_beyond_the_limit_wait(home, opened):
    engine = opened(live_rows=2)
    with closing(Catalogue.open(home / "catalog.sqlite")) as other:
        shown = save_picture(home / "feed", RED)
        other.put([Product(f"n{number}", "red", (shown,)) for number in range(4)])
        other.put([Product("b", "red now", (shown,))])
        other.remove(["g"])
        engine.follow()
    assert sorted(found(engine)) == ["b", "n0", "n1", "r", "y"]
    assert engine.status().degraded == ("3 changed products wait for a new index",)


def test_a_log_beyond_the_limit_is_not_replayed(home, opened, monkeypatch):
    monkeypatch.setattr("search.state.change_replay.MAX_REPLAYED_CHANGES", 3)
    engine = opened()
    with closing(Catalogue.open(home / "catalog.sqlite")) as other:
        other.put([Product(f"n{number}", "red", (save_picture(home / "feed", RED),)) for number in range(4)])
        other.remove(["g"])
    engine.follow()
    assert sorted(found(engine)) == ["b", "r", "y"]
    assert engine.status().degraded == ("5 changed products wait for a new index",)


def test_an_older_catalogue_in_place_of_the_one_we_knew(home, opened):
    engine = opened()
    backup = {path.name: path.read_bytes() for path in home.glob("catalog.sqlite*")}
    put(engine, "n", RED, title="red")
    engine.remove("g")
    engine.close()
    for path in home.glob("catalog.sqlite*"):
        path.unlink()
    for name, data in backup.items():
        (home / name).write_bytes(data)
    assert sorted(found(opened())) == ["b", "g", "r", "y"]


def test_a_catalogue_that_is_older_than_the_generation(home, opened):
    backup = {path.name: path.read_bytes() for path in home.glob("catalog.sqlite*")}
    rebuild(home, [Item("r", "red scarf", (RED,)), Item("z", "green", (GREEN,))])
    for path in home.glob("catalog.sqlite*"):
        path.unlink()
    for name, data in backup.items():
        (home / name).write_bytes(data)
    engine = opened()
    assert (engine.status().generation, found(engine)) == (2, ["r"])
    put(engine, "g", GREEN, title="green")
    assert found(engine) == ["r", "g"]


def test_writers_wait_for_each_other_until_a_timeout(engine, monkeypatch):
    monkeypatch.setattr("search.live.live_index.WRITE_TIMEOUT_S", 0.01)
    with engine._live._one_writer(), pytest.raises(StoreError, match="still being written"):
        put(engine, "r", price="1")


LATE = r"changes of the last \d+ s are not served yet"


def test_a_look_for_changes_that_is_overdue_is_reported_where_there_are_changes(home, opened, monkeypatch):
    monkeypatch.setattr("search.live.live_index.LATE_SECONDS", -1.0)
    engine = opened()
    engine.follow(interval=0.5)
    assert engine.status().degraded == (), "late, but nothing has changed"
    with closing(Catalogue.open(home / "catalog.sqlite")) as other:
        other.remove(["g"])
    assert re.fullmatch(LATE, *engine.status().degraded)
    engine.follow(interval=3_600)
    assert engine.status().degraded == ()
    with closing(Catalogue.open(home / "catalog.sqlite")) as other:
        other.remove(["b"])
    assert engine.status().degraded == (), "its time has not come"
    engine.follow(interval=0.5)
    rebuild(home, [Item("z", "green", (GREEN,))])
    assert re.fullmatch(LATE, *engine.status().degraded)


def test_a_look_for_changes_that_fails_is_reported_until_one_succeeds(home, opened, monkeypatch):
    monkeypatch.setattr("search.live.live_index.WRITE_TIMEOUT_S", 0.01)
    engine = opened()
    with closing(Catalogue.open(home / "catalog.sqlite")) as other:
        other.remove(["g"])
    with engine._live._one_writer(), pytest.raises(StoreError, match="still being written"):
        engine.follow(interval=3_600)
    assert re.fullmatch(rf"{LATE} \(store_error\)", *engine.status().degraded)
    engine.follow(interval=3_600)
    assert (engine.status().degraded, sorted(found(engine))) == ((), ["b", "r", "y"])


def test_an_answer_is_from_one_snapshot(engine, monkeypatch):
    """A product that changes after it was scored is scored again, with what it is now."""
    present, changed = SearchRun._present, []

    def late(*given):
        if not changed:
            changed.append(put(engine, "r", BLUE, title="blue now"))
            engine.remove("g")
        return present(*given)

    monkeypatch.setattr(SearchRun, "_present", late)
    hits = engine.search(Query((PictureTerm(picture(BLUE)),))).hits
    assert [hit.product.id for hit in hits][:2] == ["b", "r"]
    assert hits[1].score == pytest.approx(1.0, abs=1e-2)
    assert len(hits) == 3


def test_a_new_generation_is_taken_over_and_the_old_one_let_go(home, opened):
    engine = opened()
    old = weakref.ref(engine.generation.vectors.index)
    put(engine, "n", RED, title="red cup")
    rebuild(home, [Item("r", "red scarf", (RED,)), Item("z", "green", (GREEN,))])
    assert engine.status().generation == 1
    engine.follow()
    assert (engine.status().generation, engine.status().live) == (2, 0)
    assert found(engine) == ["r", "z"]
    gc.collect()
    assert old() is None


def test_changes_after_a_new_generation_are_seen_on_top_of_it(home, opened):
    engine = opened()
    rebuild(home, [Item("r", "red scarf", (RED,)), Item("z", "green", (GREEN,))])
    with closing(Catalogue.open(home / "catalog.sqlite")) as other:
        other.remove(["z"])
        other.put([Product("late", "red", (save_picture(home / "feed", RED),))])
    engine.follow()
    assert found(engine) == ["late", "r"]


def test_rolling_back_is_followed_and_keeps_to_the_catalogue(home, opened):
    engine = opened()
    rebuild(home, [Item("r", "red scarf", (RED,)), Item("z", "green", (GREEN,))])
    engine.follow()
    store.make_current(home, 1)
    engine.follow()
    assert engine.status().generation == 1
    assert found(engine) == ["r", "z"], "what left the catalogue is no hit, what came into it is live"


def test_a_damaged_generation_is_not_taken_over(home, opened, caplog):
    engine = opened()
    rebuild(home, [Item("z", "green", (GREEN,))])
    index = ShopHome(home).generation(2) / "index.faiss"
    data = index.read_bytes()
    index.write_bytes(data[:-1])
    engine.follow()
    assert engine.status().generation == 1
    assert engine.status().degraded == ("generation 2 is damaged; generation 1 is served",)
    assert "index.faiss" in caplog.text
    logged = len(caplog.records)
    engine.follow()
    assert len(caplog.records) == logged, "once is enough"
    put(engine, "n", RED, title="red")
    assert "n" in found(engine)
    index.write_bytes(data)
    store.make_current(home, 2)
    engine.follow()
    assert (engine.status().generation, engine.status().degraded) == (2, ())


@pytest.mark.promise("R6")
def test_a_shop_whose_current_generation_is_damaged_opens_with_the_one_before(home, opened):
    rebuild(home, [Item("r", "red scarf", (RED,)), Item("z", "green", (GREEN,))])
    (ShopHome(home).generation(2) / "products.npy").unlink()
    engine = opened()
    assert engine.status().degraded == ("generation 2 is damaged; generation 1 is served",)
    assert found(engine) == ["r", "z"]
    rebuild(home, [Item("z", "green", (GREEN,))])
    engine.follow()
    assert (engine.status().generation, engine.status().degraded) == (3, ())


@pytest.mark.promise("R6")
def test_a_shop_that_was_rolled_back_to_what_is_damaged_opens_with_the_newer_one(home, opened):
    rebuild(home, [Item("r", "red scarf", (RED,)), Item("z", "green", (GREEN,))])
    store.make_current(home, 1)
    (ShopHome(home).generation(1) / "products.npy").unlink()
    engine = opened()
    assert engine.status().degraded == ("generation 1 is damaged; generation 2 is served",)
    assert found(engine) == ["r", "z"]


def test_a_pointer_that_is_gone_leaves_the_shop_as_it_is(home, opened):
    engine = opened()
    (home / "current").unlink()
    engine.follow()
    degraded = engine.status().degraded
    assert degraded == ("the pointer to the current generation cannot be used (no_generation); generation 1 is served",)
    assert found(engine)


@pytest.mark.parametrize("point", ["put.committed", "remove.committed"])
def test_a_change_that_broke_off_after_its_commit_is_found_at_the_next_look(engine, monkeypatch, point):
    monkeypatch.setenv(VARIABLE, f"{point}:raise")
    with pytest.raises(Failed):
        put(engine, "n", RED, title="red") if point == "put.committed" else engine.remove("r")
    monkeypatch.delenv(VARIABLE)
    engine.follow()
    assert sorted(found(engine)) == (["b", "g", "n", "r", "y"] if point == "put.committed" else ["b", "g", "y"])
    put(engine, "m", RED, title="red")
    assert "m" in found(engine)


def test_searches_go_on_while_products_come_and_go(engine):
    stop, wrong = threading.Event(), []

    def search():
        while not stop.is_set():
            hits = engine.search(Query((PictureTerm(picture(YELLOW)), ProductTerm("b", 0.1)), k=20)).hits
            ids = [hit.product.id for hit in hits]
            if len(set(ids)) != len(ids) or not {"r", "g", "y"} <= set(ids):
                wrong.append(ids)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(30):
        put(engine, f"n{number % 7}", (255, 200, number), title="yellow")
        if number % 3 == 2:
            engine.remove(f"n{number % 7}")
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def rebuild(home, items):
    """What a build leaves behind: the catalogue made equal to these products, and a generation of them."""
    make_shop(home, items).close()


def test_a_shop_opened_by_hand_equals_its_generation(home, fake_encoder):
    make_shop(home).close()
    with open_shop(home, fake_encoder) as engine:
        assert engine.status().live == 0


def test_a_repaired_generation_is_tried_again(home, opened, monkeypatch):
    monkeypatch.setattr("search.live.live_index.RETRY_SECONDS", 0.0)
    engine = opened()
    rebuild(home, [Item("z", "green", (GREEN,))])
    rows = ShopHome(home).generation(2) / "rows.npy"
    whole = rows.read_bytes()
    rows.write_bytes(b"")
    engine.follow()
    assert engine.status().degraded
    rows.write_bytes(whole)
    engine.follow()
    assert (engine.status().generation, engine.status().degraded) == (2, ())


def test_a_generation_of_another_encoder_comes_with_it_or_not_at_all(home, opened, fake_encoder, monkeypatch):
    engine = opened()
    other = FakeEncoder(texts=False, fingerprint="cc" * 32)
    make_shop(home, [Item("z", "green", (GREEN,))], other).close()
    engine.follow()
    assert engine.status().degraded == ("generation 2 cannot be used (encoder_mismatch); generation 1 is served",)
    monkeypatch.setattr("search.engine.open_encoder", lambda name, **_: other)
    store.make_current(home, 2)
    engine.follow()
    assert (engine.status().generation, engine.status().texts, engine.status().degraded) == (2, False, ())
    assert found(engine) == ["z"]
    put(engine, "n", RED, title="red")
    assert found(engine) == ["n", "z"]


def test_two_servers_of_one_shop(opened):
    first, second = opened(), opened()
    put(first, "m", RED, title="red")
    put(second, "n", RED, title="red")
    assert found(second, k=3) == ["m", "n", "r"], "a write takes in what was written before it"
    first.follow()
    assert found(first) == found(second)
    second.remove("m")
    first.remove("r")
    second.follow()
    assert found(first) == found(second) == ["n", "y", "b", "g"]


def test_vectors_that_cannot_be_cached_now_are_cached_later(home, opened, fake_encoder):
    engine = opened()
    path = cache_path(home, fake_encoder.fingerprint, "live-vectors")
    with VectorCache(path, fake_encoder.fingerprint, 6):
        put(engine, "n", RED, title="red")
        engine.follow()
    assert path.stat().st_size <= 256
    engine.follow()
    assert path.stat().st_size > 256


def test_an_overgrown_cache_of_live_vectors_is_restarted(home, opened, fake_encoder, monkeypatch):
    engine = opened()
    put(engine, "n", RED, title="red")
    engine.follow()
    path = cache_path(home, fake_encoder.fingerprint, "live-vectors")
    size = path.stat().st_size
    monkeypatch.setattr("search.state.row_encoder.MAX_CACHE_BYTES", size - 1)
    put(engine, "m", (255, 9, 9), title="red")
    engine.follow()
    assert path.stat().st_size == size
