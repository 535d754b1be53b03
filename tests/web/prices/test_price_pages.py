"""What shoppers see of prices: the section of a product's page, and the lowest price before each discount."""

import re
from decimal import Decimal

import pytest

from catalog.errors import StoreError
from search.pricing import product_prices
from search.pricing.flags.price_flag import PriceFlag
from search.pricing.series.weekly_prices import week_of, week_start
from tests.web.prices.conftest import DAY, NOW, store_forecast, was, write_past
from web.i18n.dates import date_text
from web.i18n.languages import LANGUAGES
from web.prices import lowest_prices, routes
from web.prices.history.flag_views import flag_views


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def section(visit, product_id="red", language="en"):
    page = visit.get(f"/products/{product_id}?lang={language}").text
    return page[page.index('<section id="prices"') :].partition("</section>")[0] if 'id="prices"' in page else ""


def rows(html):
    return [
        [text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", html, re.S)[1:]
    ]


def test_a_past_is_sentences_a_chart_and_a_table_of_the_same(visit, price_home):
    write_past(price_home, "red", was(300, "14.90"), was(100, "9.90", "14.90"), was(20, "12.90"))
    html = section(visit)
    words = text_of(html)
    assert "€12.90 since" in words and "the lowest price was €9.90" in words and "the highest €14.90" in words
    label = re.search(r'role="img" aria-label="([^"]+)"', html)[1]
    assert label.startswith("Chart of the price from ") and "€9.90" in label and "€14.90" in label
    assert re.search(r'class="line" d="M0 \d+H', html) and 'class="before" d="M' in html
    assert [row[1:] for row in rows(html)] == [["€12.90", ""], ["€9.90", "€14.90"], ["€14.90", ""]]
    assert "<script" not in html and "style=" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_words_amounts_and_dates(visit, price_home, language):
    write_past(price_home, "red", was(300, "1499.50"), was(20, "1299.00", "1499.50"))
    words = text_of(section(visit, language=language))
    shown = {
        "en": "€1,299.00",
        "zh": "€1,299.00",
        "de": "1.299,00\xa0€",
        "fr": "1\u202f299,00\xa0€",
        "es": "1.299,00\xa0€",
    }
    assert " ".join(shown[language].split()) in words
    heading = {"en": "Price history", "zh": "价格走势", "de": "Preisverlauf", "fr": "Historique", "es": "Historial"}
    assert words.startswith(heading[language])


def test_a_price_that_never_changed_is_a_line_once_it_is_some_days_old(visit, price_home):
    write_past(price_home, "red", was(90, "12.90"))
    html = section(visit)
    assert "<svg" in html and "when our record of this price begins" in html and len(rows(html)) == 1
    write_past(price_home, "red", was(0.1, "12.90"))
    html = section(visit)
    assert "<svg" not in html and "€12.90 since" in text_of(html)


def test_without_a_known_price_there_is_no_section(visit, price_home):
    for changes in ((), (was(9, None),), (was(9, "0"),), (was(9, "5", in_stock=False),)):
        write_past(price_home, "red", *changes)
        assert section(visit) == ""


def test_a_price_of_nothing_is_never_the_lowest(visit, price_home):
    write_past(price_home, "red", was(90, "5"), was(60, "0"), was(50, None), was(20, "4.50"))
    words = text_of(section(visit))
    assert "lowest price was €4.50" in words and [row[1] for row in rows(section(visit))] == [
        "€4.50",
        "Not available",
        "€5.00",
    ]


def test_what_was_not_for_sale_is_a_gap(visit, price_home):
    write_past(price_home, "red", was(90, "5"), was(60, "5", present=False), was(30, "6"), was(10, "6", in_stock=False))
    html = section(visit)
    assert len(re.findall("M", re.search(r'class="line" d="([^"]+)"', html)[1])) == 2 and "<circle" not in html
    assert "No price since" in text_of(html) and "The last one was €6.00" in text_of(html)


def test_another_currency_begins_another_chart(visit, price_home):
    write_past(price_home, "red", was(90, "1500", currency="JPY"), was(40, "12.90"), was(20, "11.90"))
    html = section(visit)
    assert "Prices have been in EUR since" in text_of(html) and "¥" not in html.partition("<details")[0]
    assert [row[1] for row in rows(html)] == ["€11.90", "€12.90", "¥1,500"]


def test_yen_have_no_decimals(visit, price_home):
    write_past(price_home, "red", was(90, "1980", currency="JPY"), was(40, "1584", currency="JPY"))
    html = section(visit)
    amounts = re.findall(r"<span>(¥[^<]+)</span>", html)
    assert len(set(amounts)) == len(amounts) >= 2 and not any("." in amount for amount in amounts)


def test_a_hundred_and_four_weeks_of_changes_are_all_in_the_table(visit, price_home):
    weekly = [was(7 * (104 - week), str(10 + week % 3)) for week in range(104)]
    write_past(price_home, "red", *weekly)
    html = section(visit)
    assert len(rows(html)) == 104 and len(html) < 20_000
    write_past(price_home, "red", *[was(400 - hours / 24, str(10 + hours % 3)) for hours in range(400)])
    html = section(visit)
    assert len(rows(html)) == 150 and "250 earlier changes are not listed." in html
    assert re.search(r"\d\d:\d\d UTC", html), "several changes of one day have their time"


def last_day(visit, language="en"):
    """The last day of the four weeks that `store_forecast` covers: the first is the one that is running."""
    with visit.application.test_request_context(f"/?lang={language}"):
        return date_text(week_start(week_of(NOW) + 4) - DAY)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_expected_says_until_when_in_every_language(visit, price_home, language):
    for low in (12.0, 12.85, 12.9):
        write_past(price_home, "red", was(300, "12.90"))
        store_forecast(price_home, "red", *[(low, 12.9, 12.9)] * 4)
        words = text_of(section(visit, language=language))
        assert " ".join(last_day(visit, language).split()) in words, low


def test_what_is_expected_is_a_range_that_says_what_it_is(visit, price_home):
    write_past(price_home, "red", was(300, "14.90"), was(20, "12.90"))
    store_forecast(
        price_home, "red", *[(12.0, 12.9, 13.5), (11.5, 12.9, 14.0), (11.0, 12.8, 14.2), (11.0, 12.8, 14.25)]
    )
    html = section(visit)
    words = text_of(html)
    assert f"Expected until {last_day(visit)}: €11.00 to €14.25." in words and "hold in 80% of cases" in words
    assert "It is an estimate, not a promise." in words
    assert 'class="band" d="M' in html and 'class="middle" d="M' in html
    assert "€11.00 to €14.25" in re.search(r'role="img" aria-label="([^"]+)"', html)[1]
    assert [row[1:] for row in rows(html)][-1] == ["€11.00", "€12.80", "€14.25"]  # in a table too
    forecast = visit.get("/api/v1/products/red/prices").json["forecast"]
    assert (forecast["model"], forecast["level"], forecast["flat"], len(forecast["weeks"])) == (
        "boosted",
        0.8,
        False,
        4,
    )
    assert {name: forecast["weeks"][3][name] for name in ("low", "middle", "high")} == {
        "low": "11.00",
        "middle": "12.80",
        "high": "14.25",
    }


def test_a_calm_price_is_expected_to_stay(visit, price_home):
    write_past(price_home, "red", was(300, "12.90"))
    store_forecast(price_home, "red", *[(12.9, 12.9, 12.9)] * 4)
    assert f"The price is expected to be €12.90 until {last_day(visit)}." in text_of(section(visit))
    store_forecast(price_home, "red", *[(12.85, 12.9, 12.95)] * 4)
    assert f"No change expected until {last_day(visit)}; prices of €12.85 to €12.95 are possible." in text_of(
        section(visit)
    )
    assert visit.get("/api/v1/products/red/prices").json["forecast"]["flat"] is True
    write_past(price_home, "red", was(300, "12.90"), was(0.1, "12.88"))  # within the range, and yet another price
    assert "No change" not in text_of(section(visit))
    assert visit.get("/api/v1/products/red/prices").json["forecast"] is None


def test_nothing_is_expected_of_a_price_that_left_its_range_or_cannot_be_paid(visit, price_home):
    store_forecast(price_home, "red", *[(12.0, 12.9, 13.5)] * 4)
    for last in (was(1, "20.00"), was(1, "12.90", currency="USD"), was(1, "12.90", in_stock=False), was(1, "0")):
        write_past(price_home, "red", was(300, "12.90"), last)
        assert "Expected" not in text_of(section(visit))
        assert visit.get("/api/v1/products/red/prices").json["forecast"] is None


def flags(visit, product_id="red", language="en"):
    page = visit.get(f"/products/{product_id}?lang={language}").text
    found = re.search(r'<ul class="price-flags".*?</ul>', page, re.S)
    items = re.findall(r"<summary>(.*?)</summary><p>(.*?)</p>", found[0]) if found else ()
    return dict(items)


def test_what_is_said_of_a_price_has_its_reason_and_how_often_it_was_right(visit, price_home):
    write_past(price_home, "red", was(200, "14.00"), was(1, "11.00"))
    found = flags(visit)
    assert list(found) == ["Good price", "Lower than usual"]  # "lowest in 13 weeks" is a part of the first
    assert "at least 5% below the usual price of those weeks, €14.00." in found["Good price"]
    assert re.search(
        r"In \d\d% of \d,\d{3} such cases, the price did not fall further within 4 weeks\.", found["Good price"]
    )
    assert found["Good price"].endswith("Measured on a public record of purchases at a grocer, not in this shop.")
    answer = visit.get("/api/v1/products/red/prices").json["flags"]
    assert {flag["code"] for flag in answer} == {"good_price", "lower_than_usual", "lowest_13_weeks"}
    assert all(
        flag["n"] >= 100 and 0.9 <= flag["precision"] <= 1 and flag["measured"] == "reference" for flag in answer
    )


def test_a_price_that_was_often_lower_is_said_to_be_so(visit, price_home):
    weekly = [was(7 * (20 - week), "10.00" if week % 4 else "14.00") for week in range(20)]
    write_past(price_home, "red", *weekly, was(2, "14.00"))
    found = flags(visit)
    assert [*found] == ["Often cheaper – wait?"]
    assert re.match(
        r"In (9|10) of the last 13 weeks with a price, the product cost at least 5% less\.",
        found["Often cheaper – wait?"],
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_flags_are_in_every_language(visit, price_home, language):
    write_past(price_home, "red", was(200, "14.00"), was(1, "11.00"))
    found = flags(visit, language=language)
    assert len(found) == 2 and all("14" in text and "{" not in text for text in found.values())


def test_nothing_is_said_of_a_price_without_a_past_or_of_what_is_sold_out(visit, price_home):
    for changes in ((was(1, "11.00"),), (was(200, "14.00"), was(1, "11.00", in_stock=False)), (was(200, "14.00"),)):
        write_past(price_home, "red", *changes)
        assert flags(visit) == {}
        assert visit.get("/api/v1/products/red/prices").json["flags"] == []


def test_a_past_that_cannot_be_read_leaves_the_page_whole(visit, price_home, price_app, monkeypatch):
    def fails(*_):
        raise StoreError("The file is damaged.", "Repair it.")

    engine = price_app.extensions["windowshop.engine"].engine()
    monkeypatch.setattr(engine.prices, "of", fails)
    page = visit.get("/products/red")
    assert page.status_code == 200 and 'id="prices"' not in page.text


@pytest.mark.parametrize(("precision", "percent"), [(1.0, "99%"), (0.999, "99%"), (0.934, "93%")])
def test_nothing_is_said_to_have_been_right_in_every_case(price_app, precision, percent):
    flag = PriceFlag("lowest_13_weeks", precision, 102, "shop")
    with price_app.test_request_context("/?lang=en"):
        (view,) = flag_views([flag], "EUR")
    assert view.sentences[1].startswith(f"In {percent} of 102 such cases")


@pytest.fixture
def on_sale(reduce, price_home):
    """A product on sale since ten days, which cost less in the thirty days before than it did at the end of them."""
    reduce("green", "12.00", "16.00")
    write_past(price_home, "green", was(90, "9.00"), was(30, "16.00"), was(10, "12.00", "16.00"))
    return "green"


def test_each_discount_has_the_lowest_price_of_the_thirty_days_before_it(visit, on_sale):
    page = visit.get(f"/products/{on_sale}").text
    assert '<p class="low">Lowest price in the 30 days before the discount: €9.00</p>' in page
    for address in ("/?q=green+jumper", f"/favourites?ids={on_sale}"):
        text = visit.get(address).text
        assert '<p class="low">Lowest in prior 30 days: €9.00</p>' in text, address
    body = visit.post("/api/v1/search", json={"text": "green jumper"}).json
    found = {hit["id"]: hit["lowest_30_days"] for hit in body["hits"]}
    assert found["green"] == {"price": "9.00", "currency": "EUR", "since": NOW - 90 * 86_400, "complete": True}
    assert found["red"] is None
    assert visit.get("/api/v1/products/green").json["lowest_30_days"] == found["green"]


def test_a_shorter_record_says_so(visit, on_sale, price_home):
    write_past(price_home, on_sale, was(20, "16.00"), was(10, "12.00", "16.00"))
    page = visit.get(f"/products/{on_sale}").text
    assert "Lowest price on record before the discount: €16.00. The record covers less than the 30 days" in page
    assert "Lowest on record before: €16.00" in visit.get("/?q=green+jumper").text
    assert visit.get("/api/v1/products/green").json["lowest_30_days"]["complete"] is False


def test_where_nothing_is_on_record_the_page_says_so(visit, on_sale, price_home):
    write_past(price_home, on_sale, was(10, "12.00", "16.00"))
    assert "No earlier price is on record" in visit.get(f"/products/{on_sale}").text
    card = visit.get("/?q=green+jumper").text
    assert '<p class="low">Lowest in prior 30 days: not on record</p>' in card
    assert visit.get("/api/v1/products/green").json["lowest_30_days"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_why_there_is_no_lowest_price(visit, on_sale, price_home, language):
    def why(*changes):
        write_past(price_home, on_sale, *changes)
        page = visit.get(f"/products/{on_sale}?lang={language}").text
        return re.search(r'<p class="low">([^<]+)</p>', page)[1]

    sale = was(1, "12.00", "16.00")
    words = {
        "no record": why(sale),
        "not for sale": why(was(200, "16.00"), was(50, "16.00", in_stock=False), sale),
        "in EUR": why(was(200, "16.00", currency="USD"), sale),
    }
    assert len(set(words.values())) == 3 and "EUR" in words["in EUR"]
    assert language != "en" or "not for sale in the 30 days before" in words["not for sale"]


def test_where_the_past_cannot_be_read_nothing_is_said_of_it(visit, on_sale, price_app, monkeypatch):
    def fails(_):
        raise StoreError("The file is damaged.", "Repair it.")

    monkeypatch.setattr(price_app.extensions["windowshop.engine"].engine().prices, "reductions", fails)
    page = visit.get(f"/products/{on_sale}")
    assert page.status_code == 200 and 'class="low"' not in page.text


def test_a_shop_can_leave_the_lowest_prices_out(visit, on_sale, price_app, monkeypatch):
    monkeypatch.setitem(price_app.config, lowest_prices.SETTING, False)
    for address in ("/products/green", "/?q=green+jumper"):
        assert 'class="low"' not in visit.get(address).text
    assert visit.get("/api/v1/products/green/prices").json["lowest_30_days"] is None


def test_the_lowest_prices_of_a_page_are_one_query(visit, on_sale, reduce, price_home, price_app, monkeypatch):
    for product_id in ("red", "blue"):
        reduce(product_id, "12.00", "16.00")
        write_past(price_home, product_id, was(90, "9.00"), was(10, "12.00", "16.00"))
    prices = price_app.extensions["windowshop.engine"].engine().prices
    calls, read = [], prices.reductions

    def counted(ids):
        calls.append(ids)
        return read(ids)

    monkeypatch.setattr(prices, "reductions", counted)
    for address in ("/?q=jumper", "/favourites?ids=red&ids=green&ids=blue", "/products/red"):
        calls.clear()
        assert visit.get(address).text.count('class="low"') >= 3, address
        assert len(calls) == 1, address
    calls.clear()
    hits = visit.post("/api/v1/search", json={"text": "jumper"}).json["hits"]
    assert sum(hit["lowest_30_days"] is not None for hit in hits) == 3 and len(calls) == 1


def test_the_api_returns_the_past_in_exact_amounts(visit, price_home):
    write_past(
        price_home,
        "blue",
        was(300, "14.90"),
        was(100, "9.90", "14.90"),
        was(50, "9.90", in_stock=False),
        was(20, "12.90"),
    )
    answer = visit.get("/api/v1/products/blue/prices").json
    assert (answer["product_id"], answer["currency"], answer["left_out"]) == ("blue", "EUR", 0)
    assert answer["current"]["price"] == "12.90" and answer["current"]["list_price"] is None
    assert [(change["price"], change["list_price"]) for change in answer["changes"]] == [
        ("14.90", None),
        ("9.90", "14.90"),
        (None, None),
        ("12.90", None),
    ]
    assert (answer["forecast"], answer["lowest_30_days"]) == (None, None)
    recent = visit.get(f"/api/v1/products/blue/prices?since={NOW - 60 * 86_400}").json["changes"]
    assert [change["price"] for change in recent] == ["9.90", None, "12.90"]  # the one in force then comes first


def test_the_api_refuses_what_it_cannot_answer(visit):
    assert visit.get("/api/v1/products/nothing/prices").status_code == 404
    for since in ("-1", "yesterday", "9" * 30):
        assert visit.get(f"/api/v1/products/red/prices?since={since}").status_code == 422
    assert visit.get("/api/v1/products/red/prices?until=3").status_code == 422


def test_a_price_is_as_old_as_it_is_whatever_the_stock_and_the_list_price(visit, price_home):
    for later in ((was(10, "12.00", in_stock=False), was(1, "12.00")), (was(10, "12.00", "15.00"), was(1, "12.00"))):
        write_past(price_home, "red", was(400, "9.00"), was(300, "12.00"), *later)
        assert visit.get("/api/v1/products/red/prices").json["current"]["since"] == NOW - 300 * DAY
        with visit.application.test_request_context():
            expected = f"€12.00 since {date_text(NOW - 300 * DAY)}."
        assert expected in text_of(section(visit))
    write_past(price_home, "red", was(300, "12.00"), was(10, "12.00", in_stock=False), was(1, "12.00"))
    assert "when our record of this price begins" in text_of(section(visit))


def test_no_more_than_the_newest_part_of_a_long_history_is_shown_and_that_is_said(visit, price_home, monkeypatch):
    write_past(price_home, "red", was(2_000, "5"), was(1_500, "15"), was(1_200, "14"), was(20, "12"))
    html = section(visit)
    assert [row[1] for row in rows(html)][:2] == ["€12.00", "€14.00"] and "€15.00" not in html
    assert "are not listed; what the price was before" in html
    assert "the lowest price was €12.00" in text_of(html)
    answer = visit.get("/api/v1/products/red/prices").json
    assert not answer["complete"] and [change["price"] for change in answer["changes"]] == ["14", "12"]
    assert visit.get(f"/api/v1/products/red/prices?since={NOW - 100 * DAY}").json["complete"] is True
    monkeypatch.setattr(product_prices, "MAX_READ", 3)
    write_past(price_home, "red", was(90, "10"), *(was(4 - day, "12", in_stock=day % 2 == 0) for day in range(5)))
    html = section(visit)
    assert "€12.00 since" in text_of(html) and "when our record" not in text_of(html)
    answer = visit.get("/api/v1/products/red/prices").json
    assert (answer["complete"], answer["current"]["since"]) == (False, NOW - 4 * DAY)
    assert flags(visit) == {}, "a lowest price of 13 weeks needs 13 weeks"


def test_long_histories_are_cut_and_say_so(visit, price_home, monkeypatch):
    monkeypatch.setattr(routes, "MAX_CHANGES", 3)
    write_past(price_home, "red", *[was(9 - day, str(10 + day)) for day in range(8)])
    answer = visit.get("/api/v1/products/red/prices").json
    assert [change["price"] for change in answer["changes"]] == ["15", "16", "17"] and answer["left_out"] == 5
    assert Decimal(answer["current"]["price"]) == 17
