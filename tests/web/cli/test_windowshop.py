"""The command `windowshop`: its lists are whole, and no command imports what it does not need."""

import json
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import indexer.__main__
import search.__main__
import web.__main__
from indexer.cli.common import Commands
from tests.web.test_main import ROOT
from web.cli.windowshop import main

HEAVY = ("numpy", "faiss", "onnxruntime", "tokenizers", "scipy", "PIL", "sqlite3", "flask", "pydantic", "rapidfuzz")
OURS = ("catalog", "indexer", "search", "web")
# Several commands, one after the other in one process: how many of our modules are there then, and which heavy ones.
STEPS = {
    "--help": (20, []),
    "prices --help": (20, []),
    "rules list --help": (60, ["sqlite3"]),
    "key create --help": (80, ["sqlite3", "flask", "pydantic"]),
}
# What the shell asks for: (what is before the cursor, what it offers).
COMPLETED = [
    ("windowshop se", "setup search serve"),
    ("windowshop --v", "--version"),
    ("windowshop prices ev", "evaluate"),
]
SCRIPT = f"""
import json, os, sys
from web.cli.windowshop import main

for words in json.loads(sys.argv[1]):
    if "_WINDOWSHOP_COMPLETE" in os.environ:
        os.environ.update(COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
        try:
            main(prog_name="windowshop")
        except SystemExit:
            print("end")
    else:
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


def run_in_one_process(words, **environment):
    command = [sys.executable, "-c", SCRIPT, json.dumps(words)]
    more = os.environ | environment
    return subprocess.run(command, cwd=ROOT, env=more, capture_output=True, text=True, check=True)


def test_what_a_command_does_not_need_is_not_imported():
    done = run_in_one_process(list(STEPS))
    for (words, (most, heavy)), line in zip(STEPS.items(), done.stderr.splitlines(), strict=True):
        modules, found = json.loads(line)
        assert modules <= most and sorted(found) == sorted(heavy), words


def test_completion_in_the_shell_imports_no_command():
    done = run_in_one_process([words for words, _ in COMPLETED], _WINDOWSHOP_COMPLETE="bash_complete")
    offered = [part.replace("plain,", "").split() for part in done.stdout.split("end\n")[:-1]]
    assert offered == [names.split() for _, names in COMPLETED]
    for line in done.stderr.splitlines():
        modules, heavy = json.loads(line)
        assert (modules <= 20, heavy) == (True, []), line
    assert len(done.stderr.splitlines()) == len(COMPLETED)


def test_the_shell_is_told_what_each_command_does():
    for group in groups(main):
        with group.make_context("group", [], resilient_parsing=True) as context:
            offered = {item.value: item.help for item in group.shell_complete(context, "")}
        assert list(offered) == group.list_commands(None)
        lazy = getattr(group, "lazy", {})
        assert {name: text for name, text in offered.items() if name in lazy} == {n: c.help for n, c in lazy.items()}


def test_hidden_commands_are_not_offered():
    hidden, shown = (click.Command(name, hidden=name == "secret", help="Do it.") for name in ("secret", "seen"))
    group = Commands("group", commands=[hidden, shown])
    with group.make_context("group", [], resilient_parsing=True) as context:
        assert [(item.value, item.help) for item in group.shell_complete(context, "se")] == [("seen", "Do it.")]


@pytest.mark.parametrize(
    ("group", "words", "message"),
    [
        (indexer.__main__.main, "buidl", "'buidl'. Did you mean 'build'?"),
        (search.__main__.main, "qurey", "'qurey'. Did you mean 'query'?"),
        (web.__main__.main, "serv", "'serv'. Did you mean 'serve'?"),
        (search.__main__.main, "prices chekc", "'chekc'. Did you mean 'check'?"),
        (main, "idnex", "'idnex'. Did you mean 'index'?"),
        (main, "serach", "'serach'. (Did you mean one of: 'search', 'speech'?)"),
        (main, "xyz", "'xyz'."),
    ],
)
def test_the_error_of_an_unknown_command_names_those_like_it(group, words, message):
    answer = CliRunner().invoke(group, words.split())
    assert (answer.exit_code, answer.stderr.splitlines()[-1]) == (2, f"Error: No such command {message}")


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
