"""Tables are read as spreadsheets and shops write them; a value that would be lost or moved rejects its row."""

import codecs
import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.feeds.rows.delimited import open_table
from catalog.feeds.rows.records import split_record
from tests.catalog.feed_writer import read, write

HEADER = "id,title,category,image\n"
ROWS = "7,Red mug,Tableware,images/1.png\n8,Blue mug,Tableware,images/2.png\n"
PLAIN = [("7", "Red mug", "Tableware"), ("8", "Blue mug", "Tableware")]
MARK = "\ufeff"


def facts(path):
    products, rejected = read(path)
    assert rejected == []
    return [(product.id, product.title, product.category) for product in products]


def with_delimiter(text, delimiter):
    return text.replace(",", delimiter)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":"])
@pytest.mark.parametrize("mark", ["", MARK, MARK * 2])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}", " sep={} ", "sep={};;;"])
def test_the_line_sep_names_the_delimiter(shop, delimiter, mark, line):
    content = mark + line.format(delimiter) + "\r\n" + with_delimiter(HEADER + ROWS, delimiter)
    assert facts(write(shop, content)) == PLAIN


def test_the_line_sep_may_name_a_tab_in_words(shop):
    assert facts(write(shop, "sep=\\t\n" + with_delimiter(HEADER + ROWS, "\t"))) == PLAIN


def test_a_line_sep_that_the_header_contradicts_does_not_count(shop):
    """As where a program wrote the file again with another delimiter."""
    assert facts(write(shop, "sep=;\n" + HEADER + ROWS)) == PLAIN


def test_lines_below_sep_have_their_own_number(shop):
    _, (rejected,) = read(write(shop, "sep=,\n" + HEADER + "7,,Tops,images/1.png\n"))
    assert rejected.line == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("marks", [1, 2, 3])
def test_marks_again(shop, encoding, marks):
    assert facts(write(shop, (MARK * marks + HEADER + ROWS).encode(encoding))) == PLAIN


@pytest.mark.parametrize(
    "header", ['\ufeff"id",title,category,image\n', '"\ufeffid",title,category,image\n', "ï»¿" + HEADER]
)
def test_a_mark_at_the_first_name(shop, header):
    assert facts(write(shop, header + ROWS)) == PLAIN


@pytest.mark.parametrize("extra", [",", ",,,", ", ,", ',""', ',"",'])
def test_empty_cells_too_many_are_nothing(shop, extra):
    assert facts(write(shop, HEADER + ROWS.replace("\n", extra + "\n"))) == PLAIN


@pytest.mark.parametrize("header", [HEADER.replace("\n", ",,\n"), HEADER.replace("\n", ',"",\n')])
def test_columns_without_a_name(shop, header):
    assert facts(write(shop, header + ROWS)) == PLAIN
    assert facts(write(shop, header + ROWS.replace("\n", ",,\n"))) == PLAIN


def test_a_cell_too_many_that_is_not_empty_rejects_the_row(shop):
    (product,), (rejected,) = read(
        write(shop, HEADER + "7,Red mug, large,Tableware,images/1.png\n8,Hat,Tops,images/2.png\n")
    )
    assert product.id == "8"
    assert rejected.reason == "too many cells: 5, but the header has 4"


def test_a_cell_too_many_is_not_joined_to_one_with_doubled_quotes(shop):
    content = HEADER + '7,"Plate 12"" x","Tableware",images/1.png,lost\n'
    products, rejected = read(write(shop, content))
    assert not products and "too many cells" in rejected[0].reason


def test_cells_missing_at_the_end_are_empty(shop):
    header = HEADER.replace("\n", ",brand,description,price\n")
    products, rejected = read(write(shop, header + ROWS + "9,Pot,Tableware,images/3.png,Acme\n"))
    assert rejected == []
    assert [(product.brand, product.price) for product in products] == [("", None), ("", None), ("Acme", None)]


def test_a_row_without_what_it_needs_still_says_so(shop):
    _, rejected = read(write(shop, HEADER + "7,Shirt,Tops\n8\n"))
    assert [entry.reason for entry in rejected] == ["no picture", "no title"]


@pytest.mark.parametrize(
    "row",
    [
        '7,"Red mug" ,Tableware,images/1.png',
        '7,"Red mug"   ,"Tableware"  ,"images/1.png"  ',
        '7, "Red mug", "Tableware", "images/1.png"',
        '"7" , "Red mug" , "Tableware" , "images/1.png" ',
    ],
)
def test_spaces_around_quotes_are_nothing(shop, row):
    assert facts(write(shop, HEADER + row + "\n" + ROWS.partition("\n")[2])) == PLAIN


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("cell", "title"),
    [
        ('"Retro" lamp', '"Retro" lamp'),
        ('12" plate', '12" plate'),
        ('"12" plate"', '12" plate'),
        ('TV 42"', 'TV 42"'),
        ('"TV 42""', 'TV 42"'),
        ('"He said \\"nice\\" cup"', 'He said "nice" cup'),
        ('"\\"Retro\\" lamp"', '"Retro" lamp'),
        ('"He said ""nice"" cup"', 'He said "nice" cup'),
        ('"He said "nice" cup"', 'He said "nice" cup'),
        ('"12\\""', '12"'),
        ('"Retro" and "new" lamp', '"Retro" and "new" lamp'),
        ('"Two\nlines, "nice" ones"', 'Two lines, "nice" ones'),
        ('"A ""x"" b" c', '"A ""x"" b" c'),
    ],
)
def test_quotes_within_a_cell_are_text(shop, delimiter, cell, title):
    cell = cell.replace(",", delimiter)
    row = delimiter.join(("7", cell, "Tableware", "images/1.png"))
    content = with_delimiter(HEADER, delimiter) + row + "\n" + with_delimiter(ROWS.partition("\n")[2], delimiter)
    assert facts(write(shop, content)) == [
        ("7", " ".join(title.replace(",", delimiter).split()), "Tableware"),
        PLAIN[1],
    ]


def test_a_quote_in_a_cell_that_holds_the_delimiter(shop):
    content = HEADER + '7,"Lamp "Retro", red",Tableware,images/1.png\n'
    assert facts(write(shop, content)) == [("7", 'Lamp "Retro", red', "Tableware")]
    content = HEADER + '7,"Plate 12", blue",Tableware,images/1.png\n'
    assert facts(write(shop, content)) == [("7", 'Plate 12", blue', "Tableware")]
    content = HEADER + '7,"a \\"b\\", c","d, e",images/1.png\n'
    assert facts(write(shop, content)) == [("7", 'a "b", c', "d, e")]


def test_escaped_quotes_at_the_end_of_a_line(shop):
    content = HEADER.replace("\n", ",description\n") + (
        '7,Red mug,Tableware,images/1.png,"He said \\"hi\\"\nand left, ok"\n'
        '8,Blue mug,Tableware,images/2.png,"in C:\\dir\\"\n'
    )
    path = write(shop, content)
    assert facts(path) == PLAIN
    assert [product.description for product in read(path)[0]] == ['He said "hi"\nand left, ok', "in C:\\dir\\"]


@pytest.mark.parametrize("header", [HEADER, '"id,title,category,image"\n'])
def test_rows_that_were_quoted_as_a_whole(shop, header):
    rows = '"7,Red mug,Tableware,images/1.png"\n"8,""Blue mug"",Tableware,images/2.png"\n'
    assert facts(write(shop, header + rows)) == PLAIN


@pytest.mark.parametrize("cell", ['"Shirt', '"Shirt"" blue', '"'])
def test_a_quote_that_is_not_closed_rejects_its_row_alone(shop, cell):
    products, (rejected,) = read(write(shop, HEADER + f"6,{cell},Tableware,images/1.png\n" + ROWS * 1))
    assert [product.id for product in products] == ["7", "8"]
    assert (rejected.line, rejected.reason[:32]) == (2, "a quote is opened and not closed")


def test_spreadsheets_write_digits_as_formulas(shop):
    content = HEADER + '="007",Red mug,Tableware,images/1.png\n"=""008""",Blue mug,Tableware,images/2.png\n'
    assert facts(write(shop, content)) == [("007", *PLAIN[0][1:]), ("008", *PLAIN[1][1:])]


@pytest.mark.parametrize("end", ["\x1a", "\n\x1a", "\n\x1a\n", "\x1a\x1a\0\0", "\r\n\x1a\r\n"])
@pytest.mark.parametrize("name", ["feed.csv", "feed.jsonl"])
def test_ctrl_z_ends_a_file(shop, end, name):
    rows = HEADER + ROWS
    if name == "feed.jsonl":
        rows = "".join(
            f'{{"id": "{key}", "title": "{title}", "category": "{category}", "image": "images/1.png"}}\n'
            for key, title, category in PLAIN
        )
    assert facts(write(shop, rows.removesuffix("\n") + end, name)) == PLAIN


def test_files_that_were_joined_with_ctrl_z_between(shop):
    assert facts(write(shop, HEADER + ROWS.replace("\n8", "\n\x1a\n8"))) == PLAIN
    assert facts(write(shop, HEADER + ROWS.replace("\n8", "\n\x1a8"))) == PLAIN


@pytest.mark.parametrize("between", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("end", ["", "\r", "\r\n", "\n"])
def test_line_ends_of_several_kinds(shop, between, end):
    header, first, second = (HEADER + ROWS).splitlines()
    assert facts(write(shop, f"{header}\n{first}{between}\r\n{second}{end}")) == PLAIN


@pytest.mark.parametrize(
    "above",
    [
        "Price list 2026\n\n",
        "Price list 2026,,,\n,,,\n",
        '"Price list, spring",,,\nas of 1 March,,,\n',
        "# exported by our shop\n",
        "\n\n",
    ],
)
def test_titles_above_the_header(shop, above):
    path = write(shop, above + HEADER + ROWS)
    assert facts(path) == PLAIN
    assert read(path)[0][0].origin == f"products.csv:{above.count(chr(10)) + 2}"


def test_a_row_that_names_columns_is_no_header(shop):
    content = (
        "Handle,Title,Image Src,Option1 Name,Option1 Value\nh,Hat,images/1.png,price,id\nh,,images/2.png,title,image\n"
    )
    with open_table(write(shop, content)) as (header, _):
        assert header[:2] == ["handle", "title"]


LETTERS = st.characters(exclude_characters="\x1a\ufeff", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
CELLS = st.text(LETTERS, max_size=12).filter(
    lambda cell: cell == "" or cell[0] not in "=+-@'＝＋－＠"
)  # as formulas have
TABLES = st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    table=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
)
def test_what_a_csv_writer_writes_is_read_as_it_was(tmp_path_factory, table, delimiter, quoting, newline, encoding):
    rows = [[f"p{number}", *cells] for number, cells in enumerate(table)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=newline)
    writer.writerows([["id", "title", "category", "note", "image"], *rows])
    path = tmp_path_factory.mktemp("table") / "feed.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    with open_table(path) as (header, found):
        names = [list(row.cells.values()) for row in found]
    assert header == ["id", "title", "category", "note", "image"]
    for cells, row in zip(names, rows, strict=True):
        assert [value for values in cells for value in values] == [cell for cell in row if cell]


@settings(max_examples=300, deadline=None)
@given(
    cells=st.lists(st.text('ab "\\\u00e9', max_size=8).map(str.strip), min_size=2, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
)
def test_splitting_never_loses_a_letter(cells, delimiter):
    text = delimiter.join(f'"{cell}"' for cell in cells)
    found = split_record(text, delimiter, len(cells))
    if found is not None:
        assert "".join(filter(str.isalpha, "".join(found))) == "".join(filter(str.isalpha, text))


def test_marks_are_those_of_codecs():
    assert MARK.encode() == codecs.BOM_UTF8
