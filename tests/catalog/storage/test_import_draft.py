"""An import that is built from a copy: what is put and removed meanwhile stays, and the log has it after the import."""

from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.database import StoreBusy
from catalog.errors import BadInput, StoreError
from catalog.product import Picture, Product
from catalog.staging import import_draft as import_drafts
from catalog.staging.import_draft import import_draft
from catalog.storage.catalogue import Catalogue

MUG = Product("mug", "Red mug", (Picture("/f/mug.jpg", "a" * 64, 40, 30),), price=Decimal("12.90"), currency="EUR")
CUP, JUG, POT, PAN = (replace(MUG, id=name, title=name) for name in ("cup", "jug", "pot", "pan"))


@pytest.fixture
def catalogue(store):
    """Generation 1 is of mug, cup and jug, and was built at change 3."""
    with closing(store.open()) as opened:
        assert opened.replace([MUG, CUP, JUG]).added == 3
        yield opened


def products_of(catalogue):
    return dict(catalogue.iterate())


def words_of(catalogue):
    with catalogue.words() as index:
        return index.vocabulary()


def imported(catalogue, tmp_path, puts, gone=(), meanwhile=lambda: None):
    """Import, with something done while an index is made; return the change that it was built at, and its products."""
    with import_draft(catalogue, tmp_path / "staging") as draft:
        draft.apply(puts, gone)
        built_from = products_of(draft.catalogue)
        meanwhile()
        with draft.committing() as seq:
            pass
    assert not (tmp_path / "staging").exists()
    return seq, built_from


def test_the_shop_is_written_while_an_import_is_prepared(catalogue, tmp_path):
    seq, _ = imported(catalogue, tmp_path, [replace(CUP, title="blue cup"), POT], ["jug"], lambda: catalogue.put([PAN]))
    assert {product.title for _, product in catalogue.iterate()} == {"Red mug", "blue cup", "pot", "pan"}
    assert [(change.product_id, change.kind) for change in catalogue.changes(seq)] == [("pan", "put")]
    assert catalogue.product_changed_at(seq) in {"cup", "pot", "jug"}


def test_the_products_at_the_change_are_those_of_the_copy_key_by_key(catalogue, tmp_path, monkeypatch):
    repeat, at_change = import_drafts._StagedImport._repeat, {}

    def watched(draft, *arguments):
        at_change.update(products_of(catalogue))
        repeat(draft, *arguments)

    monkeypatch.setattr(import_drafts._StagedImport, "_repeat", watched)

    def meanwhile():
        catalogue.put([PAN, replace(CUP, price=Decimal(5))])
        catalogue.remove(["mug"])

    seq, built_from = imported(catalogue, tmp_path, [replace(CUP, title="blue cup"), POT], ["jug"], meanwhile)
    assert at_change == built_from
    keys = {product.id: key for key, product in built_from.items()}
    assert keys.keys() == {"mug", "cup", "pot"}
    now = {product.id: key for key, product in catalogue.iterate()}
    assert {key: now[key] for key in ("cup", "pot")} == {key: keys[key] for key in ("cup", "pot")}
    assert now["pan"] not in keys.values() and len(now) == 3
    assert {change.product_id for change in catalogue.changes(seq)} == {"mug", "cup", "pan"}


def test_an_edit_keeps_its_own_fields_and_the_import_the_others(catalogue, tmp_path):
    feed = [replace(CUP, title="blue cup", price=Decimal(9)), replace(MUG, title="Green mug")]

    def meanwhile():
        catalogue.put([replace(CUP, price=Decimal(5))])
        catalogue.put([replace(MUG, brand="Kirsi")])
        catalogue.put([replace(JUG, brand="Kirsi")])

    seq, _ = imported(catalogue, tmp_path, feed, ["jug"], meanwhile)
    found = {product.id: product for _, product in catalogue.iterate()}
    assert (found["cup"].title, found["cup"].price) == ("blue cup", Decimal(5))
    assert (found["mug"].title, found["mug"].brand) == ("Green mug", "Kirsi")
    assert found["jug"] == replace(JUG, brand="Kirsi")  # somebody wants it since
    assert len(catalogue.changes(seq)) == 3


def test_a_price_is_taken_whole_with_its_currency_and_list_price(catalogue, tmp_path):
    yen, sale = {"price": Decimal(1700), "currency": "JPY"}, {"price": Decimal(7), "list_price": Decimal(10)}

    def meanwhile():
        catalogue.put([replace(CUP, price=Decimal(9)), replace(MUG, price=Decimal(12))])

    imported(catalogue, tmp_path, [replace(CUP, title="blue cup", **yen), replace(MUG, **sale)], [], meanwhile)
    assert catalogue.get("cup") == replace(CUP, title="blue cup", price=Decimal(9))
    assert catalogue.get("mug") == replace(MUG, price=Decimal(12))
    assert {change.currency for change in catalogue.price_history.changes("cup")} == {"EUR"}


def test_a_price_alone_does_not_bring_a_product_back_that_the_import_removes(catalogue, tmp_path):
    def meanwhile():
        catalogue.put([replace(CUP, price=Decimal(9), in_stock=False), replace(JUG, price=Decimal(9), brand="Kirsi")])

    imported(catalogue, tmp_path, [POT], ["cup", "jug"], meanwhile)
    assert [product.id for _, product in catalogue.iterate()] == ["mug", "jug", "pot"]
    assert [change.present for change in catalogue.price_history.changes("cup")].count(False) == 1
    assert list(catalogue.price_history.faults()) == []
    with catalogue.history.restoring(3, 1):
        pass
    assert catalogue.get("cup") == replace(CUP, price=Decimal(9), in_stock=False)


@pytest.mark.parametrize("what", ["import", "rollback", "forgotten import"])
def test_an_import_of_another_home_meanwhile_is_not_taken_for_edits(catalogue, tmp_path, what):
    catalogue.replace([MUG, CUP])

    def meanwhile():
        if what == "rollback":
            with catalogue.history.restoring(3, 1):
                pass
            return
        with catalogue.applying([replace(MUG, price=Decimal(99))], ["cup"]):
            pass
        if what == "forgotten import":  # once the other home published it
            catalogue.history.forget(catalogue.seq)

    before = []
    with pytest.raises(StoreError, match="Another import or rollback was made"):
        imported(catalogue, tmp_path, [POT], [], lambda: (meanwhile(), before.append(products_of(catalogue))))
    assert products_of(catalogue) == before[0]


def test_a_product_that_was_removed_meanwhile_stays_away(catalogue, tmp_path):
    seq, built_from = imported(
        catalogue, tmp_path, [replace(CUP, title="blue cup")], [], lambda: catalogue.remove(["cup"])
    )
    assert "cup" in {product.id for product in built_from.values()}
    assert [product.id for _, product in catalogue.iterate()] == ["mug", "jug"]
    assert [(change.product_id, change.kind) for change in catalogue.changes(seq)] == [("cup", "remove")]


def test_a_product_that_both_add_is_the_one_that_was_put(catalogue, tmp_path):
    _, built_from = imported(catalogue, tmp_path, [POT], [], lambda: catalogue.put([replace(POT, title="iron pot")]))
    (key,) = [key for key, product in built_from.items() if product.id == "pot"]
    assert products_of(catalogue)[key].title == "iron pot"
    assert catalogue.count() == 4


def test_prices_are_recorded_as_they_were_in_the_end(catalogue, tmp_path):
    feed = [replace(CUP, price=Decimal(9)), replace(MUG, price=Decimal(8))]

    def meanwhile():
        catalogue.put([replace(CUP, price=Decimal(5)), replace(JUG, price=Decimal(4))])

    imported(catalogue, tmp_path, feed, [], meanwhile)
    for product_id, prices in {"cup": ["12.90", "5"], "jug": ["12.90", "4"], "mug": ["12.90", "8"]}.items():
        history = catalogue.price_history.changes(product_id)
        assert sorted(str(change.price) for change in history) == sorted(prices)
    assert list(catalogue.price_history.faults()) == []


def test_going_back_takes_the_import_away_and_leaves_the_edits(catalogue, tmp_path):
    imported(
        catalogue,
        tmp_path,
        [replace(CUP, title="blue cup")],
        ["jug"],
        lambda: catalogue.put([PAN, replace(CUP, brand="K")]),
    )
    with catalogue.history.restoring(3, 1):
        pass
    assert {product.id: product for _, product in catalogue.iterate()} == {
        "mug": MUG, "cup": replace(CUP, brand="K"), "jug": JUG, "pan": PAN
    }  # fmt: skip
    assert catalogue.faults() == []


def test_an_import_that_changes_nothing_leaves_the_log_alone(catalogue, tmp_path):
    seq, _ = imported(catalogue, tmp_path, [MUG, CUP], [], lambda: catalogue.put([PAN]))
    assert (seq, catalogue.seq) == (3, 4)


def test_words_are_those_of_the_products(catalogue, tmp_path):
    imported(catalogue, tmp_path, [POT], ["jug"], lambda: catalogue.put([replace(CUP, title="teal cup"), PAN]))
    with closing(Catalogue.open(tmp_path / "other.sqlite")) as other:
        other.put([product for _, product in catalogue.iterate()])
        assert sorted(words_of(catalogue)) == sorted(words_of(other))


@pytest.mark.parametrize("committing", [False, True])
def test_an_import_that_fails_changes_nothing(catalogue, tmp_path, committing):
    before = products_of(catalogue)
    with pytest.raises(ZeroDivisionError), import_draft(catalogue, tmp_path / "staging") as draft:
        draft.apply([POT], ["mug"])
        catalogue.put([PAN])
        if committing:
            with draft.committing():
                _ = 1 // 0
        _ = 1 // 0
    assert sorted(products_of(catalogue).values(), key=str) == sorted([*before.values(), PAN], key=str)
    assert [change.product_id for change in catalogue.changes(3)] == ["pan"]
    assert not (tmp_path / "staging").exists()


def test_a_draft_that_is_not_committed_changes_nothing(catalogue, tmp_path):
    before = products_of(catalogue)
    with import_draft(catalogue, tmp_path / "staging") as draft:
        draft.apply([POT], ["mug"])
    assert (products_of(catalogue), catalogue.seq) == (before, 3)


@pytest.mark.parametrize("committing", [False, True])
def test_a_first_import_needs_no_copy(store, tmp_path, committing):
    with closing(store.open()) as catalogue:
        with import_draft(catalogue, tmp_path / "staging") as draft:
            draft.apply([MUG], [])
            assert draft.catalogue is catalogue and not (tmp_path / "staging").exists()
            if committing:
                with draft.committing() as seq:
                    assert seq == 1
        assert catalogue.count() == committing


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"attributes": {"colour": "\0"}}, "'pot' has the character NUL"),
        ({"id": "".join(map(chr, range(0x4E00, 0x5200)))}, "longer than 2,000 bytes"),
    ],
)
def test_what_no_shop_can_store_is_refused_before_an_index_is_made(catalogue, tmp_path, fields, reason):
    refused = pytest.raises(BadInput, match=reason)
    with import_draft(catalogue, tmp_path / "staging") as draft, refused:
        draft.apply([PAN, replace(POT, **fields)], [])
    assert (catalogue.seq, catalogue.reserve_keys(0)) == (3, 4)


@pytest.mark.parametrize("busy", [2, 3])
def test_an_import_waits_for_the_lock_some_times(catalogue, tmp_path, monkeypatch, busy):
    monkeypatch.setattr(import_drafts, "ATTEMPTS", 3)
    importing, calls = catalogue.database.importing, []

    def locked():
        calls.append(1)
        if len(calls) <= busy:
            raise StoreBusy("The catalogue is locked.")
        return importing()

    monkeypatch.setattr(catalogue.database, "importing", locked)
    if busy < 3:
        imported(catalogue, tmp_path, [POT])
    else:
        with pytest.raises(StoreBusy):
            imported(catalogue, tmp_path, [POT])
    assert len(calls) == 3 and ("pot" in catalogue.find(["pot"])) == (busy < 3)


def test_a_catalogue_that_differs_from_the_copy_is_refused(catalogue, tmp_path, monkeypatch):
    refused = pytest.raises(StoreError, match="not what the index was made from")
    with refused, import_draft(catalogue, tmp_path / "staging") as draft:
        draft.apply([POT], [])
        monkeypatch.setattr(Catalogue, "count", lambda opened: id(opened))
        with draft.committing():
            pass
    assert catalogue.seq == 3
