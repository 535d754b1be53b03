"""Settings: one documented table, read from the environment."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from web.settings import Settings

DOCS = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "field"), Settings.model_fields.items(), ids=Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name, field):
    assert field.description
    row = re.search(rf"^\| `WINDOWSHOP_{name.upper()}` \| `(.*?)` \| (.*) \|$", DOCS, re.MULTILINE)
    assert row, f"docs/settings.md does not tell of {name}"
    assert row[1] == str(field.default)
    assert row[2].startswith(field.description.rstrip("."))


def test_the_documentation_tells_of_no_setting_that_is_gone():
    assert {name.lower() for name in re.findall(r"^\| `WINDOWSHOP_(\w+)`", DOCS, re.M)} == set(Settings.model_fields)


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_PORT", "8111")
    monkeypatch.setenv("WINDOWSHOP_SHOP_NAME", "Corner shop")
    monkeypatch.setenv("WINDOWSHOP_MODELS", "/models")  # other rooms read variables of their own
    settings = Settings()
    assert (settings.port, settings.shop_name) == (8111, "Corner shop")


@pytest.mark.parametrize(
    "bad", [{"port": 70_000}, {"threads": 0}, {"runtime": "gpu"}, {"shop_name": ""}, {"nonsense": 1}]
)
def test_settings_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValidationError):
        Settings(**bad)
