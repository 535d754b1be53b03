"""The log: readable lines for people, JSON for programs, and nothing in either that steers a terminal."""

import json
import logging
import re
import sys

import pytest

from catalog.errors import BadInput
from catalog.logs import CLEAR_LINE, JSON, TEXT, VARIABLE, LogHandler, chosen_format, write_logs

HOSTILE = "a\nb\x1b[2J\u202egnp.exe\x00"


@pytest.fixture(params=[True, False], ids=["terminal", "file"])
def terminal(request, monkeypatch, capsys):
    """Whether stderr says that it is a terminal."""
    # The class, because pytest makes another object of it for the test itself.
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda stream: request.param)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("TERM", raising=False)
    return request.param


@pytest.fixture
def logged(terminal, capsys):
    """Logs to stderr in a format, and returns what that wrote."""

    def logged(log_format, *arguments, level=logging.INFO, **how):
        log = logging.Logger("web.tests")
        log.addHandler(LogHandler(log_format))
        log.log(level, *arguments, **how)
        return capsys.readouterr().err

    return logged


def test_lines_are_to_read_on_a_terminal_and_json_elsewhere(terminal, monkeypatch):
    assert chosen_format() == chosen_format("auto") == (TEXT if terminal else JSON)
    for wanted in (TEXT, JSON):
        monkeypatch.setenv(VARIABLE, wanted.upper())
        assert chosen_format() == wanted
        assert chosen_format(JSON) == JSON
    monkeypatch.setenv(VARIABLE, "xml")
    with pytest.raises(BadInput, match=r"WINDOWSHOP_LOG_FORMAT is 'xml'.*auto, text or json"):
        chosen_format()


def test_a_readable_line_has_time_and_level_and_takes_the_place_of_a_progress_bar(logged, terminal):
    line = logged(TEXT, "Ready: %s products", 7, level=logging.WARNING)
    assert line.startswith(CLEAR_LINE) == terminal
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning  Ready: 7 products\n", line.removeprefix(CLEAR_LINE))


def test_a_dumb_terminal_gets_no_codes(logged, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in logged(TEXT, "Ready")


def test_no_text_steers_the_terminal_or_makes_a_line_of_its_own(logged):
    line = logged(TEXT, "picture %s", HOSTILE).removeprefix(CLEAR_LINE)
    assert line.count("\n") == 1 and line[:-1].isprintable()
    assert r"a\nb\x1b[2J\u202egnp.exe\x00" in line


def test_an_exception_follows_line_by_line(logged):
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        lines = logged(TEXT, "It broke", exc_info=True).removeprefix(CLEAR_LINE).splitlines()
    assert lines[0].endswith("It broke") and lines[1].startswith("Traceback") and len(lines) > 3
    assert all(line.isprintable() for line in lines)


def test_a_record_may_have_other_words_for_people_or_none(logged):
    facts = {"facts": {"status": 200}, "brief": "GET / 200 in 3 ms"}
    assert logged(TEXT, "request", extra=facts).endswith("GET / 200 in 3 ms\n")
    assert logged(TEXT, "request", extra=facts | {"brief": ""}) == ""
    line = logged(JSON, "request", extra=facts | {"brief": ""})
    assert json.loads(line)["status"] == 200 and "brief" not in json.loads(line)


def test_a_log_that_a_program_has_set_up_stays_until_it_is_to_be_replaced(monkeypatch):
    root = logging.Logger("root")
    monkeypatch.setattr(logging, "root", root)
    monkeypatch.setattr(logging, "getLogger", lambda name=None: logging.Logger(name) if name else root)
    own = logging.NullHandler()
    root.addHandler(own)
    write_logs()
    assert root.handlers == [own]
    write_logs(TEXT, replace=True)
    write_logs(JSON)
    (ours,) = root.handlers
    assert isinstance(ours, LogHandler)
