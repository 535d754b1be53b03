"""What people see at a terminal, and what programs read where there is none: real commands, with and without one."""

import json
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import closing, suppress
from fcntl import ioctl
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.__main__ import main as indexer
from search.__main__ import main as search
from tests.search.bulk_jobs import make_desk_shop
from tests.web.test_main import ask, wait_until_ready

ROOT = Path(__file__).parents[1]
ROOMS = {"indexer": indexer, "search": search}
LINE = re.compile(r"\d\d:\d\d:\d\d (info|warning|error) +\S.*")
CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
pytestmark = pytest.mark.timeout(900)


class Session:
    """A command that runs at a terminal of 100 columns; `text` is all that it has shown so far."""

    def __init__(self, *command, run=("-m",), **variables):
        self._ours, theirs = pty.openpty()
        self._poll = select.poll()
        self._poll.register(self._ours, select.POLLIN)
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, *run, *map(str, command)],
            cwd=ROOT,
            env=environment(**variables),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""

    def read_until(self, words="", seconds=800):
        """Read until the words are shown, without words until the command has ended; returns the text."""
        end = time.monotonic() + seconds
        while not words or words not in self.text:
            assert time.monotonic() < end, self.text
            if self._poll.poll(200):  # select() refuses the high numbers of files that a long run has
                data = b""
                with suppress(OSError):  # the other end is closed
                    data = os.read(self._ours, 65_536)
                if not data:
                    break
                self.text += data.decode(errors="replace")
        return self.text

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(300)
        os.close(self._ours)


def environment(**variables):
    own = {name: value for name, value in os.environ.items() if not name.startswith("WINDOWSHOP") and name != "TERM"}
    return own | {"OMP_NUM_THREADS": "1", "TERM": "xterm"} | variables


def lines_of(text):
    """The lines that stay on the screen: without bars, which are overwritten, and without codes."""
    return [CODES.sub("", line.rpartition("\r")[2]).strip() for line in text.replace("\r\n", "\n").splitlines()]


def without_terminal(*command, **variables):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def in_this_process(room, *arguments):
    """What a command writes where there is no terminal."""
    result = CliRunner().invoke(ROOMS[room], list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_desk_shop(tmp_path_factory.mktemp("desk") / "shop")


def test_a_build_shows_its_progress_and_ends_with_what_to_do_next(home, tmp_path):
    feed, shop = home / "feed" / "products.csv", tmp_path / "shop"
    with closing(Session("indexer", "build", "--home", shop, "--feed", feed, "--encoder", "colour")) as session:
        text = session.read_until()
    assert re.search(r"pictures: +\d+% .* of 24, [\d:?]+ left", text)
    last = [line for line in lines_of(text) if line][-1]
    words, _, command = last.partition(": ")[2].partition(": ")
    assert last.startswith("Next: ") and words == "look at the shop"
    assert shlex.split(command)[-3:] == ["serve", "--home", str(shop)]
    program = shlex.split(command)[0]
    assert subprocess.run([program, "--version"], cwd=ROOT, capture_output=True, check=False).returncode == 0


# Learning comes last: it lowers the priority of its process.
COMMANDS = {
    "update": ("indexer", "update"),
    "verify": ("indexer", "verify"),
    "doctor": ("search", "doctor", "--out", "{out}"),
    "backup": ("indexer", "backup", "--to", "{out}"),
    "learn": ("search", "learn"),
}
JSON_COMMANDS = {name: (*COMMANDS[name], "--json") for name in ("update", "doctor", "learn")}
MARK = "===== next command ====="
ONE_AFTER_THE_OTHER = f"""
import json, sys
from importlib import import_module

for room, *arguments in json.loads(sys.argv[1]):
    print("{MARK}", flush=True)
    import_module(f"{{room}}.__main__").main(arguments, standalone_mode=False)
"""


def with_folder(command, out, home):
    return [*(str(part).format(out=out) for part in command), "--home", str(home)]


@pytest.fixture(scope="module")
def shown(home, tmp_path_factory):
    """What commands of both kinds show at a terminal, in one process: each would take a second or two to start."""
    folder = tmp_path_factory.mktemp("shown")
    commands = [*COMMANDS.values(), *JSON_COMMANDS.values()]
    given = [with_folder(command, folder / str(number), home) for number, command in enumerate(commands)]
    with closing(Session(json.dumps(given), run=("-c", ONE_AFTER_THE_OTHER))) as session:
        texts = session.read_until().split(MARK)[1:]
    names = [("text", name) for name in COMMANDS] + [("json", name) for name in JSON_COMMANDS]
    return dict(zip(names, texts, strict=True))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_to_do_next_to_people_alone(home, tmp_path, shown, name):
    lines = [line for line in lines_of(shown["text", name]) if line]
    assert lines[-1].startswith("Next: ") and sum(line.startswith("Next: ") for line in lines) == 1
    out, err = in_this_process(*with_folder(COMMANDS[name], tmp_path / "out", home))
    assert "Next:" not in out + err


@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_json_is_json_alone_at_a_terminal_too(home, tmp_path, shown, name):
    assert "{" in shown["json", name] and "Next:" not in shown["json", name]
    printed, _ = in_this_process(*with_folder(JSON_COMMANDS[name], tmp_path / "out", home))
    json.loads(printed)


def test_the_log_of_a_command_is_json_where_there_is_no_terminal(home, tmp_path):
    command = ("indexer", "build", "--home", tmp_path / "shop", "--feed", home / "feed" / "products.csv")
    _, err = without_terminal(*command, "--encoder", "colour")
    _, again = without_terminal(*command)
    assert [json.loads(line)["level"] for line in (err + again).splitlines()] == ["info"]
    _, text = without_terminal(*command, WINDOWSHOP_LOG_FORMAT="text")
    assert LINE.fullmatch(text.splitlines()[0]) and "Next: " in text and "\x1b" not in text


def test_a_wrong_format_is_an_error_that_names_the_others(home):
    command = [sys.executable, "-m", "indexer", "info", "--home", home]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(WINDOWSHOP_LOG_FORMAT="xml"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "auto, text or json" in done.stderr and "Traceback" not in done.stderr


def test_a_server_at_a_terminal_shows_a_line_a_page_and_none_a_picture(home, tmp_path):
    with closing(Session("web", "serve", "--home", home, "--port", "0")) as session:
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", session.read_until("Ctrl-C"))[1])
        wait_until_ready(port)
        ask(port, "GET", "/?q=mugs+secret")  # the colour encoder reads no words
        page = ask(port, "GET", "/products/mugs-0")[1].decode()
        picture = re.search(r'src="(/pictures/[^"]+)"', page)[1]
        style = re.search(r'href="(/static/[^"]+\.css[^"]*)"', page)[1]
        assert [ask(port, "GET", path)[0] for path in (picture, style, "/ops", "/pictures/0/9.jpg")] == [200] * 3 + [
            404
        ]
        body = json.dumps({"product_id": "mugs-0"})
        assert ask(port, "POST", "/api/v1/search", body, {"Content-Type": "application/json"})[0] == 200
        session.read_until("/api/v1/search")
        session.process.send_signal(signal.SIGINT)
        shown = lines_of(session.read_until())
    requests = [line.partition("info ")[2].strip() for line in shown if re.search(r" (GET|POST) /", line)]
    assert [re.sub(r"\d+ ms$", "", request) for request in requests] == [
        "GET / 422 in ",
        "GET /products/mugs-0 200 in ",
        "GET /ops 200 in ",
        "GET /pictures/0/9.jpg 404 in ",
        "POST /api/v1/search 200 in ",
    ]
    assert "secret" not in session.text
    (greeting,) = [line for line in shown if line.startswith("Serving ")]
    rest = [line for line in shown if line and line not in (greeting, "^C")]
    assert all(LINE.fullmatch(line) for line in rest), rest
    assert any("Ready: 24 products" in line for line in rest)


def test_a_server_without_a_terminal_writes_json_alone(home):
    command = [sys.executable, "-m", "web", "serve", "--home", str(home), "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        first = json.loads(server.stderr.readline())
        assert "Serving" in first["message"]
        server.send_signal(signal.SIGTERM)
        assert all(json.loads(line) for line in server.stderr)
    finally:
        server.kill()
        server.wait()
        server.stderr.close()
