"""Messages: both languages have every key and the same placeholders; pages and scripts use only keys that exist."""

import json
import re
from pathlib import Path

import pytest

from web import i18n
from web.i18n.messages import (
    CHINESE,
    EMBED,
    ENGLISH,
    LANGUAGES,
    MERCHANT,
    OPERATOR,
    REFERENCE,
    SCRIPT_KEYS,
    SHOP,
    UnknownMessage,
    error_message,
    field_name,
    message,
    page_messages,
    reason_label,
    script_messages,
)

FOLDER = Path(i18n.__file__).parent
WEB = FOLDER.parent
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def sections_in_both_languages():
    for page in (SHOP, MERCHANT, OPERATOR, EMBED, REFERENCE):
        for name, section in json.loads((FOLDER / f"{page}.json").read_text(encoding="utf-8")).items():
            if name in ("messages", "fields"):
                yield pytest.param(section, id=f"{page}-{name}")


@pytest.mark.parametrize("section", list(sections_in_both_languages()))
def test_every_message_has_both_languages_and_the_same_placeholders(section):
    assert section
    for key, texts in section.items():
        assert set(texts) == set(LANGUAGES) and all(text.strip() for text in texts.values()), key
        assert set(PLACEHOLDER.findall(texts[ENGLISH])) == set(PLACEHOLDER.findall(texts[CHINESE])), key


def test_no_file_repeats_a_key():
    def unique(pairs):
        keys = [key for key, _ in pairs]
        assert len(set(keys)) == len(keys), keys
        return dict(pairs)

    for file in FOLDER.glob("*.json"):
        json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=unique)


def test_templates_ask_only_for_messages_that_exist():
    templates = (WEB / "templates").glob("*.html")
    keys = {key for file in templates for key in re.findall(r'\bt\("([a-z_-]+)"[,)]', file.read_text(encoding="utf-8"))}
    assert len(keys) > 50 and keys <= set(page_messages(SHOP, ENGLISH))


def test_the_shops_scripts_get_every_message_that_they_show():
    scripts = ("crop.js", "gallery.js", "photo.js", "saved.js", "shop.js", "suggest.js", "visits.js")
    text = "".join((WEB / "static" / name).read_text(encoding="utf-8") for name in scripts)
    assert set(re.findall(r"\bwords\.(\w+)", text)) == set(SCRIPT_KEYS) == set(script_messages(ENGLISH))


def test_an_unknown_key_is_an_error_that_names_the_file():
    with pytest.raises(UnknownMessage, match=r"no message 'no_such_key'.*shop\.json"):
        message("no_such_key", ENGLISH)


def test_placeholders_are_filled_in():
    assert message("page", ENGLISH, number=3) == "Page 3" and message("page", CHINESE, number=3) == "第 3 页"


def test_a_field_without_a_label_gets_one_from_its_name():
    assert field_name("attributes.made_of", CHINESE) == field_name("made_of", ENGLISH) == "Made of"
    assert field_name("color", ENGLISH) == "Colour" and field_name("attributes.material", CHINESE) == "材质"


def test_reasons_are_translated_and_unknown_ones_shown_as_they_are():
    assert reason_label("similar colours (21%)", ENGLISH) == "Similar colours (21%)"
    assert reason_label("similar colours (21%)", CHINESE) == "颜色相近（21%）"
    assert reason_label("is new", CHINESE) == "is new"


def test_every_status_has_a_chinese_error_message():
    assert error_message(404)["message"] == "没有找到。" and error_message(418) == error_message(500)
