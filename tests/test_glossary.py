"""Identifiers use the glossary's terms: words of our own making are refused, save those that a file format fixes."""

import ast
from pathlib import Path

import pytest

from tests.docs.source_trees import forget, nodes

ROOT = Path(__file__).parents[1]
ROOMS = ("catalog", "indexer", "search", "web")
SOURCES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py") if "generator" not in p.parts)
# As a part of an identifier, and as a whole one; see docs/glossary.md, "Words that are not terms".
BANNED_PARTS = {
    "told",
    "asked",
    "said",
    "beside",
    "amiss",
    "kept",
    "spent",
    "taught",
    "heard",
    "anew",
    "whoever",
    "voiceless",
    "likeliest",
    "harmless",
    "aside",
}
BANNED_NAMES = frozenset(("each", "of", "one"))
# Names that stand in files, JSON or the environment. This list may only shrink.
ALLOWED = frozenset(["kept_questions"])  # WINDOWSHOP_KEPT_QUESTIONS


@pytest.fixture(scope="module", autouse=True)
def forget_trees():
    yield
    forget()


def identifiers(nodes):
    """Every name that a module binds: classes, functions, parameters, variables, attributes, with its line."""
    methods = {id(item) for node in nodes if isinstance(node, ast.ClassDef) for item in node.body}
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not (node.name == "of" and id(node) in methods):  # an alternative constructor
                yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node.lineno


def is_banned(name):
    return name in BANNED_NAMES or not BANNED_PARTS.isdisjoint(name.lower().strip("_").split("_"))


def test_no_identifier_is_a_word_of_our_own():
    assert [
        f"{source.relative_to(ROOT)}:{line} {name}"
        for source in SOURCES
        for name, line in identifiers(nodes(source))
        if is_banned(name) and name not in ALLOWED
    ] == []


def test_the_check_finds_what_it_should():
    tree = ast.parse(
        "def told(beside_it, of):\n    for each in of:\n        kept = each\nclass Maker:\n    def of(self): ...\n"
    )
    assert sorted(name for name, _ in identifiers(tuple(ast.walk(tree))) if is_banned(name)) == [
        "beside_it",
        "each",
        "kept",
        "of",
        "told",
    ]


def test_every_module_of_the_glossary_is_there():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    named = {
        cell.strip(" `") for line in text.splitlines() for cell in line.split("|")[3:4] for cell in cell.split(",")
    }
    paths = {name for name in named if "/" in name}
    assert len(paths) > 30
    assert {name for name in paths if not (ROOT / name).exists()} == set()


def test_no_two_classes_share_a_name():
    """One word for one thing: a name that stands for two classes misleads whoever searches for it."""
    places: dict[str, list[str]] = {}
    for source in SOURCES:
        for node in nodes(source):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(source.relative_to(ROOT).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
