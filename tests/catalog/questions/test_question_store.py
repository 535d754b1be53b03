import sqlite3
import threading
from contextlib import closing

import pytest

from catalog.errors import BadInput, DamagedStore, UnknownQuestion
from catalog.home import ShopHome
from catalog.questions.question_store import MAX_OPEN_OF_VISITOR, MAX_QUESTION, OPEN, PRIVATE, PUBLISHED, QuestionStore

VISITOR, OTHER = "v-4f9a8c71d2e05b36", "w-11aa22bb33cc44dd"


@pytest.fixture
def store(tmp_path):
    return QuestionStore(tmp_path)


def test_a_question_is_shown_once_it_is_answered_and_published(store):
    asked = store.ask("mug", "  Is it\ndishwasher safe? ", "en", VISITOR, now=10)
    assert (asked.text, asked.state, asked.at) == ("Is it dishwasher safe?", OPEN, 10)
    assert store.answered("mug") == () or not list(store.answered("mug"))
    assert [one.id for one in store.of_state(OPEN)] == [asked.id]
    private = store.answer(asked.id, "Ask us again.", "en", publish=False, now=20)
    assert private.state == PRIVATE and not list(store.answered("mug"))
    answered = store.answer(asked.id, "Yes, top rack only.", "en", now=30)
    assert (answered.state, answered.answer, answered.answered_at) == (PUBLISHED, "Yes, top rack only.", 30)
    assert list(store.answered("mug")) == [answered] and not list(store.answered("bowl"))
    assert store.counts() == {OPEN: 0, PUBLISHED: 1, PRIVATE: 0}
    store.remove(asked.id)
    with pytest.raises(UnknownQuestion):
        store.get(asked.id)


def test_the_same_question_is_stored_once(store):
    first = store.ask("mug", "Is it oven safe?", "en", VISITOR)
    assert store.ask("mug", "is it OVEN safe", "en", OTHER).id == first.id
    assert store.ask("bowl", "Is it oven safe?", "en").id != first.id


@pytest.mark.parametrize("text", ["", "   ", "x" * (MAX_QUESTION + 1)])
def test_an_empty_or_too_long_question_is_refused(store, text):
    with pytest.raises(BadInput):
        store.ask("mug", text, "en")


def test_a_visitor_cannot_fill_the_shops_list(store):
    for number in range(MAX_OPEN_OF_VISITOR):
        store.ask("mug", f"Question {number}?", "en", VISITOR)
    with pytest.raises(BadInput):
        store.ask("mug", "One more?", "en", VISITOR)
    assert store.ask("mug", "One more?", "en", OTHER).state == OPEN


def test_a_forgotten_visitor_is_in_no_byte_of_the_file(tmp_path, store):
    text = "Does the zebra handle glow?"
    store.ask("mug", text, "en", VISITOR)
    kept = store.ask("mug", "Is it heavy?", "en", OTHER)
    assert [one.text for one in store.of_visitor(VISITOR)] == [text]
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert text.encode() in content and VISITOR.encode() not in content
    assert store.forget(VISITOR) == 1 and store.forget(VISITOR) == 0
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert text.encode() not in content and b"zebra" not in content
    assert [one.id for one in store.of_state(OPEN)] == [kept.id]


def test_two_shops_hash_a_visitor_differently(tmp_path):
    hashes = []
    for name in ("one", "two"):
        home = tmp_path / name
        home.mkdir()
        QuestionStore(home).ask("mug", "Is it heavy?", "en", VISITOR)
        with closing(sqlite3.connect(ShopHome(home).product_questions)) as db:
            hashes.append(db.execute("SELECT visitor FROM questions").fetchone()[0])
    assert hashes[0] != hashes[1] and {len(value) for value in hashes} == {16}


@pytest.mark.parametrize("number", ["", "x", "0", "-1", "1" * 30, "１"])
def test_an_id_that_is_none_is_unknown(store, number):
    store.ask("mug", "Is it heavy?", "en")
    with pytest.raises(UnknownQuestion):
        store.answer(number, "Yes.", "en")


def test_threads_share_a_store(store):
    def ask(part):
        for number in range(5):
            store.ask("mug", f"Question {part} {number}?", "en")

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counts()[OPEN] == 20


def test_pages_of_questions_go_back_in_time(store):
    ids = [store.ask("mug", f"Question {number}?", "en").id for number in range(5)]
    page = store.of_state(OPEN, limit=2)
    assert [one.id for one in page] == ids[:-3:-1]
    assert [one.id for one in store.of_state(OPEN, limit=9, before=page[-1].id)] == ids[2::-1]


def test_a_damaged_file_is_named(tmp_path, store):
    ShopHome(tmp_path).product_questions.write_bytes(b"no database" * 100)
    with pytest.raises(DamagedStore, match="product-questions"):
        store.answered("mug")
