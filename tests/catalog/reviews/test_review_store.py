"""The store of reviews: what is shown, who may write, what stays when a file is imported again."""

import sqlite3
import stat
from contextlib import closing
from dataclasses import replace

import pytest

from catalog.errors import BadInput, DamagedStore, NewerStore, TooManyReviews, UnknownReview
from catalog.home import ShopHome
from catalog.reviews.review import (
    APPROVED,
    PENDING,
    REJECTED,
    AspectSummary,
    Opinion,
    Quote,
    ReviewAnalysis,
    ReviewDraft,
    ReviewSummary,
)
from catalog.reviews.review_query import NewReview, ProductRating, ReviewFilter, StoreCounts
from catalog.reviews.review_store import ReviewStore

NOW = 1_800_000_000.0
LONG = "The mug keeps the tea warm for hours and the handle feels solid in the hand."


@pytest.fixture
def store(tmp_path):
    return ReviewStore(tmp_path)


def add(store, product="mug", visitor="anna", rating=5, state=APPROVED, **fields):
    return store.add(ReviewDraft(product, rating, state=state, **fields), visitor, now=NOW)


def shown(store, product="mug", **wanted):
    return [review.id for review in store.page(product, ReviewFilter(**wanted)).reviews]


def test_a_shop_without_reviews_has_no_file(store, tmp_path):
    assert store.summary("mug") == ReviewSummary(0, 0.0, (0, 0, 0, 0, 0))
    assert store.page("mug", ReviewFilter()).total == 0 == store.change_number() == store.forget("anna")
    assert store.ratings().products == {} == store.ratings_of(["mug"])
    assert store.unanalysed("m", 9) == () == store.sentences("mug") == store.opinions() == store.of_visitor("anna")
    assert store.overview().approved == 0 == store.queue().total
    with pytest.raises(UnknownReview):
        store.get("1")
    assert list(tmp_path.iterdir()) == []


def test_only_approved_reviews_are_shown_and_counted(store):
    first, waiting, other = add(store), add(store, visitor="ben", state=PENDING), add(store, visitor="cleo", rating=2)
    assert set(shown(store)) == {first.id, other.id}
    assert store.summary("mug") == ReviewSummary(2, 3.5, (0, 1, 0, 0, 1))
    assert store.ratings_of(["mug", "cup"]) == {"mug": ProductRating(2, 7)}
    assert store.ratings().overall == ProductRating(2, 7)
    assert store.queue().reviews == (waiting,)
    before = store.change_number()
    assert store.decide([waiting.id, "999", "no number"], APPROVED, "fine", "key-1", now=NOW) == 1
    assert store.change_number() > before and store.summary("mug").count == 3
    store.decide([first.id, other.id, waiting.id], REJECTED, now=NOW)
    assert store.summary("mug").count == 0 and store.ratings().products == {} and shown(store) == []
    assert [(one.review_id, one.state, one.reason, one.actor) for one in store.decisions()][-1] == (
        waiting.id, APPROVED, "fine", "key-1"
    )  # fmt: skip
    with pytest.raises(BadInput):
        store.decide([first.id], "perhaps")


def test_a_second_review_replaces_the_first_and_waits(store):
    first = add(store, text="Good.")
    store.vote(first.id, "ben", True)
    second = add(store, rating=1, text="It broke.", state=PENDING)
    assert second.id != first.id and [one.id for one in store.of_visitor("anna")] == [second.id]
    assert shown(store) == [] and store.summary("mug").count == 0 and store.votes_of("ben") == {}
    assert add(store, product="cup").id != second.id and len(store.of_visitor("anna")) == 2


def test_a_visitor_may_send_so_many_a_day(store):
    draft = ReviewDraft("mug", 5)
    store.add(draft, "anna", a_day=2, now=NOW)
    store.add(draft, "anna", a_day=2, now=NOW)
    with pytest.raises(TooManyReviews):
        store.add(replace(draft, product_id="cup"), "anna", a_day=2, now=NOW)
    store.add(draft, "ben", a_day=2, now=NOW)
    store.add(draft, "anna", a_day=2, now=NOW + 86_400)


def test_filters_and_orders(store):
    old = add(store, "mug", "a", 3, at=100, language="de", verified=True)
    new = add(store, "mug", "b", 5, at=300, language="en", photos=("ab" * 32,))
    best = add(store, "mug", "c", 1, at=200, language="en")
    add(store, "cup", "a", 4)
    store.vote(best.id, "a", True)
    assert shown(store) == [best.id, new.id, old.id] == shown(store, sort="helpful")
    assert shown(store, sort="newest") == [new.id, best.id, old.id]
    assert shown(store, sort="highest") == [new.id, old.id, best.id] == shown(store, sort="lowest")[::-1]
    assert shown(store, rating=3) == [old.id] == shown(store, verified=True) == shown(store, language="de")
    assert shown(store, photos=True) == [new.id]
    page = store.page("mug", ReviewFilter(sort="newest"), offset=1, k=1)
    assert (page.total, [one.id for one in page.reviews]) == (3, [best.id])
    assert store.photos_of("mug") == (("ab" * 32, new.id),)


def test_votes_count_once_a_visitor_and_can_be_changed(store):
    review, waiting = add(store), add(store, visitor="ben", state=PENDING)
    store.vote(review.id, "x", True)
    store.vote(review.id, "y", True)
    assert (store.vote(review.id, "x", False).helpful, store.get(review.id).unhelpful) == (1, 1)
    assert store.vote(review.id, "y", None).helpful == 0 and store.votes_of("x") == {review.id: False}
    for unknown in (waiting.id, "77", "no number"):
        with pytest.raises(UnknownReview):
            store.vote(unknown, "x", True)


def test_the_owners_reply(store):
    review = add(store)
    assert (store.reply(review.id, "Thank you.", now=NOW).reply, store.get(review.id).reply_at) == ("Thank you.", NOW)
    assert store.reply(review.id, "").reply_at is None
    with pytest.raises(UnknownReview):
        store.reply("77", "Hello")


def analysis(text, *opinions):
    found = [(aspect, polarity, clause, text.index(clause)) for aspect, polarity, clause in opinions]
    return ReviewAnalysis(0.9, tuple(Opinion(a, p, 0.9, at, at + len(clause)) for a, p, clause, at in found))


def test_what_is_found_in_texts_is_summed_up_with_quotes(store):
    text, other = "Fits well. The colour is dull.", "The colour is dull."
    one, two = add(store, text=text, language="en"), add(store, visitor="ben", text=other)
    waiting = store.unanalysed("m1", 10)
    assert [found.text for found in waiting] == [other, text] and [one.text for one in store.unanalysed("m1", 1)] == [
        other
    ]
    store.save_analyses("m1", {
        waiting[0].digest: analysis(other, ("colour", "negative", other)),
        waiting[1].digest: analysis(text, ("size", "positive", "Fits well."), ("colour", "negative", other)),
    })  # fmt: skip
    assert store.unanalysed("m1", 10) == () and store.analysis(one.id).opinions[0].aspect == "size"
    expected = (
        AspectSummary("size", 1, 0, 0, (Quote(one.id, "Fits well.", "positive", "en"),)),
        AspectSummary("colour", 0, 2, 0, (Quote(two.id, other, "negative", ""),)),
    )
    assert store.summary("mug").aspects == expected  # made for this answer
    before = store.change_number()
    assert store.refresh() == 1 and store.refresh() == 0 and store.change_number() > before
    assert store.summary("mug").aspects == expected
    assert shown(store, aspect="size") == [one.id] == shown(store, polarity="positive")
    assert set(shown(store, aspect="colour", polarity="negative")) == {one.id, two.id}
    assert {(one.aspect, one.text) for one in store.opinions(0, int(NOW) + 1)} == {
        ("size", "Fits well."),
        ("colour", other),
    }
    store.decide([one.id], REJECTED)
    assert [aspect.aspect for aspect in store.summary("mug").aspects] == ["colour"]


def test_a_text_is_analysed_once_for_each_model(store):
    add(store, text="Fine.")
    (waiting,) = store.unanalysed("m1", 10)
    store.save_analyses("m1", {waiting.digest: ReviewAnalysis(0.7), "00" * 16: ReviewAnalysis(0.1)})
    second = add(store, visitor="ben", text="Fine.")
    assert store.unanalysed("m1", 10) == () and store.analysis(second.id) == ReviewAnalysis(0.7)
    assert [one.text for one in store.unanalysed("m2", 10)] == ["Fine."]
    assert store.overview().unanalysed == 2
    assert store.unanalysed("m1", 10) == ()


def test_places_outside_of_the_text_are_no_opinions(store):
    add(store, text="Fine.")
    (waiting,) = store.unanalysed("m", 10)
    wrong = [Opinion("size", "positive", 0.9, 3, 99), Opinion("size", "positive", 0.9, 4, 4)]
    store.save_analyses("m", {waiting.digest: ReviewAnalysis(0.7, tuple(wrong))})
    assert store.summary("mug").aspects == () and store.opinions() == ()


def new(key="", visitor="", product="mug", **fields):
    return NewReview(ReviewDraft(product, fields.pop("rating", 4), key=key, state=APPROVED, **fields), visitor)


def test_an_import_that_is_repeated_changes_nothing(store):
    batch = [
        new("k1", text="One."),
        new("k2", "ben@shop.example", text="Two.", at=10),
        new("", "cleo@shop.example", text="Three."),
        new(text="Four.", author="Dora"),
        new("k5", "ben@shop.example", text="Later.", at=20),
        new("k6", "BEN@shop.example ", text="Earlier.", at=5),
        new("", "cleo@shop.example", text="Three, as of later."),
    ]
    assert store.add_many(batch) == StoreCounts(added=4, changed=2, unchanged=1)
    texts = {review.text for review in store.page("mug", ReviewFilter(), k=50).reviews}
    assert texts == {"One.", "Later.", "Three, as of later.", "Four."}
    change, files = store.change_number(), [review.id for review in store.iterate()]
    for _ in range(2):
        assert store.add_many(batch) == StoreCounts(unchanged=7)
    assert store.change_number() == change and [review.id for review in store.iterate()] == files
    assert store.summary("mug").count == 4


def test_an_import_keeps_what_the_owner_decided_and_takes_what_changed(store):
    store.add_many([new("k1", text=LONG), new("k2", text="Two.")])
    first, second = store.iterate()
    store.decide([second.id], REJECTED)
    store.reply(first.id, "Thanks!")
    store.vote(first.id, "x", True)
    assert store.add_many([new("k1", text=LONG, rating=2), new("k2", text="Two.")]) == StoreCounts(
        changed=1, unchanged=1
    )
    assert store.get(second.id).state == REJECTED
    changed = store.get(first.id)
    assert (changed.rating, changed.reply, changed.helpful) == (2, "Thanks!", 1)
    store.add_many([new("k1", text="Another text.", rating=2)])
    assert store.get(first.id).helpful == 0 and store.votes_of("x") == {}


def test_an_import_does_not_overrule_the_owner(store):
    store.add_many([new("k1", text=LONG)])
    (review,) = store.iterate()
    store.decide([review.id], REJECTED)
    store.reply(review.id, "Ours.")
    store.add_many([new("k1", text=LONG, reply="Theirs.")])
    assert (store.get(review.id).state, store.get(review.id).reply) == (REJECTED, "Ours.")
    store.add_many([new("k1", text="Another text.")])
    assert store.get(review.id).state == APPROVED


def test_an_imported_review_without_a_date_gets_none(store):
    store.add_many([new("k1", text=LONG)])
    assert [review.at for review in store.iterate()] == [0]


def test_an_export_of_this_shop_is_known_again(store):
    review = add(store, text=LONG)
    assert store.add_many([new(f"windowshop-{review.id} mug", text=LONG)]) == StoreCounts(unchanged=1)
    assert store.add_many([new(f"windowshop-{review.id} mug", text="Of another shop.")]) == StoreCounts(added=1)


def test_addresses_and_numbers_are_no_names(store):
    names = ("anna@mail.example", "Ben +49 171 2345678", "Cleo 1987", "D. O'Hara")
    shown = [add(store, visitor=str(place), author=name).author for place, name in enumerate(names)]
    assert shown == ["", "", "Cleo 1987", "D. O'Hara"]


def test_nearly_the_same_text_is_found(store):
    add(store, text=LONG)
    add(store, product="cup", text="Too short to say.")
    copy = LONG.replace("hours", "hours!!").upper()
    (found,) = store.similar(ReviewDraft("cup", 5, text=copy), "ben")
    assert store.get(found).text == LONG
    assert store.similar(ReviewDraft("mug", 5, text=copy), "anna") == ()  # the visitor's own, which it replaces
    assert store.similar(ReviewDraft("cup", 5, text=copy), "anna") == (found,)
    assert store.similar(ReviewDraft("jug", 5, text="Too short to say."), "ben") == ()
    assert (
        store.similar(ReviewDraft("jug", 5, text="The jug is heavy, and its lid does not close at all."), "ben") == ()
    )
    add(store, visitor="li", text="质量很好,颜色和图片一样,下次还会再买的")
    assert len(store.similar(ReviewDraft("jug", 5, text="质量很好，颜色和图片一样，下次还会再买的!"), "wu")) == 1


def test_a_visitor_is_forgotten(store, tmp_path):
    photo = "cd" * 32
    store.photos.put(photo, b"jpeg")
    mine, others = add(store, visitor="anna-77", photos=(photo,)), add(store, visitor="ben")
    store.vote(others.id, "anna-77", True)
    key = store.file.key_of("anna-77")
    assert store.photo(photo).read_bytes() == b"jpeg"
    assert store.forget("anna-77") == 2
    assert store.photo(photo) is None and not list(ShopHome(tmp_path).review_photos.rglob("*.jpg"))
    assert shown(store) == [others.id] and store.get(others.id).helpful == 0 and store.summary("mug").count == 1
    data = b"".join(path.read_bytes() for path in tmp_path.glob("reviews.sqlite*"))
    assert key not in data and mine.author.encode() in data
    assert store.forget("anna-77") == 0


def test_no_visitor_is_stored_in_clear_and_others_cannot_read_the_file(store, tmp_path):
    add(store, visitor="someone@shop.example")
    store.add_many([new("k", "other@shop.example")])
    data = b"".join(path.read_bytes() for path in tmp_path.glob("reviews.sqlite*"))
    assert b"someone" not in data and b"other@" not in data
    assert stat.S_IMODE(ShopHome(tmp_path).reviews.stat().st_mode) == 0o600


def test_photos_of_waiting_reviews_are_not_shown(store):
    shared, own = "ab" * 32, "cd" * 32
    for photo in (shared, own):
        store.photos.put(photo, photo.encode())
    waiting = add(store, state=PENDING, photos=(shared, own))
    assert store.photo(shared) is None and store.photo(shared, waiting=True) is not None
    other = add(store, visitor="ben", photos=(shared,))
    assert store.photo(shared) is not None
    assert store.remove([waiting.id, "88"]) == 1
    assert store.photo(own, waiting=True) is None and store.photos.path(own) is None
    assert store.photo(shared) is not None and store.remove([other.id]) == 1 and store.photos.path(shared) is None
    assert store.photo("../../reviews.sqlite") is None


def test_a_photo_that_a_second_review_has_again_stays(store):
    kept, gone = "ab" * 32, "cd" * 32
    for sha256 in (kept, gone):
        store.photos.put(sha256, b"jpeg")
    add(store, photos=(kept, gone))
    add(store, rating=4, photos=(kept,))
    assert store.photos.path(kept) is not None and store.photos.path(gone) is None


def test_sentences_of_approved_reviews(store):
    add(store, text="Fits well. It is 3.5 cm wide!\nGood", rating=4, verified=True)
    add(store, visitor="li", text="质量很好。颜色一样！")
    add(store, visitor="ben", text="Hidden.", state=PENDING)
    sentences = store.sentences("mug")
    assert {one.text for one in sentences} == {"Fits well.", "It is 3.5 cm wide!", "Good", "质量很好。", "颜色一样！"}
    assert next(one for one in sentences if one.text == "Good").rating == 4


def test_reviews_are_read_a_page_at_a_time(store, monkeypatch):
    monkeypatch.setattr("catalog.reviews.review_reader.PAGE", 2)
    ids = [add(store, visitor=str(number), state=APPROVED if number % 2 else PENDING).id for number in range(5)]
    assert [review.id for review in store.iterate()] == ids
    assert [review.id for review in store.iterate(PENDING)] == ids[::2]


def test_a_file_that_is_not_ours(tmp_path):
    path = ShopHome(tmp_path).reviews
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE other (a)")
    with pytest.raises(DamagedStore):
        ReviewStore(tmp_path).summary("mug")
    path.unlink()
    add(ReviewStore(tmp_path))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE about SET value = 99 WHERE name = 'format'")
    with pytest.raises(NewerStore):
        ReviewStore(tmp_path).summary("mug")


def test_neutral_reviews_are_those_that_the_summary_counts(store):
    mixed, plain = add(store, text=LONG), add(store, visitor="ben", text=LONG + LONG)
    neutral, good = Opinion("size", "neutral", 0.9, 0, 20), Opinion("size", "positive", 0.9, 20, 40)
    colour = Opinion("colour", "positive", 0.9, 20, 40)
    opinions = {mixed.text: (neutral, good), plain.text: (neutral, colour)}
    store.save_analyses("m", {one.digest: ReviewAnalysis(0.9, opinions[one.text]) for one in store.unanalysed("m", 9)})
    size = next(aspect for aspect in store.summary("mug").aspects if aspect.aspect == "size")
    assert shown(store, aspect="size", polarity="neutral") == [plain.id] and size.neutral == 1


@pytest.mark.parametrize("typed", ["größe", "GRÖSSE", "ärger", "émile", "Mug"])
def test_the_queue_finds_words_with_umlauts_in_any_case(store, typed):
    add(store, product="mug", state=PENDING, text="GRÖSSE passt, ÄRGER mit dem Griff", author="Émile")
    assert store.queue(contains=typed).total == 1
