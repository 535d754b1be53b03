"""Files of reviews as shops, review apps and platforms write them."""

import gzip
import json
from datetime import datetime, timezone

import pytest

from catalog.errors import BadFeed, BadRow
from catalog.product import Rejected
from catalog.reviews.readers.file_reader import FileReply, read_reviews
from catalog.reviews.readers.review_values import read_rating, read_state, read_time, read_words
from catalog.reviews.review import APPROVED, PENDING, REJECTED

EXPORTS = {
    "own.csv": "product_id,rating,title,text,author,email,created,verified,id\n"
    'mug-1,5,Warm,"Keeps warm, and how",Anna,anna@mail.example,2025-03-04T05:06:07Z,yes,r1\n',
    "judge.me.csv": "title,body,rating,review_date,source,curated,reviewer_name,reviewer_email,product_id,"
    "product_handle,reply,reply_date,picture_urls,ip_address\nWarm,\"Keeps warm, and how\",5,2025-03-04 05:06:07 UTC,"
    'web,ok,Anna,anna@mail.example,77123,mug-1,Thanks,,"https://a.example/1.jpg,https://a.example/2.jpg",\n',
    "loox.csv": "id,handle,rating,author,email,body,created_at,photo_url,verified_purchase\n"
    'r1,mug-1,5,Anna,anna@mail.example,"Keeps warm, and how",2025-03-04T05:06:07.000Z,https://a.example/1.jpg,true\n',
    "yotpo.csv": "Review ID;Review Title;Review Content;Review Score;Date;Product ID;Display Name;Email;Published\n"
    "r1;Warm;Keeps warm, and how;5;2025-03-04 05:06:07;mug-1;Anna;anna@mail.example;true\n",
    "shopify.csv": "product_handle,state,rating,title,author,email,location,body,reply,created_at,replied_at\n"
    'mug-1,published,5,Warm,Anna,anna@mail.example,,"Keeps warm, and how",,2025-03-04 00:06:07 -0500,\n',
    "woo.csv": "comment_ID,comment_post_ID,product_sku,comment_author,comment_author_email,comment_date_gmt,"
    "comment_content,comment_approved,comment_parent,rating,verified\n"
    '12,90,mug-1,Anna,anna@mail.example,2025-03-04 05:06:07,"<p>Keeps warm, and how</p>",1,0,5,1\n',
    "lines.jsonl": json.dumps({"product": {"x": 1}, "sku": "mug-1", "rating": 5, "text": "Keeps warm, and how",
                               "author": "Anna", "email": "anna@mail.example", "created": "2025-03-04T05:06:07+00:00"}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_read(tmp_path, name):
    path = tmp_path / name
    path.write_text(EXPORTS[name], encoding="utf-8")
    (review,) = read_reviews(path)
    draft = review.draft
    assert "mug-1" in review.products and review.email == "anna@mail.example"
    assert (draft.rating, draft.text, draft.author) == (5, "Keeps warm, and how", "Anna")
    assert datetime.fromtimestamp(draft.at, timezone.utc).isoformat() == "2025-03-04T05:06:07+00:00"
    shown = name in ("judge.me.csv", "yotpo.csv", "shopify.csv", "woo.csv")
    assert draft.state == (APPROVED if shown else PENDING)
    assert draft.verified == (name in ("own.csv", "loox.csv", "woo.csv"))
    assert len(review.pictures) == {"judge.me.csv": 2, "loox.csv": 1}.get(name, 0)
    assert [item.draft.state for item in read_reviews(path, state=REJECTED)] == [REJECTED]


def test_other_encodings_and_packed_files(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(
        gzip.compress("product_id\trating\ttext\nmug\t4\t质量很好，颜色也很漂亮，非常满意\n".encode("gb18030"))
    )
    (review,) = read_reviews(path, "gb18030")
    assert review.draft.text == "质量很好，颜色也很漂亮，非常满意"


def test_bad_rows_have_a_line_and_a_reason_and_replies_a_parent(tmp_path):
    path = tmp_path / "woo.csv"
    path.write_text(
        "comment_ID,comment_post_ID,comment_content,rating,comment_parent,comment_date,comment_approved,user_id\n"
        "1,9,Good,5,0,2025-01-02 03:04:05\n2,9,Thank you,,1,,1,3\n3,9,Hello,,0,\n4,9,Ok,0,0,\n5,,Ok,4,0,\n"
        "6,9,Ok,4,0,soon\n"
    )
    review, reply, *bad = read_reviews(path)
    assert review.draft.key == "woocommerce:1" and reply == FileReply(3, "woocommerce:1", "Thank you")
    assert [(one.line, one.reason) for one in bad if isinstance(one, Rejected)] == [
        (4, "there is no rating"),
        (5, "the rating '0' is not from 1 to 5"),
        (6, "there is no product"),
        (7, "the date 'soon' is not understood; write it like 2026-11-25T18:30:00Z"),
    ]


@pytest.mark.parametrize(("dates", "months"), [(["03/04/2025", "13/04/2025"], [4, 4]), (["03/04/2025"], [3])])
def test_days_come_first_where_a_date_of_the_file_shows_it(tmp_path, dates, months):
    path = tmp_path / "a.csv"
    path.write_text("product_id,rating,text,date\n" + "".join(f"mug,5,Good,{date}\n" for date in dates))
    assert [datetime.fromtimestamp(one.draft.at, timezone.utc).month for one in read_reviews(path)] == months


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("a.csv", "product_id,text\nmug,Good\n", "no column for rating"),
        ("a.csv", "rating,price\n5,3\n", "product and text"),
        ("a.xlsx", "PK", "no file of reviews"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, text, part):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadFeed, match=part):
        list(read_reviews(tmp_path / name))


@pytest.mark.parametrize(
    ("text", "stars"),
    [
        ("5", 5),
        ("4,5", 4),
        ("3.5", 4),
        ("8/10", 4),
        ("70 of 100", 4),
        ("★★★½", 4),
        ("0.5", 1),
        ("3.4", 3),
        ("4/5", 4),
        ("2 out of 5", 2),
        ("★★★☆☆", 3),
        ("1 star", 1),
    ],
)
def test_ratings(text, stars):
    assert read_rating(text) == stars


@pytest.mark.parametrize("text", ["", "0", "9", "11/10", "0/10", "good", "NaN"])
def test_what_is_no_rating(text):
    with pytest.raises(BadRow):
        read_rating(text)


@pytest.mark.parametrize(
    "text",
    ["2025-03-04", "4.3.2025", "1741046400", "1741046400000", "March 4, 2025", "4 Mar 2025", "2025/03/04",
     "2025年3月4日", "03/04/2025 12:00 AM"],
)  # fmt: skip
def test_times(text):
    assert read_time(text, day_first=False) == 1741046400


@pytest.mark.parametrize("text", ["2999-05-05", "9999-12-31T23:59:59-23:00", "9999999999", "1960-01-01"])
def test_times_that_cannot_be(text):
    with pytest.raises(BadRow, match=r"in the future|before 1970"):
        read_time(text, day_first=False)


@pytest.mark.parametrize(("state", "user", "part"), [("spam", "3", "not approved"), ("1", "0", "staff")])
def test_comments_of_others_are_no_replies_of_the_shop(tmp_path, state, user, part):
    path = tmp_path / "woo.csv"
    path.write_text(
        "comment_ID,comment_post_ID,comment_content,rating,comment_parent,comment_approved,user_id\n"
        f"2,9,Buy pills,,1,{state},{user}\n"
    )
    (bad,) = read_reviews(path)
    assert isinstance(bad, Rejected) and part in bad.reason


@pytest.mark.parametrize("text", ["2025-01-05 3:04 PM", "Jan 5, 2025 3:04 PM", "January 5, 2025 3:04 pm"])
def test_times_of_twelve_hours(text):
    assert read_time(text, day_first=False) == 1736089440


def test_ratings_above_the_best_are_of_another_scale(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("product_id,rating,text\nmug,4,Good\nmug,8,Better\n")
    with pytest.raises(BadFeed, match="rating '8' in line 3"):
        list(read_reviews(path))
    assert [one.draft.rating for one in read_reviews(path, most=10)] == [2, 4]


def test_a_smaller_sign_eats_no_words():
    assert read_words("Size <M runs small but fine", 99) == "Size <M runs small but fine"


def test_states_and_texts():
    assert [read_state(word) for word in ("Published", "1", "not-yet", "0", "spam", "???")] == [
        APPROVED, APPROVED, PENDING, PENDING, REJECTED, PENDING
    ]  # fmt: skip
    assert (
        read_words("1 < 2 &amp; <b>bold</b>", 99) == "1 < 2 & bold"
        and read_words("a\r\nb", 9) == "a\nb"
        and read_words("abc", 2) == "ab"
    )
