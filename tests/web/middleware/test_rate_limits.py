"""S16: rate limits hold, are fair, and are not evaded by a header that anybody can send."""

import time

import pytest

from catalog.files.rate_table import RateTable
from tests.web.shop_fixtures import READ_KEY, SEARCH_KEY, WRITE_KEY
from web.engine import holder_of
from web.middleware.rate_limits import TokenBuckets, customer_name
from web.settings import Settings

SEARCH = "/api/v1/search"
ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture
def client_of(home, make_app, monkeypatch):
    """A client of an app of its own, with 60 reads, 40 writes and 20 uploads a minute: bursts of 15, 10 and 5.

    The clock of the limits stands still, so that a slow machine earns no further tokens during a test.
    """
    monkeypatch.setattr("web.middleware.rate_limits.time", lambda: 1_000.0)

    def make(**given):
        limits = {"reads_per_minute": 60, "writes_per_minute": 40, "uploads_per_minute": 20}
        app = make_app(Settings(home=home, timeout_ms=20_000, **limits | given))
        holder_of(app).wait(300)
        return app.test_client()

    return make


def ask(client, key="", address="", forwarded="", **given):
    headers = ({"Authorization": f"Bearer {key}"} if key else {}) | (
        {"X-Forwarded-For": forwarded} if forwarded else {}
    )
    environ = {"REMOTE_ADDR": address} if address else {}
    return client.post(SEARCH, headers=headers, environ_overrides=environ, **given or {"json": {"text": "red"}})


def codes(answers):
    return [answer.status_code for answer in answers]


@pytest.mark.promise("S16", "a burst of 100")
def test_one_who_bursts_is_told_when_to_come_back_and_the_other_is_answered_as_before(client_of):
    client = client_of()

    def timed(key):
        began = time.thread_time()
        answer = ask(client, key)
        return answer, time.thread_time() - began

    calm = sorted(timed(READ_KEY)[1] for _ in range(7))
    burst, others = [], []
    for number in range(100):
        burst.append(ask(client, WRITE_KEY))
        if number % 15 == 7:
            others.append(timed(READ_KEY))
    assert codes(burst)[:15] == [200] * 15
    assert codes(burst).count(429) >= 80
    last = burst[-1]
    assert (last.status_code, last.json["error"]["code"]) == (429, "too_many_requests")
    assert 1 <= int(last.headers["Retry-After"]) <= 2
    assert codes(answer for answer, _ in others) == [200] * len(others)
    assert sorted(took for _, took in others)[len(others) // 2] <= 2 * calm[-1] + 0.02


@pytest.mark.promise("S16")
def test_a_forged_forwarding_header_does_not_evade(client_of):
    client = client_of()
    statuses = [ask(client, address="198.51.100.7", forwarded=f"203.0.113.{number}") for number in range(30)]
    assert codes(statuses)[15:] == [429] * 15


@pytest.mark.promise("S16")
def test_behind_one_proxy_what_it_says_counts_and_what_it_was_told_does_not(client_of):
    client = client_of(trusted_proxies=1)
    statuses = [ask(client, address="127.0.0.1", forwarded=f"203.0.113.{number}, 198.51.100.7") for number in range(20)]
    assert codes(statuses)[15:] == [429] * 5
    assert ask(client, address="127.0.0.1", forwarded="198.51.100.8").status_code == 200
    claimed = [ask(client, address="127.0.0.1", forwarded="127.0.0.1") for _ in range(20)]
    assert codes(claimed)[15:] == [429] * 5, "behind a proxy nobody is a program of this machine"


@pytest.mark.promise("S16")
def test_unknown_keys_count_for_the_address(client_of):
    client = client_of()
    statuses = [ask(client, f"wsk_{number}", "198.51.100.7") for number in range(20)]
    assert codes(statuses)[15:] == [429] * 5


@pytest.mark.promise("S16")
def test_writes_and_uploads_have_limits_of_their_own(client_of):
    client = client_of()
    form = {"data": {"text": "red"}, "content_type": "multipart/form-data"}
    assert codes(ask(client, READ_KEY, **form) for _ in range(7)) == [200] * 5 + [429] * 2
    assert ask(client, READ_KEY).status_code == 200
    writer = {"Authorization": f"Bearer {WRITE_KEY}"}
    changed = [client.put("/api/v1/products/red", json={}, headers=writer) for _ in range(12)]
    assert codes(changed) == [200] * 10 + [429] * 2


@pytest.mark.promise("S16")
def test_what_a_page_needs_dozens_of_is_not_counted(client_of):
    client = client_of()
    for address in ("/healthz", "/readyz", "/static/shop.css", "/pictures/" + "0" * 64 + "/320.jpg"):
        answers = [client.get(address, environ_overrides=ELSEWHERE) for _ in range(30)]
        assert 429 not in codes(answers)
        for answer in answers:
            answer.close()


def test_programs_of_this_machine_are_not_counted_nor_is_anybody_without_a_limit(client_of):
    here = client_of()
    assert 429 not in codes(ask(here) for _ in range(30))
    free = client_of(reads_per_minute=0)
    assert 429 not in codes(ask(free, address="198.51.100.7") for _ in range(30))


def test_a_household_has_one_bucket_however_many_addresses(client_of):
    client = client_of()
    statuses = [ask(client, address=f"2001:db8:1:2::{number:x}") for number in range(20)]
    assert codes(statuses)[15:] == [429] * 5
    assert ask(client, address="2001:db8:1:3::1").status_code == 200


def test_a_bucket_refills_evenly():
    buckets = TokenBuckets(RateTable(), "reads", 60)
    assert [buckets.take("a", 0.0) for _ in range(15)] == [0.0] * 15
    assert buckets.take("a", 0.0) == pytest.approx(1.0)
    assert buckets.take("a", 0.5) == pytest.approx(0.5)
    assert buckets.take("a", 1.0) == 0.0
    assert buckets.take("b", 1.0) == 0.0
    taken = sum(buckets.take("c", second / 10) == 0 for second in range(600))
    assert taken <= 60 + 15


def test_visitors_of_a_page_share_its_search_key_and_not_its_limit(client_of):
    client = client_of(search_key_per_minute=120)
    visitors = [[ask(client, SEARCH_KEY, f"198.51.100.{visitor}") for _ in range(16)] for visitor in (1, 2)]
    assert [codes(answers) for answers in visitors] == [[200] * 15 + [429]] * 2
    assert codes([ask(client, SEARCH_KEY, "198.51.100.3")]) == [429]  # the key's own 30 at once are used up
    assert codes([ask(client, READ_KEY), ask(client, "", "198.51.100.4")]) == [200, 200]


def test_messages_to_the_assistant_have_a_limit_of_their_own(client_of):
    client = client_of(assistant_per_minute=1)
    message = {"json": {"message": "hello"}, "environ_base": ELSEWHERE}
    assert [client.post("/api/v1/assistant", **message).status_code for _ in range(2)] == [200, 429]
    assert client.post("/api/v1/search", json={"text": "red"}, environ_base=ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    ("address", "key", "trusts_proxies", "name"),
    [
        ("198.51.100.7", "", False, "198.51.100.7"),
        ("198.51.100.7", SEARCH_KEY, False, "198.51.100.7"),
        ("198.51.100.7", READ_KEY, False, ""),
        ("127.0.0.1", "", False, ""),
        ("127.0.0.1", "", True, "127.0.0.1"),
    ],
)
def test_customers_behind_one_address_are_not_counted_as_one(client_of, address, key, trusts_proxies, name):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    environ = {"REMOTE_ADDR": address}
    with client_of().application.test_request_context(SEARCH, headers=headers, environ_overrides=environ) as context:
        context.app.preprocess_request()
        assert customer_name(trusts_proxies) == name
