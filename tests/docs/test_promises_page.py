"""docs/promises.md says what the tests show."""

from tests.docs.promises_page import PAGE, SENTENCES, page


def test_the_page_is_what_the_marks_say():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.promises_page"


def test_each_promise_is_one_sentence():
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
