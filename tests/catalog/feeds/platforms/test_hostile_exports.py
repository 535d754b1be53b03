"""Long cells and rows without sense take time that grows with their length, and nothing ends the import."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import BadFeed
from catalog.feeds.platforms import magento_cells, prestashop
from catalog.feeds.reader import PLATFORMS, read_feed
from catalog.feeds.rows.row import FeedRow
from tests.catalog.feed_writer import write
from tests.catalog.feeds.platforms import export_writers as writers
from tests.timing import ProcessorTime, speed

SIZE = 2**16  # characters; where the time grew with the square, this would take two and a half seconds or more
PIECES = (
    ",",
    ",a",
    "a=",
    "a=b,",
    '"',
    '",',
    "/",
    "|",
    "|sku=",
    ":1",
    "a:b:1,",
    " ",
    ", ",
    "\\,",
    ">",
    "Default Category/x,y,",
)
PARSERS = {
    "attributes": lambda cell: list(magento_cells.parse_attributes(cell)),
    "variations": lambda cell: list(magento_cells.parse_variations(cell)),
    "categories": magento_cells.parse_categories,
    "features": lambda cell: list(prestashop._features(cell)),
    "paths": prestashop._paths,
}


@pytest.mark.parametrize("parser", sorted(PARSERS))
def test_long_cells_take_time_in_line_with_their_length(parser):
    for piece in PIECES:
        for start in ("", "Default Category/a,", "https://a,"):
            cell = (start + piece * (SIZE // len(piece)))[:SIZE]
            with ProcessorTime() as used:
                PARSERS[parser](cell)
            assert used.seconds < speed(), (parser, piece, start)


HEADERS = [writer().decode("utf-8-sig").splitlines()[0] for writer in (writers.shopify, writers.woocommerce)]
HEADERS += [
    writer().decode().splitlines()[0] for writer in (writers.magento, writers.magento_first, writers.prestashop)
]
NAMES = [[name.strip('"') for name in header.split(";" if header.count(";") > 5 else ",")] for header in HEADERS]
VALUES = ["", "1", "0", "x", "variable", "variation", "configurable", "grouped", "id:1", "1,x", "sku=x,a=b|sku=1", "-1"]
VALUES += [
    "x=1,1=2",
    "a:b:1",
    "images/1.png",
    "Not Visible Individually",
    "12,90",
    "x > y, z",
    "TRUE",
    "continue",
    "soon",
]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(NAMES), st.data())
def test_rows_without_sense_are_products_or_reported(shop, names, data):
    rows = data.draw(st.lists(st.dictionaries(st.sampled_from(names), st.sampled_from(VALUES), max_size=8), max_size=8))
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    feed = "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)
    ids = [entry.id for entry in read_feed(write(shop, feed)) if hasattr(entry, "title")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_an_export_that_is_cut_short_gives_the_products_before_and_raises(platform):
    header = next(found for found in NAMES if platform.is_export([name.lower().replace(" ", "_") for name in found]))
    names = [name.lower().replace(" ", "_") for name in header]
    number = next(name for name in ("handle", "sku", "product_id") if name in names)

    def rows():
        for line in range(2, 5):
            yield FeedRow(line, {number: [f"p{line}"], "title": ["x"], "name": ["x"], "name_*": ["x"]})
        raise BadFeed("It is cut short.")

    made, joined = [], platform.join_rows(names, rows())
    with pytest.raises(BadFeed, match="cut short"):
        for row in joined:
            made.append(row.cells["id"][0])
    assert made == ["p2", "p3"]
