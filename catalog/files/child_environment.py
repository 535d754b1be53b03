"""Environment variables of the Python processes that this one starts."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the folder of our packages


def child_environment(**variables: str) -> dict[str, str]:
    """Return our environment and the given variables, for a Python child: it finds our packages before any others."""
    search_path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(search_path)}
