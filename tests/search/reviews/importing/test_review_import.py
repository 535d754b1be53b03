"""A file of reviews comes into a shop: products found by any of their names, each review once, analysed once."""

import json
from contextlib import closing
from decimal import Decimal

import pytest
from click.testing import CliRunner

from catalog.home import ShopHome
from catalog.product import Product
from catalog.reviews.review import APPROVED, PENDING, Opinion, ReviewAnalysis
from catalog.reviews.review_query import QUICK, ReviewFilter
from catalog.reviews.review_store import ReviewStore
from catalog.storage.catalogue import Catalogue
from indexer.cli.common import SOME_REJECTED
from search.__main__ import main
from search.reviews.importing.product_matcher import ProductMatcher
from search.reviews.working import analysis_run
from search.reviews.working.analysis_run import analyse_waiting
from search.reviews.working.review_worker import ReviewWorker

PRODUCTS = [
    Product("TEA-1", "Tea pot", (), link="https://shop.example/products/tea-pot", price=Decimal("9.90")),
    Product("mug-red", "Mug", (), item_group_id="mug", attributes={"sku": "4711"}),
    Product("mug-blue", "Mug", (), item_group_id="mug"),
]
TABLE = """product_id,rating,text,email,status,id
tea-1,5,"Warm. Runs small.",a@mail.example,published,1
4711,4,Fine,b@mail.example,published,2
https://old.example/products/tea-pot?x=1,2,"Buy at www.cheap.example now",c@mail.example,new,3
none,3,Lost,d@mail.example,published,4
tea-1,eleven,Odd,e@mail.example,published,5
"""


@pytest.fixture
def home(tmp_path):
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put(PRODUCTS)
    (tmp_path / "reviews.csv").write_text(TABLE)
    return tmp_path


def run(home, *arguments, code=0):
    result = CliRunner().invoke(main, ["reviews", *map(str, arguments), "--home", str(home)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize(
    ("called", "product"),
    [("TEA-1", "TEA-1"), ("tea-pot", "TEA-1"), ("4711", "mug-red"), ("MUG", "mug-red"), ("tea POT", "TEA-1"), ("x", ""),
     ("https://a.example/x/tea-pot/", "TEA-1")],
)  # fmt: skip
def test_products_are_found_by_their_names(called, product):
    assert ProductMatcher(PRODUCTS).find([called]) == product


def test_titles_of_several_products_name_none():
    assert ProductMatcher([*PRODUCTS, Product("x", "Tea pot", ())]).find(["tea pot"]) == ""


def test_an_import_reports_and_is_repeated_without_a_change(home):
    result = run(home, "import", home / "reviews.csv", "--no-analyse", "--json", code=SOME_REJECTED)
    figures = json.loads(result.stdout)
    assert {name: figures[name] for name in ("rows", "added", "rejected", "on_unknown_products", "examples")} == {
        "rows": 5, "added": 3, "rejected": 2, "on_unknown_products": 1, "examples": ["none"]
    }  # fmt: skip
    assert "line 5: the shop has no product 'none'" in result.stderr and "line 6: the rating 'eleven'" in result.stderr
    store = ReviewStore(home)
    (waiting,) = store.queue(PENDING).reviews
    assert (waiting.product_id, waiting.reasons) == ("TEA-1", ("link",))
    assert store.page("TEA-1", ReviewFilter()).total == 1 and store.page("mug-red", ReviewFilter()).total == 1
    change = store.change_number()
    figures = json.loads(run(home, "import", home / "reviews.csv", "--no-analyse", "--json", code=SOME_REJECTED).stdout)
    assert (figures["added"], figures["changed"], figures["unchanged"]) == (0, 0, 3) and store.change_number() == change


def test_what_is_exported_can_be_imported_elsewhere(home, tmp_path_factory):
    run(home, "import", home / "reviews.csv", "--no-analyse", code=SOME_REJECTED)
    run(home, "export", home / "out.csv")
    other = tmp_path_factory.mktemp("other")
    with closing(Catalogue.open(ShopHome(other).catalogue)) as catalogue:
        catalogue.put(PRODUCTS)
    run(other, "import", home / "out.csv", "--no-analyse")
    facts = [
        [
            (review.product_id, review.rating, review.text, review.state, review.at)
            for review in ReviewStore(one).iterate()
        ]
        for one in (home, other)
    ]
    assert facts[0] == facts[1] and len(facts[0]) == 3
    assert "4711" not in run(home, "export", "--visitor", "B@mail.example").stdout
    assert "Fine" in run(home, "export", "--visitor", "B@mail.example").stdout
    assert "removed" in run(home, "forget", "b@mail.example").stdout
    assert "approved                1" in run(home, "status").stdout


def test_texts_that_a_file_repeats_are_noticed(home):
    text = "Best product ever, everybody should buy it at once!"
    rows = [
        ("tea-1", text, "a"),
        ("mug-red", text.upper(), "b"),
        ("tea-1", "Another text, by somebody who means it.", "c"),
    ]
    lines = [f'{product},5,"{words}",{name}@mail.example,new,{name}' for product, words, name in rows]
    (home / "spam.csv").write_text("\n".join(["product_id,rating,text,email,status,id", *lines]))
    run(home, "import", home / "spam.csv", "--no-analyse")
    assert [review.reasons for review in ReviewStore(home).iterate()] == [(), ("duplicate",), ()]


class CountingAnalyser:
    """Finds "small" to be a negative word on size; counts what it reads, and stops after some batches."""

    model = "words-1"

    def __init__(self, batches=10**9):
        self.read = []
        self.batches = batches

    def analyse(self, texts):
        self.batches -= 1
        if self.batches < 0:
            raise KeyboardInterrupt
        self.read += texts
        found = [(text.find("small"), text) for text in texts]
        return [
            ReviewAnalysis(0.5, (Opinion("size", "negative", 0.9, at, at + 5),) if at >= 0 else ()) for at, _ in found
        ]


def test_an_analysis_that_is_interrupted_goes_on_where_it_was(home, monkeypatch):
    monkeypatch.setattr(analysis_run, "BATCH_REVIEWS", 2)
    rows = [f"tea-1,5,Text {number} is small,{number}@mail.example,published,{number}" for number in range(7)]
    (home / "many.csv").write_text(
        "product_id,rating,text,email,status,id\n" + "\n".join([*rows, rows[0].replace(",0@", ",9@")])
    )
    run(home, "import", home / "many.csv", "--no-analyse")
    store, analyser = ReviewStore(home), CountingAnalyser(batches=2)
    with pytest.raises(KeyboardInterrupt):
        analyse_waiting(store, analyser)
    assert 0 < len(analyser.read) < 7 and store.count_unanalysed() > 0
    summary = store.summary("TEA-1").aspects
    assert summary[0].negative == 7 + 0 - store.count_unanalysed()
    analyser.batches = 10
    analyse_waiting(store, analyser)
    assert sorted(analyser.read) == sorted(set(analyser.read)) and len(analyser.read) == 7
    assert store.count_unanalysed() == 0 and store.summary("TEA-1").aspects[0].negative == 7
    assert store.refresh() == 0


def test_the_worker_of_a_server_analyses_what_comes(home):
    run(home, "import", home / "reviews.csv", "--no-analyse", code=SOME_REJECTED)
    opened = []
    worker = ReviewWorker(home, lambda quick: opened.append(CountingAnalyser()) or opened[0])
    other = ReviewWorker(home, CountingAnalyser)
    while worker.step():
        pass
    store = ReviewStore(home)
    assert len(opened) == 1 and store.count_unanalysed() == 0 and not other.step()
    assert [aspect.aspect for aspect in store.summary("TEA-1").aspects] == ["size"]
    assert store.queue(APPROVED).total == 2
    worker.start()
    worker.close()


def test_many_reviews_are_read_quickly_and_again_when_that_is_wanted(home, monkeypatch):
    monkeypatch.setattr("search.reviews.working.review_worker.QUICK_FROM", 2)
    run(home, "import", home / "reviews.csv", "--no-analyse", code=SOME_REJECTED)
    store, asked_for = ReviewStore(home), []

    def opened(quick):
        asked_for.append(quick)
        analyser = CountingAnalyser()
        analyser.model += QUICK if quick else ""
        return analyser

    worker = ReviewWorker(home, opened)
    while worker.step():
        pass
    assert asked_for == [True] and store.count_unanalysed() == 0
    assert store.unanalysed(CountingAnalyser.model, 10) == ()  # good enough
    store.remove_quick_analyses(CountingAnalyser.model)
    assert store.count_unanalysed() == 3 and store.summary("TEA-1").aspects[0].aspect == "size"
    thorough = CountingAnalyser()
    assert analyse_waiting(store, thorough) == 3 and store.count_unanalysed() == 0
    assert store.unanalysed(CountingAnalyser.model + QUICK, 10) == ()  # better than quick
