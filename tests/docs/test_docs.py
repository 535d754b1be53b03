"""The docs are finished: no placeholder is left, and the files they point to exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
KNOWN = {"WINDOWSHOP", "CHANGELOG", "README", "IMAGENET"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_placeholder_is_left(page):
    text = re.sub(r"`[^`]*`|```.*?```|\]\([^)]*\)", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "TODO" not in text and "TBD" not in text
    shouted = set(re.findall(r"\b[A-Z]{7,}\d*\b", text)) - KNOWN
    assert not shouted, f"{page.name} still holds {shouted}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} points to {target}"
