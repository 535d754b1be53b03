"""Public names of a package, imported on first use (PEP 562), so that `import search` loads neither numpy nor faiss."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any


def lazy_exports(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], Sequence[str]]]:
    """Return `__getattr__` and `__dir__` of a package whose `__init__.py` lists its public names under `TYPE_CHECKING`.

    Type checkers read these imports as they stand; at run time a name's module is imported when the name is first used.
    """

    def load(name: str) -> Any:
        if name not in _owners(file):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(_owners(file)[name]), name)

    return load, lambda: sorted({*vars(import_module(package)), *_owners(file)})


@cache
def _owners(file: str) -> dict[str, str]:
    """Map each name imported under `if TYPE_CHECKING:` to the module that defines it."""
    blocks = [node for node in ast.parse(Path(file).read_text(encoding="utf-8")).body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in imports for alias in node.names}
