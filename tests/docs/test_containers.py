"""The container files name what is there: rooms that the wheel needs, settings, and the files that they mount."""

import re
from pathlib import Path

import pytest
import yaml

from web.settings import Settings

tomllib = pytest.importorskip("tomllib")  # new in Python 3.11
DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
ROOT = DEPLOY.parents[1]


def test_the_image_copies_every_room_and_no_more():
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY ((?!--).*) \S+$", dockerfile, re.M) for name in line.split()}
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    wanted = {pattern.rstrip("*") for pattern in rooms["find"]["include"]} - {"windowshop"}  # which web/public holds
    assert copied == wanted | {"pyproject.toml", "README.md"}
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == copied


def test_settings_of_the_containers_exist():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    names = set(compose["services"]["shop"]["environment"])
    names |= set(re.findall(r"\b(WINDOWSHOP_\w+)=", (DEPLOY / "Dockerfile").read_text(encoding="utf-8")))
    known = {f"WINDOWSHOP_{field.upper()}" for field in Settings.model_fields} | {"WINDOWSHOP_MODELS"}
    assert names <= known
    build = compose["services"]["shop"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert (DEPLOY / compose["services"]["nginx"]["volumes"][0].partition(":")[0]).resolve() == ROOT / "docs/nginx.conf"
