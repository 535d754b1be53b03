import pytest

from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import make_shop


@pytest.fixture
def home(tmp_path):
    return tmp_path / "shop"


@pytest.fixture
def engine(home):
    with make_shop(home) as engine:
        yield engine


@pytest.fixture
def fake_encoder(monkeypatch):
    """What `SearchEngine.open` gets instead of a registered encoder."""
    encoder = FakeEncoder()
    monkeypatch.setattr("search.engine.open_encoder", lambda name, *, runtime, home: encoder)
    return encoder
