"""One shop and one app for all tests of the web; the engine is the real one, on the fake encoder."""

import pytest

from catalog.home import ShopHome
from indexer.encoders.registry import open_encoder
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import close_app, make_shop, no_text_models
from web import create_app
from web.engine import holder_of
from web.settings import Settings


def open_fake_or_real(name, **how):
    """The fake encoder where a shop was made with it; other tests run meanwhile, on shops with real ones."""
    return FakeEncoder() if name == FakeEncoder().spec.name else open_encoder(name, **how)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("shop")
    make_shop(home, FakeEncoder())
    return home


@pytest.fixture(scope="session")
def open_apps():
    """The apps that are closed when their module is over."""
    return []


@pytest.fixture(scope="module", autouse=True)
def close_apps_of_a_module(open_apps):
    """The threads of a hundred open apps, which look for changes, took a fifth of a processor from later tests."""
    begun = len(open_apps)
    yield
    while len(open_apps) > begun:
        close_app(open_apps.pop())


@pytest.fixture(scope="session")
def make_app(open_apps):
    """Makes apps on the fake encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.engine.open_encoder", open_fake_or_real)
        patch.setattr("search.assistant.answering.opening.TextVectors.of", no_text_models)

        def make(settings):
            ShopHome(settings.home).rate_limits.unlink(missing_ok=True)  # each app of a test begins with full limits
            # A model that no test of pages needs would take a processor for seconds.
            app = create_app(settings.model_copy(update={"analyse_reviews": False}))
            open_apps.append(app)
            return app

        yield make


@pytest.fixture(scope="session")
def app(home, make_app, open_apps):
    app = make_app(Settings(home=home, page_hits=5, timeout_ms=20_000))
    open_apps.remove(app)
    holder_of(app).wait(300)
    yield app
    close_app(app)


@pytest.fixture
def client(app):
    return app.test_client()
