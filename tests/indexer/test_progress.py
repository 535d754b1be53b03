"""Progress: a log line now and then when nobody watches a terminal, a bar when somebody does."""

import logging
import sys

import pytest

from indexer.progress import StepBars, progress, reporting_to


@pytest.fixture
def shown(monkeypatch, capsys):
    """Stderr as a terminal; returns what reads what it has shown."""
    # The class, because pytest makes another object of it for the test itself.
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda stream: True)
    monkeypatch.delenv("WINDOWSHOP_LOG_FORMAT", raising=False)
    return lambda: capsys.readouterr().err


def test_a_log_line_every_thousand(caplog, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with caplog.at_level(logging.INFO), progress("pictures", 2500) as tick:
        for _ in range(25):
            tick(100)
    assert [r.getMessage() for r in caplog.records] == ["pictures: 1,000 of 2,500", "pictures: 2,000 of 2,500"]


def test_a_bar_with_the_time_left_on_a_terminal(shown):
    with progress("pictures", 10) as tick:
        tick(10)
    text = shown()
    assert "pictures:   0%" in text and "0 of 10, ? left" in text and "\n" not in text


def test_no_bar_among_lines_of_json(shown, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_LOG_FORMAT", "json")
    with progress("pictures", 10) as tick, StepBars() as show:
        tick(10)
        show("prices", 1, 2)
    assert shown() == ""


def test_a_bar_for_one_step_after_another(shown):
    with StepBars() as show:
        for what in ("prices", "duplicates"):
            for done in (0, 50, 100):
                show(what, done, 100)
    text = shown()
    assert text.index("prices:   0%") < text.index("duplicates:   0%")


def test_a_caller_gets_the_progress_instead(shown):
    seen = []
    with reporting_to(lambda *step: seen.append(step)), progress("pictures", 3) as tick:
        tick(1)
        tick(2)
    assert seen == [("pictures", 0, 3), ("pictures", 1, 3), ("pictures", 3, 3)]
    with progress("pictures", 1) as tick:
        tick(1)
    assert len(seen) == 3 and "pictures" in shown()
