"""What every test stands on: one folder of exported models, so that a machine exports the starter once."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

if "CI" not in os.environ:  # hypothesis has such a profile for CI
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def shared_models():
    os.environ.setdefault("WINDOWSHOP_MODELS", str(Path(__file__).parents[1] / "var" / "models"))
    return Path(os.environ["WINDOWSHOP_MODELS"])
