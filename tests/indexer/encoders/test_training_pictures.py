"""Which pictures an encoder was trained on."""

import numpy as np
import pytest

from catalog.errors import EncoderUnavailable
from catalog.images.decoder import content_hash
from catalog.sample import SAMPLE_FOLDER
from catalog.text.labelled_csv import read_labelled_csv
from indexer.encoders import training_pictures
from indexer.encoders.training_pictures import in_training_set, save_training_set


def test_what_was_noted_is_seen(tmp_path, monkeypatch):
    files = [tmp_path / name for name in "abc"]
    for file in files:
        file.write_bytes(file.name.encode())
    monkeypatch.setattr(training_pictures, "STARTER_TRAINING_SET", tmp_path / "seen.npy")
    assert in_training_set("starter", ["00" * 32]).tolist() == [False]
    assert save_training_set([*files[:2], files[0]], tmp_path / "seen.npy") == 2
    hashes = [content_hash(file.read_bytes()) for file in files]
    assert in_training_set("starter", hashes).tolist() == [True, True, False]
    assert not in_training_set("colour", hashes).any()
    (tmp_path / "seen.npy").write_bytes(b"x")
    with pytest.raises(EncoderUnavailable, match="Restore"):
        in_training_set("starter", hashes)


def test_the_starters_note_fits_the_sample_shops_split():
    """Training photos were seen, test photos were not: the note is that of these very weights."""
    photos = read_labelled_csv(SAMPLE_FOLDER / "photos.csv", ("photo", "split"))
    hashes = [content_hash((SAMPLE_FOLDER / row.values["photo"]).read_bytes()) for row in photos]
    trained = np.array([row.values["split"] == "train" for row in photos])
    assert (in_training_set("starter", hashes) == trained).all()
