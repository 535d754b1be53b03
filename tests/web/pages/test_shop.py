"""The pages as a browser without JavaScript sees them, against a real engine."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from PIL import Image

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import BLUE, RED, picture_bytes
from web.i18n.language import facts_of, path_of, title_of
from web.pages.templating import fills_tile, picture_sizes


class Page(HTMLParser):
    """The tags of a page, and the titles of its product cards."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.titles, self._in_card, self._title = [], [], False, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in_card = self._in_card or ("class", "card") in attrs
        if tag == "a" and self._in_card and self._title is None and ("class", "like") not in attrs:
            self._title = ""

    def handle_data(self, data):
        if self._title is not None:
            self._title += data

    def handle_endtag(self, tag):
        if tag == "a" and self._title is not None:
            self.titles.append(self._title)
            self._title, self._in_card = None, False


def page(answer, status=200):
    assert answer.status_code == status, answer.text
    assert answer.content_type == "text/html; charset=utf-8"
    return Page(answer.text)


def photo(colour=BLUE):
    return (io.BytesIO(picture_bytes(colour, (300, 400))), "photo.jpg")


def test_the_front_page_offers_products_and_words_to_try(client):
    answer = client.get("/")
    assert len(page(answer).titles) == 5
    assert "Search 18 products with a photo, with words, or with both." in re.sub(r"\s+", " ", answer.text)
    assert client.get("/").text == answer.text


def test_words_have_an_address_and_pages(client):
    first = client.get("/?q=red")
    assert page(first).titles == ["Red jumper"]
    assert "€12.90" in first.text
    assert "Acme · Jumpers" in first.text
    assert 'value="red"' in first.text
    odd = client.get("/?q=odd")
    assert "1–5 of 15" in odd.text and 'href="/?q=odd&amp;offset=5"' in odd.text
    second = page(client.get("/?q=odd&offset=5")).titles
    assert len(second) == 5
    assert not set(second) & set(page(odd).titles)
    last = client.get("/?q=odd&offset=10")
    assert len(page(last).titles) == 5
    assert "offset=15" not in last.text
    assert "End of results" in client.get("/?q=odd&offset=100").text


def test_a_corrected_word_is_told_even_where_nothing_is_found(client):
    answer = client.get("/", query_string={"q": "jumperr", "filter": '{"brand": "nobody"}'})
    assert not page(answer).titles and "Searched for “jumper” instead of “jumperr”" in answer.text


def test_a_translated_word_is_no_correction(client):
    answer = client.get("/", query_string={"q": "蓝色 jumper", "lang": "zh"})
    assert page(answer).titles and "“blue”" not in answer.text


def test_a_photo_is_searched_for_and_shown_without_its_metadata(client):
    answer = client.post("/", data={"photo": photo(), "q": ""})
    assert page(answer).titles[0] == "Blue jumper"
    shown = base64.b64decode(re.search(r'src="data:image/jpeg;base64,([^"]+)"', answer.text)[1])
    with Image.open(io.BytesIO(shown)) as picture:
        assert max(picture.size) <= 240
        assert not picture.getexif()


def test_photo_and_words_go_together(client):
    assert page(client.post("/", data={"photo": photo(BLUE), "q": "blue"})).titles[0] == "Blue jumper"
    answer = client.post("/", data={"photo": photo(BLUE), "q": "red"})
    assert page(answer).titles[0] == "Red jumper"
    assert "Your photo + “red”" in answer.text


def test_either_of_the_two_photo_fields_will_do(client):
    empty = (io.BytesIO(b""), "")
    assert page(client.post("/", data={"photo": [empty, photo(RED)]})).titles[0] == "Red jumper"


def test_words_sent_by_the_form_get_an_address_that_can_be_shared(client):
    answer = client.post("/", data={"q": " red jumper ", "like": "a/b", "photo": (io.BytesIO(b""), "")})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?q=red+jumper&like=a%2Fb")
    assert client.post("/", data={"q": ""}).headers["Location"] == "/"


def test_more_like_this_and_words(client):
    answer = client.get("/?like=red")
    assert "Red jumper" not in page(answer).titles
    assert '<input type="hidden" name="like" value="red">' in answer.text
    both = client.get("/?like=green&q=red")
    assert page(both).titles != page(client.get("/?like=green")).titles
    assert "Similar to Green jumper + “red”" in both.text
    page(client.get("/?like=none"), 404)


def test_a_product_has_a_page(client):
    answer = client.get("/products/blue")
    shown = page(answer)
    assert "Blue jumper" not in shown.titles
    assert len(shown.titles) == 12 + 2
    assert "Alternatives" in answer.text and shown.titles[:2] == ["Red jumper", "Green jumper"]
    for words in ("Blue jumper", "€14.90", "Out of stock", "Acme", "Apparel › Tops › Jumpers", "Made of", "wool"):
        assert words in answer.text
    assert len([tag for tag, given in shown.tags if tag == "img" and "loading" not in given]) == 1


def test_a_product_that_is_not_indexed_yet_has_a_page_too(home, client):
    catalogue = Catalogue.open(home / "catalog.sqlite")
    catalogue.put([Product("new", "New jumper", ())])
    try:
        answer = client.get("/products/new")
    finally:
        catalogue.remove(["new"])
        catalogue.close()
    assert page(answer).titles == []
    assert "New jumper" in answer.text
    assert "Similar products" not in answer.text


def test_scores_and_times_are_for_the_owner(app, client, monkeypatch):
    token = values_of(client.get("/?like=green"), "refine")[0]
    why = "/products/red?refine=" + token
    assert not re.search(r"\(\d+%\)", client.get(why).text) and 'class="score"' not in client.get("/?q=red").text
    assert " ms" not in client.get("/?q=red").text
    monkeypatch.setitem(app.config, "SHOW_SCORES", True)
    assert re.search(r"\(\d+%\)", client.get(why).text)
    assert 'class="score"' in client.get("/?q=red").text and " ms" in client.get("/?q=red").text


def test_every_picture_is_a_thumbnail_and_has_an_address(client):
    def shown(answer):
        return [
            (given.get("data-picture"), given.get("aria-current"))
            for _, given in page(answer).tags
            if "data-picture" in given
        ]

    (main, _), *thumbnails = shown(client.get("/products/red"))
    assert len(thumbnails) == 3 and thumbnails[0] == (main, "true")
    answer = client.get("/products/red?picture=2")
    assert shown(answer)[0][0] == thumbnails[1][0] and f"/pictures/{thumbnails[1][0]}/1280.jpg" in answer.text
    assert shown(client.get("/products/red?picture=9"))[0][0] == main
    assert len(shown(client.get("/products/plain"))) == 1
    page(client.get("/products/red?picture=x"), 422)


@pytest.mark.parametrize(
    ("side", "box", "sizes"),
    [
        (60, 220, (320,)),
        (640, 220, (320, 640)),
        (2000, 220, (320, 640)),
        (640, 440, (320, 640)),
        (2000, 440, (320, 640, 1280)),
        (2000, 96, (320,)),
        (0, 440, (320,)),
    ],
)
def test_large_pictures_are_offered_for_dense_screens(side, box, sizes):
    assert picture_sizes(Picture("", width=side, height=side // 2), box) == sizes


def test_a_card_has_the_next_picture(client):
    assert client.get("/?q=red").text.count('class="second"') == 1
    assert 'class="second"' not in client.get("/?q=odd").text


def test_pictures_keep_their_place_and_are_not_blown_up(client):
    for tag, given in page(client.get("/?q=red")).tags:
        if tag == "img" and "src" in given:
            assert (int(given["width"]), int(given["height"])) <= (220, 220)
            assert given["src"].startswith("/pictures/")


def test_what_the_feed_says_never_becomes_markup(client):
    answer = client.get("/products/" + quote("<script>alert(1)</script>", safe=""))
    assert page(answer)
    assert "<script>alert" not in answer.text
    echoed = client.get('/?q="><script>alert(2)</script>')
    assert "<script>alert" not in echoed.text
    assert "<script>alert" not in client.get("/?like=<script>alert(3)</script>").text


@pytest.mark.parametrize("address", ["/", "/?q=red", "/?like=red", "/products/red", "/nothing"])
def test_pages_hold_no_inline_script_or_style(client, address):
    for tag, given in Page(client.get(address).text).tags:
        assert tag != "style"
        if given.get("rel") in ("canonical", "alternate"):  # named for search engines, fetched by no browser
            continue
        data = given == {"type": "application/ld+json"}
        assert tag != "script" or data or given.get("src", "").startswith("/static/")
        assert not [name for name in given if name == "style" or name.startswith("on")]
        outside = [given[name] for name in ("href", "src", "action") if name in given]
        assert all(each.startswith(("/", "?", "#", "data:")) for each in outside)


@pytest.mark.parametrize("address", ["/", "/?q=red", "/products/red"])
def test_everything_a_page_asks_for_is_there(client, address):
    shown = Page(client.get(address).text)
    wanted = {
        given[name] for tag, given in shown.tags for name in ("href", "src") if given.get(name, "").startswith("/")
    }
    for each in wanted:
        with client.get(each) as answer:
            assert answer.status_code == 200, each


def test_errors_are_pages_for_people(client):
    answer = client.get("/products/none")
    page(answer, 404)
    assert "Back to the shop" in answer.text
    page(client.get("/?q=" + "x" * 1001), 422)
    page(client.get("/?q=red&offset=abc"), 422)
    page(client.post("/", data={"photo": (io.BytesIO(b"nonsense"), "a.jpg")}), 415)


def test_a_shop_that_reads_no_words_does_not_ask_for_any(tmp_path, make_app, monkeypatch):
    from tests.web.shop_fixtures import make_shop
    from web.engine import holder_of
    from web.settings import Settings

    make_shop(tmp_path, FakeEncoder(texts=False))
    monkeypatch.setattr("search.engine.open_encoder", lambda name, **_: FakeEncoder(texts=False))
    app = make_app(Settings(home=tmp_path))
    holder_of(app).wait(300)
    client = app.test_client()
    assert 'name="q"' not in client.get("/").text
    assert page(client.post("/", data={"photo": photo()})).titles[0] == "Blue jumper"
    page(client.get("/?q=red"), 422)
    assert client.post("/api/v1/search", json={"text": "red"}).json["error"]["code"] == "unsupported_query"


def test_pictures_are_ours_and_may_be_kept(client):
    sha256 = client.get("/api/v1/products/red").json["pictures"][0]["picture"]
    answer = client.get(f"/pictures/{sha256}/320.jpg")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content_type == "image/jpeg"
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert picture.size == (60, 80)
    again = client.get(f"/pictures/{sha256}/320.jpg", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "{sha}/321.jpg",
        "{sha}/0.jpg",
        "{sha}/320.png",
        "{sha}/320.jpg/x",
        "{zeros}/320.jpg",
        "{upper}/320.jpg",
        "x/320.jpg",
        "../320.jpg",
        "{sha}/-320.jpg",
    ],
)
def test_other_pictures_are_not_found(client, name):
    sha = client.get("/api/v1/products/red").json["pictures"][0]["picture"]
    answer = client.get("/pictures/" + name.format(sha=sha, zeros="0" * 64, upper=sha.upper()))
    assert answer.status_code == 404
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    ("size", "filled"),
    [((320, 320), True), ((640, 610), True), ((320, 240), False), ((160, 160), False), ((0, 0), False)],
)
def test_only_large_and_nearly_square_pictures_fill_their_tiles(size, filled):
    assert fills_tile(Picture("", width=size[0], height=size[1]), 220) is filled
    assert not fills_tile(None, 220)


LAMP = Product(
    "1",
    "Lamp",
    (),
    category="Home > Lamps",
    attributes={
        "colour": "red",
        "colour_zh": "红色",
        "title_zh": "台灯",
        "category_zh": "家居 > 灯",
        "title_de": "Lampe",
        "colour_fr": "rouge",
        "made of": "tin",
        "size_fr": "38",
    },
)


@pytest.mark.parametrize(
    ("lang", "title", "path", "facts"),
    [
        ("en", "Lamp", ("Home", "Lamps"), [("Colour", "red"), ("Made of", "tin"), ("Size fr", "38")]),
        ("zh", "台灯", ("家居", "灯"), [("颜色", "红色"), ("Made of", "tin"), ("Size fr", "38")]),
        ("de", "Lampe", ("Home", "Lamps"), [("Farbe", "red"), ("Made of", "tin"), ("Size fr", "38")]),
        ("fr", "Lamp", ("Home", "Lamps"), [("Couleur", "rouge"), ("Made of", "tin"), ("Size fr", "38")]),
    ],
)
def test_a_products_words_are_those_of_the_pages_language(app, lang, title, path, facts):
    with app.test_request_context(f"/?lang={lang}"):
        assert (title_of(LAMP), path_of(LAMP), facts_of(LAMP)) == (title, path, facts)


def values_of(answer, name):
    """The values of the buttons and hidden fields of that name."""
    return [
        given["value"]
        for tag, given in Page(answer.text).tags
        if tag in ("button", "input") and given.get("name") == name and given.get("value")
    ]


def test_filters_are_buttons_whose_address_can_be_shared(client):
    answer = client.get("/?filter={}")
    stock = next(each for each in values_of(answer, "filter") if json.loads(each) == {"in_stock": False})
    narrowed = client.get("/", query_string={"filter": stock})
    assert page(narrowed).titles == ["Blue jumper"]
    assert "Availability: Out of stock" in narrowed.text
    assert "{}" in values_of(narrowed, "filter")  # what is chosen can be taken back
    worded = client.get("/", query_string={"q": "jumper", "filter": stock})
    assert page(worded).titles == ["Blue jumper"]
    whole = client.get("/", query_string={"q": "red", "filter": "{}"})
    assert page(whole).titles == page(client.get("/?q=red")).titles
    page(client.get("/?q=red&filter=nonsense"), 422)


@pytest.mark.parametrize(
    ("address", "status", "english", "chinese", "german"),
    [
        ("/?q=red&filter={", 422, "This link is incomplete.", "链接不完整。", "Dieser Link ist unvollständig."),
        ("/?refine=abc", 422, "This link is incomplete.", "链接不完整。", "Dieser Link ist unvollständig."),
        ("/products/nope", 404, "We can’t find this product.", "没有找到这件商品。", "Produkt wurde nicht gefunden."),
        ("/?q=red&min=cheap", 422, "This is not a price.", "价格无法识别。", "Das ist kein Preis."),
        ("/nowhere", 404, "There is nothing at this address.", "没有找到。", "Diese Seite wurde nicht gefunden."),
    ],
)
def test_an_error_speaks_to_shoppers_in_their_language(client, address, status, english, chinese, german):
    for language, words in (("en", english), ("zh", chinese), ("de", german)):
        answer = client.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
        assert answer.status_code == status and words in answer.text
        assert "JSON" not in answer.text and "token" not in answer.text


def test_a_price_that_was_typed_narrows_beside_the_other_filters(client):
    typed = {"filter": '{"in_stock":true}', "min": "12", "max": "14", "q": "jumper"}
    answer = client.get("/", query_string=typed)
    assert set(page(answer).titles) == {"Red jumper", "Green jumper"}
    assert "Price: €12 to €14" in answer.text and "Availability: In stock" in answer.text
    page(client.get("/?q=red&min=cheap"), 422)


@pytest.mark.parametrize(
    ("most", "currency", "shown"),
    [
        ("14,50", "", "up to €14.50"),
        ("14.50 €", "EUR", "up to €14.50"),
        ("1.299,00", "EUR", "up to €1,299"),
        ("1.299", "EUR", "up to €1,299"),
        ("1,299", "", "up to €1,299"),
        ("$20", "EUR", "up to €20"),
        ("１４", "", "up to €14"),
    ],
)
def test_a_price_box_takes_the_spellings_of_feeds(client, most, currency, shown):
    answer = client.get("/", query_string={"q": "red", "max": most, "currency": currency})
    assert f"Price: {shown}" in answer.text


def test_a_price_box_may_be_left_empty(client):
    assert "Price: up to €14" in client.get("/?q=red&min=-&max=14").text


def test_a_filter_alone_browses(client):
    answer = client.get("/", query_string={"filter": '{"category":["Apparel"]}', "sort": "-price"})
    assert page(answer).titles == ["Blue jumper", "Green jumper", "Red jumper"]
    assert "1–3 of 3" in answer.text
    assert len(page(client.get("/", query_string={"filter": "{}"})).titles) == 5


def test_a_photo_leaves_a_link_that_works_without_it(client):
    sent = client.post("/", data={"photo": photo(), "shown": "abc123"})
    link = re.search(r'data-link="([^"]+)"', sent.text)[1].replace("&amp;", "&")
    assert link.startswith("/?refine=") and link.endswith("&shown=abc123")
    answer = client.get(link)
    assert page(answer).titles == page(sent).titles
    assert 'data-shown="abc123"' in answer.text
    assert 'data-shown="' not in client.get(link.replace("abc123", "<b>")).text
    second = client.get(link + "&offset=5")
    assert not set(page(second).titles) & set(page(answer).titles)
    page(client.get("/?refine=nonsense"), 422)


def test_more_and_less_like_a_hit_and_back_again(client):
    first = client.get("/?q=red")
    token = values_of(first, "refine")[0]
    less = client.get("/", query_string={"refine": token, "less": "red"})
    assert "Red jumper" not in page(less).titles
    assert "not like Red jumper" in less.text
    token = values_of(less, "refine")[0]
    assert page(client.get("/", query_string={"refine": token, "drop": "1"})).titles == page(first).titles
    gone = client.get("/", query_string={"refine": values_of(first, "refine")[0], "drop": "0"})
    assert (gone.status_code, gone.headers["Location"]) == (303, "/")


def test_a_part_of_a_photo(client):
    data = {"photo": photo(), "crop": "[0.1, 0.1, 0.5, 0.5]"}
    assert page(client.post("/", data=data)).titles[0] == "Blue jumper"
    page(client.post("/", data={"photo": photo(), "crop": "[1]"}), 422)
    page(client.post("/", data={"photo": photo(), "crop": "["}), 422)


def test_a_product_that_was_searched_for_says_why(client):
    token = values_of(client.get("/?like=green"), "refine")[0]
    answer = client.get("/products/red", query_string={"refine": token})
    assert "Why you see this" in answer.text and "Back to the results" in answer.text
    assert "your search: Green" in answer.text
    assert "Why you see this" not in client.get("/products/red?refine=nonsense").text
    assert "Why you see this" not in client.get("/products/red").text


def test_the_way_back_is_the_very_page(client):
    results = client.get("/?q=odd&filter={}&sort=price&offset=5")
    links = [given["href"] for tag, given in page(results).tags if tag == "a" and "/products/" in given.get("href", "")]
    answer = client.get(links[0])
    back = next(given["href"] for tag, given in page(answer).tags if tag == "a" and "#at-" in given.get("href", ""))
    address, _, card = back.partition("#")
    assert address == "/?q=odd&sort=price&offset=5" and f'id="{card}"' in client.get(address).text
    assert 'value="odd"' in answer.text, "the box holds the words that led here"
    kept = [given for tag, given in page(answer).tags if tag == "a" and given.get("class") != "button share"]
    links = [given.get("href", "") for given in kept]
    others = [link for link in links if "/products/" in link and "/reviews" not in link]
    assert others and all("back=q%3Dodd" in each for each in others)


def test_the_way_back_holds_nothing_but_fields_of_results(client):
    hostile = {"back": "q=red&lang=zh&next=https://evil.example&more=green&offset=0"}
    answer = client.get("/products/blue", query_string=hostile)
    assert 'href="/?q=red&amp;offset=0#at-blue"' in answer.text and "evil" not in answer.text.partition("<main>")[2]
    for back in (
        "https://evil.example",
        "javascript:alert(1)",
        "refine=nonsense",
        "photo=none",
        "offset=x",
        "filter={",
        "q=",
    ):
        assert client.get("/products/blue", query_string={"back": back}).status_code == 200, back
    assert "Back to the results" not in client.get("/products/blue?back=//evil.example").text


def test_a_new_photo_starts_afresh_and_the_search_before_is_offered(client):
    before = client.get("/?q=green+jumper")
    hidden = {name: values_of(before, name)[0] for name in ("before", "was")}
    fresh = client.post("/", data={"photo": photo(BLUE), "q": "green jumper", "like": "red", **hidden})
    assert "Similar to your photo" in fresh.text
    assert 'class="words" type="search" name="q" dir="auto" value=""' in fresh.text
    offer = next(given["href"] for tag, given in page(fresh).tags if tag == "a" and "also=" in given.get("href", ""))
    assert "Also search for “green jumper”" in fresh.text
    both = client.get(offer)
    assert "Your photo + “green jumper”" in both.text and len(values_of(both, "drop")) == 2
    typed = client.post("/", data={"photo": photo(BLUE), "q": "in green", **hidden})
    assert "Your photo + “in green”" in typed.text, "words that were not searched yet are part of it"
    stale = client.post("/", data={"photo": photo(BLUE), "q": "", "before": "nonsense", "was": ""})
    assert stale.status_code == 200 and "Also search for" not in stale.text
    liked = client.post("/", data={"photo": photo(BLUE), "before": values_of(client.get("/?like=red"), "before")[0]})
    assert "Also search for Red jumper" in liked.text


def test_more_like_this_is_the_same_link_everywhere(client):
    for address in ("/", "/?q=odd", "/products/red"):
        links = [given for tag, given in page(client.get(address)).tags if given.get("class") == "like"]
        assert links and all(given["href"].startswith("/?like=") for given in links), address


def test_the_language_is_the_browsers_until_another_is_chosen(app):
    client = app.test_client()
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
    answer = client.get("/?q=red", headers=chinese)
    assert '<html lang="zh-Hans">' in answer.text and "排序" in answer.text
    assert answer.headers["Content-Language"] == "zh"
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)
    assert 'href="/?q=red&amp;lang=en"' in answer.text
    assert 'href="?lang=en"' in client.get("/products/red", headers=chinese).text
    chosen = client.get("/?q=red&lang=en", headers=chinese)
    assert "HttpOnly" in chosen.headers["Set-Cookie"] and "SameSite=Lax" in chosen.headers["Set-Cookie"]
    assert '<html lang="en">' in client.get("/", headers=chinese).text
    assert '<html lang="en">' in client.get("/?lang=xx").text
    assert "没有找到" in app.test_client().get("/nothing", headers=chinese).text


def test_a_browser_of_another_region_gets_its_language(app):
    german = app.test_client().get("/?q=red", headers={"Accept-Language": "it,de-AT;q=0.9,en;q=0.5"})
    assert '<html lang="de">' in german.text and "Sortieren" in german.text and "12,90\u00a0€" in german.text
    assert german.headers["Content-Language"] == "de"


@pytest.mark.parametrize("address", ["/merchant", "/ops", "/docs"])
def test_pages_for_staff_are_in_two_languages(app, address):
    client = app.test_client()
    page = client.get(f"{address}?lang=fr")
    assert '<html lang="en">' in page.text and 'hreflang="fr"' not in page.text and 'hreflang="zh-Hans"' in page.text
    assert page.headers["Content-Language"] == "en" and '<html lang="fr">' in client.get("/").text
