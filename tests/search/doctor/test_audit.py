"""The catalogue doctor on a shop of drawn things with planted faults: what it finds, and that it changes nothing."""

import csv
import hashlib
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import ImageFilter

from catalog.product import Product
from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from search.__main__ import main
from search.doctor.audit import HEADER, examine, ranked
from search.doctor.audit_rows import MIN_CONFIDENCE, Finding
from search.doctor.label_checks import Predictions, contradictions
from search.engine import SearchEngine
from tests.quality.doctor import Fault, figures
from tests.search.dedup.test_image_alignment import drawn, saved

pytestmark = pytest.mark.torch
COLOURS = {"Blue": (40, 70, 200), "Red": (200, 40, 40), "Green": (40, 160, 60)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two dozen things of each of three colours; faults: dear, wrongly coloured, copied, shared, blurred, tiny."""
    folder = tmp_path_factory.mktemp("doctor")
    rows = []
    for name, colour in COLOURS.items():
        for number in range(24):
            seed = len(rows)
            rows.append(
                [f"{name}-{number}", f"{name} thing {number}", f"Things > {name} things", name, drawn(seed, colour)]
            )
    prices = {row[0]: 20 + number % 5 for number, row in enumerate(rows)}
    prices["Red-7"] = 250
    by_id = {row[0]: row for row in rows}
    by_id["Blue-3"][3] = "Red"
    by_id["Green-5"][4] = by_id["Green-5"][4].filter(ImageFilter.GaussianBlur(6))
    by_id["Green-6"][4] = by_id["Green-6"][4].resize((16, 20))
    rows.append(["copy", "=cmd()", "Things > Red things", "Red", saved(by_id["Red-2"][4])])
    rows.append(["twin", "Blue thing", "Things > Blue things", "Blue", saved(by_id["Blue-9"][4])])
    prices |= {"copy": prices["Red-2"], "twin": 2 * prices["Blue-9"]}
    feed = ["id,title,category,colour,price,image"]
    for product_id, title, category, colour, picture in rows:
        picture.save(folder / f"{product_id}.png")
        feed.append(f"{product_id},{title},{category},{colour},{prices[product_id]} EUR,{product_id}.png")
    (folder / "products.csv").write_text("\n".join(feed) + "\n")
    build_index(folder / "home", folder / "products.csv", open_encoder("colour"))
    return folder / "home"


@pytest.fixture(scope="module")
def findings(shop):
    with SearchEngine.open(shop) as engine:
        return examine(engine).findings


@pytest.mark.parametrize(
    ("kind", "product"),
    [
        ("price", "Red-7"),
        ("colour", "Blue-3"),
        ("duplicate", "copy"),
        ("shared picture", "twin"),
        ("blurred picture", "Green-5"),
        ("small picture", "Green-6"),
    ],
)
def test_each_planted_fault_is_found(findings, kind, product):
    assert (kind, product) in [(finding.kind, finding.product.id) for finding in findings if finding.confidence > 0.3]


def test_there_are_few_false_alarms(findings):
    faulty = {"Red-7", "Blue-3", "copy", "twin", "Red-2", "Green-5", "Green-6"}
    alarms = [f for f in findings if f.confidence > 0.5 and f.product.id not in faulty]
    assert len(alarms) <= 3, [(f.kind, f.product.id, f.why) for f in alarms]


def test_findings_of_low_confidence_are_dropped_and_differing_facts_are_named(findings):
    assert findings and min(finding.confidence for finding in findings) >= MIN_CONFIDENCE
    (shared,) = [finding for finding in findings if finding.kind == "shared picture"]
    assert shared.why.endswith("what differs: price.") and shared.others[0].id == "Blue-9"


def test_a_colour_is_proposed(findings):
    (found,) = [f for f in findings if f.kind == "colour" and f.product.id == "Blue-3"]
    assert found.field == "colour" and found.proposal == "Blue"


def test_the_command_writes_both_files_and_changes_nothing_else(shop, findings, tmp_path):
    before = contents(shop)
    result = CliRunner().invoke(main, ["doctor", "--home", str(shop), "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["products"] == 74 and summary["findings"]["price"] == 1
    assert contents(shop) == before
    with (tmp_path / "doctor.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(HEADER)
    confidences = [float(row[0]) for row in rows[1:]]
    assert confidences == sorted(confidences, reverse=True)
    (copy,) = [row for row in rows if row[1:3] == ["duplicate", "copy"]]
    assert copy[3] == "'=cmd()"
    page = (tmp_path / "doctor.html").read_text()
    assert "data:image/jpeg;base64," in page and "http" not in page and "prefers-color-scheme: dark" in page


def test_a_label_used_by_many_listings_is_a_convention_and_by_one_a_fault():
    names = ("Shoes > Trainers", "Shoes > Casual", "Bags > Bags")
    listed = np.zeros(100, np.int64)
    predicted = np.zeros(100, np.int64)
    predicted[:30], predicted[30] = 1, 2  # thirty trainers look casual, one is a bag
    shares = np.where(np.eye(3)[predicted] > 0, 0.998, 0.001).astype(np.float32)
    best, confidence = contradictions(Predictions(names, listed, shares, shares), (1.0, 8.0))
    assert best[30] == 2 and confidence[30] > 0.9
    assert confidence[:30].max() < 0.2 and confidence[31:].max() == 0.0


def test_a_title_that_supports_the_listing_outweighs_the_picture():
    names = ("Red", "Blue")
    pictured = np.array([[0.02, 0.98]], np.float32)
    titled = np.array([[0.999, 0.001]], np.float32)
    assert contradictions(Predictions(names, np.zeros(1, np.int64), pictured, titled), (1.0, 1.0))[1][0] == 0.0


def test_only_the_most_confident_finding_of_a_kind_counts(findings):
    product = findings[0].product
    weak, strong, other = Finding("a", product, 0.3, ""), Finding("a", product, 0.6, ""), Finding("b", product, 0.4, "")
    assert ranked([weak, other, strong]) == [strong, other]


def test_planted_faults_are_counted_by_hand():
    named = {name: Product(name, "", ()) for name in ("a", "b", "c", "d")}
    findings = [
        Finding("category", named["a"], 0.9, ""),
        Finding("price", named["a"], 0.8, ""),  # of a faulty product: no false alarm
        Finding("price", named["d"], 0.7, ""),
        Finding("duplicate", named["d"], 0.6, "", others=(named["b"],)),
    ]
    faults = [Fault("a", "category far", "X"), Fault("b", "copy", "d"), Fault("c", "title", "Y")]
    counts = figures(findings, faults, top=3)
    assert counts["found"] == 2 and counts["found_in_first_3"] == 1
    assert counts["others_in_first_3"] == 0
    assert figures(findings, faults[:1], top=3)["others_by_kind"] == {"price": 1}
    assert counts["by_kind"]["copy"] == {"planted": 1, "found": 1, "in_first_3": 0}


def contents(home):
    """The digest of every file that holds the shop's data; SQLite's own side files come and go."""
    return {
        path.relative_to(home): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm")) and path.suffix != ".lock"
    }
