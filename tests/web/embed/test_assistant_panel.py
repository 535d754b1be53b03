"""The panel of the assistant: a module of its own that pages load on the first click, whole, versioned and inert."""

import gzip
import re

from web.embed.bundle import FOLDER, PANEL_PARTS, assistant_script, panel_url
from web.i18n.languages import ENGLISH, LANGUAGES
from web.i18n.messages import ASSISTANT_PANEL, page_messages

MAX_BYTES = 20_000
KINDS = ("policy", "attribute", "description", "review", "answered_question", "order")  # of sources
PANEL = FOLDER / "assistant"
SOURCE = "".join((PANEL / f"{part}.js").read_text(encoding="utf-8") for part in PANEL_PARTS)
TEMPLATES = FOLDER.parent / "templates"


def test_the_panel_loads_in_20_kilobytes_and_is_cached_by_its_version(client):
    answer = client.get(panel_url(), headers={"Accept-Encoding": "gzip"})
    assert len(answer.data) <= MAX_BYTES and gzip.decompress(answer.data) == assistant_script().plain
    assert "immutable" in answer.headers["Cache-Control"]
    for address in ("/embed/assistant.js", "/embed/000000000000/assistant.js"):
        answer = client.get(address)
        assert answer.data == assistant_script().plain and "max-age=3600" in answer.headers["Cache-Control"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_every_file_of_the_panel_is_in_it_with_its_styles_and_words():
    assert {f"{part}.js" for part in PANEL_PARTS} | {"panel.css"} == {file.name for file in PANEL.iterdir()}
    text = assistant_script().plain.decode()
    assert "@styles@" not in text and "@words@" not in text and ".composer" in text
    for language in LANGUAGES:
        assert page_messages(ASSISTANT_PANEL, language)["answering"] in text


def test_every_word_is_used_by_the_panel_or_by_the_page_without_scripts():
    template = (TEMPLATES / "assistant.html").read_text(encoding="utf-8")
    base = (TEMPLATES / "base.html").read_text(encoding="utf-8")
    pages = (FOLDER.parent / "assistant" / "pages.py").read_text(encoding="utf-8")
    keys = page_messages(ASSISTANT_PANEL, ENGLISH).keys()
    used = {key for key in keys if f'"{key}"' in SOURCE + pages or f"words.{key}" in template}
    used |= {key for key in keys if f"panel_messages().{key}" in base}
    used |= {f"source_{kind}" for kind in KINDS}
    assert used == set(keys)
    assert set(re.findall(r'\bt\("([a-z_]+)"[,)]', SOURCE)) <= keys
    assert set(re.findall(r"words\.([a-z_]+)", template)) - {"get"} <= keys


def test_nothing_in_the_panel_is_what_a_strict_policy_refuses():
    text = assistant_script().plain.decode()
    for refused in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "<style"):
        assert refused not in text
    assert not re.search(r"\.style\b|setAttribute\(.style", SOURCE)
