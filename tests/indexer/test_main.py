"""python -m indexer: exit codes and messages."""

import errno
import json
import os

import click
import pytest
from click.testing import CliRunner

from indexer import __main__ as command
from indexer.cli import index_commands, maintenance_commands
from indexer.cli.common import Commands
from indexer.generations.store import open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import COLOURS, colour_shop, write_feed, write_picture


@pytest.fixture
def opened():
    """The names of the encoders that were opened."""
    return []


@pytest.fixture
def run(monkeypatch, opened):
    def open_encoder(name, **_):
        opened.append(name)
        return FakeEncoder()

    for module in (index_commands, maintenance_commands):
        monkeypatch.setattr(module, "open_encoder", open_encoder)
    return lambda *words: CliRunner().invoke(command.main, [str(word) for word in words])


def test_build_info_verify(run, tmp_path):
    home = tmp_path / "home"
    built = run("build", "--home", home, "--feed", colour_shop(tmp_path / "feed"))
    assert built.exit_code == 0, built.output
    assert "4 products with 4 pictures indexed, 0 rejected" in built.output
    shown = run("info", "--home", home)
    assert json.loads(shown.stdout)["rows"] == 4
    checked = run("verify", "--home", home, "--all")
    assert checked.exit_code == 0
    assert "000001 (current) is whole: 4 rows" in checked.output


def test_rejected_rows_give_exit_code_3_and_are_named(run, tmp_path):
    write_picture(tmp_path / "feed" / "red.png", COLOURS["red"])
    feed = write_feed(tmp_path / "feed", [("1", "red", "red.png"), ("2", "", "red.png"), ("3", "red", "gone.png")])
    result = run("build", "--home", tmp_path / "home", "--feed", feed)
    assert result.exit_code == 3
    assert "products.csv:3" in result.output and "products.csv:4" in result.output
    assert "rejected-000001.csv" in result.output
    assert open_current(tmp_path / "home").manifest.products == 1


def test_typed_errors_give_exit_code_1_and_say_what_to_do(run, tmp_path):
    result = run("info", "--home", tmp_path)
    assert result.exit_code == 1
    assert "make index" in result.output
    assert run("build", "--home", tmp_path / "home", "--feed", tmp_path / "none.csv").exit_code == 1


def test_damage_is_found_by_verify(run, tmp_path):
    home = tmp_path / "home"
    run("build", "--home", home, "--feed", colour_shop(tmp_path / "feed"))
    path = home / "generations" / "000001" / "rows.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    result = run("verify", "--home", home)
    assert result.exit_code == 1
    assert "rows.npy" in result.output


def test_an_interruption_gives_exit_code_130(run, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(index_commands, "build_index", interrupted)
    result = run("build", "--home", tmp_path, "--feed", tmp_path / "x.csv")
    assert result.exit_code == 130
    assert "Interrupted. Encoded vectors are stored" in result.output
    monkeypatch.setattr(maintenance_commands.store, "current_number", interrupted)
    result = run("verify", "--home", tmp_path)
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_a_shop_keeps_its_encoder_unless_asked(run, opened, tmp_path, caplog):
    caplog.set_level("INFO")
    home, feed = tmp_path / "home", colour_shop(tmp_path / "feed")
    built = run("build", "--home", home, "--feed", feed)
    assert opened == ["starter"] and "Encoder starter;" in caplog.text
    assert "encoder fake" in built.output  # what the fake calls itself stands in the manifest
    run("build", "--home", home, "--feed", feed)
    assert opened == ["starter", "fake"] and "Encoder fake, as in the current index" in caplog.text
    run("build", "--home", home, "--feed", feed, "--encoder", "colour")
    assert opened == ["starter", "fake", "colour"]


@pytest.mark.parametrize("words", [("build", "--feed"), ("info",), ("verify",)])
def test_a_home_that_cannot_be_is_one_line(run, tmp_path, words):
    (tmp_path / "file").write_text("")
    feed = [colour_shop(tmp_path / "feed")] if words[-1] == "--feed" else []
    result = run(*words, *feed, "--home", tmp_path / "file" / "home")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert str(tmp_path / "file") in result.stderr


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_what_the_system_refuses_is_one_line(run, tmp_path, monkeypatch, code):
    def refused(*_, **__):
        raise OSError(code, os.strerror(code), str(tmp_path / "rows.npy"))

    monkeypatch.setattr(index_commands, "build_index", refused)
    result = run("build", "--home", tmp_path, "--feed", tmp_path / "x.csv")
    assert result.exit_code == 1
    assert f"Error: {tmp_path / 'rows.npy'}: {os.strerror(code)}." in result.stderr


def test_every_command_and_option_has_help(run):
    listed = run("--help").stdout
    for name in command.COMMANDS:
        sub = command.main.get_command(None, name)
        assert sub.name == name and sub.help and name in listed
        assert all(p.help or p.name in ("data", "ids") for p in sub.params), name


@pytest.mark.promise("R21")
def test_a_hundred_bad_rows_of_a_thousand(run, tmp_path):
    feed = tmp_path / "feed"
    for i in range(30):
        write_picture(feed / f"{i}.png", (i * 8, 255 - i * 8, 90))
    whole = (feed / "0.png").read_bytes()
    (feed / "empty.jpg").write_bytes(b"")
    (feed / "text.jpg").write_text("hello")
    (feed / "page.png").write_text("<html></html>")
    (feed / "cut.png").write_bytes(whole[:50])
    (feed / "flipped.png").write_bytes(whole[:40] + bytes([whole[40] ^ 255]) + whole[41:])
    (feed / "header.png").write_bytes(whole[:8])
    (feed / "eps.jpg").write_text("%!PS-Adobe-3.0 EPSF-3.0")
    (feed / "bmp.jpg").write_bytes(b"BM" + bytes(60))
    (feed / "svg.png").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (feed / "zeros.jpg").write_bytes(bytes(500))
    (feed / "folder.png").mkdir()
    write_picture(tmp_path / "outside.png", (1, 1, 1))
    bad = [("b{}", "thing", f"{name}") for name in ("empty.jpg", "text.jpg", "page.png", "cut.png", "flipped.png")]
    bad += [("b{}", "thing", f"{name}") for name in ("header.png", "eps.jpg", "bmp.jpg", "svg.png", "zeros.jpg")]
    bad += [("b{}", "thing", name) for name in ("folder.png", "gone.png", "../outside.png", "/etc/passwd", "")]
    bad += [("", "thing", "1.png"), ("b{}", "", "1.png"), ("b{}", "   ", "1.png"), ("g1", "again", "1.png")]
    bad += [("b{}", "thing", "file:///etc/passwd")]
    assert len(bad) == 20
    rows, expected = [], set()
    for number in range(1000):
        if number % 10 == 9:
            expected.add(number + 2)
            row_id, title, image = bad[number // 10 % 20]
            rows.append((row_id.format(number), title, image))
        else:
            rows.append((f"g{number}", f"red {number}", f"{number % 30}.png"))
    result = run("build", "--home", tmp_path / "home", "--feed", write_feed(feed, rows))
    assert result.exit_code == 3, result.output
    assert open_current(tmp_path / "home").manifest.products == 900
    lines = (tmp_path / "home" / "reports" / "rejected-000001.csv").read_text().splitlines()[1:]
    assert {int(line.split(",")[1]) for line in lines} == expected
    assert len(lines) == 100
    assert all(line.split(",", 2)[2] for line in lines)


@pytest.mark.parametrize("charset", ["cp1252", "latin-1", "cp437", "utf-8"])
def test_letters_that_the_terminal_lacks_are_printed_as_codes(charset):
    @click.command()
    def show():
        click.echo("Łóżko 茶壶")
        click.echo("Łóżko 茶壶", err=True)

    answer = CliRunner(charset=charset).invoke(Commands(commands=[show]), ["show"])
    assert answer.exit_code == 0
    shown = "Łóżko 茶壶".encode(charset, "backslashreplace").decode(charset)
    assert (answer.stdout, answer.stderr) == (f"{shown}\n", f"{shown}\n")
