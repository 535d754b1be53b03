"""web -> search -> indexer -> catalog, never upward; and the web room touches no vectors."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.docs.source_trees import forget, statements, tree

ROOT = Path(__file__).parents[1]
MAX_MODULES = 12
MAX_FUNCTION_IMPORTS = 20
MAX_MODULE_LINES = 300
ORDER = {"catalog": 0, "indexer": 1, "search": 2, "web": 3}
SOURCES = sorted(p for room in ORDER for p in (ROOT / room).rglob("*.py"))


@pytest.fixture(scope="module", autouse=True)
def forget_trees():
    yield
    forget()


@cache
def imports(source: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    return tuple(node for node in statements(tree(source).body) if isinstance(node, ast.Import | ast.ImportFrom))


@cache
def lazy_modules(source: Path) -> frozenset[str]:
    """The modules that a table of commands names; they are imported when a command runs."""
    if "LazyCommand(" not in source.read_text(encoding="utf-8"):
        return frozenset()
    texts = [node.value for node in ast.walk(tree(source)) if isinstance(node, ast.Constant)]
    return frozenset(
        text for text in texts if isinstance(text, str) and text.partition(".")[0] in ORDER and "." in text
    )


def imported_modules(source: Path) -> set[str]:
    names = set(lazy_modules(source))
    for node in imports(source):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, f"{source}:{node.lineno}: relative import; name the room"
            names.add(node.module or "")
    return names


def with_imports(sources, forbidden):
    """The modules that import a forbidden one, by name or by its first part."""
    found = {p.relative_to(ROOT).as_posix(): {n for n in imported_modules(p) if forbidden(p, n)} for p in sources}
    return {name: modules for name, modules in found.items() if modules}


def test_no_room_imports_upward():
    def is_above(source, name):
        return ORDER.get(name.split(".")[0], -1) > ORDER[source.relative_to(ROOT).parts[0]]

    assert with_imports(SOURCES, is_above) == {}


def test_web_touches_no_vectors():
    heavy = {"faiss", "torch", "timm", "open_clip", "onnxruntime", "sqlite3", "numpy"}
    web = [p for p in SOURCES if p.is_relative_to(ROOT / "web")]
    assert with_imports(web, lambda _, name: name.split(".")[0] in heavy) == {}


def test_faiss_has_two_importers():
    """The index itself, and the lists of 4-bit codes, which are filled and searched in another way."""
    importers = [p for p in SOURCES if any(n.split(".")[0] == "faiss" for n in imported_modules(p))]
    modules = ["indexer/ann/fast_scan.py", "indexer/ann/faiss_index.py"]
    assert sorted(p.relative_to(ROOT).as_posix() for p in importers) in ([], sorted(modules))


@cache
def packages_imported():
    """For every package, the packages that its modules import; a module at the top of a room stands for itself."""
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in SOURCES}

    def package(module: str) -> str:
        parts = modules[module].relative_to(ROOT).parts
        return module if len(parts) == 2 else ".".join(parts[:-1])

    imported: dict[str, set[str]] = {}
    for module, path in modules.items():
        here = imported.setdefault(package(module), set())
        here |= {package(name) for name in lazy_modules(path)} - {package(module)}
        for node in imports(path):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                inside = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in modules else node.module or "" for name in inside]
            here |= {package(name) for name in names if name in modules} - {package(module)}
    return imported


def test_packages_form_no_cycle():
    TopologicalSorter(packages_imported()).prepare()  # raises CycleError, which names the cycle


def test_a_package_says_who_imports_it():
    imported = packages_imported()
    wrong = {}
    for source in (
        p for p in SOURCES if p.name == "__init__.py" and not {"generator", "sample", "public"} & set(p.parts)
    ):
        package = ".".join(source.relative_to(ROOT).parent.parts)
        if "." in package:
            importers = sorted(name for name, used in imported.items() if package in used)
            words = " ".join((ast.get_docstring(tree(source)) or "").split())
            if not words.endswith(f"Imported by {', '.join(importers) or 'nothing'}."):
                wrong[package] = importers
    assert wrong == {}, "write the importers at the end of the package's docstring"


@pytest.mark.parametrize("room", [*ORDER, "tests"])
def test_a_folder_has_at_most_twelve_modules(room):
    folders = [ROOT / room, *(p for p in (ROOT / room).rglob("*") if p.is_dir())]
    sizes = {folder: len([p for p in folder.glob("*.py") if p.name != "__init__.py"]) for folder in folders}
    assert not {folder: size for folder, size in sizes.items() if size > MAX_MODULES}


def test_a_module_has_at_most_three_hundred_lines():
    lengths = {p.relative_to(ROOT).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}
    assert {name: length for name, length in lengths.items() if length > MAX_MODULE_LINES} == {}


def test_few_imports_stand_inside_functions_and_each_says_why():
    """Heavy libraries are imported where they are needed; everything else stands at the head of its module."""
    inside, silent = 0, []
    for source in (p for p in SOURCES if "generator" not in p.parts):
        at_head = {id(node) for node in tree(source).body}
        if all(id(node) in at_head for node in imports(source)):
            continue
        functions = [node for node in ast.walk(tree(source)) if isinstance(node, ast.FunctionDef)]
        lines = {n.lineno for f in functions for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)}
        inside += len(lines)
        rows = source.read_text(encoding="utf-8").splitlines()
        silent += [f"{source.name}:{n}" for n in lines if "#" not in rows[n - 1] and "#" not in rows[n - 2]]
    assert inside <= MAX_FUNCTION_IMPORTS
    assert silent == []


def test_nothing_that_runs_code_from_data():
    unsafe = {"pickle", "joblib", "dill", "shelve", "marshal"}
    assert with_imports(SOURCES, lambda _, name: name in unsafe) == {}


def test_the_check_finds_what_it_should():
    source = next(p for p in SOURCES if p.is_relative_to(ROOT / "web") and "catalog" in str(imported_modules(p)))
    assert with_imports([source], lambda _, name: name.startswith("catalog")) != {}
