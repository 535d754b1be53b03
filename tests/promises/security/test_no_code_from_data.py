"""S11: no code runs from data files: nothing here could, and hostile files of a shop are errors of ours."""

import ast
import gc
import io
import json
import pickle
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import WindowshopError
from catalog.files.atomic import record
from catalog.files.version_folders import json_digest as digest
from catalog.home import ShopHome
from indexer.generations.manifest import MANIFEST_FILE
from indexer.generations.store import open_current
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import make_shop

ROOT = Path(__file__).parents[3]
MODULES = {"pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput"), ("torch", "load"), ("np", "load")}
ARGUMENTS = ("shell", "allow_pickle", "weights_only", "trust_remote_code")
# What a source without a danger may lack, so that it need not be parsed: to parse all of them takes seconds.
MENTIONED = re.compile(
    rf"\b({'|'.join([*sorted(MODULES), *ARGUMENTS, *(rf'{owner}.{name}' for owner, name in sorted(ATTRIBUTES))])})\b"
    rf"|(?<![.\w])({'|'.join(sorted(CALLS))})\b"
)


def dangers(tree):
    """(line, what) of everything that might run code from data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from ((node.lineno, name) for name in names if name.split(".")[0] in MODULES)
        if not isinstance(node, ast.Call):
            continue
        given = {keyword.arg: getattr(keyword.value, "value", ...) for keyword in node.keywords}
        if isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield node.lineno, node.func.id
        if given.get("shell") not in (None, False) or given.get("allow_pickle", False) is not False:
            yield node.lineno, "shell or allow_pickle"
        if given.get("weights_only", True) is not True or given.get("trust_remote_code", False) is not False:
            yield node.lineno, "weights_only or trust_remote_code"
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            called = (node.func.value.id, node.func.attr)
            explicit = {("torch", "load"): "weights_only", ("np", "load"): "allow_pickle"}
            if called in ATTRIBUTES and explicit.get(called) not in given:
                yield node.lineno, ".".join(called)


@pytest.mark.promise("S11", "every line of ours")
def test_nothing_here_runs_code_from_data():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for room in ("catalog", "indexer", "search", "web")
        for path in sorted((ROOT / room).rglob("*.py"))
        if MENTIONED.search(source := path.read_text(encoding="utf-8"))
        for line, what in dangers(ast.parse(source))
    ]
    assert found == []


def test_the_gate_sees_what_it_should():
    source = """
import pickle
from yaml import load
eval("1")
run("x", shell=True)
np.load(f)
np.load(f, allow_pickle=True)
torch.load(f)
torch.load(f, weights_only=False)
os.system("x")
AutoModel.make(trust_remote_code=True)
np.load(f, allow_pickle=False)
torch.load(f, weights_only=True)
"""
    found = sorted({line for line, _ in dangers(ast.parse(source))})
    assert found == list(range(2, 12))
    assert all(MENTIONED.search(source.splitlines()[line - 1]) for line in found)


class Hostile:
    """What pickle makes a canary of."""

    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return Path.touch, (Path(self.canary),)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("made") / "shop"
    make_shop(home, FakeEncoder())
    return home


@pytest.fixture
def home(made, tmp_path):
    """A copy of the shop's index, to be changed."""
    for folder in (ShopHome(made).generation(1), ShopHome(made).current):
        copy = tmp_path / "shop" / folder.relative_to(made)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, copy) if folder.is_dir() else shutil.copy(folder, copy)
    return tmp_path / "shop"


def sealed_again(folder):
    """Let the manifest say that its files are as they are: whoever can write there can do that too."""
    path = folder / MANIFEST_FILE
    body = json.loads(path.read_text(encoding="utf-8"))
    body.pop("digest")
    for name in body["files"]:
        written = record(folder / name)
        body["files"][name] = {"bytes": written.bytes, "sha256": written.sha256}
    path.write_text(json.dumps(body | {"digest": digest(body)}, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def object_array(canary):
    out = io.BytesIO()
    np.save(out, np.array([Hostile(canary)] * 4, dtype=object), allow_pickle=True)
    return out.getvalue()


def header(shape):
    text = f"{{'descr': '<f2', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode()


HOSTILE = {
    "pickle": lambda canary: pickle.dumps(Hostile(canary)),
    "object array": object_array,
    "array of 2**60": lambda canary: header((2**60, 2)),
    "negative array": lambda canary: header((-5, 2)),
    "header that computes": lambda canary: header(f"(__import__('pathlib').Path({str(canary)!r}).touch(),)"),
    "zip": lambda canary: b"PK\3\4" + bytes(100),
}


@pytest.mark.promise("S11", "hostile arrays whose digests are right")
@pytest.mark.parametrize("name", ["rows.npy", "products.npy", "pictures.npy"])
@pytest.mark.parametrize("kind", list(HOSTILE))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_hostile_array_is_an_error_and_runs_nothing(home, tmp_path, kind, name):
    folder = ShopHome(home).generation(1)
    assert (folder / name).is_file()
    (folder / name).write_bytes(HOSTILE[kind](tmp_path / "canary"))
    sealed_again(folder)
    with pytest.raises(WindowshopError):
        open_current(home)
    gc.collect(1)  # what numpy leaves open of a file that it refuses; all that is older would take half a second
    assert not (tmp_path / "canary").exists()


@pytest.mark.promise("S11", "500 changed index files")
def test_a_changed_index_never_reaches_faiss(home, seed, monkeypatch):
    chance = random.Random(seed)
    folder = ShopHome(home).generation(1)
    (path,) = folder.glob("*.faiss")
    whole = path.read_bytes()
    monkeypatch.setattr("indexer.ann.faiss_index.VectorIndex.load", lambda *_: pytest.fail("FAISS read it"))
    for _ in range(500):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(changed))
            changed[place] ^= 1 << chance.randrange(8)
        if chance.random() < 0.2:
            changed = changed[: chance.randrange(len(changed))]
        if bytes(changed) == whole:
            continue
        path.write_bytes(changed)
        with pytest.raises(WindowshopError):
            open_current(home)
    path.write_bytes(whole)
    shutil.rmtree(folder)
