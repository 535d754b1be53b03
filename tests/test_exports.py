"""The public names of each room and of `windowshop`: all there, sorted, and imported only when they are used."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("catalog", "indexer", "search", "web")
LAZY = ("catalog", "indexer", "search", "windowshop")
EAGER = ("WindowshopError", "errors")  # light, and imported by `catalog` at once
HEAVY = ("numpy", "faiss", "torch", "onnxruntime", "PIL", "flask")


def names_for_type_checkers(package):
    tree = ast.parse(Path(import_module(package).__file__).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return sorted(alias.name for node in imports for alias in node.names)


@pytest.mark.parametrize("package", [*ROOMS, "windowshop"])
def test_every_public_name_can_be_imported(package):
    module = import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if getattr(module, name, None) is None] == []
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="no attribute 'Absent'"):
        _ = module.Absent


@pytest.mark.parametrize("package", LAZY)
def test_type_checkers_see_the_same_names(package):
    eager = EAGER if package == "catalog" else ()
    assert names_for_type_checkers(package) == sorted(set(import_module(package).__all__) - set(eager))


def test_windowshop_has_the_names_of_all_rooms():
    names = [name for room in ROOMS for name in import_module(room).__all__]
    assert sorted(import_module("windowshop").__all__) == sorted(names)


@pytest.mark.parametrize("package", LAZY)
def test_importing_a_package_loads_nothing_heavy(package):
    code = f"import sys, {package}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
