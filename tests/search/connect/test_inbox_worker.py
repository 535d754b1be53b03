"""The thread that works on the inbox: what holds it up is in the log, once."""

import threading

import pytest

from catalog.errors import NoGeneration, StoreError
from search.connect import inbox_worker
from search.connect.inbox_worker import InboxWorker


@pytest.mark.parametrize("error", [StoreError, NoGeneration])
def test_a_disk_that_fails_is_warned_of_once(tmp_path, monkeypatch, caplog, error):
    """A shop that is not open yet is nothing to warn of."""
    messages = iter(["The disk is full.", "The disk is full.", "The file is locked.", "The disk is full."])
    ended = threading.Event()

    def sync():
        message = next(messages, None)
        if message is None:
            ended.set()
            raise NoGeneration("There is no shop.")
        raise error(message, "Look at it.")

    monkeypatch.setattr(inbox_worker, "POLL_SECONDS", 0.001)
    worker = InboxWorker(tmp_path, sync, lambda: None)
    worker.start()
    try:
        assert ended.wait(300)
    finally:
        worker.close()
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    texts = ["The disk is full.", "The file is locked.", "The disk is full."] if error is StoreError else []
    assert warned == [f"The inbox cannot be worked on: {text} Look at it." for text in texts]
