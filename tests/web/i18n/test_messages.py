"""Messages: every language has every key and the same placeholders; pages and scripts use only keys that exist."""

import json
import re
from pathlib import Path

import pytest
from babel import Locale

from search.pricing.alerts.alert_store import FULL, NO_PRICE, NOT_LOWER, TOO_MANY
from search.pricing.demand.price_advice import CAUTIONS, REASONS
from search.pricing.owners.rules.price_finding import CODES
from web import i18n
from web.i18n.languages import CHINESE, ENGLISH, LANGUAGES, LOCALES, STAFF_LANGUAGES
from web.i18n.messages import (
    ASSISTANT,
    ASSISTANT_PANEL,
    CONVERSATIONS,
    EMBED,
    MERCHANT,
    MERCHANT_PRICES,
    OPERATOR,
    PRICE_ALERTS,
    PRICES,
    QUESTION_DESK,
    QUESTIONS,
    REFERENCE,
    REVIEW_DESK,
    REVIEWS,
    SCRIPT_KEYS,
    SHOP,
    VOICE,
    UnknownMessage,
    error_message,
    field_name,
    message,
    page_message,
    page_messages,
    reason_label,
    script_messages,
)

FOLDER = Path(i18n.__file__).parent
WEB = FOLDER.parent
PLACEHOLDER = re.compile(r"\{(\w+)\}")


OWN_FILES = sorted(set(LANGUAGES) - set(STAFF_LANGUAGES))  # languages with files of their own


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def placeholders(text):
    """The placeholders of a text, or of every form of it: all have the same, but "once" has no number."""
    if isinstance(text, str):
        return set(PLACEHOLDER.findall(text))
    once = {"count"} if "other" in text else set()
    (found,) = {
        frozenset(PLACEHOLDER.findall(form)) | (once if name == "one" else set()) for name, form in text.items()
    }
    assert "count" in found
    return set(found)


PAGES = [
    SHOP,
    MERCHANT,
    MERCHANT_PRICES,
    OPERATOR,
    EMBED,
    REFERENCE,
    VOICE,
    ASSISTANT,
    ASSISTANT_PANEL,
    REVIEWS,
    REVIEW_DESK,
    QUESTIONS,
    QUESTION_DESK,
    CONVERSATIONS,
    PRICE_ALERTS,
    PRICES,
]


@pytest.mark.parametrize("page", PAGES)
def test_every_message_is_in_english_and_chinese_with_the_same_placeholders(page):
    sections = read(page)
    for name in sections.keys() & {"messages", "fields"}:
        for key, texts in sections[name].items():
            assert set(texts) == set(STAFF_LANGUAGES) and all(texts.values()), key
            assert placeholders(texts[ENGLISH]) == placeholders(texts[CHINESE]), key


@pytest.mark.parametrize(
    "page", [SHOP, EMBED, VOICE, ASSISTANT, ASSISTANT_PANEL, REVIEWS, QUESTIONS, PRICE_ALERTS, PRICES]
)
@pytest.mark.parametrize("language", OWN_FILES)
def test_what_shoppers_read_is_in_every_language(page, language):
    english, translated = read(page), read(f"{page}.{language}")
    assert translated.keys() == english.keys()
    for name, section in english.items():
        missing, unknown = section.keys() - translated[name].keys(), translated[name].keys() - section.keys()
        assert (missing, unknown) == (set(), set()), f"in web/i18n/{page}.{language}.json, {name}"
        for key, texts in section.items():
            if name in ("messages", "fields"):
                assert translated[name][key], key
                assert placeholders(texts[ENGLISH]) == placeholders(translated[name][key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_with_forms_has_one_for_every_plural_that_is_used(language):
    rules = Locale.parse(LOCALES[language]).plural_form
    used = {rules(number) for number in (*range(101), 1_000)}
    files = [
        read(name if language in STAFF_LANGUAGES else f"{name}.{language}")["messages"]
        for name in (SHOP, REVIEWS, PRICES)
    ]
    found = [text for texts in files for text in texts.values()]
    texts = [text[language] if language in STAFF_LANGUAGES else text for text in found]
    with_forms = [text for text in texts if not isinstance(text, str)]
    assert all(set(text) == used for text in with_forms) and bool(with_forms) == (language != CHINESE)
    for page in (
        script_messages(language),
        page_messages(EMBED, language),
        page_messages(ASSISTANT_PANEL, language),
    ):  # scripts know one form
        assert all(isinstance(text, str) for text in page.values())


def test_no_file_repeats_a_key():
    def unique(pairs):
        keys = [key for key, _ in pairs]
        assert len(set(keys)) == len(keys), keys
        return dict(pairs)

    for file in FOLDER.glob("*.json"):
        json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=unique)


def test_no_french_line_begins_with_a_mark():
    for file in FOLDER.glob("*.fr.json"):
        assert re.findall(r"«[ ]| [»:?!;]", file.read_text(encoding="utf-8")) == [], file.name


def test_german_dates_follow_an_article():
    for file in FOLDER.glob("*.de.json"):
        found = re.findall(
            r"\b(?:seit|bis|vor|nach) \{(?:date|start|end|since)\}", file.read_text(encoding="utf-8"), re.I
        )
        assert found == [], file.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_card_names_the_lowest_price_in_the_same_words(language):
    for page in (EMBED, ASSISTANT_PANEL):
        for key in ("lowest", "lowest_on_record"):
            assert page_messages(page, language)[key] == page_messages(PRICES, language)[f"card_{key}"]


def test_templates_ask_only_for_messages_that_exist():
    templates = (WEB / "templates").glob("*.html")
    keys = {key for file in templates for key in re.findall(r'\bt\("([a-z_-]+)"[,)]', file.read_text(encoding="utf-8"))}
    assert len(keys) > 50 and keys <= set(page_messages(SHOP, ENGLISH))


def test_what_pages_say_of_reviews_exists_and_is_used():
    templates, modules = sorted((WEB / "templates").glob("*.html")), sorted((WEB / "reviews").glob("*.py"))
    text = "".join(file.read_text(encoding="utf-8") for file in (*templates, *modules))
    keys = set(page_messages(REVIEWS, ENGLISH))
    asked = set(re.findall(r'\breview_text\("([a-z0-9_]+)"[,)]', text))
    made = {key for stem in re.findall(r'review_text\(f?"(\w+_)["{]', text) for key in keys if key.startswith(stem)}
    assert keys == asked | made | {key for key in keys if f'"{key}"' in text}
    assert asked <= keys


def test_what_pages_say_of_price_alerts_exists_and_is_used():
    files = [*(WEB / "templates").glob("*.html"), *(WEB / "prices").glob("*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    keys = set(page_messages(PRICE_ALERTS, ENGLISH))
    reasons = {f"error_{reason}" for reason in (NO_PRICE, NOT_LOWER, TOO_MANY, FULL)}
    assert keys == {key for key in keys if f'"{key}"' in text or f"alert_text('{key}')" in text} | reasons
    assert set(re.findall(r'\balert_text\("([a-z0-9_]+)"[,)]', text)) <= keys


def test_what_pages_say_of_prices_exists_and_is_used():
    templates, modules = sorted((WEB / "templates").glob("*.html")), sorted((WEB / "prices").rglob("*.py"))
    text = "".join(file.read_text(encoding="utf-8") for file in (*templates, *modules))
    keys = set(page_messages(PRICES, ENGLISH))
    assert keys == {key for key in keys if f'"{key}"' in text}
    assert set(re.findall(r'\bprice_text\("([a-z0-9_]+)"[,)]', text)) <= keys


def test_what_the_page_that_moderates_reviews_says_exists():
    script = (WEB / "static" / "review_desk.js").read_text(encoding="utf-8")
    page = (WEB / "templates" / "review_desk.html").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bW\.(\w+)", script)) | set(re.findall(r"\bwords\.(\w+)", page))
    assert asked - {"keys"} <= set(page_messages(REVIEW_DESK, ENGLISH))


def test_what_the_page_of_prices_says_exists_and_is_used():
    files = ["static/merchant_prices.js", "static/merchant_price_advice.js", "templates/merchant_prices.html"]
    text = "".join(
        (WEB / name).read_text(encoding="utf-8") for name in (*files, "static/keyed.js", "templates/keyed.html")
    )
    keys = set(page_messages(MERCHANT_PRICES, ENGLISH))
    named = set(re.findall(r"\b(?:W|words)\.(\w+)", text))
    stems = tuple(re.findall(r"W\[`(\w+_)\$", text) + re.findall(r'words\["(\w+_)"', text))
    assert named - {"keys"} <= keys
    advised = {f"{stem}_{code}" for stem, codes in (("caution", CAUTIONS), ("reason", REASONS)) for code in codes}
    assert advised == {key for key in keys if key.startswith(("caution_", "reason_"))}
    assert keys - named == {key for key in keys - named if key.startswith(stems)} | {*CODES, "title"} - named


def test_the_shops_scripts_get_every_message_that_they_show():
    scripts = ("crop.js", "gallery.js", "photo.js", "personal.js", "saved.js", "shop.js", "suggest.js", "visits.js")
    text = "".join((WEB / "static" / name).read_text(encoding="utf-8") for name in scripts)
    assert set(re.findall(r"\bwords\.(\w+)", text)) == set(SCRIPT_KEYS) == set(script_messages(ENGLISH))


def test_every_message_of_the_voice_search_is_used():
    scripts = ("voice.js", "voice_page.js", "voice_search.js", "recorder.js")
    text = "".join((WEB / "static" / name).read_text(encoding="utf-8") for name in scripts)
    assert set(re.findall(r'(?:"|messages\.)(voice(?:_[a-z]+)*)(?="|,|\))', text)) == set(page_messages(VOICE, ENGLISH))


def test_an_unknown_key_is_an_error_that_names_the_file():
    with pytest.raises(UnknownMessage, match=r"no message 'no_such_key'.*shop\.json"):
        message("no_such_key", ENGLISH)


def test_placeholders_are_filled_in():
    assert message("page", ENGLISH, number=3) == "Page 3" and message("page", CHINESE, number=3) == "第 3 页"


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("Show 0 results", "Show 1 result", "Show 1,299 results")),
        ("zh", ("查看 0 件商品", "查看 1 件商品", "查看 1,299 件商品")),
        ("de", ("0 Ergebnisse anzeigen", "1 Ergebnis anzeigen", "1.299 Ergebnisse anzeigen")),
        ("fr", ("Afficher 0 résultat", "Afficher 1 résultat", "Afficher 1\u202f299 résultats")),
        ("es", ("Ver 0 resultados", "Ver 1 resultado", "Ver 1.299 resultados")),
    ],
)
def test_a_number_selects_the_plural_and_is_written_as_the_language_does(language, texts):
    assert tuple(message("show_results", language, count=count) for count in (0, 1, 1299)) == texts


@pytest.mark.parametrize(
    ("language", "texts"), [("fr", ("1 positif", "2 positifs")), ("es", ("1 positiva", "2 positivas"))]
)
def test_one_opinion_is_not_many(language, texts):
    assert tuple(page_message(REVIEWS, "positive", language, count=count) for count in (1, 2)) == texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_assistant_its_panel_and_the_shop_have_one_term_for_one_thing(language):
    shop, said, panel = (page_messages(page, language) for page in (SHOP, ASSISTANT, ASSISTANT_PANEL))
    assert panel["human"] == said["choice_human_agent"]
    assert panel["out_of_stock"] == shop["out_of_stock"] and panel["no_picture"] == shop["no_picture"]


def test_a_field_without_a_label_gets_one_from_its_name():
    assert field_name("attributes.made_of", CHINESE) == field_name("made_of", ENGLISH) == "Made of"
    assert field_name("color", ENGLISH) == "Colour" and field_name("attributes.material", CHINESE) == "材质"


def test_reasons_are_translated_and_unknown_ones_shown_as_they_are():
    assert reason_label("similar colours (21%)", ENGLISH) == "Similar colours (21%)"
    assert reason_label("similar colours (21%)", CHINESE) == "颜色相近（21%）"
    assert reason_label("is new", CHINESE) == "is new"
    assert reason_label("similar colours (21%)", "de") == "Ähnliche Farben (21\u00a0%)"
    assert reason_label("similar colours", "fr") == "Couleurs similaires"


def test_every_status_has_an_error_message_in_each_other_language():
    assert error_message(404, CHINESE)["message"] == "没有找到。" and error_message(404, ENGLISH) is None
    for language in OWN_FILES:
        assert error_message(418, language) == error_message(500, language) != error_message(404, language)


@pytest.mark.parametrize("shelf", ["for_you", "buy_again", "trending", "new_for_you"])
def test_an_owner_reads_the_names_of_shelves_that_shoppers_read(shelf):
    assert read(OPERATOR)["messages"][f"shelf_{shelf}"] == read(SHOP)["messages"][shelf]
