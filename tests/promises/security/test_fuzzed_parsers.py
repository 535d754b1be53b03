"""S5: parsers are fuzzed: whatever bytes they are given, they answer, or refuse by an error of ours."""

import json
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.errors import WindowshopError
from catalog.feeds.reader import read_feed
from catalog.images.decoder import decode
from indexer.generations.manifest import Manifest
from tests.promises.corrupted_pictures import sample
from tests.web.middleware.test_auth import CALLS

LENGTHY = os.environ.get("WINDOWSHOP_FUZZ_EXAMPLES")
CSV = b'id,title,category,image,price\n1,"Red, mug",Mugs,a.jpg,"12.90 EUR"\n2,Blue,Mugs > Big,b.jpg,\n'
JSONL = b'{"id": "1", "title": "Red", "image": ["a.jpg"], "attributes": {"size": 3}}\n{"id": "2", "title": "x"}\n'
XML = (
    b'<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>1</g:id>'
    b"<title>Red &amp; blue</title><g:image_link>a.jpg</g:image_link><g:price>12.90 EUR</g:price></item>"
    b"</channel></rss>"
)
MANIFEST = json.dumps(
    {"format": 1, "number": 1, "files": {"rows.npy": {"bytes": 1, "sha256": "a"}}, "digest": "x"}
).encode()


@st.composite
def changed(draw, whole: bytes):
    """The bytes with some parts replaced, cut out or repeated."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 24)))
        data[start:end] = draw(
            st.one_of(
                st.binary(max_size=24),
                st.sampled_from(
                    [
                        b"\0",
                        b'"',
                        b"\n",
                        b"\r\n",
                        b"\xff\xfe",
                        b"\xef\xbb\xbf",
                        b"<!DOCTYPE a>",
                        b"]]>",
                        b"&a;",
                        b"{" * 99,
                    ]
                ),
                st.just(bytes(data[start:end]) * 3),
            )
        )
    return bytes(data)


def any_of(whole):
    return st.one_of(changed(whole), st.binary(max_size=400))


def fuzz(strategy, target, examples):
    """Run the target on so many inputs; what it raises but errors of ours is a failure."""

    @settings(
        max_examples=int(LENGTHY or examples),
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(data):
        try:
            target(data)
        except WindowshopError as error:
            assert error.message

    run()


def feed_reader(folder, ending):
    path = folder / f"feed{ending}"

    def read(data):
        path.write_bytes(data)
        for _ in read_feed(path):
            pass

    return read


@pytest.mark.promise("S5", "pictures, 300 examples")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_pictures(kind):
    fuzz(any_of(sample(kind)), decode, 75)


@pytest.mark.promise("S5", "feeds, 300 examples of each kind")
@pytest.mark.parametrize(
    ("ending", "whole"), [(".csv", CSV), (".tsv", CSV.replace(b",", b"\t")), (".jsonl", JSONL), (".xml", XML)]
)
def test_feeds(tmp_path, ending, whole):
    fuzz(any_of(whole), feed_reader(tmp_path, ending), 300)


@pytest.mark.promise("S5", "manifests, 300 examples")
def test_manifests():
    fuzz(any_of(MANIFEST), lambda data: Manifest.from_json(data.decode("utf-8", "replace"), "here"), 300)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    from tests.web.shop_fixtures import fake_app

    with fake_app(tmp_path_factory.mktemp("shop"), timeout_ms=20_000) as app:
        yield app.test_client()


@pytest.mark.promise("S5", "addresses and queries, 300 examples")
def test_query_strings(client):
    names = st.sampled_from(
        ["q", "like", "photo", "offset", "k", "timeout_ms", "lang", "sort", "filter", "refine", "crop", "x"]
    )
    pair = st.tuples(
        names, st.one_of(st.binary(max_size=20), st.sampled_from([b"1", b"-1", b"9" * 30, b"%00", b"%ff", b"%"]))
    )
    paths = st.sampled_from([address for method, address in CALLS.values() if method == "get"])

    def ask(given):
        path, pairs = given
        query = "&".join(f"{name}={value.decode('latin-1')}" for name, value in pairs)
        answer = client.get(path, environ_overrides={"QUERY_STRING": query})
        assert answer.status_code < 500 or (answer.status_code == 504 and "timeout_ms" in query), (
            path,
            query,
            answer.text,
        )
        answer.close()

    fuzz(st.tuples(paths, st.lists(pair, max_size=5)), ask, 300)


@pytest.mark.promise("S5", "key headers, 300 examples")
def test_key_headers(client):
    values = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=80)
    kinds = st.sampled_from(["Bearer ", "bearer ", "Basic ", "Digest ", "Bearer", ""])

    def ask(given):
        kind, value = given
        answer = client.delete("/api/v1/products/red", environ_overrides={"HTTP_AUTHORIZATION": kind + value})
        assert answer.status_code == 401, (kind, value)

    fuzz(st.tuples(kinds, values), ask, 300)
