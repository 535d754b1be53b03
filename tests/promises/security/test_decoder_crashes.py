"""S8: a decoder crash is one bad image. Of 1,000 pictures ten end, hang or overfeed the process that decodes them.

How time is counted: the deadline of a picture that hangs is set by who runs the build, and is waited for in full. So
the run may take 1.5 times as long as the same run without traps, plus the deadline of 5 s of the one such picture.
"""

import csv
import json

import pytest
from PIL import Image

from indexer.build.build import BuildOptions, build_index
from indexer.build.decode_worker import TRAP
from indexer.build.encoding_pipeline import PipelineOptions
from tests.fake_encoder import FakeEncoder
from tests.timing import Lateness

PICTURE_COUNT = 1_000
SECONDS = 5.0  # on a busy machine a picture without a trap may well wait for a second
TRAPS = dict.fromkeys((13, 14, 200, 400, 600, 999), "segv") | {0: "loop"}
TRAPS |= dict.fromkeys((50, 201, 800), "memory")
REASONS = {
    "segv": "The picture makes the decoder crash.",
    "loop": "The picture takes longer than 5 s to decode.",
    "memory": "The picture needs more than 2 GiB to decode.",
}


@pytest.fixture
def feed(tmp_path):
    for number in range(PICTURE_COUNT):
        colour = (number % 10 * 25, number // 10 % 10 * 25, number // 100 * 25)
        Image.new("RGB", (400, 300), colour).save(tmp_path / f"n{number:04}.png", compress_level=1)
    with (tmp_path / "products.csv").open("w", newline="", encoding="utf-8") as file:
        rows = ((f"p{number:04}", f"thing {number}", f"n{number:04}.png") for number in range(PICTURE_COUNT))
        csv.writer(file).writerows([("id", "title", "image"), *rows])
    return tmp_path / "products.csv"


def timed(home, feed):
    with Lateness() as wait:
        report = build_index(home, feed, FakeEncoder(), BuildOptions(PipelineOptions(picture_seconds=SECONDS)))
    return report, wait


@pytest.mark.promise("S8")
def test_ten_pictures_that_end_the_decoder_cost_ten_products(feed, tmp_path, monkeypatch):
    whole, usual = timed(tmp_path / "usual", feed)
    assert (whole.products, whole.rejected) == (PICTURE_COUNT, ())
    monkeypatch.setenv(TRAP, json.dumps({f"n{number:04}.png": deed for number, deed in TRAPS.items()}))
    report, trapped = timed(tmp_path / "trapped", feed)
    assert (report.products, report.rows, len(report.rejected)) == (990, 990, 10)
    assert {row.line - 2: row.reason for row in report.rejected} == {
        number: f"no usable picture (n{number:04}.png: {REASONS[deed]})" for number, deed in TRAPS.items()
    }
    deadlines = SECONDS * list(TRAPS.values()).count("loop")
    assert trapped.within(1.5 * usual.seconds + deadlines), (trapped.seconds, usual.seconds)
