import pytest

from catalog.files.atomic import SHARED, draft, stat_mark, write_atomically


def test_a_draft_takes_the_place_of_the_file(tmp_path):
    path = tmp_path / "keys.json"
    path.write_bytes(b"old")
    with draft(path, b"new") as written:
        assert path.read_bytes() == b"old"
        assert (written.parent, written.read_bytes(), written.stat().st_mode & 0o777) == (tmp_path, b"new", 0o600)
        written.replace(path)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_in_another_folder_with_the_usual_rights(tmp_path):
    (tmp_path / "partial").mkdir()
    (tmp_path / "usual").touch()
    with draft(tmp_path / "a", b"1", folder=tmp_path / "partial", mode=SHARED, durable=False) as written:
        assert written.parent.name == "partial"
        assert written.stat().st_mode & 0o777 == (tmp_path / "usual").stat().st_mode & 0o777
        written.replace(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_a_failed_block_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), draft(path, b"new"):
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_drafts_at_once_have_different_names(tmp_path):
    with draft(tmp_path / "a", b"1") as first, draft(tmp_path / "a", b"2") as second:
        assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")


def test_the_mark_of_a_file_tells_whether_it_was_written_again(tmp_path):
    path = tmp_path / "file"
    assert stat_mark(path) is None
    path.write_text("one")
    before = stat_mark(path)
    assert stat_mark(path) == before
    write_atomically(path, lambda temporary: temporary.write_text("two"))
    assert stat_mark(path) not in (before, None)
