"""Rows come back as they were, from memory and from the file that takes those beyond it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadFeed
from catalog.feeds.platforms import row_spool
from catalog.feeds.platforms.row_spool import RowSpool

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.dictionaries(TEXTS, TEXTS)), st.integers(-1, 3_000))
def test_rows_come_back_in_any_order(rows, memory):
    spool = RowSpool(memory)
    assert [spool.add(number * 2, cells) for number, cells in enumerate(rows)] == list(range(len(rows)))
    assert len(spool) == len(rows)
    for number in [*reversed(range(len(rows))), *range(len(rows))]:
        row = spool[number]
        assert (row.line, row.cells, row.number) == (number * 2, rows[number], number)
        assert row.length == sum(map(len, rows[number].values()))
    spool.close()


def test_a_file_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(row_spool, "MAX_SPOOL", 1_000)
    spool = RowSpool(0)
    with pytest.raises(BadFeed, match="more than 1,000 bytes"):
        for line in range(100):
            spool.add(line, {"title": "x" * 20})
    spool.close()
