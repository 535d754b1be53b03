"""Reports are one HTML file each: values are escaped, pictures lie inside, an unknown name is an error."""

import base64
import io

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup
from PIL import Image

from indexer.html_report import render_report, thumbnail_uri
from tests.indexer.shop_fixtures import write_picture


def test_values_are_escaped_unless_they_are_markup():
    page = render_report("indexer", "report_base.html.jinja", title="<b>&")
    assert "<h1>&lt;b&gt;&amp;</h1>" in page and "http" not in page
    assert "<h1><b></h1>" in render_report("indexer", "report_base.html.jinja", title=Markup("<b>"))


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError, match="title"):
        render_report("indexer", "report_base.html.jinja")


def test_a_thumbnail_is_a_small_jpeg_and_none_for_what_is_no_picture(tmp_path):
    uri = thumbnail_uri(write_picture(tmp_path / "red.png", (255, 0, 0), (400, 200)), 100)
    assert Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).size == (100, 50)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert thumbnail_uri(tmp_path / "broken.png", 100) is None and thumbnail_uri(tmp_path / "gone.png", 100) is None
