"""The scripts for other sites: small, cached by version, whole, and free of what a strict policy refuses."""

import gzip
import re

import pytest

from web.embed.bundle import FOLDER, PARTS, STATIC, embed_script, worklet_script
from web.i18n.languages import ENGLISH, LANGUAGES
from web.i18n.messages import EMBED, VOICE, page_messages

MAX_BYTES = 40_000


def test_the_script_loads_in_40_kilobytes(client):
    answer = client.get("/embed.js", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip" and len(answer.data) <= MAX_BYTES
    assert gzip.decompress(answer.data) == client.get("/embed.js").data == embed_script().plain
    assert answer.content_type == "text/javascript; charset=utf-8" and "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "address", ["/embed.js", "/embed/instantsearch.js", "/embed/recorder_worklet.js", "/embed/000000000000/embed.js"]
)
def test_what_may_change_is_asked_for_again(client, address):
    answer = client.get(address)
    assert answer.status_code == 200 and "max-age=3600" in answer.headers["Cache-Control"]
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_address_with_the_version_is_cached_forever(client):
    answer = client.get(f"/embed/{embed_script().version}/embed.js")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_every_file_and_every_word_is_used():
    assert {f"{part}.js" for part in PARTS} == {file.name for file in (FOLDER / "source").iterdir()}
    text = embed_script().plain.decode()
    assert "@styles@" not in text and "@words@" not in text
    source = "".join((FOLDER / "source" / f"{part}.js").read_text(encoding="utf-8") for part in PARTS)
    keys = page_messages(EMBED, ENGLISH).keys()
    missing = {
        key for key in keys if f'"{key}"' not in source and f" {key}:" not in source and f"{key}: " not in source
    }
    assert missing == {"sort_relevance", "sort_price", "sort_-price", "sort_newest"}
    assert set(re.findall(r'\bt\("([a-z_-]+)"[,)]', source)) <= keys | page_messages(VOICE, ENGLISH).keys()
    for language in LANGUAGES:
        assert page_messages(EMBED, language)["more_like"] in text


def test_what_records_runs_outside_the_page_and_may_be_read_by_every_page(client):
    answer = client.get("/embed/recorder_worklet.js")
    assert answer.data == worklet_script().plain and b"registerProcessor" in answer.data
    assert answer.content_type.startswith("text/javascript") and answer.headers["Access-Control-Allow-Origin"] == "*"


def test_nothing_is_written_that_a_strict_policy_refuses():
    text = embed_script().plain.decode()
    for refused in (
        "innerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        'setAttribute("style"',
        "<style",
    ):
        assert refused not in text


def test_the_embedded_search_and_the_pages_agree_on_which_browsers_can_listen():
    files = (FOLDER / "source" / "voice.js", STATIC / "voice_page.js")
    embedded, pages = [re.search(r"function supports\(.+?\n}\n", file.read_text("utf-8"), re.S)[0] for file in files]
    assert embedded == pages
