"""What is handed in for a bulk job: tables and zips, honest and hostile."""

import struct
import zipfile

import pytest

from catalog.errors import BadFeed, BadPicture, PictureTooLarge
from catalog.text.csv_export import csv_text
from search.bulk import input_files
from search.bulk.input_files import BulkRow, FolderPictures, ZipPictures, open_pictures, read_rows
from tests.search.bulk_jobs import bulk_zip, picture_bytes

DATA = picture_bytes((9, 9, 9))


def zip_of(path, *entries, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in entries:
            file.writestr(name, data)
    return path


def rows_of(tmp_path, text, name="list.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_rows(path, tmp_path / "table.csv")


def test_a_table_beside_its_pictures(tmp_path):
    text = "\ufeffSKU;Name;Image Link;colour\n1;A mug;a.jpg | sub/b.jpg;red\n\n2;;c.jpg\n3;;;blue\n4;x;y;z;too;many\n"
    one, two, three, four = rows_of(tmp_path, text)
    assert (one.line, one.id, one.title, one.pictures) == (2, "1", "A mug", ("a.jpg", "sub/b.jpg"))
    assert one.cells["colour"] == "red"
    assert (two.line, two.id, two.fault) == (4, "2", "")
    assert "no picture" in three.fault and "cells" in four.fault


@pytest.mark.parametrize(
    ("encoding", "titles"),
    [
        ("utf-16", ("Crème brûlée", "Größe für Käse")),
        ("cp1252", ("Crème brûlée dish", "Größe für Käse")),
        ("cp1251", ("Красная кружка", "Чайник")),
        ("gbk", ("红色马克杯", "陶瓷茶壶")),
        ("shift_jis", ("赤いマグカップ", "急須")),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_table_as_spreadsheets_write_it(tmp_path, encoding, titles, zipped):
    text = f'sep=;\nid;name;photo\n1;"{titles[0]}" ;a.jpg;\n2;{titles[1]};a.jpg\n\x1a'
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    if zipped:
        path = zip_of(tmp_path / "list.zip", ("list.csv", path.read_bytes()), ("a.jpg", DATA))
    one, two = read_rows(path, tmp_path / "table.csv")
    assert (one.line, one.title, one.pictures, one.fault) == (3, titles[0], ("a.jpg",), "")
    assert (two.line, two.title, two.pictures, two.fault) == (4, titles[1], ("a.jpg",), "")


def test_a_table_whose_encoding_cannot_be_told_is_refused(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("id,title,image\n1,Crème bowl,a.jpg\n2,Jalapeño sauce,a.jpg\n".encode("cp1252"))
    with pytest.raises(BadFeed, match=r"may be in cp125\d .* or cp125\d"):
        read_rows(path, tmp_path / "table.csv")


def test_entities_in_a_title(tmp_path):
    (row,) = rows_of(tmp_path, "id,title,image\n1,Ben &amp; Jerry&#39;s <b>mug</b>,a.jpg\n")
    assert row.title == "Ben & Jerry's mug"


def test_pictures_lie_in_the_tables_folder_and_nowhere_else(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a.jpg").write_bytes(DATA)
    (tmp_path / "secret.jpg").write_bytes(DATA)
    (inside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    pictures = FolderPictures(inside)
    assert pictures.read("a.jpg") == DATA
    for name in ("../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "none.jpg", "file:///etc/passwd", "\0"):
        with pytest.raises(BadPicture):
            pictures.read(name)


def test_a_zip_without_a_table_is_a_row_a_picture(tmp_path):
    path = zip_of(
        tmp_path / "a.zip", ("b/p10.jpg", DATA), ("b/p9.jpg", DATA), ("__MACOSX/._x.jpg", b""), ("a.txt", b"")
    )
    assert read_rows(path, tmp_path / "t") == [BulkRow(0, f"p{n}", "", (f"b/p{n}.jpg",)) for n in (9, 10)]


def test_a_zip_with_a_table_names_pictures_from_where_the_table_is(tmp_path):
    path = zip_of(tmp_path / "a.zip", ("in/list.csv", "id,image\n1,p.jpg\n2,./p.jpg\n"), ("in/p.jpg", DATA))
    rows = read_rows(path, tmp_path / "table.csv")
    assert [row.pictures for row in rows] == [("in/p.jpg",)] * 2
    pictures = open_pictures(path, tmp_path)
    assert pictures.read("in/p.jpg") == DATA
    with pytest.raises(BadPicture):
        pictures.read("../p.jpg")
    pictures.close()


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "b/../../a.jpg", "..\\a.jpg", "C:/a.jpg", "\\a.jpg"])
def test_a_path_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(BadFeed, match="leads out"):
        ZipPictures(zip_of(tmp_path / "a.zip", (name, DATA)))


@pytest.mark.promise("S9")
def test_bombs_links_passwords_and_doubles_are_refused(tmp_path, monkeypatch):
    with pytest.raises(BadFeed, match="grow"):
        ZipPictures(zip_of(tmp_path / "a.zip", ("a.jpg", bytes(10**7)), compression=zipfile.ZIP_DEFLATED))
    link = zipfile.ZipInfo("a.jpg")
    link.external_attr = 0o120777 << 16
    with pytest.raises(BadFeed, match="link"):
        ZipPictures(zip_of(tmp_path / "b.zip", (link, "/etc/passwd")))
    path = zip_of(tmp_path / "c.zip", ("a.jpg", DATA))
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(BadFeed, match="password"):
        ZipPictures(path)
    with pytest.warns(UserWarning):
        path = zip_of(tmp_path / "d.zip", ("a.jpg", DATA), ("a.jpg", DATA))
    with pytest.raises(BadFeed, match="twice"):
        ZipPictures(path)
    path = zip_of(tmp_path / "e.zip", ("a.jpg", bytes(3_000)))
    monkeypatch.setattr(input_files, "MAX_UNPACKED_BYTES", 2_000)
    with pytest.raises(BadFeed, match="more than"):
        ZipPictures(path)


@pytest.mark.promise("S9")
@pytest.mark.parametrize(("at", "form", "value"), [(10, "<H", 65_535), (12, "<I", 2**31)])
def test_a_directory_that_claims_too_much_is_not_read(tmp_path, monkeypatch, at, form, value):
    path = zip_of(tmp_path / "a.zip", ("a.jpg", DATA))
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, len(data) - 22 + at, value)
    path.write_bytes(data)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(BadFeed, match="too many or too large files"):
        ZipPictures(path)


def test_a_zip_that_was_cut_or_damaged(tmp_path):
    path = bulk_zip(tmp_path / "a.zip", 5)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(BadFeed):
            read_rows(path, tmp_path / "t")
    damaged = bytearray(whole)
    damaged[60:90] = bytes(30)
    path.write_bytes(damaged)
    pictures = ZipPictures(path)
    with pytest.raises(BadPicture):
        pictures.read("pictures/p0.jpg")
    pictures.close()


def test_one_picture_too_large(tmp_path, monkeypatch):
    pictures = ZipPictures(zip_of(tmp_path / "a.zip", ("a.jpg", bytes(3_000))))
    monkeypatch.setattr(input_files, "MAX_PICTURE_BYTES", 2_000)
    with pytest.raises(PictureTooLarge):
        pictures.read("a.jpg")
    pictures.close()


def test_too_many_rows_and_none(tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "MAX_ROWS", 2)
    with pytest.raises(BadFeed, match="more than"):
        rows_of(tmp_path, "image\na.jpg\nb.jpg\nc.jpg\n")
    for text in ("image\n", "", "id,title\n1,2\n"):
        with pytest.raises(BadFeed):
            rows_of(tmp_path, text)


def test_a_table_that_we_wrote_is_read_as_it_was(tmp_path):
    text = csv_text(("id", "title", "@x", "image"), [("=1", "-20% hat", "a;=b", "a.jpg"), ("-5", "'tis", "'", "b.jpg")])
    one, two = rows_of(tmp_path, text)
    assert (one.id, one.title, one.cells["@x"]) == ("=1", "-20% hat", "a;=b")
    assert (two.id, two.title, two.cells["@x"]) == ("-5", "'tis", "'")


def test_pictures_of_one_name_in_two_folders_have_two_ids(tmp_path):
    names = ("autumn/mugs/dup.jpg", "deep/dup.jpg", "deep/one.jpg", "two.jpg", "x/y.jpg", "x/y.png", "v1.5/a.b.jpg")
    rows = read_rows(zip_of(tmp_path / "a.zip", *((name, DATA) for name in names)), tmp_path / "t")
    ids = {row.pictures[0]: row.id for row in rows}
    assert ids == {
        "autumn/mugs/dup.jpg": "autumn/mugs/dup",
        "deep/dup.jpg": "deep/dup",
        "deep/one.jpg": "one",
        "two.jpg": "two",
        "x/y.jpg": "x/y.jpg",  # "x/y" would be two
        "x/y.png": "x/y.png",
        "v1.5/a.b.jpg": "a.b",
    }


def test_every_picture_has_an_id_of_its_own(tmp_path):
    """Also where one is called as another is with its ending, and where all of an id's length is the same."""
    long = "x" * 600
    names = (
        "a.jpg",
        "a.png",
        "a.jpg.webp",
        f"{long}1.jpg",
        f"{long}2.jpg",
        "b/c.jpg",
        "c/c.jpg",
        "b/c/d.jpg",
        "b/c.png",
    )
    rows = read_rows(zip_of(tmp_path / "a.zip", *((name, DATA) for name in names)), tmp_path / "t")
    ids = {row.pictures[0]: row.id for row in rows}
    assert len(set(ids.values())) == len(names) and all(len(one) <= input_files.MAX_ID_LENGTH for one in ids.values())
    assert [ids[name] for name in names[:3]] == list(names[:3]) and ids["c/c.jpg"] == "c/c"


def test_what_is_missing_is_missing_among_the_files_sent(tmp_path):
    pictures = ZipPictures(zip_of(tmp_path / "a.zip", ("a.jpg", DATA)))
    with pytest.raises(BadPicture, match=r"'x\.jpg' among the files sent"):
        pictures.read("x.jpg")
    pictures.close()
    tables = zip_of(tmp_path / "b.zip", ("a.csv", "image\na.jpg\n"), ("b.csv", "image\na.jpg\n"), ("a.jpg", DATA))
    with pytest.raises(BadFeed, match="2 tables among the files sent"):
        read_rows(tables, tmp_path / "t")
