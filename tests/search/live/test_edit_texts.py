"""An edit's texts are cleaned as those of feeds are."""

import pytest

from catalog.errors import BadQuery
from search.live.product_edit import edit_of


def test_entities_and_tags_of_an_edit():
    texts = {
        "title": "Ben &amp; Jerry&#39;s <b>mug</b>",
        "category": "Home &amp; Garden &gt; Mugs",
        "brand": "H&amp;M",
        "description": "<p>A <strong>sturdy</strong> mug.<br>Dishwasher&nbsp;safe.</p>",
    }
    fields = edit_of("e1", {**texts, "attributes": {"colour": "Black &amp; white", "size": 3}}).fields
    assert fields["title"] == "Ben & Jerry's mug"
    assert fields["category"] == "Home & Garden > Mugs"
    assert fields["brand"] == "H&M"
    assert fields["description"] == "A sturdy mug. Dishwasher safe."
    assert dict(fields["attributes"]) == {"colour": "Black & white", "size": "3"}


def test_a_title_of_nothing_but_spaces_is_blank():
    with pytest.raises(BadQuery, match="title is blank"):
        edit_of("e1", {"title": "&nbsp; &#32;"})
