"""What the tests of feeds stand on."""

from contextlib import closing

import pytest
from PIL import Image

from tests.catalog.picture_server import open_fetcher, serving


@pytest.fixture
def shop(tmp_path):
    """A feed's folder with a few pictures in it, and a secret beside it."""
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = tmp_path / "shop"
    (root / "images").mkdir(parents=True)
    for name in ("1.png", "2.png", "3.png", "a,b.png", "c;d.png"):
        Image.new("RGB", (4, 4)).save(root / "images" / name)
    return root


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def fetcher(server, tmp_path):
    """A fetcher that may ask the local server, under whatever name and path."""
    with closing(open_fetcher(tmp_path / "fetched", server.port)) as opened:
        yield opened
