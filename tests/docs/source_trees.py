"""The syntax trees of our sources, parsed once for the tests that look through them."""

import ast
import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def tree(source: Path) -> ast.Module:
    """Return the tree of a source. It is no garbage, and looking for some in it took longer than to parse it."""
    gc.disable()
    try:
        return ast.parse(source.read_text(encoding="utf-8"))
    finally:
        gc.enable()


@cache
def nodes(source: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a source."""
    return tuple(ast.walk(tree(source)))


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and those within them: a tenth of all nodes, and what is imported is among them."""
    for statement in body:
        yield statement
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from statements(getattr(statement, field, []))


def forget() -> None:
    """Let the trees go, which later tests need not carry."""
    nodes.cache_clear()
    tree.cache_clear()
