"""Progress: a log line now and then when nobody watches a terminal, a bar when somebody does."""

import logging
import sys

from indexer.progress import progress


def test_a_log_line_every_thousand(caplog, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with caplog.at_level(logging.INFO), progress("pictures", 2500) as tick:
        for _ in range(25):
            tick(100)
    assert [r.getMessage() for r in caplog.records] == ["pictures: 1,000 of 2,500", "pictures: 2,000 of 2,500"]


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress("pictures", 10) as tick:
        tick(10)
    assert "pictures" in capsys.readouterr().err
