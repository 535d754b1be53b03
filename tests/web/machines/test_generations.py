"""The generation's files for other machines of the shop."""

import shutil
import threading

import pytest
from werkzeug.serving import make_server

from catalog.errors import GenerationError
from catalog.home import ShopHome
from indexer.generations import store
from indexer.maintenance.generation_fetch import ServerSource, fetch_current
from tests.web.shop_fixtures import ADMIN_KEY, WRITE_KEY

CURRENT = "/api/v1/ops/generations/current"
OPERATOR = {"Authorization": f"Bearer {ADMIN_KEY}"}


def test_the_manifest_is_given_as_it_is_on_disk(client, home):
    answer = client.get(CURRENT, headers=OPERATOR)
    number = store.current_number(home)
    assert answer.text == (ShopHome(home).generation(number) / "manifest.json").read_text()


def test_a_file_is_given_whole_or_from_a_place_on(client, home):
    number = store.current_number(home)
    rows = (ShopHome(home).generation(number) / store.ROWS_FILE).read_bytes()
    address = f"/api/v1/ops/generations/{number}/{store.ROWS_FILE}"
    with client.get(address, headers=OPERATOR) as whole:
        assert whole.data == rows
    with client.get(address, headers=OPERATOR | {"Range": "bytes=100-"}) as rest:
        assert (rest.status_code, rest.data) == (206, rows[100:])


@pytest.mark.parametrize(
    "address", ["1/manifest.json", "1/..%2F..%2Fkeys.json", "1/keys.json", "99/rows.npy", "1/.", "99999999999/rows.npy"]
)
def test_nothing_but_what_the_manifest_lists_is_given(client, address):
    assert client.get(f"/api/v1/ops/generations/{address}", headers=OPERATOR).status_code == 404


def test_only_the_operator_gets_it(client):
    assert client.get(CURRENT).status_code == 401
    assert client.get(CURRENT, headers={"Authorization": f"Bearer {WRITE_KEY}"}).status_code == 403


def test_another_machine_fetches_over_http(app, home, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(home, other, ignore=shutil.ignore_patterns("generations", "current"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(GenerationError, match="401"):
            fetch_current(other, ServerSource(address, "wsk_unknown"))
        report = fetch_current(other, ServerSource(address, ADMIN_KEY))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert report.fetched == len(store.current_manifest(home).files)
    assert store.open_current(other).manifest == store.open_current(home).manifest
    with pytest.raises(GenerationError, match="did not give"):
        fetch_current(other, ServerSource(address, ADMIN_KEY))
