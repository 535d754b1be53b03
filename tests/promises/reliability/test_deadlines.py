"""R13: deadlines hold, and answers degrade openly, when a step of an answer hangs for two seconds or breaks."""

import base64
import io
import threading

import pytest
from PIL import Image

from indexer.generations.store import Generation
from search.explain import explainer
from search.recommend import recommender
from search.retrieval.lexical import Lexicon
from tests.fake_encoder import FakeEncoder
from tests.timing import Lateness
from tests.web.shop_fixtures import fake_app

TIMEOUT_MS = 1_000
GRACE = 0.1  # seconds beyond the limit
HANGS, BREAKS = "hangs", "breaks"
SEARCH = "/api/v1/search"


def photo():
    out = io.BytesIO()
    Image.new("RGB", (60, 80), (220, 10, 10)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


WORDS = {"text": "red jumper", "k": 3}
PHOTO = {"image": photo(), "k": 3}
BOTH = {"text": "red jumper", "image": photo(), "k": 3}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with fake_app(tmp_path_factory.mktemp("shop"), timeout_ms=TIMEOUT_MS) as app:
        yield app


@pytest.fixture
def hurt(monkeypatch):
    """Let a method hang until the test is over, hang for some seconds, or break."""
    over, originals = threading.Event(), {}

    def hurt(owner, name, how):
        whole = originals.setdefault((owner, name), getattr(owner, name))

        def hurting(*given, **named):
            if how == BREAKS:
                raise ZeroDivisionError("injected")
            over.wait(300 if how == HANGS else how)
            return whole(*given, **named)

        monkeypatch.setattr(owner, name, hurting)

    yield hurt
    over.set()


def ask(app, body):
    with Lateness() as wait:
        answer = app.test_client().post(SEARCH, json=body)
    assert wait.within(TIMEOUT_MS / 1000 + GRACE), f"{wait.seconds:.2f} s"
    return answer


STEPS = {
    "encoder words": (FakeEncoder, "encode_texts", WORDS, ["vector"]),
    "encoder photo and words": (FakeEncoder, "encode_pixels", BOTH, ["vector"]),
    "encoder photo": (FakeEncoder, "encode_pixels", PHOTO, None),
    "index words": (Generation, "search", WORDS, ["vector"]),
    "index photo": (Generation, "search", PHOTO, None),
    "texts": (Lexicon, "search", WORDS, ["lexical"]),
    "texts read": (Lexicon, "read", BOTH, ["lexical"]),
}


@pytest.mark.promise("R13")
@pytest.mark.parametrize("how", [HANGS, BREAKS])
@pytest.mark.parametrize("step", list(STEPS))
def test_an_answer_comes_in_time_and_says_what_is_missing(app, hurt, step, how):
    owner, name, body, degraded = STEPS[step]
    assert ask(app, body).json["degraded"] == []
    hurt(owner, name, how)
    answer = ask(app, body)
    if degraded is None:  # there is no answer without that step
        assert answer.status_code == (504 if how == HANGS else 503)
        assert answer.json["error"]["code"] == ("too_late" if how == HANGS else "step_failed")
        return
    assert answer.status_code == 200
    assert answer.json["degraded"] == degraded
    assert answer.json["hits"][0]["id"] == "red"


@pytest.mark.promise("R13")
def test_a_picture_that_cannot_be_prepared_fails_as_its_step_does(app, hurt):
    hurt(FakeEncoder, "prepare", BREAKS)
    answer = ask(app, PHOTO)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "step_failed")
    answer = ask(app, BOTH)
    assert (answer.status_code, answer.json["degraded"], answer.json["hits"][0]["id"]) == (200, ["vector"], "red")


@pytest.mark.promise("R13")
@pytest.mark.parametrize("how", [HANGS, BREAKS])
def test_things_in_a_picture_are_left_out_when_the_detector_fails(app, hurt, how):
    asked = {**PHOTO, "regions": True, "timeout_ms": TIMEOUT_MS}
    assert ask(app, asked).json["degraded"] == []
    hurt(explainer, "propose_objects", how)
    answer = ask(app, asked)
    assert (answer.status_code, answer.json["degraded"], answer.json["regions"]) == (200, ["detector"], [])
    assert answer.json["hits"][0]["id"] == "red"


@pytest.mark.promise("R13")
@pytest.mark.parametrize("how", [HANGS, BREAKS])
@pytest.mark.parametrize(
    ("name", "address"),
    [("goes_with", "/api/v1/products/red/goes-with"), ("substitutes", "/api/v1/products/red/substitutes")],
)
def test_recommendations_come_in_time_or_not_at_all(app, hurt, name, address, how):
    assert app.test_client().get(address).status_code == 200
    hurt(recommender, name, how)
    with Lateness() as wait:
        answer = app.test_client().get(address)
    assert wait.within(TIMEOUT_MS / 1000 + GRACE)
    assert answer.status_code == (504 if how == HANGS else 503)


@pytest.mark.promise("R13")
def test_a_request_may_allow_less_or_more_time(app, hurt):
    hurt(FakeEncoder, "encode_pixels", HANGS)
    with Lateness() as wait:
        assert app.test_client().post(SEARCH, json={**PHOTO, "timeout_ms": 50}).status_code == 504
    assert wait.within(0.05 + GRACE)
    hurt(FakeEncoder, "encode_pixels", TIMEOUT_MS / 1000 + 0.5)
    assert app.test_client().post(SEARCH, json={**PHOTO, "timeout_ms": 60_000}).status_code == 200


@pytest.mark.promise("R13")
def test_steps_that_hang_do_not_pile_up_before_others(app, hurt):
    """Twelve photos that hang keep all threads for pictures busy; words are still answered, and no less well."""
    hurt(FakeEncoder, "encode_pixels", HANGS)
    for _ in range(12):
        assert app.test_client().post(SEARCH, json={**PHOTO, "timeout_ms": 20}).status_code == 504
    answer = ask(app, WORDS)
    assert answer.status_code == 200 and answer.json["degraded"] == []
