"""The example that turns a feed into an e-mail, on the answer of a real shop."""

import email
import json
import subprocess
import sys
from email.policy import default
from pathlib import Path

import pytest

from tests.web.shop_fixtures import fake_app
from web.i18n.languages import LANGUAGES

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "feed_mail.py"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with fake_app(tmp_path_factory.mktemp("mail"), public_url="https://shop.example", timeout_ms=20_000) as app:
        yield app.test_client()


def written(feed, language):
    command = [sys.executable, str(SCRIPT), "--lang", language, "--shop", "Kiln & Oak"]
    command += ["--unsubscribe", "https://shop.example/end?a=1&b=2"]
    return subprocess.run(command, input=json.dumps(feed).encode(), capture_output=True, check=False)


def test_a_feed_becomes_a_mail_in_every_language(client):
    subjects = set()
    for language in LANGUAGES:
        parameters = {"surface": "home", "k": 8, "viewed": "red", "lang": language}
        feed = client.get("/api/v1/feed", query_string=parameters).json
        result = written(feed, language)
        assert result.returncode == 0, result.stderr.decode()
        mail = email.message_from_bytes(result.stdout, policy=default)
        html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))
        shown = [item for shelf in feed["shelves"] for item in shelf["items"]]
        assert len(shown) > 8 and all(item["reason"]["text"] in text and item["url"] in text for item in shown)
        assert "<script>alert" not in html and "style=" not in html and "a=1&amp;b=2" in html
        assert html.count("https://shop.example/pictures/") == len(shown)
        subjects.add(mail["Subject"])
    assert len(subjects) == len(LANGUAGES) and all("Kiln & Oak" in each for each in subjects)


def test_nothing_to_recommend_is_no_mail(client):
    feed = client.get("/api/v1/feed", query_string={"surface": "buy_again", "visitor": "v-0123456789abcdef"}).json
    result = written(feed, "en")
    assert result.returncode == 1 and b"nothing to recommend" in result.stderr and not result.stdout
