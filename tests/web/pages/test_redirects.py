"""Where the owner's redirects lead: only from a question of words, to the address as typed, and never in circles."""

import pytest

from search.merchandising.rule_store import RuleStore
from search.merchandising.rules import Rule
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import make_shop
from web.engine import holder_of
from web.settings import Settings


@pytest.fixture(scope="module")
def client(tmp_path_factory, make_app):
    home = tmp_path_factory.mktemp("redirects")
    make_shop(home, FakeEncoder())
    rules = {
        "returns": "/returns?a=1",
        "help": "https://help.example/?a=1&b=<i>",
        "jumper": "/?q=Returns",
        "round": "http://localhost/?q=round",
        "red jumper": "/?q=green+jumper",
    }
    RuleStore(home).save([Rule("redirect", question, address) for question, address in rules.items()], "test")
    app = make_app(Settings(home=home, page_hits=5, timeout_ms=20_000))
    holder_of(app).wait(300)
    return app.test_client()


def test_a_path_of_the_shop_is_followed(client):
    answer = client.get("/?q=Return")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/returns?a=1")
    assert client.get("/?q=red+jumpers").headers["Location"] == "/?q=green+jumper"


def test_another_site_is_named_before_the_browser_goes_there(client):
    answer = client.get("/?q=help")
    assert answer.status_code == 200 and "<i>" not in answer.text
    there = "https://help.example/?a=1&amp;b=&lt;i&gt;"
    assert f'<meta http-equiv="refresh" content="0; url={there}">' in answer.text
    assert f'href="{there}"' in answer.text and answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "address",
    ["/?q=jumper", "/?q=round", "/?q=returns&offset=5", "/?q=returns&sort=price", '/?q=help&filter={"brand":"Acme"}'],
)
def test_results_are_shown_instead_of_a_circle_and_to_who_looks_through_them(client, address):
    answer = client.get(address)
    assert answer.status_code == 200 and "http-equiv" not in answer.text


def test_the_api_tells_the_address_and_answers(client):
    answer = client.post("/api/v1/search", json={"text": "red jumper"}).json
    assert answer["redirect"] == "/?q=green+jumper" and answer["hits"]
    assert client.post("/api/v1/search", json={"text": "green"}).json["redirect"] is None
