"""Events as columns: their order, and the parts that can be taken of them."""

from tests.search.recommend.purchases import DAY_S, make_events, make_table


def test_events_are_in_the_order_of_visitors_and_times():
    events = make_events([(2, 1, 5), (0, 2, 3), (2, 3, 4)], visitors=4)
    assert events.starts.tolist() == [0, 1, 1, 3, 3]
    assert events.history(2).products.tolist() == [3, 1]
    assert len(events.history(1)) == len(events.history(3)) == 0


def test_a_period_begins_with_its_first_second_and_ends_before_its_last():
    events = make_events([(0, 1, 1), (0, 2, 2), (1, 3, 3)])
    assert events.between(2 * DAY_S, 3 * DAY_S).products.tolist() == [2]
    assert events.end == 3 * DAY_S + 1


def test_a_history_has_kinds_a_newest_part_and_last_times():
    events = make_events([(0, 1, 1), (0, 2, 2, "view"), (0, 1, 3)])
    history = events.history(0)
    assert history.of_kind().products.tolist() == [1, 1]
    assert history.newest(1).products.tolist() == [1]
    assert history.newest(9).products.tolist() == [1, 2, 1]
    assert len(history.newest(0)) == 0
    assert history.last_times(4).tolist() == [-1, 3 * DAY_S, 2 * DAY_S, -1]


def test_a_table_of_products_has_codes_of_categories():
    table = make_table(3, kinds=2)
    assert table.category_paths == ("Shop", "Shop > Kind 0", "Shop > Kind 1")
    assert table.categories.tolist() == [[0, 1, 1], [0, 2, 2], [0, 1, 1]]
    assert table.code_of["p2"] == 2
