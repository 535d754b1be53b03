"""Children that decode: what they answer is what `catalog.images.decoder` says, and one that is lost is replaced."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from catalog import images
from catalog.errors import BadPicture, PictureTooLarge, UnsupportedFormat, WindowshopError
from indexer.build import decode_pool
from indexer.build.decode_pool import DecoderPool
from indexer.build.decode_worker import LENGTHS, TRAP, send
from tests.indexer.shop_fixtures import write_picture

NAMES = [
    "plain.png",
    "a line\nand another.png",
    'hüte 👒 \'and "quotes".png',
    "  spaces \t.png",
    os.fsdecode(b"\xff.png"),
]


@pytest.fixture
def decoders():
    with DecoderPool(children=1, seconds=10) as decoders:
        yield decoders


@pytest.fixture
def trap(monkeypatch):
    return lambda **deeds: monkeypatch.setenv(TRAP, json.dumps({f"{name}.png": deed for name, deed in deeds.items()}))


def pids(decoders):
    return [child._process.pid for child in decoders._idle]


def alive(pid):
    """Whether the process exists, be it as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_any_path_gives_what_this_process_would_decode(tmp_path, decoders, name):
    path = write_picture(tmp_path / name, (10, 20, 30))
    decoded = decoders.decode(str(path))
    data = path.read_bytes()
    assert (decoded.sha256, decoded.size) == (images.content_hash(data), (16, 12))
    assert decoded.picture.mode == "RGB" and decoded.picture.tobytes() == images.decode(data).tobytes()


def test_a_big_jpeg_is_returned_scaled_down_and_upright_with_its_own_size(tmp_path, decoders):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "big.jpg"
    Image.effect_noise((1600, 1200), 90).convert("RGB").save(path, exif=exif)
    decoded = decoders.decode(str(path), at_least=224)
    assert (decoded.size, decoded.picture.size) == ((1200, 1600), (300, 400))
    assert decoded.picture.tobytes() == images.decode(path.read_bytes(), at_least=224).tobytes()


def test_a_bad_picture_raises_the_same_class_and_message(tmp_path, decoders):
    whole = write_picture(tmp_path / "whole.png", (1, 2, 3), (200, 200)).read_bytes()
    bad = {"empty.png": b"", "cut.png": whole[:80], "words.png": b"a shopping list\n", "page.png": b"<html></html>"}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    Image.new("1", (8_000, 5_001)).save(tmp_path / "huge.png")
    kinds = set()
    for name in [*bad, "huge.png", "gone.png", "a\0b.png", "."]:
        path = tmp_path / name
        with pytest.raises(BadPicture) as here:
            data = images.read_file(path)
            images.size_of(data), images.decode(data)
        with pytest.raises(BadPicture) as there:
            decoders.decode(str(path))
        assert type(there.value) is type(here.value)
        assert (there.value.message, there.value.hint) == (here.value.message, here.value.hint)
        kinds.add(type(there.value))
    assert kinds == {BadPicture, UnsupportedFormat, PictureTooLarge}


def test_no_child_runs_before_there_is_work_and_none_afterwards(tmp_path):
    path = write_picture(tmp_path / "a.png", (1, 2, 3))
    with pytest.raises(KeyError), DecoderPool() as decoders:
        assert pids(decoders) == []
        decoders.decode(str(path))
        (pid,) = pids(decoders)
        assert alive(pid)
        raise KeyError
    assert not alive(pid)


@pytest.mark.parametrize(
    ("deed", "kind", "words"),
    [
        ("segv", BadPicture, "The picture makes the decoder crash."),
        ("loop", BadPicture, "The picture takes longer than 0.5 s to decode."),
        ("memory", PictureTooLarge, "The picture needs more than 2 GiB to decode."),
    ],
)
def test_a_lost_child_costs_its_picture_alone_and_is_replaced(tmp_path, trap, deed, kind, words):
    good, bad = (str(write_picture(tmp_path / f"{name}.png", (9, 9, 9))) for name in ("good", "bad"))
    trap(bad=deed)
    with DecoderPool(children=1, seconds=0.5) as decoders:
        decoders.decode(good)
        (first,) = pids(decoders)
        with pytest.raises(BadPicture) as caught:
            decoders.decode(bad)
        assert type(caught.value) is kind and caught.value.message == words
        assert "JPEG" in caught.value.hint
        assert not alive(first)
        assert decoders.decode(good).size == (16, 12)
        assert pids(decoders) not in ([], [first])


def test_a_child_that_an_earlier_picture_damaged_does_not_cost_the_next(tmp_path, decoders):
    path = str(write_picture(tmp_path / "a.png", (9, 9, 9)))
    decoders.decode(path)
    (first,) = pids(decoders)
    os.kill(first, signal.SIGSEGV)
    assert decoders.decode(path).size == (16, 12)
    assert pids(decoders) != [first]


def test_threads_take_turns_at_the_children(tmp_path):
    paths = [str(write_picture(tmp_path / f"{i}.png", (i, 0, 0))) for i in range(40)]
    with DecoderPool(children=2) as decoders, ThreadPoolExecutor(6) as pool:
        reds = [decoded.picture.getpixel((0, 0))[0] for decoded in pool.map(decoders.decode, paths)]
        assert reds == list(range(40)) and len(pids(decoders)) <= 2


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"sha256": "0" * 64, "size": [2, 2], "pixels": [2, 2]}, b"too short"),
        ({"sha256": "../../x", "size": [1, 1], "pixels": [1, 1]}, b"abc"),
        ({"sha256": "0" * 64, "size": [10**9, 10**9], "pixels": [1, 1]}, b"abc"),
        ({"sha256": "0" * 64, "size": [1, 1], "pixels": [-1, -1]}, b"abc"),
        ({"error": "SystemExit", "message": "m", "hint": "h"}, b""),
        ({"error": "bad_picture", "message": ["m"], "hint": "h"}, b""),
        ([], b""),
        ({}, b""),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_crash(tmp_path, monkeypatch, header, body):
    # A child that says so, instead of ours.
    package = tmp_path / "indexer" / "build"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "decode_worker.py").write_text(
        "import json, struct, sys\n"
        "def say(header, body):\n"
        "    text = json.dumps(header).encode()\n"
        "    sys.stdout.buffer.write(struct.pack('>II', len(text), len(body)) + text + body)\n"
        "    sys.stdout.buffer.flush()\n"
        f"say({{}}, b'')\nsys.stdin.buffer.read(9)\nsay({header!r}, {body!r})\n"
    )
    monkeypatch.setattr(decode_pool, "child_environment", lambda **_: {**os.environ, "PYTHONPATH": str(tmp_path)})
    monkeypatch.chdir(tmp_path)
    with DecoderPool(seconds=5) as decoders, pytest.raises(BadPicture, match="makes the decoder crash"):
        decoders.decode("a.png")


def test_a_child_that_does_not_start_is_an_error_of_the_run_and_not_of_a_picture(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with DecoderPool() as decoders, pytest.raises(WindowshopError, match=r"does not start .*says why"):
        decoders.decode("a.png")


def test_a_child_ends_when_its_parent_is_gone(tmp_path):
    read, write = os.pipe()
    child = subprocess.Popen([sys.executable, "-m", "indexer.build.decode_worker"], stdin=read, stdout=subprocess.PIPE)
    os.close(read)
    assert child.stdout.read(LENGTHS.size)
    os.close(write)
    assert child.wait(300) == 0
    child.stdout.close()


def test_a_child_in_a_loop_ends_itself_when_its_parent_is_gone(trap, monkeypatch):
    trap(a="loop")
    code = "from indexer.build import decode_worker as child; child.GRACE_S = 0; child.main()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    send(child.stdin, {"path": "a.png", "at_least": 0, "seconds": 0.2})
    assert child.wait(300) == -signal.SIGALRM
    child.stdin.close()
    child.stdout.close()
