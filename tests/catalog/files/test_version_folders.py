"""Files are compared with their records, small ones one after another and large ones side by side."""

import pytest

from catalog.files import version_folders
from catalog.files.version_folders import damage, records

FILES = {"a": b"small", "b": b"large" * 9, "c": b"small as well", "d": b"as large" * 7}


@pytest.mark.parametrize("limit", [0, 20, 1_000], ids=["all large", "both", "all small"])
@pytest.mark.parametrize("change", [b"", b"other", None], ids=["cut", "changed", "gone"])
def test_the_first_file_that_differs_is_found(tmp_path, monkeypatch, limit, change):
    monkeypatch.setattr(version_folders, "LARGE_BYTES", limit)
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    whole = records(tmp_path)
    assert damage(tmp_path, whole) is None
    for name, data in reversed(FILES.items()):  # so that all that come later are damaged too
        if change is None:
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_bytes(change and data[::-1])
        path, reason = damage(tmp_path, whole)
        assert path == tmp_path / name and reason
