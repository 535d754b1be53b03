"""The command `windowshop`: its lists are whole, and no command imports what it does not need."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tests.web.test_main import ROOT
from web.cli.windowshop import main

HEAVY = ("numpy", "faiss", "onnxruntime", "tokenizers", "scipy", "PIL", "sqlite3", "flask", "pydantic", "rapidfuzz")
OURS = ("catalog", "indexer", "search", "web")
# What is asked for, one after the other in one process: how many of our modules are there then, and which heavy ones.
STEPS = {
    "--help": (20, []),
    "prices --help": (20, []),
    "rules list --help": (60, ["sqlite3"]),
    "key create --help": (80, ["sqlite3", "flask", "pydantic"]),
}
SCRIPT = f"""
import json, sys
from web.cli.windowshop import main

for words in json.loads(sys.argv[1]):
    main(words.split(), standalone_mode=False)
    rooms = [name.partition(".")[0] for name in sys.modules]
    found = [sum(map(rooms.count, {OURS})), [name for name in {HEAVY} if name in sys.modules]]
    print(json.dumps(found), file=sys.stderr)
"""


def groups(group):
    """A group, and those within it."""
    yield group
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if isinstance(command, click.Group):
            yield from groups(command)


def test_what_a_command_does_not_need_is_not_imported():
    command = [sys.executable, "-c", SCRIPT, json.dumps(list(STEPS))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for (words, (most, heavy)), line in zip(STEPS.items(), done.stderr.splitlines(), strict=True):
        modules, found = json.loads(line)
        assert modules <= most and sorted(found) == sorted(heavy), words


def test_lists_name_every_command_and_end_no_line_in_the_middle():
    for group in groups(main):
        listed = CliRunner().invoke(group, ["--help"], terminal_width=80).output.partition("Commands:\n")[2]
        lines = listed.strip().splitlines()
        names = group.list_commands(None)
        assert [line.split()[0] for line in lines] == names
        lazy = [line for line in lines if line.split()[0] in getattr(group, "lazy", ())]
        assert all(line.endswith(".") and not line.endswith("...") for line in lazy), lazy
        assert all(group.get_command(None, name).help for name in names)


@pytest.mark.parametrize("name", ["none", "", "main"])
def test_what_is_no_command_is_an_error(name):
    assert CliRunner().invoke(main, [name]).exit_code == 2
