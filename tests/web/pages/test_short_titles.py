"""Titles on cards: long ones lose what they share, never what differs."""

import re

from hypothesis import given
from hypothesis import strategies as st

from catalog.product import Product
from web.pages.short_titles import MAX_WIDTH, ShortTitle, short_titles

MUG = "Dune speckled straight mug with a handle, glazed stoneware"
CHINESE = "简约北欧风格手工釉面陶瓷带把手大容量家用办公室马克杯"


def shown(*titles):
    shorts = short_titles({str(number): title for number, title in enumerate(titles)})
    return [f"{short.head}…{short.tail}" if short.middle else short.head for short in shorts.values()]


def test_long_titles_show_where_they_differ():
    assert shown(f"{MUG}, ivory and navy", f"{MUG}, ivory and plum", "Short") == [
        "Dune speckled straight mug with a handle, glazed… navy",
        "Dune speckled straight mug with a handle, glazed… plum",
        "Short",
    ]
    assert shown(f"{CHINESE}象牙白", f"{CHINESE}藏青色") == [
        "简约北欧风格手工釉面陶瓷带把手大容量家用办公室马…象牙白",
        "简约北欧风格手工釉面陶瓷带把手大容量家用办公室马…藏青色",
    ]


def test_a_long_title_like_no_other_keeps_its_last_part():
    assert shown(f"{MUG}, ivory and navy") == ["Dune speckled straight mug with a… ivory and navy"]


def test_a_title_that_differs_early_keeps_its_last_part_too():
    assert shown("Corin striped deep round bowl, glazed stoneware, lilac and terracotta", "Corin two-tone bowl") == [
        "Corin striped deep round bowl,… lilac and terracotta",
        "Corin two-tone bowl",
    ]


def test_short_equal_and_unbroken_titles_stay_whole():
    assert shown(MUG[:40], MUG[:40]) == [MUG[:40]] * 2
    same = "word " * 20
    assert shown(same.strip(), same.strip()) == [same.strip()] * 2
    assert shown("x" * 200, "x" * 199) == ["x" * 200, "x" * 199]


@given(st.lists(st.text(max_size=120), max_size=6))
def test_the_parts_are_the_title(titles):
    by_id = {str(number): title.rstrip() for number, title in enumerate(titles)}
    for product_id, short in short_titles(by_id).items():
        assert short.head + short.middle + short.tail == by_id[product_id]
        assert isinstance(short, ShortTitle) and (not short.middle or len(short.head + short.tail) <= MAX_WIDTH)


def test_a_card_still_has_the_whole_title(client):
    title = f"{MUG}, ivory & navy"
    with client.application.test_request_context("/"):
        template = client.application.jinja_env.get_template("cards.html")
        card = template.make_module({"short_titles": short_titles({"mug": title})}).card(
            Product("mug", title, ()), None
        )
    link = re.search(r"<h3.*?</h3>", card, re.DOTALL)[0]
    assert '<span class="hidden-words"> glazed stoneware,</span>' in link
    assert re.sub(r"<[^>]*>", "", link).strip() == title.replace("&", "&amp;")
