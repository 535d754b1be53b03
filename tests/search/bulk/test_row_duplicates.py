"""Rows of one table that repeat each other, in jobs whose vectors (colours alone) cannot tell their things apart."""

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageOps

from catalog.errors import BadPicture
from indexer.encoders.registry import open_encoder
from indexer.layout import RowLayout
from indexer.types import Block
from search.bulk import row_duplicates
from search.bulk.job_rows import RowPicture
from search.bulk.row_duplicates import RowDuplicateFinder
from search.bulk.worker import Worker
from search.dedup.duplicate_kinds import SAME_FILE, SAME_PICTURE
from search.engine import SearchEngine
from tests.quality.repeated_rows import Planted, figures
from tests.search.bulk.test_job_store import all_rows, work
from tests.search.bulk_jobs import begun, make_desk_shop
from tests.search.dedup.test_image_alignment import drawn, saved

BATCH_ROWS = 8


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return make_desk_shop(tmp_path_factory.mktemp("desk") / "shop")


@pytest.fixture
def home(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "shop"))


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("search.bulk.worker.BATCH_ROWS", BATCH_ROWS)


def told(home, path, rows):
    """What each row repeats, and how; a row is a picture or the bytes of one, and perhaps a title."""
    job = begun(home, packed(path, rows))
    work(home, job)
    return repeats_of(job)


def packed(path, rows):
    lines = ["title,image"]
    with zipfile.ZipFile(path, "w") as file:
        for number, row in enumerate(rows, 1):
            picture, title = row if isinstance(row, tuple) else (row, "")
            file.writestr(f"{number}.png", png(picture))
            lines.append(f"{title},{number}.png")
        file.writestr("list.csv", "\n".join(lines))
    return path


def png(picture):
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def repeats_of(job):
    return [(row["suggestion"]["repeats_row"], row["suggestion"]["repeats_row_kind"]) for row in all_rows(job)]


@pytest.mark.parametrize("altered", [saved, ImageOps.mirror, lambda picture: picture.crop((8, 5, 114, 140))])
def test_an_altered_copy_of_an_earlier_row_is_told(home, tmp_path, altered):
    rows = [drawn(1), drawn(2), drawn(3), altered(drawn(2)), drawn(4), drawn(2)]
    expected = [(0, "")] * 3 + [(2, SAME_PICTURE), (0, ""), (2, SAME_FILE)]
    assert told(home, tmp_path / "a.zip", rows) == expected


def test_variants_of_one_picture_repeat_none_but_their_own_number(home, tmp_path):
    rows = [(drawn(1), "Lipstick 05"), (saved(drawn(1)), "Lipstick 07"), (drawn(1), "Lipstick 07 new")]
    assert told(home, tmp_path / "a.zip", rows) == [(0, ""), (0, ""), (2, SAME_PICTURE)]
    rows = [(drawn(1), "Lipstick 05"), (drawn(1), "Lipstick 07"), (drawn(1), "Lipstick 07 new")]
    assert told(home, tmp_path / "b.zip", rows) == [(0, ""), (0, ""), (2, SAME_FILE)]


def test_what_was_met_before_a_restart_is_known_after_it(home, tmp_path, small_batches):
    rows = [drawn(seed) for seed in range(BATCH_ROWS)] + [saved(drawn(3)), saved(drawn(3)), drawn(3), drawn(BATCH_ROWS)]
    job = begun(home, packed(tmp_path / "a.zip", rows))
    with SearchEngine.open(home) as engine:
        steps = Worker(engine).steps(job)
        assert next(steps) == BATCH_ROWS
        steps.close()
    with job.db(write=True) as db:
        db.execute("UPDATE rows SET vectors = x'00' WHERE number = 5")  # as if another encoder had made it
    work(home, job)
    expected = [(0, "")] * BATCH_ROWS + [(4, SAME_PICTURE), (4, SAME_PICTURE), (4, SAME_FILE), (0, "")]
    assert repeats_of(job) == expected


def test_a_picture_that_is_gone_is_compared_with_none():
    encoder = open_encoder("colour")
    layout = RowLayout.of_encoder(encoder.blocks)

    def gone(name):
        raise BadPicture(f"{name} is gone.", "")

    for read, expected in ((gone, (0, "")), (lambda _: png(drawn(1)), (1, SAME_PICTURE))):
        earlier = RowDuplicateFinder(layout, read, ())
        for number, picture in enumerate((drawn(1), saved(drawn(1))), 1):
            sides = encoder.encode_images([picture, ImageOps.mirror(picture)])
            shown = RowPicture(number, "", f"{number}.png", f"{number}", sides[:1].astype(np.float16).tobytes())
            (said,) = earlier.repeated([shown], [picture], [sides])
        assert said == expected


def test_room_is_made_for_as_many_rows_as_there_are(monkeypatch):
    monkeypatch.setattr(row_duplicates, "INITIAL_ROWS", 2)
    layout = RowLayout((Block("colour", 4),))
    rows = np.eye(4, dtype=np.float32)
    earlier = RowDuplicateFinder(layout, lambda _: png(drawn(7)), ())
    for number in range(8):
        vector = rows[number % 4]
        shown = RowPicture(number + 1, "", "", f"{number}", vector.astype(np.float16).tobytes())
        picture = drawn(7 if number in (3, 7) else 50)
        (said,) = earlier.repeated([shown], [picture], [np.stack([vector, vector])])
        assert said == ((4, SAME_PICTURE) if number == 7 else (0, ""))


def test_vectors_of_another_encoder_are_dropped_in_the_middle_of_a_job(home, tmp_path, small_batches, monkeypatch):
    rows = [drawn(seed) for seed in range(BATCH_ROWS)] + [saved(drawn(3)), drawn(4)]
    job = begun(home, packed(tmp_path / "a.zip", rows))
    with SearchEngine.open(home) as engine:
        steps = Worker(engine).steps(job)
        assert next(steps) == BATCH_ROWS
        monkeypatch.setattr(engine.encoder, "fingerprint", "another")
        assert list(steps) == [2]
    assert repeats_of(job)[BATCH_ROWS:] == [(0, ""), (5, SAME_FILE)]  # files are the same whoever looks
    assert job.about()["fingerprint"] == "another"
    with job.db() as db:
        counts = db.execute("SELECT length(vectors) > 0, count(*) FROM rows GROUP BY 1").fetchall()
    assert [tuple(row) for row in counts] == [(0, BATCH_ROWS), (1, 2)]


def test_figures_of_planted_rows_by_hand():
    rows = [Planted(file, "", 0, "") for file in (b"a", b"b", b"a", b"c")]  # the third repeats the first by itself
    rows += [Planted(b"d", "", 2, "cropped"), Planted(b"e", "", 3, "cropped"), Planted(b"f", "", 4, "mirrored")]
    told = figures(rows, [0, 0, 1, 1, 2, 1, 0])
    assert (told["rows"], told["copies"], told["named"]) == (7, 3, 4)
    assert told["recall"] == pytest.approx(2 / 3, abs=1e-6) and told["precision"] == 0.75
    assert told["found_by_way"] == {"cropped": [2, 2], "mirrored": [0, 1]}
    assert told["wrong"] == [[4, 1]]
