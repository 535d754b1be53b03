from search.cli.common import format_table, print_figures


def test_columns_line_up():
    shown = format_table(("id", "score"), [("a", "0.5"), ("bcd", "10.25")], 40, right=("score",))
    assert shown.split("\n") == ["id   score", "---  -----", "a      0.5", "bcd  10.25"]


def test_the_widest_column_gives_way_and_wide_letters_count_twice():
    shown = format_table(("id", "title"), [("1", "红色连衣裙红色连衣裙红色连衣裙"), ("2", "x" * 40)], 20).split("\n")
    assert shown[2] == "1   红色连衣裙红色…"
    assert shown[3] == "2   " + "x" * 15 + "…"


def test_a_title_cannot_steer_the_terminal():
    assert "\x1b" not in format_table(("title",), [("\x1b[2Jred\nrow",)], 80)
    assert len(format_table(("title",), [("\x1b[2Jred\nrow",)], 80).split("\n")) == 3


def test_a_long_name_does_not_touch_its_figure(capsys):
    print_figures({"removed": 1, "removed_from_experiments": 0})
    assert capsys.readouterr().out.splitlines() == ["removed" + " " * 17 + "1", "removed_from_experiments  0"]
