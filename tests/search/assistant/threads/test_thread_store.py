"""The store of conversations: append-only messages, states, lists, corrections, retention, export, erase."""

import hashlib
from dataclasses import replace
from time import time

import pytest

from catalog.errors import BadQuery, DamagedStore, UnknownThread
from catalog.home import ShopHome
from search.assistant.threads.thread import (
    ANSWERED,
    ASSISTANT,
    CLOSED,
    CUSTOMER,
    HIGH,
    MAX_MESSAGES,
    MAX_TEXT,
    OPEN,
    PERSON,
    WAITING,
    ThreadCorrection,
    ThreadMessage,
    new_thread_id,
)
from search.assistant.threads.thread_store import ThreadFilter, ThreadOrigin, ThreadStore

NOW = time() - 86_400.0
DAY = 86_400.0


@pytest.fixture
def store(tmp_path):
    return ThreadStore(tmp_path / "home")


def question(text, at=NOW, **more):
    return ThreadMessage(CUSTOMER, text, at, **more)


def test_messages_come_back_as_they_were_appended(store):
    sent = question("Wo ist es?", language="de", intent="order_status", probability=0.93)
    reply = ThreadMessage(
        ASSISTANT, "Please name your order.", NOW + 1, code="order_number", sources=({"kind": "policy", "title": "x"},)
    )
    assert store.append("t", sent, ThreadOrigin("visitor-1", "mug-1")) == 1
    assert store.append("t", reply) == 2
    thread = store.thread("t")
    assert thread.messages == (replace(sent, number=1), replace(reply, number=2))
    assert (thread.state, thread.language, thread.product_id) == (OPEN, "de", "mug-1")
    assert (thread.started, thread.changed) == (NOW, NOW + 1)
    assert store.messages_after("t", 1) == thread.messages[1:]
    assert store.messages_after("nobody", 0) == ()
    assert thread.to_dict()["messages"][1]["sources"] == [{"kind": "policy", "title": "x"}]


def test_what_cannot_be_a_message(store):
    for message in (question("x" * (MAX_TEXT + 1)), ThreadMessage("robot", "x", NOW)):
        with pytest.raises(BadQuery):
            store.append("t", message)
    with pytest.raises(BadQuery):
        store.append("", question("x"))
    with pytest.raises(UnknownThread):
        store.thread("t")


def test_a_thread_has_a_last_message(store):
    with store.file.writing() as db:
        db.execute(
            "INSERT INTO threads (id, started, changed, state, language, messages) VALUES ('t', 1, 1, 'open', 'en', ?)",
            (MAX_MESSAGES,),
        )
    with pytest.raises(BadQuery, match="400 messages"):
        store.append("t", question("one more", at=2.0))


def test_states_follow_who_writes(store):
    store.append("t", question("hello"))
    store.append("t", ThreadMessage(PERSON, "Hello, this is Kim.", NOW, author="kim"))
    assert store.thread("t").state == ANSWERED
    store.append("t", question("thanks"))
    assert store.thread("t").state == OPEN
    store.set_state("t", CLOSED)
    store.append("t", question("one more question"))
    assert store.thread("t").state == OPEN
    with pytest.raises(BadQuery):
        store.set_state("t", "gone")
    with pytest.raises(UnknownThread):
        store.set_state("nobody", CLOSED)


def test_lists_show_first_what_waits_longest_at_the_highest_priority(store):
    for name, at, priority, state in [("a", 1, 0, WAITING), ("b", 2, HIGH, WAITING), ("c", 3, 0, WAITING),
                                      ("d", 4, 0, OPEN), ("e", 5, 0, OPEN)]:  # fmt: skip
        store.append(name, question(f"I am jane@example.com, thread {name}", at=NOW + at))
        store.route(name, "returns" if name in "ad" else "other", priority)
        store.set_state(name, state)
    listed, total = store.page(ThreadFilter())
    assert ([summary.id for summary in listed], total) == ([*"bac", *"ed"], 5)
    assert listed[0].excerpt == "I am [e-mail], thread b"
    assert [s.id for s in store.page(ThreadFilter(queue="returns"))[0]] == ["a", "d"]
    assert [s.id for s in store.page(ThreadFilter(state=WAITING, priority=HIGH))[0]] == ["b"]
    assert [s.id for s in store.page(ThreadFilter(), offset=3, k=1)[0]] == ["e"]
    assert store.counts() == {"returns": {WAITING: 1, OPEN: 1}, "other": {WAITING: 2, OPEN: 1}}


def test_numbers_of_cards_are_never_stored(store):
    store.append("t", question("my card is 4111 1111 1111 1111"))
    assert store.thread("t").messages[0].text == "my card is [card]"
    assert b"4111" not in files_of(store)


def test_corrections_are_what_there_is_to_learn_from(store):
    store.append("t", question("where is order 10023 of jane@example.com", language="en"))
    store.append("t", ThreadMessage(ASSISTANT, "reply", NOW))
    store.correct("t", 1, ThreadCorrection("payment", author="kim"))
    store.correct("t", 1, ThreadCorrection("order_status", "returns.md#1", "kim"))
    (corrected,) = store.corrections()
    assert (corrected.text, corrected.language) == ("where is order [order] of [e-mail]", "en")
    assert (corrected.intent, corrected.passage) == ("order_status", "returns.md#1")
    assert store.corrections(since=corrected.at + 1) == ()
    assert store.thread("t").corrections == {1: ThreadCorrection("order_status", "returns.md#1", "kim")}
    for number in (2, 3):
        with pytest.raises(BadQuery):
            store.correct("t", number, ThreadCorrection("payment"))
    with pytest.raises(UnknownThread):
        store.correct("nobody", 1, ThreadCorrection("payment"))


@pytest.mark.promise("P5", "retention")
def test_threads_are_removed_after_their_time_and_corrections_stay_without_them(tmp_path):
    store = ThreadStore(tmp_path, days=30)
    store.append("old", question("where is order 10023"))
    store.correct("old", 1, ThreadCorrection("order_status"))
    store.append("new", question("hello", at=NOW + 29 * DAY))
    assert store.prune(NOW + 31 * DAY) == 1
    with pytest.raises(UnknownThread):
        store.thread("old")
    assert store.thread("new").messages
    assert [corrected.text for corrected in store.corrections()] == ["where is order [order]"]
    assert b"10023" not in files_of(store)
    unlimited = ThreadStore(tmp_path, days=0)
    assert unlimited.prune(NOW + 10_000 * DAY) == 0


def test_appending_removes_what_is_over(tmp_path):
    ThreadStore(tmp_path, days=30).append("old", question("hello"))
    ThreadStore(tmp_path, days=30).append("new", question("hello", at=NOW + 31 * DAY))
    assert [summary.id for summary in ThreadStore(tmp_path).page(ThreadFilter())[0]] == ["new"]


@pytest.mark.promise("P5", "erasure by thread, visitor, address and hash")
@pytest.mark.parametrize("how", ["thread", "visitor", "mail", "hash"])
def test_what_is_erased_is_nowhere_in_the_file(store, how):
    store.append("t", question("I am Zacharias, zack@example.com, order 778899"), ThreadOrigin("visitor-1"))
    store.correct("t", 1, ThreadCorrection("order_status"))
    store.append("other", question("hello"), ThreadOrigin("visitor-2"))
    assert b"Zacharias" in files_of(store)
    if how == "thread":
        assert store.erase("t") and not store.erase("t")
    elif how == "visitor":
        assert store.forget("visitor-1") == 1 and store.forget("visitor-1") == 0
    else:
        mail = "Zack@Example.com"
        assert store.forget_mail(hashlib.sha256(mail.lower().encode()).hexdigest() if how == "hash" else mail) == 1
    for secret in (b"Zacharias", b"zack@", b"778899"):
        assert secret not in files_of(store)
    assert store.corrections() == () and store.thread("other").messages


@pytest.mark.promise("P5", "export")
def test_an_export_has_all_of_a_visitors_threads_and_nobody_elses(store):
    store.append("a", question("mine, jane@example.com"), ThreadOrigin("visitor-1"))
    store.append("b", question("not mine"), ThreadOrigin("visitor-2"))
    (exported,) = store.export(store.ids_of_visitor("visitor-1"))
    assert exported["messages"][0]["text"] == "mine, jane@example.com" and exported["handover"] is None
    assert store.ids_of_mail("JANE@example.com") == ("a",)
    assert store.ids_of_visitor("visitor") == () == store.ids_of_mail("jane@example.co")


def test_ids_of_visitors_and_addresses_are_stored_as_hashes_of_this_shop(store, tmp_path):
    store.append("t", question("hello"), ThreadOrigin("visitor-1"))
    assert b"visitor-1" not in files_of(store)
    other = ThreadStore(tmp_path / "other")
    assert store.file.key_of("visitor", "v") == ThreadStore(tmp_path / "home").file.key_of("visitor", "v")
    assert store.file.key_of("visitor", "v") != other.file.key_of("visitor", "v") != other.file.key_of("mail", "v")


def test_only_the_owner_of_the_file_reads_it(store, tmp_path):
    store.append("t", question("hello"))
    assert ShopHome(tmp_path / "home").threads.stat().st_mode & 0o077 == 0


def test_another_file_is_refused(tmp_path):
    ShopHome(tmp_path).threads.write_bytes(b"no database, " * 100)
    with pytest.raises(DamagedStore, match="Move it away"):
        ThreadStore(tmp_path).page(ThreadFilter())


def test_ids_of_threads_cannot_be_guessed():
    ids = {new_thread_id() for _ in range(100)}
    assert len(ids) == 100 and min(map(len, ids)) >= 22


def files_of(store):
    path = store.file._path
    return b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))
