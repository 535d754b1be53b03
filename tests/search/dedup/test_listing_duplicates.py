"""New listings that repeat old ones, in a shop whose vectors (colours alone) cannot tell its things apart."""

import pytest
from PIL import Image, ImageOps

from catalog import images
from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from search.dedup.duplicate_kinds import SAME_FILE, SAME_PICTURE, SHARED_PICTURE
from search.dedup.listing_duplicates import find_duplicates
from search.doctor.audit_rows import AuditRows
from search.engine import SearchEngine
from tests.quality.sections import duplicates
from tests.search.dedup.test_image_alignment import drawn, saved


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Six things of the same colours, one of them listed twice with the same file."""
    folder = tmp_path_factory.mktemp("listings")
    feed = ["id,title,category,image"]
    for seed in range(6):
        drawn(seed).save(folder / f"{seed}.png")
        feed.append(f"thing-{seed},A thing,Things,{seed}.png")
    feed.append("again,Another name,Things,0.png")
    (folder / "products.csv").write_text("\n".join(feed) + "\n")
    build_index(folder / "home", folder / "products.csv", open_encoder("colour"))
    with SearchEngine.open(folder / "home") as engine:
        yield engine


def found(engine, *pictures, **options):
    return [(hit.product_id, hit.kind) for hit in find_duplicates(engine, pictures, **options)]


def test_the_same_file_is_reported_as_one(engine, tmp_path):
    drawn(0).save(tmp_path / "0.png")
    sha256 = images.content_hash((tmp_path / "0.png").read_bytes())
    listed = find_duplicates(engine, [drawn(0)], hashes=[sha256])
    assert [(hit.product_id, hit.kind, hit.score) for hit in listed] == [
        ("again", SAME_FILE, 1.0),
        ("thing-0", SAME_FILE, 1.0),
    ]
    assert listed[0].to_dict()["other"] == sha256


@pytest.mark.parametrize("altered", [saved, ImageOps.mirror, lambda picture: picture.crop((8, 5, 114, 140))])
def test_an_altered_copy_is_the_same_picture(engine, altered):
    assert found(engine, altered(drawn(3))) == [("thing-3", SAME_PICTURE)]


def test_a_variant_that_shows_the_picture_is_reported_as_one(tmp_path):
    drawn(1).save(tmp_path / "1.png")
    drawn(1).save(tmp_path / "2.png", compress_level=1)
    feed = (
        "id,title,category,image",
        "s1,Lipstick 05,Lips,1.png",
        "s2,Lipstick 07,Lips,2.png",
        "s3,Lipstick,Lips,1.png",
    )
    (tmp_path / "products.csv").write_text("\n".join(feed) + "\n")
    build_index(tmp_path / "home", tmp_path / "products.csv", open_encoder("colour"))
    sha256 = images.content_hash((tmp_path / "1.png").read_bytes())
    with SearchEngine.open(tmp_path / "home") as engine:
        duplicates_by_kind = found(engine, drawn(1), title="Lipstick 07", hashes=[sha256])
        assert duplicates_by_kind == [("s3", SAME_FILE), ("s2", SAME_PICTURE), ("s1", SHARED_PICTURE)]
        assert found(engine, saved(drawn(1)), title="Lipstick 07")[-1] == ("s1", SHARED_PICTURE)
        assert {kind for _, kind in found(engine, saved(drawn(1)))} == {SAME_PICTURE}
        sides = engine.encoder.encode_images([saved(drawn(1)), ImageOps.mirror(saved(drawn(1)))])
        duplicates_by_kind = found(engine, saved(drawn(1)), title="Lipstick 07")
        assert found(engine, saved(drawn(1)), title="Lipstick 07", encoded=sides) == duplicates_by_kind


def test_a_new_thing_repeats_nothing(engine):
    assert found(engine, drawn(50)) == []
    assert found(engine, drawn(3, (170, 60, 40))) == []


def test_each_picture_is_compared_and_the_listing_itself_is_left_out(engine):
    pictures = [drawn(50), saved(drawn(4)), saved(drawn(5))]
    listed = find_duplicates(engine, pictures, own_id="thing-4")
    assert [(hit.product_id, hit.picture) for hit in listed] == [("thing-5", 2)]


def test_a_picture_that_cannot_be_read_is_passed_over(engine, monkeypatch):
    monkeypatch.setattr("search.dedup.listing_duplicates.load_alignment_image", lambda path: None)
    assert found(engine, Image.new("RGB", (50, 50), "white")) == []


def test_planted_duplicates_are_all_found_in_the_drawn_shop(engine):
    answers = duplicates.ask(engine, [product for product in engine.browse(7) if product.id != "again"])
    counts = duplicates.figures(answers)
    assert counts["products"] == 6 and counts["copies"] == 30
    assert counts["recall"] >= 0.95 and counts["precision"] == 1.0
    assert counts["by_kind"][duplicates.UNLISTED] == {"listings": 6, "found": 0, "wrongly_named": 0}


def test_figures_of_planted_duplicates_by_hand():
    answers = [
        duplicates.Asked("a", "cropped", ("a", "b"), frozenset({"a"})),
        duplicates.Asked("a", "mirrored", (), frozenset({"a"})),
        duplicates.Asked("a", duplicates.UNLISTED, ("c",), frozenset()),
    ]
    counts = duplicates.figures(answers)
    assert (counts["recall"], counts["precision"], counts["named"]) == (0.5, 0.333333, 3)
    assert counts["wrong"] == [("a", "b"), ("a", "c")]


def test_a_product_that_is_gone_hides_no_other(engine, tmp_path):
    drawn(0).save(tmp_path / "0.png")
    engine.remove("again")
    listed = find_duplicates(engine, [drawn(0)], hashes=[images.content_hash((tmp_path / "0.png").read_bytes())])
    assert [(hit.product_id, hit.kind) for hit in listed] == [("thing-0", SAME_FILE)]
    assert len(AuditRows.of(engine)) == 6
