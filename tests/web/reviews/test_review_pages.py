"""The pages of reviews without JavaScript: the product's page, the list, the form, votes; approved reviews alone."""

import io
import json
import re

import pytest

from catalog.reviews.review import PENDING
from catalog.reviews.review_store import ReviewStore
from tests.web.reviews.conftest import SMALL, WRITTEN, put, visitor
from tests.web.reviews.hostile_strings import STRINGS
from tests.web.shop_fixtures import picture_bytes


def page_of(client, address="/products/red/reviews", **how):
    answer = client.get(address, **how)
    assert answer.status_code == 200, answer.text
    return answer.text


def ids(text):
    return re.findall(r'<li class="review" id="review-(\d+)"', text)


def data_of(text):
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)[1])["@graph"][0]


def test_a_product_with_reviews_shows_stars_opinions_and_the_first_reviews(visit):
    text = page_of(visit, "/products/red")
    assert text.count("4.3 of 5 stars, 6 reviews") == 2 and 'href="#reviews"' in text
    assert "2 negative" in text and "Size and fit" in text and f"{SMALL}</q>" in text
    assert len(ids(text)) == 3 and "See all 6 reviews" in text and "reviews.css" in text
    assert "Nobody reads this one" not in text and "Mallory" not in text


def test_a_product_without_reviews_says_so_and_weighs_hardly_more(visit):
    text = page_of(visit, "/products/green")
    assert "No reviews published yet." in text and 'href="/products/green/reviews/new"' in text
    assert "reviews.css" not in text and "reviews.js" not in text and "aggregateRating" not in text
    section = text[text.index('<section id="reviews"') :].partition("</section>")[0]
    assert len(section) < 700
    text = page_of(visit, "/products/green/reviews")
    assert "No reviews published yet." in text and 'content="noindex, follow"' in text and ids(text) == []


def test_cards_show_the_stars_of_products_that_have_reviews(visit):
    text = page_of(visit, "/?q=jumper")
    assert text.count('class="rated"') == 1
    assert 'aria-label="4.3 of 5 stars, 6 reviews">★ 4.3 (6)</p>' in text
    assert 'aria-label="4,3 von 5 Sternen, 6 Bewertungen"' in page_of(visit, "/?q=jumper&lang=de")


def test_a_comparison_has_the_stars_where_a_product_has_reviews(visit):
    text = page_of(visit, "/compare?ids=red&ids=green")
    assert re.search(r"Reviews.*?★ 4.3 \(6\).*?–", text, re.DOTALL)
    assert "Reviews" not in page_of(visit, "/compare?ids=green&ids=100%25")


def test_structured_data_has_approved_reviews_alone(visit):
    data = data_of(page_of(visit, "/products/red"))
    assert data["aggregateRating"] == {
        "@type": "AggregateRating", "ratingValue": 4.33, "reviewCount": 6, "bestRating": 5, "worstRating": 1,
    }  # fmt: skip
    assert [review["author"]["name"] for review in data["review"]] == ["Ann", "Petra"], (
        "reviews without a name are left out"
    )
    assert data["review"][0]["reviewRating"]["ratingValue"] == 5 and data["review"][0]["datePublished"] == "2025-11-30"
    assert "review" not in data_of(page_of(visit, "/products/green"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "123456"),
        ("rating=5", "1356"),
        ("aspect=size", "14"),
        ("aspect=size&polarity=positive", ""),
        ("polarity=positive", "12"),
        ("verified=1", "136"),
        ("photos=1", ""),
        ("language=de", "3"),
        ("sort=lowest", "421356"),
        ("sort=highest&rating=&aspect=", "135624"),
        ("page=9", "123456"),
    ],
)
def test_the_list_is_filtered_and_ordered_by_its_address(visit, query, found):
    text = page_of(visit, f"/products/red/reviews?{query}")
    assert ids(text) == list(found)
    assert ("No review matches these filters." in text) == (not found)


def test_what_the_filter_is_about_is_marked(visit):
    text = page_of(visit, "/products/red/reviews?aspect=size&polarity=negative")
    assert text.count(f"<mark>{SMALL}</mark>") == 2 and "<mark>" not in page_of(visit)
    assert "Size and fit: Negative" in text and 'content="noindex, follow"' in text
    assert "Tim &lt;b&gt;" in text, "customers' words are no markup"


@pytest.mark.parametrize("query", ["rating=6", "aspect=taste", "sort=best", "page=0", "verified=maybe", "language=%3C"])
def test_an_address_that_is_no_filter_is_refused_in_words(visit, query):
    answer = visit.get(f"/products/red/reviews?{query}")
    assert answer.status_code == 422 and "<h1" in answer.text


def test_an_id_that_ends_like_a_page_of_reviews_is_that_product(visit):
    assert visit.get("/products/red%2Freviews").status_code == 404
    assert visit.get("/products/nothing/reviews").status_code == 404


def test_a_review_is_sent_and_waits(visit, review_home):
    answer = visit.post(
        "/products/blue/reviews",
        data={
            "rating": "4",
            "title": " Warm ",
            "text": "Warm\r\nand soft.",
            "author": "Bea",
            "visitor": visitor(70),
            "photos": (io.BytesIO(picture_bytes(size=(400, 300))), "me.jpg"),
        },
    )
    assert answer.status_code == 303 and answer.location == "/products/blue/reviews?sent=waiting"
    assert "once the shop has approved it" in page_of(visit, answer.location)
    (stored,) = ReviewStore(review_home).of_visitor(visitor(70))
    assert (stored.state, stored.rating, stored.title, stored.text) == (PENDING, 4, "Warm", "Warm\nand soft.")
    assert len(stored.photos) == 1 and not stored.verified
    assert visit.get(f"/reviews/photos/{stored.photos[0]}/320.jpg").status_code == 404, "a photo waits too"
    assert "No reviews published yet." in page_of(visit, "/products/blue")
    ReviewStore(review_home).decide([stored.id], "approved")
    assert "Warm" in page_of(visit, "/products/blue/reviews")
    assert visit.get(f"/reviews/photos/{stored.photos[0]}/320.jpg").mimetype == "image/jpeg"


def test_what_was_typed_survives_an_error(visit, review_home):
    typed = {"text": 'Says "<b>soft</b>"', "title": "T", "author": "Cy", "visitor": visitor(71)}
    broken = (io.BytesIO(b"no picture"), "<me>.jpg")
    answer = visit.post("/products/blue/reviews", data={**typed, "photos": broken})
    assert answer.status_code == 422 and "Choose a rating from 1 to 5 stars." in answer.text
    assert "Says &#34;&lt;b&gt;soft&lt;/b&gt;&#34;</textarea>" in answer.text and 'value="Cy"' in answer.text
    assert 'href="#review-rating"' in answer.text and 'aria-invalid="true"' in answer.text
    assert "Please choose the photos again." in answer.text
    again = {**typed, "rating": "2", "photos": (io.BytesIO(b"no picture"), "<me>.jpg")}
    answer = visit.post("/products/blue/reviews", data=again)
    assert answer.status_code == 422 and "“&lt;me&gt;.jpg” cannot be read as a picture" in answer.text
    assert re.search(r'value="2" required checked', answer.text)
    answer = visit.post("/products/blue/reviews?lang=zh", data={**typed, "rating": "2", "title": "x" * 500})
    assert answer.status_code == 422 and "标题太长" in answer.text
    assert ReviewStore(review_home).of_visitor(visitor(71)) == ()


def test_a_guessable_visitor_is_nobodys(visit, review_home):
    sent = {"rating": "5", "text": "Fine and warm.", "visitor": "1"}
    assert visit.post("/products/plain/reviews", data=sent).status_code == 303
    assert ReviewStore(review_home).of_visitor("1") == ()


def test_a_vote_counts_once_for_a_visitor(visit, review_home):
    for _ in range(2):
        answer = visit.post("/reviews/1/votes", data={"visitor": visitor(80), "helpful": "1"})
        assert answer.status_code == 303 and answer.location == "/products/red/reviews#review-1"
    part = visit.post("/reviews/1/votes", data={"visitor": visitor(81), "helpful": "1", "part": "1"})
    assert part.status_code == 200 and "2 people found this helpful" in part.text and "<html" not in part.text
    assert "Thank you for your vote." in part.text
    visit.post("/reviews/1/votes", data={"visitor": visitor(81), "helpful": "0"})
    assert ReviewStore(review_home).get("1").helpful == 1
    for state, review_id in ((PENDING, put(review_home, "odd", WRITTEN[0], PENDING)), ("unknown", "999")):
        assert visit.post(f"/reviews/{review_id}/votes", data={"visitor": visitor(80)}).status_code == 404, state


def test_votes_without_a_number_count_once_for_an_address_and_a_day(visit, review_home):
    before = ReviewStore(review_home).get("2").helpful
    for sent in ({}, {"visitor": "1"}, {}):
        visit.post("/reviews/2/votes", data={"helpful": "1", **sent})
    assert ReviewStore(review_home).get("2").helpful == before + 1


@pytest.mark.parametrize("language", ["zh", "de", "fr", "es"])
def test_every_page_of_reviews_in_every_language(visit, language):
    for address in ("/products/red", "/products/red/reviews?aspect=size", "/products/red/reviews/new"):
        separator = "&" if "?" in address else "?"
        text = page_of(visit, f"{address}{separator}lang={language}")
        assert not re.search(r">\s*(Reviews|Your review|Filter reviews|Verified purchase|Helpful\?)\s*<", text), address


def test_whatever_a_customer_writes_is_words(visit, review_home):
    plain = page_of(visit, "/products/similar")
    for text in STRINGS:
        put(review_home, "similar", (5, text[:120], text, text[:60], "en", False))
    shown = page_of(visit, "/products/similar")
    lists = [page_of(visit, f"/products/similar/reviews?sort=newest&page={number}") for number in (1, 2, 3)]
    assert sum(len(ids(text)) for text in lists) == len(STRINGS)
    for text in (shown, *lists):
        assert not re.search(r"<(img|svg|iframe|body|base|style|details)[^>]*(onerror|onload|evil|javascript:)", text)
        assert "<script>window" not in text and text.count("</title>") == 1
    assert shown.count("<script") == plain.count("<script") + 1, "reviews.js alone came in addition"


def test_what_is_stored_of_reviews_is_said_where_it_can_be_forgotten(visit):
    assert "Reviews and votes that you send are stored" in page_of(visit, "/for-you")


def test_the_moderation_page_holds_no_data(visit):
    text = page_of(visit, "/merchant/reviews")
    assert "review_desk.js" in text and "Lovely" not in text
    assert "审核" in page_of(visit, "/merchant/reviews?lang=zh") and 'href="/merchant/reviews"' in page_of(
        visit, "/merchant"
    )
