"""Keys and policies: every route has one, every kind of key is let in where it may and nowhere else."""

import hashlib
import json
import stat

import pytest
from click.testing import CliRunner

from catalog.errors import BadInput, StoreError
from tests.fakes import FakeEncoder
from tests.web.shop import READ_KEY, WRITE_KEY, make_shop
from web.__main__ import cli
from web.auth import POLICIES, PUBLIC, READ, WRITE, Keys
from web.engine import holder_of
from web.settings import Settings

CALLS = {
    "static": ("get", "/static/shop.css"),
    "pages.home": ("get", "/"),
    "pages.search_with_photo": ("post", "/"),
    "pages.product": ("get", "/products/red"),
    "pages.try_photo": ("get", "/try/none.jpg"),
    "pages.picture": ("get", "/pictures/" + "0" * 64 + "/320.jpg"),
    "api.search": ("post", "/api/v1/search"),
    "api.product": ("get", "/api/v1/products/red"),
    "api.similar": ("get", "/api/v1/products/red/similar"),
    "api.why": ("post", "/api/v1/products/red/why"),
    "api.substitutes": ("get", "/api/v1/products/red/substitutes"),
    "api.goes_with": ("get", "/api/v1/products/red/goes-with"),
    "api.recommend": ("post", "/api/v1/recommend"),
    "api.events": ("post", "/api/v1/events"),
    "api.healthz": ("get", "/healthz"),
    "api.readyz": ("get", "/readyz"),
    "catalogue.put": ("put", "/api/v1/products/none"),
    "catalogue.remove": ("delete", "/api/v1/products/none"),
}
HEADERS = {
    "none": {},
    "bad": {"Authorization": "Bearer wsk_wrong"},
    "empty": {"Authorization": "Bearer "},
    "other kind": {"Authorization": "Basic d3NrOndzaw=="},
    "odd": {"Authorization": "Bearer \xe9\xff,,==;"},
    "hash": {"Authorization": f"Bearer {hashlib.sha256(WRITE_KEY.encode()).hexdigest()}"},
    "revoked": {"Authorization": "Bearer wsk_gone"},
    "read": {"Authorization": f"Bearer {READ_KEY}"},
    "write": {"Authorization": f"Bearer {WRITE_KEY}"},
}


def refusal(policy, key):
    """The status by which a key is refused; None where it is let in."""
    if policy == PUBLIC or key == WRITE or (policy, key) == (READ, READ):
        return None
    return 403 if key == READ else 401


@pytest.mark.promise("S14")
def test_every_route_has_a_policy_and_every_policy_a_route(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(POLICIES) == set(CALLS)
    adapter = app.url_map.bind("localhost")
    assert all(adapter.match(address, method.upper())[0] == name for name, (method, address) in CALLS.items())


@pytest.mark.promise("S14")
@pytest.mark.parametrize("key", HEADERS)
@pytest.mark.parametrize("endpoint", CALLS)
def test_every_route_with_every_kind_of_key(client, caplog, endpoint, key):
    method, address = CALLS[endpoint]
    with getattr(client, method)(address, headers=HEADERS[key]) as answer:
        expected = refusal(POLICIES[endpoint], key)
        assert (answer.status_code in (401, 403)) == (expected is not None)
        assert expected is None or answer.status_code == expected
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
        for secret in (WRITE_KEY, READ_KEY, "wsk_wrong"):
            assert secret not in caplog.text
    if answer.status_code in (401, 403):
        assert answer.json["error"]["code"] == ("no_key" if expected == 401 else "not_allowed")


@pytest.mark.promise("S14")
def test_a_route_without_a_policy_is_closed(make_app, home):
    app = make_app(Settings(home=home))
    app.add_url_rule("/api/new", "new", lambda: "secret")
    answer = app.test_client().get("/api/new", headers=HEADERS["write"])
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "not_allowed")


def test_asking_what_an_address_takes_needs_no_key(client):
    assert client.options("/api/v1/products/red").status_code == 200


def test_a_shop_without_keys_says_how_to_make_one(tmp_path, make_app):
    make_shop(tmp_path, FakeEncoder())
    (tmp_path / "keys.json").unlink()
    app = make_app(Settings(home=tmp_path))
    holder_of(app).wait(20)
    answer = app.test_client().delete("/api/v1/products/red", headers=HEADERS["write"])
    assert answer.status_code == 403
    assert "python -m web key create --home HOME --scope write" in answer.json["error"]["hint"]
    assert str(tmp_path) not in answer.text

    made = CliRunner().invoke(cli, ["key", "create", "--home", str(tmp_path), "--scope", "write", "--name", "till"])
    key = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert app.test_client().delete("/api/v1/products/red", headers=key).status_code == 204
    assert CliRunner().invoke(cli, ["key", "revoke", "--home", str(tmp_path), "till"]).exit_code == 0
    CliRunner().invoke(cli, ["key", "create", "--home", str(tmp_path)])
    assert app.test_client().delete("/api/v1/products/green", headers=key).status_code == 401


def test_keys_by_command(tmp_path):
    run = CliRunner().invoke
    home = ["--home", str(tmp_path / "shop")]
    made = [run(cli, ["key", "create", *home, *more]) for more in ([], [], ["--scope", "read"], ["--name", "till"])]
    secrets = [each.stdout.strip() for each in made]
    assert len(set(secrets)) == 4 and all(each.startswith("wsk_") and len(each) > 40 for each in secrets)
    assert "cannot be shown again" in made[0].stderr and secrets[0] not in made[0].stderr
    listed = run(cli, ["key", "list", *home]).stdout
    assert [line.split("\t")[:2] for line in listed.splitlines()] == [
        ["write-1", "write"],
        ["write-2", "write"],
        ["read-1", "read"],
        ["till", "write"],
    ]
    file = tmp_path / "shop" / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(secret in file.read_text() + listed for secret in secrets)
    again = run(cli, ["key", "create", *home, "--name", "till"])
    assert again.exit_code == 1 and "already" in again.stderr
    gone = run(cli, ["key", "revoke", *home, "nobody"])
    assert gone.exit_code == 1 and "write-1, write-2, read-1, till" in gone.stderr
    assert run(cli, ["key", "create", *home, "--scope", "all"]).exit_code == 2


def test_a_key_is_found_by_itself_alone(tmp_path):
    keys = Keys(tmp_path / "keys.json")
    assert keys.all() == () and keys.find("") is None
    made, secret = keys.create(WRITE)
    assert keys.find(secret) == made
    assert keys.find(made.sha256) is keys.find(secret + " ") is keys.find("") is keys.find("\ud800") is None
    keys.revoke(made.name)
    assert keys.find(secret) is None
    with pytest.raises(BadInput):
        keys.revoke(made.name)


@pytest.mark.parametrize("content", ["", "{", '["a"]', '[{"name": "a"}]', "[1]"])
def test_a_file_of_keys_that_is_none_opens_nothing(tmp_path, content):
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(StoreError, match=r"keys\.json"):
        Keys(tmp_path / "keys.json").find("wsk_x")


def test_hashes_are_compared_in_constant_time(tmp_path, monkeypatch):
    keys = Keys(tmp_path / "keys.json")
    secrets = [keys.create(WRITE)[1] for _ in range(3)]
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda one, other: compared.append(one) or one == other)
    assert keys.find(secrets[0])
    assert compared == [each["sha256"] for each in json.loads((tmp_path / "keys.json").read_text())]
