"""Errors: every one of ours has a status, no answer leaks anything, every answer carries the policy."""

import io

import pytest

from catalog import errors
from catalog.errors import WindowshopError
from catalog.questions.question_store import QuestionStore
from catalog.reviews.review_store import ReviewStore
from search.engine import SearchEngine
from search.pricing.alerts.alert_store import AlertStore
from search.recommend.recommender import Recommender
from tests.web.shop_fixtures import WRITER
from web.errors import (
    MalformedRequest,
    MissingApiKey,
    NotAllowed,
    NotReady,
    RateLimited,
    UnsupportedContentType,
    public_words,
    status_of,
)
from web.middleware.policies import POLICIES

SECRET = "SELECT secret FROM /srv/shop/catalog.sqlite"
VISITOR = "v-0123456789abcdef01234567"
CALLS = [
    ("get", "/"),
    ("get", "/?q=red"),
    ("post", "/"),
    ("get", "/products/red"),
    ("get", "/for-you"),
    ("post", "/for-you"),
    ("post", "/shelves"),
    ("get", "/favourites?ids=red"),
    ("get", "/compare?ids=red"),
    ("get", "/assistant"),
    ("post", "/assistant"),
    ("get", "/products/red/reviews"),
    ("get", "/products/red/reviews/new"),
    ("post", "/products/red/reviews"),
    ("post", "/reviews/1/votes"),
    ("get", "/reviews/photos/" + "0" * 64 + "/320.jpg"),
    ("get", "/api/v1/products/red/reviews"),
    ("post", "/api/v1/products/red/reviews"),
    ("post", "/api/v1/reviews/1/votes"),
    ("get", "/api/v1/reviews"),
    ("get", "/api/v1/products/red/price-advice"),
    ("get", "/merchant/prices/chart?product=red"),
    ("put", "/api/v1/reviews"),
    ("post", "/api/v1/reviews/decisions"),
    ("put", "/api/v1/reviews/1/reply"),
    ("delete", "/api/v1/reviews/1"),
    ("get", "/api/v1/reviews/photos/" + "0" * 64 + ".jpg"),
    ("get", "/api/v1/reviews/photos?refine=x"),
    ("get", "/api/v1/products/red/questions"),
    ("post", "/api/v1/products/red/questions"),
    ("post", "/products/red/questions"),
    ("get", "/api/v1/questions"),
    ("put", "/api/v1/questions/1/answer"),
    ("delete", "/api/v1/questions/1"),
    ("get", "/api/v1/products/red/prices"),
    ("post", "/api/v1/products/red/price-alerts"),
    ("get", f"/api/v1/price-alerts?visitor={VISITOR}"),
    ("delete", f"/api/v1/price-alerts/1?visitor={VISITOR}"),
    ("post", "/products/red/price-alerts"),
    ("get", "/price-alerts?token=x"),
    ("post", "/price-alerts"),
    ("post", "/price-alerts/1/remove"),
    ("get", "/price-alerts.atom?token=x"),
    ("get", "/pictures/" + "0" * 64 + "/320.jpg"),
    ("post", "/api/v1/search"),
    ("post", "/api/v1/assistant"),
    ("get", "/api/v1/products/red"),
    ("get", "/api/v1/products/red/similar"),
    ("post", "/api/v1/products/red/why"),
    ("get", "/api/v1/products/red/substitutes"),
    ("get", "/api/v1/products/red/goes-with"),
    ("post", "/api/v1/recommend"),
    ("post", "/api/v1/events"),
    ("get", "/api/v1/suggest?q=red"),
    ("get", "/api/v1/feed"),
    ("get", "/readyz"),
    ("put", "/api/v1/products/red"),
    ("delete", "/api/v1/products/red"),
]

FORMS = {
    "/products/red/reviews": {"rating": "5"},
    "/products/red/questions": {"ask": "Is it warm?"},
    "/products/red/price-alerts": {"at_most": "5"},
    "/price-alerts": {"visitor": VISITOR},
}
BODIES = {
    "/api/v1/products/red/reviews": {"visitor": VISITOR, "rating": 5},
    "/api/v1/reviews/1/votes": {"visitor": VISITOR, "helpful": True},
    "/api/v1/reviews": {"reviews": [{}]},
    "/api/v1/reviews/decisions": {"ids": ["1"], "state": "approved"},
    "/api/v1/reviews/1/reply": {"text": "Thank you."},
    "/api/v1/products/red/questions": {"text": "Is it warm?"},
    "/api/v1/questions/1/answer": {"answer": "Yes."},
    "/api/v1/products/red/price-alerts": {"visitor": VISITOR},
    "/api/v1/search": {"text": "red"},
    "/api/v1/assistant": {"message": "red"},
    "/api/v1/products/red/why": {"text": "red"},
    "/api/v1/recommend": {"viewed": ["red"]},
    "/api/v1/events": {"visitor": "v", "events": [{"type": "view", "product_id": "red"}]},
}


OF_WRITERS = (
    "/api/v1/reviews",
    "/api/v1/questions",
    "/api/v1/prices",
    "/api/v1/price-advice",
    "/api/v1/products/red/price-advice",
)


def every_kind(kind=WindowshopError):
    return [kind, *(each for child in kind.__subclasses__() for each in every_kind(child))]


def ask(client, method, address):
    given = {"json": BODIES[address]} if address in BODIES else {}
    if address in FORMS:
        given = {"data": FORMS[address]}
    if method in ("put", "delete") or address.startswith(OF_WRITERS):
        given |= {"headers": WRITER}
    if (method, address) == ("post", "/"):
        from tests.web.shop_fixtures import picture_bytes

        given = {"data": {"photo": (io.BytesIO(picture_bytes()), "a.jpg")}}
    return getattr(client, method)(address, **given)


@pytest.fixture
def broken(monkeypatch):
    """Lets every function of the engine raise the given error."""

    def breaks(error):
        def raises(*_, **__):
            raise error

        for name in (
            "search",
            "similar",
            "product",
            "thumbnail",
            "status",
            "browse",
            "put",
            "remove",
            "explain_hit",
            "suggest",
            "query_of",
        ):
            monkeypatch.setattr(SearchEngine, name, raises)
        for name in ("add", "add_many", "vote", "queue", "decide", "reply", "remove", "photo"):
            monkeypatch.setattr(ReviewStore, name, raises)
        for name in ("ask", "answer", "answered", "of_state", "remove"):
            monkeypatch.setattr(QuestionStore, name, raises)
        for name in ("add", "of_visitor", "remove", "token", "visitor_of"):
            monkeypatch.setattr(AlertStore, name, raises)
        for name in ("substitutes", "goes_with", "session", "record", "feed"):
            monkeypatch.setattr(Recommender, name, raises)

    return breaks


@pytest.mark.promise("S18")
@pytest.mark.parametrize(("method", "address"), CALLS)
def test_an_unexpected_exception_in_any_view_leaks_nothing(client, broken, caplog, method, address):
    broken(RuntimeError(SECRET))
    answer = ask(client, method, address)
    assert answer.status_code == 500
    assert "SELECT" not in answer.text
    assert "Traceback" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert SECRET in caplog.text
    assert answer.headers["X-Request-ID"] in caplog.text


def test_those_calls_reach_every_view_that_uses_the_engine(app):
    adapter = app.url_map.bind("localhost")
    reached = {adapter.match(address.partition("?")[0], method.upper())[0] for method, address in CALLS}
    assert {rule.endpoint for rule in app.url_map.iter_rules()} - reached == {
        "static",
        "api.healthz",
        "generations.current",
        "generations.file",
        "pages.try_photo",
        "metrics.metrics",
        "reference.openapi",
        "reference.docs",
        "merchant_page.page",
        "operator_page.page",
        "review_desk.page",
        "conversations_page.page",
        "question_pages.desk",
        "merchant_prices.page",
        "merchant_prices.prices",  # reads the last check, and is whole without it
        "merchant_prices.advice_table",  # reads what the last check wrote
        "merchant_prices.overview",  # prices/test_merchant_prices.py reads it with an operator's key
        *(name for name in POLICIES if name.startswith("embed.")),  # scripts, which have nothing of the shop
        *(
            name for name in POLICIES if name.startswith(("sitemap.", "site_files."))
        ),  # seo/test_sitemap.py breaks those
        *(name for name in POLICIES if name.startswith("speech.")),  # api/test_speech.py
        "catalogue.put_batch",  # answers row by row: api/test_product_batch.py
        *(name for name in POLICIES if name.startswith("connect.")),  # a thread uses the engine, not the view
        *(name for name in POLICIES if name.startswith("merchant.")),  # api/test_listings.py breaks those
        *(name for name in POLICIES if name.startswith("ops.")),  # api/test_operations.py breaks those
        *(name for name in POLICIES if name.startswith("insights.")),  # api/test_insights.py breaks those
        *(name for name in POLICIES if name.startswith("experiments.")),  # experiments/test_routes.py breaks those
        *(name for name in POLICIES if name.startswith("visitors.")),  # privacy/test_visitors.py breaks those
        *(name for name in POLICIES if name.startswith("rules.")),  # api/test_rules.py breaks those
        *(name for name in POLICIES if name.startswith("threads.")),  # conversations/test_conversations.py breaks those
    }


@pytest.mark.parametrize("kind", every_kind())
def test_every_error_of_ours_has_a_status_and_harmless_words(client, broken, kind):
    broken(kind(SECRET, SECRET))
    answer = client.get("/api/v1/products/red")
    assert answer.status_code == status_of(kind(""))
    assert answer.json["error"]["code"] == kind.code
    if answer.status_code >= 500 and kind is not NotReady:
        assert "SELECT" not in answer.text
    assert ("Retry-After" in answer.headers) == (answer.status_code in (429, 503))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.UnsupportedFormat, 415),
        (errors.PictureTooLarge, 413),
        (errors.BadPicture, 422),
        (errors.BadQuery, 422),
        (errors.UnsupportedQuery, 422),
        (errors.UnknownProduct, 404),
        (errors.NoGeneration, 503),
        (errors.DamagedGeneration, 503),
        (errors.EncoderUnavailable, 503),
        (errors.DamagedStore, 503),
        (errors.TrainingError, 500),
        (errors.LiveIndexFull, 507),
        (errors.UnsupportedAudio, 415),
        (errors.AudioTooLarge, 413),
        (errors.VoiceUnavailable, 501),
        (errors.VoiceBusy, 503),
        (MalformedRequest, 400),
        (UnsupportedContentType, 415),
        (MissingApiKey, 401),
        (NotAllowed, 403),
        (NotReady, 503),
        (RateLimited, 429),
    ],
)
def test_statuses(kind, status):
    assert status_of(kind("")) == status


def test_a_body_that_is_not_json_is_no_bad_picture():
    assert not issubclass(UnsupportedContentType, errors.BadPicture)


def test_a_form_without_a_length_is_told_all_that_may_be_too_large(client):
    part = b'--edge\r\nContent-Disposition: form-data; name="text"\r\n\r\n'
    answer = client.post(
        "/api/v1/search",
        input_stream=io.BytesIO(part + b"x" * 70_000 + b"\r\n--edge--\r\n"),
        content_type="multipart/form-data; boundary=edge",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    hint = answer.json["error"]["hint"]
    assert answer.status_code == 413 and "smaller picture" not in hint
    assert "A request may have at most 64 MiB." in hint and "a field that is no file at most 0.0625 MiB" in hint


def test_what_the_asker_did_wrong_is_said_as_it_is():
    assert public_words(errors.BadQuery("k is 0.", "Ask for more.")) == ("k is 0.", "Ask for more.")


@pytest.mark.parametrize(
    ("method", "address"),
    [*CALLS[:-2], ("put", "/x"), ("delete", "/x"), ("get", "/healthz"), ("get", "/static/shop.css"), ("get", "/x")],
)
def test_every_answer_carries_the_policy(client, method, address):
    with ask(client, method, address) as answer:
        pass
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; img-src 'self' blob: data:;")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert len(answer.headers["X-Request-ID"]) == 16
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_a_request_id_is_kept_when_it_is_harmless(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
    for hostile in ("a b", "<script>", "x" * 65, "é"):
        assert client.get("/healthz", headers={"X-Request-ID": hostile}).headers["X-Request-ID"] != hostile


def test_static_files_have_an_address_that_changes_with_them(client):
    import re

    address = re.search(r'href="(/static/shop\.css\?v=[0-9a-f]{12})"', client.get("/").text)[1]
    with client.get(address) as answer:
        assert "max-age=31536000" in answer.headers["Cache-Control"]
