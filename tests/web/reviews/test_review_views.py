"""How reviews are put into words: marked clauses, dates, counts, filters and their addresses."""

import pytest

from catalog.reviews.review import AspectSummary, Opinion, Quote, Review, ReviewSummary
from catalog.reviews.review_query import ReviewFilter
from web.i18n.dates import day_of
from web.reviews.filter_fields import filter_fields
from web.reviews.review_views import TextPiece, chosen_filters, pieces_of, review_view, summary_view
from web.reviews.wording import language_name, mean_text, rated_text

TEXT = "Soft wool. It runs small, sadly."
SUMMARY = ReviewSummary(
    3,
    11 / 3,
    (0, 1, 0, 0, 2),
    (
        AspectSummary(
            "size",
            1,
            2,
            0,
            (
                Quote("1", "Fits well", "positive", "en"),
                Quote("2", "Fits me", "positive", "en"),
                Quote("3", "Too small", "negative", "en"),
            ),
        ),
        AspectSummary("use", 0, 0, 2),
    ),
)


@pytest.mark.parametrize(
    ("spans", "marked"),
    [
        ([], []),
        ([(11, 24)], ["It runs small"]),
        ([(10, 25)], ["It runs small,"]),
        ([(0, 9), (11, 24)], ["Soft wool", "It runs small"]),
        ([(14, 24), (11, 18)], ["It runs", "small"]),
        ([(20, 999)], ["mall, sadly."]),
        ([(-5, 4), (30, 20)], ["Soft"]),
    ],
)
def test_clauses_are_marked_and_the_text_stays_whole(spans, marked):
    pieces = pieces_of(TEXT, spans)
    assert "".join(piece.text for piece in pieces) == TEXT
    assert [piece.text for piece in pieces if piece.marked] == marked
    assert pieces_of("", spans) == ()


def test_a_review_in_words(app):
    review = Review("7", "red", 4, TEXT, "", "", "de-AT", 1_764_500_000, True, "approved")
    with app.test_request_context("/"):
        shown = review_view(review, (Opinion("size", "negative", 0.9, 11, 24),))
        assert (shown.author, shown.day, shown.iso_day) == ("A customer", "30 November 2025", "2025-11-30")
        assert shown.language == "German" and shown.pieces[1] == TextPiece("It runs small", True)
    with app.test_request_context("/?lang=de"):
        shown = review_view(review)
        assert (shown.author, shown.day, shown.language) == ("Ein Kunde", "30. November 2025", "")
    with app.test_request_context("/?lang=zh"):
        assert review_view(review).day == "2025年11月30日" and language_name("xx-nonsense-1") == "xx-nonsense-1"


def test_a_review_without_a_date_shows_none(app):
    review = Review("7", "red", 4, TEXT, "", "", "en", 0, True, "approved")
    with app.test_request_context("/"):
        assert (review_view(review).day, review_view(review).iso_day) == ("", "")


def test_a_day_beyond_the_calendar_breaks_no_page(app):
    with app.test_request_context("/"):
        assert review_view(Review("7", "red", 4, TEXT, "", "", "en", 1 << 60, True, "approved")).iso_day == "9999-12-31"
    assert day_of(-(1 << 60)).isoformat() == "0001-01-01"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "3.7 of 5 stars, 1 review"),
        ("de", "3,7 von 5 Sternen, 1 Bewertung"),
        ("fr", "3,7 sur 5 étoiles, 1 avis"),
        ("es", "3,7 de 5 estrellas, 1 opinión"),
        ("zh", "3.7 星（满分 5 星），1 条评价"),
    ],
)
def test_a_rating_in_every_language(app, language, words):
    with app.test_request_context(f"/?lang={language}"):
        assert rated_text(3.666, 1) == words and mean_text(4) in ("4.0", "4,0")


def test_a_summary_counts_and_leads_to_what_it_counts(app):
    with app.test_request_context("/"):
        view = summary_view("a/b", SUMMARY, ReviewFilter(rating=5, sort="newest"))
        assert [(row.stars, row.count, row.percent, row.selected) for row in view.rows] == [
            (5, 2, 67, True), (4, 0, 0, False), (3, 0, 0, False), (2, 1, 33, False), (1, 0, 0, False),
        ]  # fmt: skip
        assert view.rows[0].url == "/products/a%2Fb/reviews?sort=newest#list", "a second click takes the filter away"
        assert view.rows[3].url == "/products/a%2Fb/reviews?rating=2&sort=newest#list"
        (size,) = view.aspects
        assert [count.label for count in size.counts] == ["1 positive", "2 negative"]
        assert "rating=5&aspect=size&polarity=negative" in size.counts[1].url
        assert [quote.text for quote, _ in size.quotes] == ["Too small", "Fits well"], "one of each, the commoner first"


def test_a_quote_in_the_language_of_the_page_comes_first(app):
    quotes = tuple(
        Quote(str(number), text, "positive", code)
        for number, (text, code) in enumerate(
            zip(("Fits well", "很合身", "Passt gut"), ("en", "zh", "de"), strict=True)
        )
    )
    summary = ReviewSummary(3, 5.0, (0, 0, 0, 0, 3), (AspectSummary("size", 3, 0, 0, quotes),))
    for code, first in (("zh", "很合身"), ("de", "Passt gut"), ("fr", "Fits well")):
        with app.test_request_context(f"/?lang={code}"):
            assert summary_view("red", summary).aspects[0].quotes[0][0].text == first


def test_a_filter_in_words_and_the_ways_out_of_it(app):
    wanted = ReviewFilter(4, "size", "negative", True, True, "de", "lowest")
    with app.test_request_context("/"):
        chosen = {each.label: each.url for each in chosen_filters("red", wanted)}
        assert list(chosen) == ["4 stars", "Size and fit: Negative", "Verified purchases", "With photos", "German"]
        assert "aspect" not in chosen["Size and fit: Negative"] and "polarity" not in chosen["Size and fit: Negative"]
        assert chosen_filters("red", ReviewFilter()) == ()
    assert filter_fields(ReviewFilter()) == {} and filter_fields(wanted, 3)["page"] == 3
