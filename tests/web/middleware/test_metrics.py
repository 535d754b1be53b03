"""/metrics: what Prometheus reads is what happened."""

import base64
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.shop_fixtures import picture_bytes
from web.engine import holder_of
from web.middleware.request_context import TIMED_STEPS
from web.settings import Settings

SEARCH = "/api/v1/search"


def read(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(each.name, *sorted(each.labels.values())): each.value for family in families for each in family.samples}


def test_requests_steps_and_the_shop_are_told(make_app, home):
    app = make_app(Settings(home=home, timeout_ms=20_000, reads_per_minute=8))
    holder_of(app).wait(300)
    client = app.test_client()
    photo = base64.b64encode(picture_bytes()).decode()
    assert client.post(SEARCH, json={"image": photo}).status_code == 200
    client.post(SEARCH, json={"image": "AAAA"})
    client.get("/products/red")
    for _ in range(3):
        client.get("/api/v1/products/red", environ_overrides={"REMOTE_ADDR": "198.51.100.7"})
    told = read(client)
    assert told["windowshop_requests_total", "/api/v1/search", "200", "POST"] == 1
    assert told["windowshop_requests_total", "/api/v1/search", "415", "POST"] == 1
    assert told["windowshop_bad_pictures_total",] == 1
    assert told["windowshop_rate_limited_total", "reads"] == 1
    for step in TIMED_STEPS:
        assert told["windowshop_step_seconds_count", step] >= 1
    assert told["windowshop_request_seconds_count", "/api/v1/search"] == 2
    status = holder_of(app).engine().status()
    assert told["windowshop_generation",] == status.generation == 1
    assert (told["windowshop_products",], told["windowshop_live_rows",]) == (status.products, 0)
    assert told["windowshop_ready",] == 1
    assert told["windowshop_index_age_seconds",] >= 0
    assert told["process_open_fds",] > 0


SLOW = 2.0


@pytest.mark.parametrize(
    ("asked", "slowed", "step"),
    [
        ("image", "encoder.encode_pixels", "encode"),
        ("text", "encoder.encode_texts", "encode"),
        ("text", "_pipeline._words.lexicon.read", "search"),
        ("image", "_catalogue.get_many", "metadata"),
    ],
)
def test_what_is_slow_is_told_of_its_own_step(make_app, home, monkeypatch, asked, slowed, step):
    app = make_app(Settings(home=home, timeout_ms=20_000))
    holder_of(app).wait(300)
    client = app.test_client()
    *path, name = slowed.split(".")
    part = holder_of(app).engine()
    for each in path:
        part = getattr(part, each)
    usual = getattr(part, name)

    def slow(*given, **more):
        time.sleep(SLOW)
        return usual(*given, **more)

    def sums():
        told = read(client)
        return {name: told.get(("windowshop_step_seconds_sum", name), 0.0) for name in TIMED_STEPS}

    before = sums()
    monkeypatch.setattr(part, name, slow)
    question = {"image": base64.b64encode(picture_bytes()).decode()} if asked == "image" else {"text": "red"}
    assert client.post(SEARCH, json=question).status_code == 200
    took = {name: seconds - before[name] for name, seconds in sums().items()}
    assert took[step] == max(took.values()) and sum(took.values()) >= SLOW, took  # encoding begins beside a search
    assert all(seconds < SLOW for name, seconds in took.items() if name != step), took


def test_addresses_that_anybody_can_make_up_make_no_series(make_app, home):
    app = make_app(Settings(home=home))
    holder_of(app).wait(300)
    client = app.test_client()
    series = []
    for start in (0, 50, 100):
        for number in range(start, start + 50):
            client.get(f"/nowhere/{number}")
            client.open("/nowhere", method=f"ODD{number}")
            client.get(f"/api/v1/products/none{number}")
        series.append(len(read(client)))
    assert series[1] == series[2]


def test_a_shop_that_is_not_open_says_so(make_app, tmp_path):
    app = make_app(Settings(home=tmp_path))
    assert read(app.test_client())["windowshop_ready",] == 0
