"""Rows of a feed by digest, in little memory."""

import pytest

from indexer.cache.feed_rows import FeedRows

DIGESTS = [head + rest for head in (b"b" * 8, b"a" * 8) for rest in (b"2" * 8, b"1" * 8, b"3" * 8)]  # heads alike
IDS = ["mug", "teapot, blue", "\N{ROCKET}", "\u8336\u58f6", "pan", "lid"]


def test_each_row_is_found_by_its_whole_digest():
    rows = FeedRows(b"".join(DIGESTS), "\n".join(IDS).encode(), IDS, ["pan"])
    assert [rows.get(digest) for digest in DIGESTS] == [*IDS[:4], None, "lid"]
    assert [rows.get(digest) for digest in (b"a" * 16, b"\xff" * 16, b"\0" * 16)] == [None] * 3
    assert len(rows) == 5


@pytest.mark.parametrize("present", [[], ["mug"]])
def test_only_rows_of_products_that_are_there(present):
    rows = FeedRows(DIGESTS[0], b"mug", present, [])
    assert rows.get(DIGESTS[0]) == (present[0] if present else None)
